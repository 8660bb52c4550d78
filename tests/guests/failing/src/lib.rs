//! Returns an error with every field filled in; its message repeats the settings.

guest::plugin!("renderer-plugin", "failing");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};
use weir::plugin::types::{FailureClass, Position};

impl Renderer for Guest {
    fn render(call: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        Err(Failure {
            class: FailureClass::InvalidInput,
            code: "BadFile".into(),
            message: format!("cannot use {}", call.settings()),
            retry_after: Some(30),
            positions: vec![Position {
                path: "a.yaml".into(),
                line: Some(3),
                column: None,
            }],
            detail: Some("{\"n\":1}".into()),
        })
    }
}
