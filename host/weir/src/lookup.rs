//! Reads of the cluster on behalf of plugins that are granted them: the template function `lookup`
//! of charts. Objects are passed on as the text that the API server sends.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::Request;
use kube::Client;
use kube::api::{ApiResource, ListParams, Request as Requests};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use weir_plugin::{ClusterReader, Failure, FailureClass, KindRef};

/// How long it is taken for granted where a kind is served. What is not served is asked again.
const FRESH: Duration = Duration::from_mins(5);
/// Objects of one answer of the API server.
const PAGE: u32 = 500;

/// See the module.
pub struct Lookup {
    client: Client,
    kinds: Mutex<HashMap<String, Served>>,
}

/// Where a kind is served.
#[derive(Clone)]
struct Served {
    resource: ApiResource,
    namespaced: bool,
    asked: Instant,
}

impl Served {
    /// The path of the collection.
    fn path(&self, namespace: Option<&str>) -> String {
        let namespace = namespace.filter(|_| self.namespaced);
        <kube::api::DynamicObject as kube::Resource>::url_path(&self.resource, namespace)
    }
}

/// A list as it is sent; items keep their text.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default)]
    items: Vec<BTreeMap<String, Box<RawValue>>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

impl Lookup {
    /// Reads with the client's rights.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kinds: Mutex::default(),
        }
    }

    /// Whether the kind is served.
    pub async fn knows(&self, kind: &KindRef) -> Result<bool, Failure> {
        Ok(self.served(kind).await?.is_some())
    }

    /// Where a kind is served; `None`: it is not.
    async fn served(&self, kind: &KindRef) -> Result<Option<Served>, Failure> {
        let known = self.kinds.lock().get(&kind.to_string()).cloned();
        if let Some(served) = known.filter(|served| served.asked.elapsed() < FRESH) {
            return Ok(Some(served));
        }
        let (group, version) = match kind.api_version.split_once('/') {
            Some((group, version)) => (group, version),
            None => ("", kind.api_version.as_str()),
        };
        let wanted = GroupVersionKind::gvk(group, version, &kind.kind);
        let (resource, served) = match pinned_kind(&self.client, &wanted).await {
            Ok(found) => found,
            Err(kube::Error::Discovery(_)) => return Ok(None),
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(failure(&error, kind)),
        };
        let served = Served {
            resource,
            namespaced: served.scope == Scope::Namespaced,
            asked: Instant::now(),
        };
        self.kinds.lock().insert(kind.to_string(), served.clone());
        Ok(Some(served))
    }

    /// The text that a request is answered with; `None`: not found.
    async fn fetch(
        &self,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
        kind: &KindRef,
    ) -> Result<Option<String>, Failure> {
        let answer = match request {
            Ok(request) => self.client.request_text(request).await,
            Err(error) => Err(kube::Error::BuildRequest(error)),
        };
        match answer {
            Ok(text) => Ok(Some(text)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(failure(&error, kind)),
        }
    }
}

#[async_trait]
impl ClusterReader for Lookup {
    async fn get(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let Some(served) = self.served(kind).await? else {
            return Ok(None);
        };
        // In all namespaces at once there is no object of a name.
        if served.namespaced && namespace.is_none() {
            return Ok(None);
        }
        let requests = Requests::new(served.path(namespace));
        self.fetch(requests.get(name, &kube::api::GetParams::default()), kind)
            .await
    }

    async fn list(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        selector: Option<&str>,
        most: u64,
    ) -> Result<Vec<String>, Failure> {
        let Some(served) = self.served(kind).await? else {
            return Ok(Vec::new());
        };
        let requests = Requests::new(served.path(namespace));
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector = selector.map(str::to_owned);
        let (mut objects, mut bytes) = (Vec::new(), 0);
        loop {
            let Some(text) = self.fetch(requests.list(&params), kind).await? else {
                return Ok(Vec::new());
            };
            bytes += text.len() as u64;
            if bytes > most {
                let message = format!("the objects of {kind} are more than {most} bytes");
                return Err(Failure::new(FailureClass::Denied, "TooLarge", message));
            }
            let page = page(&text, kind).map_err(|error| unexpected(&error, kind))?;
            objects.extend(page.objects);
            match page.next.filter(|next| !next.is_empty()) {
                Some(next) => params.continue_token = Some(next),
                None => return Ok(objects),
            }
        }
    }
}

struct Objects {
    objects: Vec<String>,
    next: Option<String>,
}

/// Items of a list do not say what they are; alone they have to.
fn page(text: &str, kind: &KindRef) -> serde_json::Result<Objects> {
    let page: Page = serde_json::from_str(text)?;
    let objects = page.items.into_iter().map(|mut item| {
        for (field, value) in [("apiVersion", &kind.api_version), ("kind", &kind.kind)] {
            if !item.contains_key(field) {
                item.insert(field.to_owned(), to_raw_value(value)?);
            }
        }
        serde_json::to_string(&item)
    });
    Ok(Objects {
        objects: objects.collect::<Result<_, _>>()?,
        next: page.metadata.next,
    })
}

fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

fn unexpected(error: &serde_json::Error, kind: &KindRef) -> Failure {
    let message = format!("the API server's list of {kind} cannot be read: {error}");
    Failure::new(FailureClass::Unavailable, "LookupFailed", message)
}

fn failure(error: &kube::Error, kind: &KindRef) -> Failure {
    let (class, code) = match error {
        kube::Error::Api(status) if status.code == 403 => (FailureClass::Denied, "Forbidden"),
        kube::Error::Api(status) if status.code == 401 => {
            (FailureClass::Unauthorized, "Unauthorized")
        }
        _ => (FailureClass::Unavailable, "LookupFailed"),
    };
    let error = crate::telemetry::chain(error);
    Failure::new(class, code, format!("failed to read {kind}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_text_and_say_what_they_are() {
        let kind = KindRef {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
        };
        let list = r#"{"kind":"ConfigMapList","metadata":{"continue":"abc"},
            "items":[{"metadata":{"name":"a"},"n":1.0},{"kind":"Other","big":12345678901234567890}]}"#;
        let page = page(list, &kind).unwrap();
        assert_eq!(
            page.objects,
            [
                r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"n":1.0}"#,
                r#"{"apiVersion":"v1","big":12345678901234567890,"kind":"Other"}"#,
            ]
        );
        assert_eq!(page.next.as_deref(), Some("abc"));
    }
}
