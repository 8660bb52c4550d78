//! The family of `--set`: any line is read or refused.
#![no_main]

use weir_helm::ValueOptions;

libfuzzer_sys::fuzz_target!(|lines: &str| {
    let mut given = ValueOptions::default();
    // Lines after each other, each read by the next member of the family: they see each other's
    // values.
    for (number, line) in lines.lines().enumerate() {
        let to = match number % 5 {
            0 => &mut given.set,
            1 => &mut given.set_string,
            2 => &mut given.set_json,
            3 => &mut given.set_literal,
            _ => &mut given.set_file,
        };
        to.push(line.to_owned());
    }
    let _ = given.merge(&|name| match name {
        "note.txt" => Ok(b"a note".to_vec()),
        _ => Err(format!("open {name}: no such file or directory")),
    });
});
