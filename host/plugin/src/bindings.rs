//! Generated glue between the contract's WIT and Rust. Nothing outside `guest` and `plugin` names
//! these types: the rest of the host uses the vocabulary of `call.rs`, so that a second contract
//! version can be linked beside this one.
//!
//! One synthetic world imports and exports everything once; which interfaces a component really
//! gets is decided by the linker of its own world (`linker.rs`), and which export is called by
//! the world found in its type (`world.rs`).

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package weir:host;
        world all {
            include weir:plugin/source-plugin@0.1.0;
            include weir:plugin/renderer-plugin@0.1.0;
            include weir:plugin/image-policy-plugin@0.1.0;
            include weir:plugin/notifier-plugin@0.1.0;
            include weir:plugin/validator-plugin@0.1.0;
            include weir:plugin/decryptor-plugin@0.1.0;
            include weir:plugin/health-plugin@0.1.0;
            include weir:plugin/generator-plugin@0.1.0;
        }
    ",
    world: "weir:host/all",
    imports: { default: trappable },
    trappable_error_type: {
        "weir:plugin/types.failure" => crate::guest::Stop,
    },
    with: {
        "weir:plugin/files.dir": crate::guest::Dir,
        "weir:plugin/files.blob": crate::guest::Blob,
        "weir:plugin/context.call": crate::guest::CallHandle,
        "weir:plugin/artifacts.artifact": crate::guest::ArtifactHandle,
        "weir:plugin/artifacts.writer": crate::guest::Writer,
        "weir:plugin/git.checkout": crate::guest::GitCheckout,
        "weir:plugin/tcp.connection": crate::guest::Connection,
        "weir:plugin/rendering.target": crate::guest::TargetHandle,
        "weir:plugin/review.change-set": crate::guest::ChangeSet,
        "weir:plugin/output.emitter": crate::guest::Emitter,
    },
});
