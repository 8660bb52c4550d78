//! Panics.

guest::plugin!("renderer-plugin", "trap");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};

impl Renderer for Guest {
    fn render(_: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        deep_inside(&[])
    }
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn deep_inside_marker() {}

#[inline(never)]
fn deep_inside(values: &[u32]) -> Result<(), Failure> {
    deep_inside_marker();
    panic!("no value at {}", values.len());
}
