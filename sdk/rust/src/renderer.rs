//! Renderers: trees in, objects out.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::about::describe_with;
use crate::bindings::imports::weir::plugin::{context, output, rendering, types};
use crate::bindings::renderer::exports::weir::plugin::renderer;
use crate::{About, Call, Emitter, Problem, Result, Target};

/// Turns a tree into Kubernetes objects. Has neither network nor secrets.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::Deserialize;
/// use weir_sdk::{About, Call, Emitter, Error, Manifest, Renderer, Result, Target};
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Settings {
///     /// File in the target's directory.
///     file: String,
/// }
///
/// struct OneFile;
///
/// impl Renderer for OneFile {
///     type Settings = Settings;
///
///     fn about() -> About {
///         About::new("one-file", env!("CARGO_PKG_VERSION"))
///             .summary("Applies one file")
///             .example(serde_json::json!({ "file": "all.yaml" }))
///     }
///
///     fn render(call: &Call, settings: Settings, target: &Target, out: &mut Emitter) -> Result<()> {
///         let path = weir_sdk::join(&target.path(), &settings.file);
///         let body = call.source()?.read(&path)?;
///         if body.is_empty() {
///             return Err(Error::invalid_input("BuildFailed", "the file is empty").in_file(path));
///         }
///         out.emit(Manifest::new(body).from_file(path))
///     }
/// }
///
/// weir_sdk::export!(renderer: OneFile);
/// ```
pub trait Renderer {
    /// The settings object; its schema is what the host checks before any call.
    type Settings: DeserializeOwned + JsonSchema;

    /// What the plugin says of itself.
    fn about() -> About;

    /// Semantic checks beyond the schema; used by admission and by lint.
    fn check(settings: &Self::Settings) -> Vec<Problem> {
        let _ = settings;
        Vec::new()
    }

    /// Renders the target's directory of the input `source`. Called again only when the answer to
    /// something that was asked has changed.
    ///
    /// # Errors
    /// What is wrong with the tree or the settings; what was emitted before is dropped.
    fn render(
        call: &Call,
        settings: Self::Settings,
        target: &Target,
        out: &mut Emitter,
    ) -> Result<()>;
}

/// What the contract's exports are implemented on.
#[derive(Debug)]
pub struct Component<T>(PhantomData<T>);

describe_with!(Renderer);

impl<T: Renderer> renderer::Guest for Component<T> {
    fn render(
        call: context::Call,
        target: rendering::Target,
        out: output::Emitter,
    ) -> Result<(), types::Failure> {
        let call = Call::new(call);
        let mut out = Emitter::new(out);
        T::render(&call, call.settings()?, &Target::new(target), &mut out)?;
        Ok(out.flush()?)
    }
}
