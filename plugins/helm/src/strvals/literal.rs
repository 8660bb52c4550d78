//! Lines of one assignment, whose value is taken as it stands
//! (helm/helm pkg/strvals/literal_parser.go).

use weir_template::{Map, Value};

use super::scanner::{self, Scanner};
use super::{
    LineError, Stop, check_index, deeper, existing_list, existing_table, list_at, list_value,
    parse_all, set, set_index, table_at,
};

pub(super) fn parse(line: &str, into: &Map) -> Result<(), LineError> {
    let mut scanner = Scanner::new(line);
    parse_all(|| key(&mut scanner, into, 0))
}

fn key(scanner: &mut Scanner<'_>, map: &Map, nesting: usize) -> Result<(), Stop> {
    let read = scanner.until_literally(&['=', '[', '.']);
    let key_text = read.text;
    match read.stop {
        None if key_text.is_empty() => Err(Stop::End),
        None => Err(Stop::Error(format!("key {key_text:?} has no value"))),
        Some('=') => {
            let value = scanner.until_literally(&[]).text;
            set(map, &key_text, Value::from(value));
            Ok(())
        }
        Some('.') => {
            let nesting = deeper(nesting)?;
            let inner = existing_table(map, &key_text)?;
            let result = key(scanner, &inner, nesting);
            if result.is_ok() && inner.is_empty() {
                return Err(Stop::Error(format!("key map {key_text:?} has no value")));
            }
            if !inner.is_empty() {
                set(map, &key_text, Value::Map(inner));
            }
            result
        }
        Some(_) => {
            let index = scanner::index(scanner.until_literally(&[']']))?;
            let mut list = existing_list(map, &key_text)?;
            let result = list_item(scanner, &mut list, index, nesting);
            set(map, &key_text, list_value(list));
            result
        }
    }
}

fn list_item(
    scanner: &mut Scanner<'_>,
    list: &mut Vec<Value>,
    index: i64,
    nesting: usize,
) -> Result<(), Stop> {
    check_index(index)?;
    let read = scanner.until_literally(&['[', '.', '=']);
    if !read.text.is_empty() {
        return Err(scanner::unexpected_after_index(&read.text));
    }
    match read.stop {
        None => Err(Stop::End),
        Some('=') => {
            let value = scanner.until_literally(&[]).text;
            set_index(list, index, Value::from(value))
        }
        Some('.') => {
            let inner = table_at(list, index);
            key(scanner, &inner, nesting)?;
            set_index(list, index, Value::Map(inner))
        }
        Some(_) => {
            let inner_index = scanner::index(scanner.until_literally(&[']']))?;
            let mut inner = list_at(list, index)?;
            list_item(scanner, &mut inner, inner_index, nesting)?;
            set_index(list, index, list_value(inner))
        }
    }
}
