//! Secrets that objects bind, as plugins' slots.
//!
//! Read when a call needs them and kept for a few minutes, so that polls that find nothing cost
//! no request. Whoever learns that a Secret may be another (credentials refused, the object
//! edited) forgets it. Values live in memory only; nothing here logs them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::Url;
use weir_api::meta::reason;
use weir_plugin::{Credentials, Failure, FailureClass};

use crate::reconcile::objects::Key;
use crate::reconcile::status::is_not_found;
use crate::telemetry::chain;

/// How long a Secret is taken as read.
const KEPT: Duration = Duration::from_mins(5);
/// How long one read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// Where a Secret has its roots, newest name first.
const CA_KEYS: [&str; 2] = ["ca.crt", "caFile"];

type Values = Arc<BTreeMap<String, Vec<u8>>>;

/// Reads Secrets, and remembers them for a while.
pub struct Secrets {
    client: Client,
    kept: Mutex<HashMap<Key, Kept>>,
}

#[derive(Clone)]
struct Kept {
    since: Instant,
    /// Filled once by whoever comes first; others wait for that one request.
    values: Arc<OnceCell<Values>>,
}

/// Which Secret of the object's namespace stands behind a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotBinding {
    /// `default`, `verify`.
    pub slot: String,
    /// Name of the Secret.
    pub secret: String,
    /// What it is for.
    pub address: Address,
}

/// Where the object wants a Secret to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// To the origin of this URL.
    Url(String),
    /// To that of the Secret's own key `address`, else to this one. Where neither is, the plugin
    /// knows the address, and its grants decide alone.
    Own(Option<String>),
}

impl Secrets {
    /// Reads through this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kept: Mutex::default(),
        }
    }

    /// The credentials of one object: its Secrets by slot. Roots for TLS come from the Secret of
    /// the slot `default`.
    pub fn bind(
        self: &Arc<Self>,
        namespace: &str,
        slots: Vec<SlotBinding>,
    ) -> Arc<dyn Credentials> {
        self.bind_with_ca(namespace, slots, None)
    }

    /// As [`bind`](Secrets::bind), with a Secret of its own for TLS roots (`certSecretRef`).
    pub fn bind_with_ca(
        self: &Arc<Self>,
        namespace: &str,
        slots: Vec<SlotBinding>,
        ca_secret: Option<String>,
    ) -> Arc<dyn Credentials> {
        let secrets = Arc::clone(self);
        Arc::new(Bound {
            secrets,
            namespace: namespace.to_owned(),
            slots,
            ca_secret,
        })
    }

    /// The next use of the Secret reads it again.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.kept.lock().remove(&Key::new(namespace, name));
    }

    /// The values of a Secret. An absent one is a failure: the object names it.
    pub async fn read(&self, namespace: &str, name: &str) -> Result<Values, Failure> {
        let key = Key::new(namespace, name);
        let kept = self.entry(&key);
        kept.values
            .get_or_try_init(|| self.request(&key))
            .await
            .cloned()
    }

    fn entry(&self, key: &Key) -> Kept {
        let mut kept = self.kept.lock();
        let now = Instant::now();
        let is_fresh = |entry: &Kept| now.duration_since(entry.since) < KEPT;
        if let Some(entry) = kept.get(key).filter(|entry| is_fresh(entry)) {
            return entry.clone();
        }
        // The way here is rare; it also drops what nobody asked for since.
        kept.retain(|_, entry| is_fresh(entry));
        let entry = Kept {
            since: now,
            values: Arc::default(),
        };
        kept.insert(key.clone(), entry.clone());
        entry
    }

    async fn request(&self, key: &Key) -> Result<Values, Failure> {
        let api = Api::<Secret>::namespaced(self.client.clone(), &key.namespace);
        let read = tokio::time::timeout(READ_TIMEOUT, api.get(&key.name)).await;
        let unavailable = |why: String| {
            let message = format!("failed to read the secret '{key}': {why}");
            Failure::new(
                FailureClass::Unavailable,
                reason::AUTHENTICATION_FAILED,
                message,
            )
        };
        match read {
            Ok(Ok(secret)) => {
                let data = secret.data.unwrap_or_default();
                Ok(Arc::new(
                    data.into_iter()
                        .map(|(name, value)| (name, value.0))
                        .collect(),
                ))
            }
            Ok(Err(error)) if is_not_found(&error) => Err(Failure::new(
                FailureClass::Unauthorized,
                reason::AUTHENTICATION_FAILED,
                format!("failed to get the secret '{key}': not found"),
            )),
            Ok(Err(error)) => Err(unavailable(chain(&error).to_string())),
            Err(_) => Err(unavailable("the API server did not answer in time".into())),
        }
    }
}

/// The Secrets of one object.
struct Bound {
    secrets: Arc<Secrets>,
    namespace: String,
    slots: Vec<SlotBinding>,
    ca_secret: Option<String>,
}

