//! What a plugin emits: the output as it is kept, and manifests as objects to apply.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    weir::fuzzing::kept_output(data);
    weir::fuzzing::manifests(data);
});
