//! Emits far more than it may, ignores that it is told so, and pretends that all was well.

guest::plugin!("renderer-plugin", "flood");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};
use weir::plugin::output::Manifest;

impl Renderer for Guest {
    fn render(_: Call, _: Target, out: Emitter) -> Result<(), Failure> {
        let manifest = Manifest {
            body: vec![b'#'; 1 << 16],
            origin: None,
            role: None,
        };
        for _ in 0..1000 {
            let _ = out.emit(std::slice::from_ref(&manifest));
        }
        Ok(())
    }
}
