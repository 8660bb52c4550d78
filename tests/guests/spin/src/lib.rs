//! Never returns.

guest::plugin!("renderer-plugin", "spin");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};

impl Renderer for Guest {
    fn render(_: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        let mut n = 0_u64;
        loop {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
}
