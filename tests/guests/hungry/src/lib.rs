//! Allocates without end.

guest::plugin!("renderer-plugin", "hungry");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};

impl Renderer for Guest {
    fn render(_: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            all.push(std::hint::black_box(vec![1; 1 << 20]));
        }
    }
}
