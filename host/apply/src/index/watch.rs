//! Keeps one kind up to date in the table: a streaming list where the server has it, a paged
//! list and a watch where it has not, for ever.
//!
//! Why not a ready-made watcher: the table must know whether the watch stands (an absent object
//! means something only then), a server without streaming lists must be told by its refusal, and
//! of metadata only the part that matters is parsed.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::AsyncBufReadExt as _;
use http::{Request, header};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::{debug, warn};

use super::Shared;
use super::meta::{Meta, MetaObject};
use super::slot::GroupKind;
use crate::kstatus::{self, Status};
use crate::request::{JSON, METADATA, METADATA_LIST, Resource, encode};

/// How long one watch request lasts; the server ends it, and the next goes on where it was.
const WATCH_SECONDS: u64 = 290;
/// Silence beyond the end of the request means that the connection is dead.
const GRACE: Duration = Duration::from_secs(15);
/// A server that accepts a streaming list and never ends it does not have the feature.
const FIRST_LIST: Duration = Duration::from_mins(1);
/// Objects of one page of a list.
const PAGE: u32 = 500;
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// The watch of one kind.
pub(super) struct Watcher {
    pub(super) shared: Arc<Shared>,
    pub(super) client: Client,
    pub(super) resource: Resource,
    pub(super) kind: GroupKind,
    pub(super) selector: String,
    pub(super) full: bool,
}

/// Why a watch did not go on.
enum Stop {
    /// The server no longer has the history: list again.
    Expired,
    /// The server has no streaming lists.
    NoStreaming,
    /// The kind is not served.
    Gone,
    /// Anything else.
    Failed(String),
}

impl From<kube::Error> for Stop {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.code == 410 => Self::Expired,
            kube::Error::Api(status) if status.code == 404 => Self::Gone,
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct ErrorStatus {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
}

const INITIAL_END: &str = "k8s.io/initial-events-end";

impl Watcher {
    /// Until the task is aborted, or the kind is gone and nothing of it is left.
    pub(super) async fn run(self) {
        let mut streaming = true;
        let mut from: Option<String> = None;
        let mut delay = FIRST_DELAY;
        loop {
            let began = tokio::time::Instant::now();
            let stop = match self.go_on(&mut from, streaming).await {
                // The request has lasted its time.
                Ok(()) => {
                    delay = FIRST_DELAY;
                    continue;
                }
                Err(stop) => stop,
            };
            match stop {
                Stop::Expired => {
                    debug!(kind = %self.resource.gvk, "watch history has expired");
                    from = None;
                }
                Stop::NoStreaming => {
                    debug!(kind = %self.resource.gvk, "server has no streaming lists");
                    streaming = false;
                    from = None;
                    continue;
                }
                Stop::Gone => {
                    from = None;
                    self.shared
                        .update(|table| (table.broken(&self.kind), Vec::new()));
                    if !self.shared.read(|table| table.has_objects(&self.kind)) {
                        debug!(kind = %self.resource.gvk, "kind is gone");
                        return;
                    }
                }
                Stop::Failed(error) => {
                    self.shared
                        .update(|table| (table.broken(&self.kind), Vec::new()));
                    warn!(kind = %self.resource.gvk, %error, "watch failed");
                }
            }
            // What has stood for a while is not at its first failure again and again.
            if began.elapsed() > LONGEST_DELAY {
                delay = FIRST_DELAY;
            }
            tokio::time::sleep(jittered(delay)).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    /// One watch request, preceded by a list where there is nothing to go on from.
    async fn go_on(&self, from: &mut Option<String>, streaming: bool) -> Result<(), Stop> {
        if from.is_none() && !streaming {
            *from = Some(self.list().await?);
        }
        let mut path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&labelSelector={}",
            self.resource.collection(),
            encode(&self.selector),
        );
        let mut listing = from.is_none();
        if let Some(version) = from {
            path.push_str("&resourceVersion=");
            path.push_str(&encode(version));
        } else {
            // Without a resource version the list is what the server has now, and not what some
            // cache had: our own writes before it are in it.
            path.push_str("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        }
        let accept = if self.full { JSON } else { METADATA };
        let request = Request::get(&path)
            .header(header::ACCEPT, accept)
            // See kube::Client::request_events: compressed streams are not decoded to their end.
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Vec::new())
            .map_err(|error| Stop::Failed(error.to_string()))?;
        if listing {
            self.shared
                .update(|table| (table.listing(&self.kind), Vec::new()));
        }
        let opened = tokio::time::timeout(FIRST_LIST, self.client.request_stream(request)).await;
        let stream = match opened {
            Err(_) => return Err(Stop::Failed("no answer".to_owned())),
            Ok(Err(kube::Error::Api(status))) if listing && matches!(status.code, 400 | 422) => {
                return Err(Stop::NoStreaming);
            }
            Ok(Err(error)) => return Err(error.into()),
            Ok(Ok(stream)) => stream,
        };
        if !listing {
            self.shared
                .update(|table| (table.resumed(&self.kind), Vec::new()));
        }
        let mut stream = std::pin::pin!(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let patience = if listing {
                FIRST_LIST
            } else {
                Duration::from_secs(WATCH_SECONDS) + GRACE
            };
            match tokio::time::timeout(patience, stream.read_until(b'\n', &mut line)).await {
                Err(_) if listing => return Err(Stop::NoStreaming),
                Err(_) => return Err(Stop::Failed("connection is dead".to_owned())),
                // Cut off within a chunk: the usual end of a watch through a proxy.
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(());
                }
                Ok(Err(error)) => return Err(Stop::Failed(error.to_string())),
                Ok(Ok(0)) if listing => return Err(Stop::Failed("list was cut off".to_owned())),
                Ok(Ok(0)) => return Ok(()),
                Ok(Ok(_)) => {}
            }
            let read: Line<'_> = match serde_json::from_slice(&line) {
                Ok(read) => read,
                // A last line that was cut off.
                Err(error) if error.is_eof() => return Ok(()),
                Err(error) => return Err(Stop::Failed(error.to_string())),
            };
            self.event(&read, &mut listing, from)?;
        }
    }