#[async_trait]
impl Credentials for Bound {
    async fn slot(&self, name: &str) -> Result<Option<Values>, Failure> {
        match self.slots.iter().find(|binding| binding.slot == name) {
            Some(binding) => self
                .secrets
                .read(&self.namespace, &binding.secret)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    async fn is_bound_to(&self, slot: &str, url: &Url) -> Result<bool, Failure> {
        let Some(binding) = self.slots.iter().find(|binding| binding.slot == slot) else {
            return Ok(false);
        };
        let address = match &binding.address {
            Address::Url(url) => Some(url.clone()),
            Address::Own(otherwise) => {
                let values = self.secrets.read(&self.namespace, &binding.secret).await?;
                let own = values
                    .get("address")
                    .map(|address| String::from_utf8_lossy(address).trim().to_owned());
                own.filter(|own| !own.is_empty())
                    .or_else(|| otherwise.clone())
            }
        };
        Ok(address.is_none_or(|address| {
            Url::parse(&address).is_ok_and(|address| address.origin() == url.origin())
        }))
    }

    async fn ca_certificate(&self) -> Result<Option<Vec<u8>>, Failure> {
        let values = match &self.ca_secret {
            Some(name) => Some(self.secrets.read(&self.namespace, name).await?),
            None => self.slot("default").await?,
        };
        Ok(values.and_then(|values| CA_KEYS.iter().find_map(|key| values.get(*key).cloned())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// An API server that has the Secret `known`, and counts requests.
    fn secrets() -> (Arc<Secrets>, Arc<AtomicUsize>) {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let service = tower::service_fn(move |request: Request<Body>| {
            counter.fetch_add(1, Ordering::SeqCst);
            let (status, body) = if request
                .uri()
                .path()
                .ends_with("/namespaces/ns/secrets/known")
            {
                let data = json!({ "username": "dXNlcg==", "caFile": "b2xk", "ca.crt": "bmV3" });
                let metadata = json!({ "name": "known", "namespace": "ns" });
                (200, json!({ "metadata": metadata, "data": data }))
            } else {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "reason": "NotFound", "message": "not found", "code": 404, "metadata": {},
                });
                (404, status)
            };
            async move {
                let body = Body::from(body.to_string().into_bytes());
                Ok::<_, tower::BoxError>(Response::builder().status(status).body(body).unwrap())
            }
        });
        (
            Arc::new(Secrets::new(Client::new(service, "default"))),
            requests,
        )
    }

    fn slot(secret: &str) -> Vec<SlotBinding> {
        vec![SlotBinding {
            slot: "default".into(),
            secret: secret.into(),
            address: Address::Own(Some("https://a.example/hook".into())),
        }]
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_once_until_it_is_forgotten_or_old() {
        let (secrets, requests) = secrets();
        let bound = secrets.bind("ns", slot("known"));
        let together = futures::future::join_all((0..10).map(|_| bound.slot("default"))).await;
        assert!(together.iter().all(Result::is_ok));
        let values = bound.slot("default").await.unwrap().unwrap();
        assert_eq!(values["username"], b"user");
        assert_eq!(requests.load(Ordering::SeqCst), 1);

        secrets.forget("ns", "known");
        bound.slot("default").await.unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 2);

        tokio::time::advance(KEPT).await;
        bound.slot("default").await.unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_secret_is_for_the_address_of_its_object() {
        let (secrets, _) = secrets();
        let bound_to = async |address: Address, url: &str| {
            let slots = vec![SlotBinding {
                address,
                ..slot("known").remove(0)
            }];
            let url = Url::parse(url).unwrap();
            let bound = secrets.bind("ns", slots);
            assert!(!bound.is_bound_to("other", &url).await.unwrap());
            bound.is_bound_to("default", &url).await.unwrap()
        };
        let here = || Address::Url("https://git.example/a/b".into());
        assert!(bound_to(here(), "https://git.example/c").await);
        assert!(!bound_to(here(), "https://other.example/a/b").await);
        assert!(!bound_to(here(), "http://git.example/a/b").await);
        assert!(!bound_to(here(), "https://git.example:8443/a/b").await);
        let own = |address: &str| Address::Own(Some(address.into()));
        assert!(bound_to(own("https://a.example"), "https://a.example/x").await);
        assert!(!bound_to(own("https://a.example"), "https://b.example").await);
        assert!(!bound_to(own("no address"), "https://b.example").await);
        assert!(bound_to(Address::Own(None), "https://b.example").await);
    }

    #[tokio::test]
    async fn a_missing_secret_is_told_and_asked_for_again() {
        let (secrets, requests) = secrets();
        let bound = secrets.bind("ns", slot("other"));
        for expected in 1..=2 {
            let failure = bound.slot("default").await.unwrap_err();
            assert_eq!(failure.class, FailureClass::Unauthorized);
            assert_eq!(
                failure.message,
                "failed to get the secret 'ns/other': not found"
            );
            assert_eq!(requests.load(Ordering::SeqCst), expected);
        }
    }

    #[tokio::test]
    async fn roots_come_from_their_own_secret_or_the_default_one() {
        let (secrets, _) = secrets();
        let ca = |bound: Arc<dyn Credentials>| async move { bound.ca_certificate().await };
        assert_eq!(
            ca(secrets.bind("ns", slot("known")))
                .await
                .unwrap()
                .unwrap(),
            b"new"
        );
        let own = secrets.bind_with_ca("ns", Vec::new(), Some("known".into()));
        assert!(
            own.slot("default").await.unwrap().is_none(),
            "no slot is bound"
        );
        assert_eq!(ca(own).await.unwrap().unwrap(), b"new");
        assert!(ca(secrets.bind("ns", Vec::new())).await.unwrap().is_none());
    }
}
