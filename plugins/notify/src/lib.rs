//! What notifiers share: the fields of a Provider, Flux's Event, and where an event is sent.
//!
//! The address of a webhook is often itself a secret. It is used as `{{address}}`, which the host
//! fills in, so that a notifier that needs nothing else of the Secret never sees its bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_sdk::http::{Auth, Request};
use weir_sdk::{Error, Result, ResultExt};

/// The slot of `spec.secretRef`.
pub const SLOT: &str = "default";

/// The code of every failure: the reason of the Warning event that Flux makes of it.
pub const DISPATCH_FAILED: &str = "NotificationDispatchFailed";

/// `spec` of a Provider (notification.toolkit.fluxcd.io/v1beta3), as far as notifiers need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Type of the Provider.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Where to send events; the key `address` of the Secret wins.
    pub address: Option<String>,
    /// Channel or room, where the type has them.
    pub channel: Option<String>,
    /// Name under which to post, where the type has it.
    pub username: Option<String>,
    /// Secret with `address`, `token` and what else the type knows; used through the slot
    /// `default`.
    pub secret_ref: Option<SecretReference>,
}

/// A Secret of the Provider's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct SecretReference {
    /// Its name.
    pub name: String,
}

/// A Provider, and the names of the keys of its Secret.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its fields.
    pub provider: Provider,
    /// What the Secret has; empty without one.
    pub keys: Vec<String>,
}

impl Destination {
    /// Asks the host for the keys of the Provider's Secret.
    pub fn new(provider: Provider) -> Self {
        let keys = match provider.secret_ref {
            Some(_) => weir_sdk::secrets::keys(SLOT),
            None => Vec::new(),
        };
        Self { provider, keys }
    }

    /// Whether the Secret has a key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|each| each == key)
    }

    /// A POST to the Provider's address.
    ///
    /// # Errors
    /// There is no address, or it is no URL.
    pub fn post(&self) -> Result<Request> {
        if self.has("address") {
            return Ok(Request::post("{{address}}").auth(Auth::template(SLOT)));
        }
        let address = self.provider.address.as_deref().unwrap_or_default();
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            address
                .strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        });
        if is_url {
            Ok(Request::post(address))
        } else {
            Err(Error::invalid_settings(
                DISPATCH_FAILED,
                format!("invalid hook URL '{address}'"),
            ))
        }
    }
}

/// A filled field that is not empty.
pub fn given(field: Option<&String>) -> Option<&str> {
    field.map(String::as_str).filter(|text| !text.is_empty())
}

/// Flux's Event (`event.toolkit.fluxcd.io/v1beta1`), as far as notifiers look into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// The object that the event is about.
    pub involved_object: InvolvedObject,
    /// `info`, `error`; `trace` is for debugging.
    pub severity: String,
    /// When it happened, RFC 3339.
    pub timestamp: String,
    /// For people.
    pub message: String,
    /// UpperCamelCase.
    pub reason: String,
    /// Revision and the like, and what the Alert adds.
    pub metadata: BTreeMap<String, String>,
    /// `source-controller` and the like.
    pub reporting_controller: String,
}

/// The object that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InvolvedObject {
    /// `Kustomization`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Event {
    /// Reads the JSON that a notifier is called with.
    ///
    /// # Errors
    /// It is no Event: a fault of the host.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).internal("InvalidEvent")
    }

    /// `kustomization/apps.flux-system`: how chat messages name the object.
    pub fn author(&self) -> String {
        let InvolvedObject {
            kind,
            namespace,
            name,
        } = &self.involved_object;
        format!("{}/{name}.{namespace}", kind.to_lowercase())
    }

    /// Whether it tells of a failure.
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(address: &str, keys: &[&str]) -> Destination {
        Destination {
            provider: Provider {
                address: Some(address.into()),
                ..Provider::default()
            },
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn the_secrets_address_wins_and_stays_with_the_host() {
        let request = destination("https://a.example", &["address", "token"])
            .post()
            .unwrap();
        assert_eq!(
            (request.url(), request.slot()),
            ("{{address}}", Some("default"))
        );
        let request = destination("https://a.example", &["token"]).post().unwrap();
        assert_eq!((request.url(), request.slot()), ("https://a.example", None));
    }

    #[test]
    fn an_address_that_is_no_url_is_told() {
        for address in ["", "example.com", "https://"] {
            let error = destination(address, &[]).post().unwrap_err();
            assert_eq!(error.message(), format!("invalid hook URL '{address}'"));
        }
    }
}
