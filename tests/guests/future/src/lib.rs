//! Is built for a contract version that does not exist yet.

wit_bindgen::generate!({
    inline: "
        package weir:plugin@0.2.0;
        interface about { describe: func() -> string; }
        interface renderer { render: func() -> string; }
        world renderer-plugin { export about; export renderer; }
    ",
    world: "weir:plugin/renderer-plugin@0.2.0",
});

struct Guest;

impl exports::weir::plugin::about::Guest for Guest {
    fn describe() -> String {
        String::new()
    }
}

impl exports::weir::plugin::renderer::Guest for Guest {
    fn render() -> String {
        String::new()
    }
}

export!(Guest);
