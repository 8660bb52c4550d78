//! weir-bench
fn main() {}
