//! `cluster`: objects that the operator lets a plugin read. Whether it may is recorded; what it was
//! told then keeps the result out of the cache.

use std::sync::Arc;

use super::secrets::denied;
use super::{State, Stop, unsupported};
use crate::bindings::weir::plugin::cluster;
use crate::call::{ClusterReader, KindRef};
use crate::trace::{Question, may_read};
use crate::{Failure, FailureClass, answer};

/// Characters of a name at most: a DNS name's.
const MAX_NAME: usize = 253;

impl State {
    /// Who answers for the kind, if it is granted.
    fn reader(&mut self, kind: &KindRef) -> Result<Arc<dyn ClusterReader>, Stop> {
        let kind = kind.to_string();
        let call = self.call()?;
        let may = may_read(call, &kind);
        let reader = call.services.cluster.clone();
        self.recorder
            .record(Question::MayRead(kind.clone()), || answer::flag(may));
        match reader {
            None => Err(unsupported("reading a cluster here").into()),
            Some(_) if !may => {
                let message = format!("reading {kind} is not granted to the plugin");
                Err(denied(message).into())
            }
            Some(reader) => {
                self.recorder.impure().cluster = true;
                Ok(reader)
            }
        }
    }

    /// What the API server sends is copied into the guest's memory next.
    fn fits_guest(&self, texts: &[String]) -> Result<(), Failure> {
        let bytes: u64 = texts.iter().map(|text| text.len() as u64).sum();
        let memory = self.meter.limits.memory;
        if bytes <= memory {
            return Ok(());
        }
        let message = format!("{bytes} bytes are more than the {memory} of the plugin's memory");
        Err(Failure::new(FailureClass::Denied, "TooLarge", message))
    }
}

/// Whether an object can have the name, and be asked for by it: a part of a path of the API.
fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:@".contains(&b);
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.bytes().all(|b| b == b'.')
}

/// Whether `v1` or `apps/v1`.
fn is_api_version(text: &str) -> bool {
    match text.split_once('/') {
        Some((group, version)) => is_name(group) && is_name(version),
        None => is_name(text),
    }
}

/// The kind, if one can be called so.
fn kind_ref(api_version: String, kind: String) -> Option<KindRef> {
    (is_api_version(&api_version) && is_name(&kind)).then_some(KindRef { api_version, kind })
}

impl cluster::Host for State {
    fn get(
        &mut self,
        api_version: String,
        kind: String,
        namespace: Option<String>,
        name: String,
    ) -> Result<Option<String>, Stop> {
        let Some(kind) = kind_ref(api_version, kind) else {
            return Ok(None);
        };
        let reader = self.reader(&kind)?;
        if !is_name(&name) || !namespace.as_deref().is_none_or(is_name) {
            return Ok(None);
        }
        let got =
            self.wait(async move { reader.get(&kind, namespace.as_deref(), &name).await })??;
        self.fits_guest(got.as_slice())?;
        Ok(got)
    }

    fn list_objects(
        &mut self,
        api_version: String,
        kind: String,
        namespace: Option<String>,
        selector: Option<String>,
    ) -> Result<Vec<String>, Stop> {
        let Some(kind) = kind_ref(api_version, kind) else {
            return Ok(Vec::new());
        };
        let reader = self.reader(&kind)?;
        if !namespace.as_deref().is_none_or(is_name) {
            return Ok(Vec::new());
        }
        let most = self.meter.limits.memory;
        let listed = self.wait(async move {
            let (namespace, selector) = (namespace.as_deref(), selector.as_deref());
            reader.list(&kind, namespace, selector, most).await
        })??;
        self.fits_guest(&listed)?;
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_to_other_paths_of_the_api() {
        for name in ["web", "system:node", "a.b-c", "kube-root-ca.crt"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "a#", "ä"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"a".repeat(MAX_NAME + 1)));
        assert!(is_api_version("v1") && is_api_version("apps/v1"));
        for version in ["", "/v1", "apps/", "a/b/v1", "../v1"] {
            assert!(!is_api_version(version), "{version}");
        }
    }
}
