//! What every guest would repeat: bindings to its world, and a description.

/// Generates the bindings of a world and implements `about` for `Guest`, with the given schema and
/// the given checks of settings.
#[macro_export]
macro_rules! plugin {
    ($world:literal, $name:literal, $schema:expr, $check:path) => {
        wit_bindgen::generate!({
            path: "../../../wit",
            world: $world,
            generate_all,
        });
        struct Guest;
        impl exports::weir::plugin::about::Guest for Guest {
            fn describe() -> exports::weir::plugin::about::Info {
                exports::weir::plugin::about::Info {
                    name: $name.into(),
                    version: env!("CARGO_PKG_VERSION").into(),
                    summary: "A fixture".into(),
                    settings_schema: $schema.into(),
                    examples: vec!["{}".into()],
                    wants: vec![],
                    annotations: vec![],
                }
            }
            fn check_settings(
                settings: String,
            ) -> Vec<exports::weir::plugin::about::Problem> {
                $check(&settings)
            }
        }
        export!(Guest);
    };
    ($world:literal, $name:literal, $schema:expr) => {
        fn odd(settings: &str) -> Vec<exports::weir::plugin::about::Problem> {
            if !settings.contains("odd") {
                return vec![];
            }
            vec![exports::weir::plugin::about::Problem {
                pointer: "/odd".into(),
                message: "this is odd".into(),
                fatal: false,
            }]
        }
        $crate::plugin!($world, $name, $schema, odd);
    };
    ($world:literal, $name:literal) => {
        $crate::plugin!($world, $name, r#"{"type":"object"}"#);
    };
}
