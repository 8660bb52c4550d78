//! One notification through the notifier plugin that serves the Provider's type.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use weir_api::notification::v1beta3::{Provider, ProviderType};
use weir_plugin::{Call, CallError, Catalog, FailureClass, Limits, Services, Subject};

use crate::credentials::{Address, Secrets, SlotBinding};
use crate::grants::GrantBook;
use crate::reconcile::objects::Objects;

/// Why a notification was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undelivered {
    /// For the Alert; without secrets.
    pub(super) message: String,
    /// Present when trying again may help, at the earliest after this.
    pub(super) retry_after: Option<Duration>,
}

/// Delivers one event to one Provider. A trait as the seam of the dispatcher's tests.
#[async_trait]
pub(super) trait Deliver: Send + Sync + 'static {
    /// One attempt; its time is bounded.
    async fn deliver(&self, provider: &Provider, id: &str, event: &str) -> Result<(), Undelivered>;
}

/// Delivers through plugins.
pub(super) struct PluginDelivery {
    pub(super) catalog: Arc<Catalog>,
    pub(super) grants: Arc<GrantBook>,
    pub(super) secrets: Arc<Secrets>,
}

#[async_trait]
impl Deliver for PluginDelivery {
    async fn deliver(&self, provider: &Provider, id: &str, event: &str) -> Result<(), Undelivered> {
        let name = plugin_name(&provider.spec.type_);
        let Some(plugin) = self.catalog.get(name) else {
            return Err(final_(format!(
                "no plugin serves Providers of the type '{}': there is no plugin '{name}'",
                provider.spec.type_
            )));
        };
        if let Some(field) = refused(provider) {
            return Err(final_(format!("this version does not act on {field}")));
        }
        let call = self.call(provider, name);
        if let Some(problem) = plugin.validate_settings(&call.settings).first() {
            return Err(final_(format!(
                "the plugin '{name}' refuses the spec: {problem}"
            )));
        }
        let called = plugin.notify(call, id.to_owned(), event.to_owned()).await;
        called
            .result
            .map_err(|error| self.undelivered(provider, error))
    }
}

impl PluginDelivery {
    fn call(&self, provider: &Provider, name: &str) -> Call {
        let (meta, spec) = (&provider.metadata, &provider.spec);
        let namespace = meta.namespace.clone().unwrap_or_default();
        let granted = self.grants.of(name);
        let slots = spec
            .secret_ref
            .iter()
            .map(|secret| SlotBinding {
                slot: "default".into(),
                secret: secret.name.clone(),
                address: Address::Own(spec.address.clone()),
            })
            .collect();
        let ca = spec
            .cert_secret_ref
            .as_ref()
            .map(|secret| secret.name.clone());
        Call {
            // References to Secrets are among the settings, their content is not.
            settings: serde_json::to_string(spec).unwrap_or_default().into(),
            inputs: Vec::new(),
            limits: Limits {
                time: granted.limits.time.min(spec.timeout().get()),
                ..granted.limits
            },
            grants: granted.grants,
            services: Services {
                credentials: Some(self.secrets.bind_with_ca(&namespace, slots, ca)),
                ..Services::none()
            },
            subject: Subject {
                api_version: "notification.toolkit.fluxcd.io/v1beta3".into(),
                kind: "Provider".into(),
                namespace,
                name: meta.name.clone().unwrap_or_default(),
                uid: meta.uid.clone().unwrap_or_default(),
            },
        }
    }

    fn undelivered(&self, provider: &Provider, error: CallError) -> Undelivered {
        match error {
            CallError::Failed(failure) => {
                if failure.class == FailureClass::Unauthorized {
                    // It may have been replaced meanwhile.
                    forget_secrets(provider, &self.secrets);
                }
                let floor = Duration::from_secs(failure.retry_after.unwrap_or_default().into());
                let again = failure.class == FailureClass::Unavailable;
                Undelivered {
                    message: failure.message,
                    retry_after: again.then_some(floor),
                }
            }
            error => final_(error.to_string()),
        }
    }
}

fn final_(message: String) -> Undelivered {
    Undelivered {
        message,
        retry_after: None,
    }
}

/// The plugin that serves a type: of the same name, but for the two that `webhook` serves.
fn plugin_name(type_: &ProviderType) -> &str {
    match type_ {
        ProviderType::Generic | ProviderType::GenericHmac => "webhook",
        other => other.as_str(),
    }
}

/// A field that must not be passed over in silence.
fn refused(provider: &Provider) -> Option<&'static str> {
    // A plugin of the type's name may have come.
    let unsupported = provider.spec.unsupported();
    let refused = unsupported
        .iter()
        .find(|u| u.refuse && u.field != "spec.type");
    refused.map(|unsupported| unsupported.field)
}

/// A Provider that was edited is delivered to with Secrets that are read anew.
pub(super) fn forget_secrets_of_edited(providers: &Arc<Objects<Provider>>, secrets: &Arc<Secrets>) {
    let secrets = Arc::clone(secrets);
    providers.on_change(move |change| {
        for provider in [change.old, change.new].into_iter().flatten() {
            forget_secrets(provider, &secrets);
        }
    });
}

fn forget_secrets(provider: &Provider, secrets: &Secrets) {
    let namespace = provider.metadata.namespace.as_deref().unwrap_or_default();
    for secret in [&provider.spec.secret_ref, &provider.spec.cert_secret_ref]
        .into_iter()
        .flatten()
    {
        secrets.forget(namespace, &secret.name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider(spec: serde_json::Value) -> Provider {
        Provider::new("p", serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn types_name_their_plugin() {
        for (type_, expected) in [
            ("generic", "webhook"),
            ("generic-hmac", "webhook"),
            ("slack", "slack"),
            ("discord", "discord"),
        ] {
            assert_eq!(
                plugin_name(&provider(json!({ "type": type_ })).spec.type_),
                expected
            );
        }
    }

    #[test]
    fn what_is_not_acted_on_is_refused() {
        assert_eq!(refused(&provider(json!({ "type": "slack" }))), None);
        assert_eq!(refused(&provider(json!({ "type": "discord" }))), None);
        assert_eq!(
            refused(&provider(
                json!({ "type": "generic", "certSecretRef": { "name": "ca" } })
            )),
            None
        );
        assert_eq!(
            refused(&provider(
                json!({ "type": "generic", "proxy": "http://proxy" })
            )),
            Some("spec.proxy")
        );
    }
}
