//! Values that the user gives: files, and the family of `--set` (helm/helm pkg/cli/values).

use std::rc::Rc;

use weir_template::{Map, MapType, Value};

use super::empty_map;
use crate::decode;
use crate::error::Error;
use crate::loader::map_of;
use crate::strvals;

/// Where values come from, each list in its order. Later ones win: files, then `--set-json`,
/// `--set`, `--set-string`, `--set-file` and `--set-literal`, whatever their order among them.
#[derive(Debug, Clone, Default)]
pub struct ValueOptions {
    /// `-f`: names of files.
    pub files: Vec<String>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`.
    pub set_file: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
}

impl ValueOptions {
    /// Reads and merges all of them. `read` gives the content of a file by the name that the
    /// options have.
    pub fn merge(&self, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Rc<Map>, Error> {
        let mut base = empty_map();
        for file in &self.files {
            let bytes = read(file).map_err(Error::Values)?;
            let document = decode::yaml(&bytes).and_then(decode::map);
            let document =
                document.map_err(|err| Error::Values(format!("failed to parse {file}: {err}")))?;
            base = merge_maps(&base, &map_of(&document));
        }
        for line in &self.set_json {
            let failed = |_| Error::Values(format!("failed parsing --set-json data {line}"));
            strvals::parse_json(line, &base).map_err(failed)?;
        }
        let failed = |option: &str| {
            let option = option.to_owned();
            move |err| Error::Values(format!("failed parsing {option} data: {err}"))
        };
        for line in &self.set {
            strvals::parse(line, &base).map_err(failed("--set"))?;
        }
        for line in &self.set_string {
            strvals::parse_string(line, &base).map_err(failed("--set-string"))?;
        }
        for line in &self.set_file {
            strvals::parse_file(line, &base, read).map_err(failed("--set-file"))?;
        }
        for line in &self.set_literal {
            strvals::parse_literal(line, &base).map_err(failed("--set-literal"))?;
        }
        Ok(base)
    }
}

/// The second over the first; neither changes.
pub(crate) fn merge_maps(under: &Map, over: &Map) -> Rc<Map> {
    let merged = Rc::new(Map::new(MapType::Any, under.entries()));
    for (key, value) in over.entries() {
        let value = match (merged.get(&key), value) {
            (Some(Value::Map(under)), Value::Map(over)) => Value::Map(merge_maps(&under, &over)),
            (_, value) => value,
        };
        merged.set(key, value);
    }
    merged
}
