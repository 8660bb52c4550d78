//! weir-demo
fn main() {}
