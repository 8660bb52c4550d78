//! `secrets`: the bytes of a slot, for plugins whose operator granted reading them.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::{State, Stop};
use crate::bindings::weir::plugin::secrets;
use crate::{Failure, FailureClass};

/// The keys and values of a Secret.
pub(super) type Secret = Arc<BTreeMap<String, Vec<u8>>>;

/// The Secrets that a call came to hold. They do not change within it.
#[derive(Default)]
pub(super) struct Bound {
    slots: BTreeMap<String, Option<Secret>>,
    ca_certificate: Option<Roots>,
}

/// PEM of the roots that replace the system's, if the object has any.
type Roots = Option<Vec<u8>>;

impl State {
    /// The slot's Secret, for the host's own use. `None`: the object binds none.
    pub(super) fn slot(&mut self, name: &str) -> Result<Option<Secret>, Stop> {
        let call = self.call()?;
        if !call.grants.allows_slot(name) {
            return Err(denied(format!("the slot `{name}` is not granted to the plugin")).into());
        }
        let Some(credentials) = call.services.credentials.clone() else {
            return Ok(None);
        };
        if let Some(secret) = self.bound.slots.get(name) {
            return Ok(secret.clone());
        }
        let slot = name.to_owned();
        let secret = self.wait(async move { credentials.slot(&slot).await })??;
        if let Some(secret) = &secret {
            self.mask.learn(secret);
        }
        self.bound.slots.insert(name.to_owned(), secret.clone());
        Ok(secret)
    }

    /// The slot's Secret for a request to `url`. `None`: the object binds none, or not to that
    /// origin.
    pub(super) fn slot_for(&mut self, name: &str, url: &Url) -> Result<Option<Secret>, Stop> {
        let secret = self.slot(name)?;
        let credentials = self.call()?.services.credentials.clone();
        let (Some(_), Some(credentials)) = (&secret, credentials) else {
            return Ok(None);
        };
        let (slot, to) = (name.to_owned(), url.clone());
        let bound = self.wait(async move { credentials.is_bound_to(&slot, &to).await })??;
        Ok(secret.filter(|_| bound))
    }

    /// TLS roots of the object.
    pub(super) fn ca_certificate(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        let Some(credentials) = self.call()?.services.credentials.clone() else {
            return Ok(None);
        };
        if let Some(certificate) = &self.bound.ca_certificate {
            return Ok(certificate.clone());
        }
        let certificate = self.wait(async move { credentials.ca_certificate().await })??;
        self.bound.ca_certificate = Some(certificate.clone());
        Ok(certificate)
    }
}

pub(super) fn denied(message: String) -> Failure {
    Failure::new(FailureClass::Denied, "NotGranted", message)
}

impl secrets::Host for State {
    fn keys(&mut self, slot: String) -> wasmtime::Result<Vec<String>> {
        match self.slot(&slot) {
            Ok(secret) => Ok(secret
                .map(|s| s.keys().cloned().collect())
                .unwrap_or_default()),
            // The function has no failure to return: what is not granted is not bound.
            Err(Stop::Failure(_)) => Ok(Vec::new()),
            Err(Stop::Trap(error)) => Err(error),
        }
    }

    fn get(&mut self, slot: String, key: String) -> Result<Vec<u8>, Stop> {
        let call = self.call()?;
        if !call.grants.allows_secret(&slot) {
            let message = format!("reading the slot `{slot}` is not granted to the plugin");
            return Err(denied(message).into());
        }
        let subject = call.subject.clone();
        let secret = self.slot(&slot)?;
        let value = secret.as_ref().and_then(|secret| secret.get(&key)).cloned();
        tracing::info!(
            target: "weir::audit",
            {
                plugin.name = self.journal.plugin(),
                object.kind = subject.kind,
                object.namespace = subject.namespace,
                object.name = subject.name,
                slot,
                key,
                found = value.is_some(),
            },
            "plugin read a secret"
        );
        Ok(value.ok_or_else(|| {
            let message = match secret {
                None => format!("the object binds no Secret to the slot `{slot}`"),
                Some(_) => format!("the Secret of the slot `{slot}` has no key `{key}`"),
            };
            Failure::new(FailureClass::NotFound, "NotFound", message)
        })?)
    }
}