    fn event(
        &self,
        line: &Line<'_>,
        listing: &mut bool,
        from: &mut Option<String>,
    ) -> Result<(), Stop> {
        match line.kind {
            "ERROR" => {
                let status: ErrorStatus = serde_json::from_str(line.object.get())
                    .map_err(|error| Stop::Failed(error.to_string()))?;
                return Err(match status.code {
                    410 => Stop::Expired,
                    _ => Stop::Failed(status.message),
                });
            }
            "BOOKMARK" => {
                let meta = self.parse(line.object)?.0;
                if *listing && meta.annotations.contains_key(INITIAL_END) {
                    *listing = false;
                    self.shared
                        .update(|table| ((), table.listed(&self.kind, self.full)));
                }
                if !*listing {
                    *from = Some(meta.resource_version);
                }
            }
            "DELETED" => {
                let meta = self.parse(line.object)?.0;
                self.shared
                    .update(|table| ((), table.removed(&self.kind, &meta)));
                *from = Some(meta.resource_version);
            }
            _ => {
                let (meta, health) = self.parse(line.object)?;
                self.shared
                    .update(|table| ((), table.observe(&self.kind, &meta, health)));
                if !*listing {
                    *from = Some(meta.resource_version);
                }
            }
        }
        Ok(())
    }

    fn parse(&self, object: &RawValue) -> Result<(Meta, Option<Status>), Stop> {
        let failed = |error: serde_json::Error| Stop::Failed(error.to_string());
        if !self.full {
            let object: MetaObject = serde_json::from_str(object.get()).map_err(failed)?;
            return Ok((object.metadata, None));
        }
        let mut object: Value = serde_json::from_str(object.get()).map_err(failed)?;
        // Items of a list have neither.
        if let Some(map) = object.as_object_mut()
            && !map.contains_key("kind")
        {
            map.insert("kind".to_owned(), self.resource.gvk.kind.clone().into());
            map.insert(
                "apiVersion".to_owned(),
                self.resource.gvk.api_version().into(),
            );
        }
        let status = kstatus::compute(&object);
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        Ok((Meta::deserialize(metadata).map_err(failed)?, Some(status)))
    }

    /// The list of a server without streaming lists; the version to watch from.
    async fn list(&self) -> Result<String, Stop> {
        self.shared
            .update(|table| (table.listing(&self.kind), Vec::new()));
        let mut next = String::new();
        loop {
            let mut path = format!(
                "{}?limit={PAGE}&labelSelector={}",
                self.resource.collection(),
                encode(&self.selector),
            );
            if !next.is_empty() {
                path.push_str("&continue=");
                path.push_str(&encode(&next));
            }
            let request = Request::get(&path)
                .header(header::ACCEPT, if self.full { JSON } else { METADATA_LIST })
                .body(Vec::new())
                .map_err(|error| Stop::Failed(error.to_string()))?;
            let answer = tokio::time::timeout(FIRST_LIST, self.client.request::<Page>(request));
            let page = match answer.await {
                Err(_) => return Err(Stop::Failed("no answer".to_owned())),
                Ok(page) => page?,
            };
            for item in page.items {
                let (meta, health) = self.parse(&item)?;
                self.shared
                    .update(|table| ((), table.observe(&self.kind, &meta, health)));
            }
            if page.metadata.next.is_empty() {
                self.shared
                    .update(|table| ((), table.listed(&self.kind, self.full)));
                return Ok(page.metadata.resource_version);
            }
            next = page.metadata.next;
        }
    }
}

/// Between half of a delay and all of it, so that the watches of many kinds do not come back at
/// the same moment.
fn jittered(delay: Duration) -> Duration {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    delay / 2 + (delay / 2).mul_f64(f64::from(nanos % 1_000_000) / 1_000_000.0)
}
