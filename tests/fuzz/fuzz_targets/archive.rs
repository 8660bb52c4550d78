//! Archives of sources and charts: unpacking any bytes ends, and no path leaves the tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_plugin::fuzzing::archive(data));
