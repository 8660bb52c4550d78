//! Writes core/v1 Events, as client-go's recorder does: the same event again counts up the one
//! that is there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use weir_failpoint::{Step, hit};

use k8s_openapi::api::core::v1::{Event, EventSource};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{FLUSH, Happening, Severity, controller, payload};
use crate::reconcile::queue::backoff;
use crate::reconcile::status::is_not_found;
use crate::telemetry::{Metrics, chain};

/// How long an event counts as the same. Longer ago it is news again.
const SAME: Duration = Duration::from_mins(5);
/// Events that a writer remembers.
const REMEMBERED: usize = 1024;
/// One request.
const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;
/// Longest message, bytes: a change log of a few hundred objects.
const MAX_MESSAGE: usize = 16 << 10;
/// Longest name of an object of Kubernetes.
const MAX_NAME: usize = 253;

/// Writes the Events of some objects, one after another.
pub(super) struct Writer {
    client: Client,
    metrics: Arc<Metrics>,
    instance: Arc<str>,
    written: HashMap<Same, Written>,
    last_number: i64,
}

/// What makes two events the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Same {
    uid: String,
    kind: String,
    namespace: String,
    name: String,
    severity: bool,
    reason: String,
    message: String,
}

#[derive(Debug)]
struct Written {
    name: String,
    count: i32,
    at: Instant,
}

impl Writer {
    pub(super) fn new(client: Client, metrics: Arc<Metrics>, instance: Arc<str>) -> Self {
        Self {
            client,
            metrics,
            instance,
            written: HashMap::new(),
            last_number: 0,
        }
    }

    /// Writes what comes until `stop`, then what is still there, for a few seconds.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Happening>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                happening = queue.recv() => match happening {
                    Some(happening) => self.write(happening).await,
                    None => return,
                },
            }
        }
        queue.close();
        let rest = async {
            while let Some(happening) = queue.recv().await {
                self.write(happening).await;
            }
        };
        let _ = tokio::time::timeout(FLUSH, rest).await;
    }

    async fn write(&mut self, happening: Happening) {
        for attempt in 1..=ATTEMPTS {
            let written = tokio::time::timeout(TIMEOUT, self.try_write(&happening)).await;
            let error = match written {
                Ok(Ok(())) => return,
                Ok(Err(error)) if is_final(&error) => {
                    // Mostly a namespace that is going away; nobody is left to tell.
                    tracing::debug!(error = %chain(&error), "an Event was refused");
                    break;
                }
                Ok(Err(error)) => chain(&error).to_string(),
                Err(_) => "the API server did not answer in time".to_owned(),
            };
            if attempt == ATTEMPTS {
                tracing::warn!(error, reason = happening.reason, "failed to write an Event");
                break;
            }
            let (min, max) = (Duration::from_millis(500), Duration::from_secs(5));
            tokio::time::sleep(backoff(attempt, min, max)).await;
        }
        self.metrics.event_dropped();
    }

    async fn try_write(&mut self, happening: &Happening) -> Result<(), kube::Error> {
        let namespace = happening.object.namespace.as_deref().unwrap_or("default");
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let same = Same::of(happening);
        let now = Instant::now();
        if let Some(known) = self.written.get_mut(&same)
            && now.duration_since(known.at) < SAME
        {
            let patch = json!({ "count": known.count + 1, "lastTimestamp": happening.time });
            match api
                .patch(&known.name, &PatchParams::default(), &Patch::Merge(patch))
                .await
            {
                Ok(_) => {
                    known.count += 1;
                    known.at = now;
                    return Ok(());
                }
                // Events expire by themselves.
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let event = self.event(happening, namespace);
        let name = event.metadata.name.clone().unwrap_or_default();
        api.create(&PostParams::default(), &event).await?;
        hit(Step::Event);
        self.remember(
            same,
            Written {
                name,
                count: 1,
                at: now,
            },
        );
        Ok(())
    }

    fn remember(&mut self, same: Same, written: Written) {
        if self.written.len() >= REMEMBERED {
            let now = written.at;
            self.written
                .retain(|_, known| now.duration_since(known.at) < SAME);
            if self.written.len() >= REMEMBERED {
                self.written.clear();
            }
        }
        self.written.insert(same, written);
    }

    fn event(&mut self, happening: &Happening, namespace: &str) -> Event {
        let object = &happening.object;
        let component = controller(object.kind.as_deref().unwrap_or_default());
        let name = object.name.as_deref().unwrap_or_default();
        // Unique for this object: one writer, counting up from the time.
        self.last_number = i64::try_from(happening.time.0.as_nanosecond())
            .unwrap_or_default()
            .max(self.last_number + 1);
        let suffix = format!(".{:x}", self.last_number);
        let is_error = happening.severity == Severity::Error;
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}{suffix}", cut(name, MAX_NAME - suffix.len()))),
                namespace: Some(namespace.to_owned()),
                annotations: Some(payload::metadata(happening)).filter(|all| !all.is_empty()),
                ..ObjectMeta::default()
            },
            involved_object: object.clone(),
            type_: Some(if is_error { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(happening.reason.clone()),
            message: Some(cut(&happening.message, MAX_MESSAGE).to_owned()),
            count: Some(1),
            first_timestamp: Some(happening.time.clone()),
            last_timestamp: Some(happening.time.clone()),
            source: Some(EventSource {
                component: Some(component.to_owned()),
                host: None,
            }),
            reporting_component: Some(component.to_owned()),
            reporting_instance: Some(self.instance.to_string()),
            ..Event::default()
        }
    }
}

impl Same {
    fn of(happening: &Happening) -> Self {
        let object = &happening.object;
        Self {
            uid: object.uid.clone().unwrap_or_default(),
            kind: object.kind.clone().unwrap_or_default(),
            namespace: object.namespace.clone().unwrap_or_default(),
            name: object.name.clone().unwrap_or_default(),
            severity: happening.severity == Severity::Error,
            reason: happening.reason.clone(),
            message: happening.message.clone(),
        }
    }
}

/// Whether another attempt would end the same.
fn is_final(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429)
}

/// At most `max` bytes of a text, at a character's end.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
