//! Ignore rules of an untrusted source, asked about paths of the same source: the first line is
//! the path, the second the directory of the ignore file, the rest its text.
#![no_main]

use weir::artifact::IgnoreRules;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(path), Some(directory), Some(rules)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    // As the paths of every tree are.
    if weir_plugin::normalise(path).as_deref() != Some(path) {
        return;
    }
    let below = IgnoreRules::new(None, vec![(directory.to_owned(), rules.to_owned())]);
    let own = IgnoreRules::new(Some(rules), Vec::new());
    for rules in [below, own] {
        let file = rules.leaves_out(path, false);
        assert_eq!(file, rules.leaves_out(path, false), "asked twice");
        rules.leaves_out(path, true);
    }
});
