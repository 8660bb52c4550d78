//! Image policies: pick one tag.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::about::describe_with;
use crate::bindings::image_policy::exports::weir::plugin::image_policy;
use crate::bindings::imports::weir::plugin::{context, types};
use crate::{About, Call, Problem, Result};

/// Picks one of an image's tags. Pure.
///
/// ```
/// use weir_sdk::{About, Call, ImagePolicy, NoSettings, Result};
///
/// struct Longest;
///
/// impl ImagePolicy for Longest {
///     type Settings = NoSettings;
///
///     fn about() -> About {
///         About::new("longest", env!("CARGO_PKG_VERSION")).summary("The longest tag wins")
///     }
///
///     fn select(_: &Call, _: NoSettings, candidates: &[String]) -> Result<Option<usize>> {
///         Ok((0..candidates.len()).max_by_key(|index| candidates[*index].len()))
///     }
/// }
///
/// weir_sdk::export!(image_policy: Longest);
/// ```
pub trait ImagePolicy {
    /// The settings object; its schema is what the host checks before any call.
    type Settings: DeserializeOwned + JsonSchema;

    /// What the plugin says of itself.
    fn about() -> About;

    /// Semantic checks beyond the schema; used by admission and by lint.
    fn check(settings: &Self::Settings) -> Vec<Problem> {
        let _ = settings;
        Vec::new()
    }

    /// Index of the tag to use; `None`: no candidate fits. `candidates` is what the object's
    /// filter left of each tag, in the registry's order.
    ///
    /// # Errors
    /// What is wrong with the settings.
    fn select(
        call: &Call,
        settings: Self::Settings,
        candidates: &[String],
    ) -> Result<Option<usize>>;
}

/// What the contract's exports are implemented on.
#[derive(Debug)]
pub struct Component<T>(PhantomData<T>);

describe_with!(ImagePolicy);

impl<T: ImagePolicy> image_policy::Guest for Component<T> {
    fn select(call: context::Call, candidates: Vec<String>) -> Result<Option<u32>, types::Failure> {
        let call = Call::new(call);
        let index = T::select(&call, call.settings()?, &candidates)?;
        Ok(index.and_then(|index| u32::try_from(index).ok()))
    }
}
