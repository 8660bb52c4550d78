//! What wit-bindgen makes of the contract, generated once for all worlds.
//!
//! One world holds every import, so that a `Dir` is the same type in a source and in a renderer;
//! each exported interface has a small world of its own that borrows those types. Linking puts
//! the pieces together again: a component's world is the union of what it exports, and an import
//! that nothing calls is dropped, so its import list stays its capability list.
//!
//! Public only for the expansion of [`export!`](crate::export); no promise is made about it.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the contract's own documentation is in wit/"
)]

/// Everything the host offers.
pub mod imports {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package weir:sdk;
            world imports {
                import weir:plugin/types@0.1.0;
                import weir:plugin/log@0.1.0;
                import weir:plugin/files@0.1.0;
                import weir:plugin/context@0.1.0;
                import weir:plugin/output@0.1.0;
                import weir:plugin/artifacts@0.1.0;
                import weir:plugin/http@0.1.0;
                import weir:plugin/tcp@0.1.0;
                import weir:plugin/secrets@0.1.0;
                import weir:plugin/clock@0.1.0;
                import weir:plugin/random@0.1.0;
                import weir:plugin/cluster@0.1.0;
                import weir:plugin/git@0.1.0;
                import weir:plugin/oci@0.1.0;
                import weir:plugin/remote@0.1.0;
                import weir:plugin/rendering@0.1.0;
                import weir:plugin/review@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
        generate_unused_types: true,
    });
}

macro_rules! exported {
    ($(#[$doc:meta])* $module:ident, $world:literal, $inline:literal, $($key:literal: $used:ident),+) => {
        $(#[$doc])*
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                inline: $inline,
                world: $world,
                pub_export_macro: true,
                with: { $($key: crate::bindings::imports::weir::plugin::$used),+ },
            });
        }
    };
}

exported!(
    /// What every plugin exports.
    about,
    "about-export",
    "package weir:sdk; world about-export { export weir:plugin/about@0.1.0; }",
    "weir:plugin/types@0.1.0": types
);
exported!(
    /// Export of a source.
    source,
    "source-export",
    "package weir:sdk; world source-export { export weir:plugin/source@0.1.0; }",
    "weir:plugin/types@0.1.0": types,
    "weir:plugin/files@0.1.0": files,
    "weir:plugin/context@0.1.0": context,
    "weir:plugin/artifacts@0.1.0": artifacts
);
exported!(
    /// Export of a renderer.
    renderer,
    "renderer-export",
    "package weir:sdk; world renderer-export { export weir:plugin/renderer@0.1.0; }",
    "weir:plugin/types@0.1.0": types,
    "weir:plugin/files@0.1.0": files,
    "weir:plugin/context@0.1.0": context,
    "weir:plugin/output@0.1.0": output,
    "weir:plugin/rendering@0.1.0": rendering
);
exported!(
    /// Export of an image policy.
    image_policy,
    "image-policy-export",
    "package weir:sdk; world image-policy-export { export weir:plugin/image-policy@0.1.0; }",
    "weir:plugin/types@0.1.0": types,
    "weir:plugin/files@0.1.0": files,
    "weir:plugin/context@0.1.0": context
);
exported!(
    /// Export of a notifier.
    notifier,
    "notifier-export",
    "package weir:sdk; world notifier-export { export weir:plugin/notifier@0.1.0; }",
    "weir:plugin/types@0.1.0": types,
    "weir:plugin/files@0.1.0": files,
    "weir:plugin/context@0.1.0": context
);
