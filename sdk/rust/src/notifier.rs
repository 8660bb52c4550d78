//! Notifiers: deliver an event.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::about::describe_with;
use crate::bindings::imports::weir::plugin::{context, types};
use crate::bindings::notifier::exports::weir::plugin::notifier;
use crate::{About, Call, Problem, Result};

/// Delivers one event.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::Deserialize;
/// use weir_sdk::http::Request;
/// use weir_sdk::{About, Call, Notifier, Result, ResultExt};
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Settings {
///     /// Where to post.
///     address: String,
/// }
///
/// struct Chat;
///
/// impl Notifier for Chat {
///     type Settings = Settings;
///
///     fn about() -> About {
///         About::new("chat", env!("CARGO_PKG_VERSION")).summary("Posts the message to a chat")
///     }
///
///     fn notify(_: &Call, settings: Settings, id: &str, event: &str) -> Result<()> {
///         let event: serde_json::Value = serde_json::from_str(event).internal("InvalidEvent")?;
///         Request::post(settings.address)
///             .header("Idempotency-Key", id)
///             .json(&serde_json::json!({ "text": event["message"] }))
///             .send()?
///             .require_success("PostFailed")?;
///         Ok(())
///     }
/// }
///
/// weir_sdk::export!(notifier: Chat);
/// ```
pub trait Notifier {
    /// The settings object; its schema is what the host checks before any call.
    type Settings: DeserializeOwned + JsonSchema;

    /// What the plugin says of itself.
    fn about() -> About;

    /// Semantic checks beyond the schema; used by admission and by lint.
    fn check(settings: &Self::Settings) -> Vec<Problem> {
        let _ = settings;
        Vec::new()
    }

    /// Delivers `event`, the JSON of Flux's Event (`event.toolkit.fluxcd.io/v1beta1`). `id` is the
    /// same each time the event is redelivered. The call's subject is the Provider.
    ///
    /// # Errors
    /// Why it was not delivered; `unavailable` ones are tried again.
    fn notify(call: &Call, settings: Self::Settings, id: &str, event: &str) -> Result<()>;
}

/// What the contract's exports are implemented on.
#[derive(Debug)]
pub struct Component<T>(PhantomData<T>);

describe_with!(Notifier);

impl<T: Notifier> notifier::Guest for Component<T> {
    fn notify(call: context::Call, id: String, event: String) -> Result<(), types::Failure> {
        let call = Call::new(call);
        Ok(T::notify(&call, call.settings()?, &id, &event)?)
    }
}
