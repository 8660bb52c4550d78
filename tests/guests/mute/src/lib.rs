//! Traps in `describe`.

wit_bindgen::generate!({ path: "../../../wit", world: "renderer-plugin", generate_all });

use exports::weir::plugin::about;
use exports::weir::plugin::renderer::{Call, Emitter, Failure, Target};

struct Guest;

impl about::Guest for Guest {
    fn describe() -> about::Info {
        panic!("nothing to say");
    }
    fn check_settings(_: String) -> Vec<about::Problem> {
        vec![]
    }
}

impl exports::weir::plugin::renderer::Guest for Guest {
    fn render(_: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        Ok(())
    }
}

export!(Guest);
