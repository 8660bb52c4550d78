//! Events on their way to a webhook: whatever an object's message or annotations hold, what is
//! posted is JSON that says the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(payload) = weir::fuzzing::payload(data) else {
        return;
    };
    let read = weir_notify::Event::parse(&payload).expect("a notifier reads what the host sends");
    let value: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
    assert_eq!(value["message"], read.message.as_str());
    for (key, text) in &read.metadata {
        assert_eq!(value["metadata"][key], text.as_str());
    }
    assert!(read.author().contains('/'));
});
