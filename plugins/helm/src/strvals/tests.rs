//! Lines, and what they make; facts from helm/helm pkg/strvals/parser_test.go and the real helm.

use std::rc::Rc;

use weir_template::{Map, Value};

use super::*;
use crate::values::empty_map;

/// JSON with kinds of numbers told apart: `1i` is an `int64`.
fn show(value: &Value) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_, value) => format!("{value}i"),
        Value::Float(value) => value.to_string(),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(show).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => {
            let entries = map.entries().into_iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key}:{}", show(&value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => format!("{:?}", other.as_str().unwrap()),
    }
}

fn outcome(parse: impl Fn(&Map) -> Result<(), LineError>) -> String {
    let map = empty_map();
    match parse(&map) {
        Ok(()) => show(&Value::Map(map)),
        Err(err) => format!("error: {err}"),
    }
}

#[test]
fn set_makes_what_helm_makes() {
    let rows = [
        ("", "{}"),
        ("a=1", "{a:1i}"),
        (
            "a=1,b=two,c=true,d=null,e=TRUE",
            "{a:1i,b:\"two\",c:true,d:null,e:true}",
        ),
        ("a=1.5", "{a:\"1.5\"}"),
        (
            "a=0,b=00,c=0x1,d=-5,e=+5",
            "{a:0i,b:\"00\",c:\"0x1\",d:-5i,e:5i}",
        ),
        ("a=9223372036854775807", "{a:9223372036854775807i}"),
        ("a=9223372036854775808", "{a:\"9223372036854775808\"}"),
        ("a=", "{a:\"\"}"),
        ("a=,b=1", "{a:\"\",b:1i}"),
        ("a=1,", "{a:1i}"),
        ("=x", "{}"),
        ("a=b=c", "{a:\"b=c\"}"),
        ("a\\.b=1", "{a.b:1i}"),
        ("a=x\\,y", "{a:\"x,y\"}"),
        ("a=x\\", "{a:\"x\"}"),
        ("a.b.c=1,a.b.d=2", "{a:{b:{c:1i,d:2i}}}"),
        ("a={x,1,true}", "{a:[\"x\",1i,true]}"),
        ("a={}", "{a:[\"\"]}"),
        ("a={x},b={y}", "{a:[\"x\"],b:[\"y\"]}"),
        ("a[0]=x", "{a:[\"x\"]}"),
        ("a[1]=x", "{a:[null,\"x\"]}"),
        ("a[0].b=1,a[0].c=2,a[1].b=3", "{a:[{b:1i,c:2i},{b:3i}]}"),
        ("a[0][1]=x", "{a:[[null,\"x\"]]}"),
        ("a[0][0]=1,a[0][1]=2", "{a:[[1i,2i]]}"),
        ("a[0]=", "{a:[\"\"]}"),
        ("a[0]", "{a:[]}"),
        ("a[0]={x,y}", "{a:[[\"x\",\"y\"]]}"),
        ("a[0]=1,a[0].b=2", "{a:[{b:2i}]}"),
        ("a", "error: key \"a\" has no value"),
        ("a,b=1", "error: key \"a\" has no value (cannot end with ,)"),
        ("a.b", "error: key \"b\" has no value"),
        ("a.", "{}"),
        ("a.=1", "error: key map \"a\" has no value"),
        ("a={x", "error: list must terminate with '}'"),
        (
            "a[x]=1",
            "error: error parsing index: strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        ("a[", "error: error parsing index: EOF"),
        ("a[-1]=1", "error: negative -1 index not allowed"),
        (
            "a[70000]=1",
            "error: index of 70000 is greater than maximum supported index of 65536",
        ),
        (
            "a[0]x=1",
            "error: unexpected data at end of array index: ['x']",
        ),
        (
            "a=1,a.b=2",
            "error: unable to parse key: interface conversion: interface {} is int64, not \
             map[string]interface {}",
        ),
        (
            "a=x,a[0]=2",
            "error: unable to parse key: interface conversion: interface {} is string, not \
             []interface {}",
        ),
    ];
    for (line, expected) in rows {
        assert_eq!(outcome(|map| parse(line, map)), expected, "{line}");
    }
}

#[test]
fn names_nest_thirty_levels() {
    let line = |levels: usize| format!("{}x=1", "a.".repeat(levels));
    assert!(parse(&line(30), &empty_map()).is_ok());
    assert_eq!(
        parse(&line(31), &empty_map()).unwrap_err().to_string(),
        "value name nested level is greater than maximum supported nested level of 30"
    );
}

#[test]
fn set_string_leaves_text() {
    let rows = [
        ("a=1,b=true,c=null", "{a:\"1\",b:\"true\",c:\"null\"}"),
        ("a={1,x}", "{a:[\"1\",\"x\"]}"),
    ];
    for (line, expected) in rows {
        assert_eq!(outcome(|map| parse_string(line, map)), expected, "{line}");
    }
}

#[test]
fn set_json_reads_documents() {
    let rows = [
        ("a=1,b=\"x\"", "{a:1,b:\"x\"}"),
        ("a={\"b\":[1,{\"c\":null}]}", "{a:{b:[1,{c:null}]}}"),
        // The space behind a comma belongs to the next key.
        ("a= [1, 2] , b=3", "{ b:3,a:[1,2]}"),
        ("a=,b=", "{a:null,b:null}"),
        ("a[1]={\"x\":1}", "{a:[null,{x:1}]}"),
        ("a.b[0]=true", "{a:{b:[true]}}"),
    ];
    for (line, expected) in rows {
        assert_eq!(outcome(|map| parse_json(line, map)), expected, "{line}");
    }
    assert!(parse_json("a={", &empty_map()).is_err());
    assert!(parse_json("a=x", &empty_map()).is_err());
}

#[test]
fn set_file_takes_the_content() {
    let read = |name: &str| match name {
        "missing" => Err("open missing: no such file or directory".to_owned()),
        name => Ok(format!("content of {name}").into_bytes()),
    };
    let rows = [
        (
            "a=x.txt,b.c=y",
            "{a:\"content of x.txt\",b:{c:\"content of y\"}}",
        ),
        ("a={x,y}", "{a:[\"content of x\",\"content of y\"]}"),
        (
            "a=missing",
            "error: open missing: no such file or directory",
        ),
    ];
    for (line, expected) in rows {
        assert_eq!(
            outcome(|map| parse_file(line, map, &read)),
            expected,
            "{line}"
        );
    }
}

#[test]
fn set_literal_takes_the_rest_of_the_line() {
    let rows = [
        ("a=1,b={x}\\", "{a:\"1,b={x}\\\\\"}"),
        ("a.b[0].c==,", "{a:{b:[{c:\"=,\"}]}}"),
        ("a[0][1]=x", "{a:[[null,\"x\"]]}"),
        ("a,b=1", "{a,b:\"1\"}"),
        ("a", "error: key \"a\" has no value"),
    ];
    for (line, expected) in rows {
        assert_eq!(outcome(|map| parse_literal(line, map)), expected, "{line}");
    }
}

#[test]
fn later_lines_change_what_is_there() {
    let map = empty_map();
    for line in ["a.b=1", "a.c[0]=x", "a.c[1]=y", "a.b=null"] {
        parse(line, &map).unwrap();
    }
    assert_eq!(
        show(&Value::Map(Rc::clone(&map))),
        "{a:{b:null,c:[\"x\",\"y\"]}}"
    );
}
