//! What a registry answers: manifests, configs, the component's own structure, and image names.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_plugin::fuzzing::oci(data));
