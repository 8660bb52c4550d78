//! The YAML library: any bytes are read or refused, and what is printed can be read again.
#![no_main]

use weir_yaml::resolve::Dialect;
use weir_yaml::{
    Arena, Error, Value, Wanted, decode, emit, fields_from_yaml, from_yaml, from_yaml_strict, json,
    parse, to_yaml,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = parse::decode_text(data) else {
        return;
    };
    nodes(&text);
    values(&text);
    fields(&text);
    if let Ok(value) = json::parse(&text) {
        // A number may come back as another kind of number that is written the same.
        let printed = json::to_string(&value).expect("what was JSON is printed");
        let again = json::parse(&printed).expect("what is printed can be read");
        assert_eq!(json::to_string(&again).as_deref(), Ok(printed.as_str()));
    }
});

/// The tree of nodes, as patches are made on it.
fn nodes(text: &str) {
    let mut arena = Arena::new();
    let Ok(Some(root)) = parse::parse(&mut arena, text, Dialect::V3) else {
        return;
    };
    let _ = decode::marshal_json(&arena, root);
    let copy = arena.copy(root);
    if let Ok(printed) = emit::node_to_string(&arena, copy) {
        let mut again = Arena::new();
        let _ = parse::parse(&mut again, &printed, Dialect::V3);
    }
}

/// Plain data, as configuration is read and results are printed.
fn values(text: &str) {
    let _ = from_yaml_strict(text);
    let Ok(value) = from_yaml(text) else {
        return;
    };
    let printed = to_yaml(&value);
    // go-yaml 2 prints this text without quotes, and reads it as a merge.
    if printed.contains("<<") {
        return;
    }
    // A negative zero is printed as `-0`, and that is the number 0: hence one more round. Keys may
    // come in another order: that of go-yaml is not consistent for all of them.
    let read = |text: &str| from_yaml(text).expect("what is printed can be read");
    let again = to_yaml(&read(&printed));
    let once_more = to_yaml(&read(&again));
    assert_eq!(
        json::to_string(&read(&once_more)),
        json::to_string(&read(&again))
    );
}

/// One field, as what is rendered is looked at: the same as that of the whole.
fn fields(text: &str) {
    const KIND: Wanted<'_> = Wanted::Fields(&[("kind", Wanted::All)]);
    let kinds = |read: Result<Value, Error>| match read {
        Ok(Value::Object(object)) => {
            let all = object.iter();
            let kinds = all.filter(|(key, _)| key.eq_ignore_ascii_case("kind"));
            Ok(kinds
                .map(|(key, value)| (key.to_owned(), value.clone()))
                .collect())
        }
        Ok(_) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    };
    assert_eq!(
        kinds(fields_from_yaml(text, &KIND)),
        kinds(from_yaml(text)),
        "{text}"
    );
}
