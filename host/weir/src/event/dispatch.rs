//! From an event to the notifications of every matching Alert.
//!
//! Deliveries run beside each other, so that a dead endpoint does not hold up the others; how many
//! is bounded, and so is each one's time. What fails is told once as a Warning on the Alert.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use weir_api::event::Event;
use weir_api::notification::v1beta3::{Alert, Provider, ProviderType};
use weir_plugin::Digest;

use super::alerts::judge;
use super::delivery::Deliver;
use super::limit::RateLimit;
use super::{FLUSH, Happening, Recorder, Severity, payload};
use crate::reconcile::objects::{Key, Objects};
use crate::reconcile::queue::backoff;

/// Deliveries at a time.
const CONCURRENT: usize = 8;
/// Deliveries that run or wait for their turn.
const PENDING: usize = 1024;
/// Attempts after the first, of a peer that is not available.
const RETRIES: u32 = 4;
const MIN_DELAY: Duration = Duration::from_secs(2);
const MAX_DELAY: Duration = Duration::from_secs(30);
/// Reason of the Warning on an Alert whose notification failed.
const DISPATCH_FAILED: &str = "NotificationDispatchFailed";
const INVALID_CONFIG: &str = "InvalidConfig";
const APPEND_FAILED: &str = "MetadataAppendFailed";

/// Sends events to the Providers of matching Alerts.
pub(super) struct Dispatcher<D> {
    pub(super) alerts: Arc<Objects<Alert>>,
    pub(super) providers: Arc<Objects<Provider>>,
    pub(super) delivery: Arc<D>,
    /// Tells of what failed; does not come back here.
    pub(super) recorder: Recorder,
    pub(super) instance: Arc<str>,
    pub(super) no_cross_namespace_refs: bool,
}

impl<D: Deliver> Dispatcher<D> {
    /// Dispatches what comes until `stop`, then what is still there, for a few seconds.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Happening>, stop: CancellationToken) {
        let mut limit = RateLimit::default();
        let mut running = JoinSet::new();
        let turns = Arc::new(Semaphore::new(CONCURRENT));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = running.join_next() => {}
                happening = queue.recv() => match happening {
                    Some(happening) => {
                        self.dispatch(&happening, &mut limit, &mut running, &turns);
                    }
                    None => break,
                },
            }
        }
        queue.close();
        while let Some(happening) = queue.recv().await {
            self.dispatch(&happening, &mut limit, &mut running, &turns);
        }
        let rest = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(FLUSH, rest).await.is_err() {
            tracing::warn!(
                notifications = running.len(),
                "notifications were abandoned"
            );
        }
    }

    fn dispatch(
        &self,
        happening: &Happening,
        limit: &mut RateLimit,
        running: &mut JoinSet<()>,
        turns: &Arc<Semaphore>,
    ) {
        let event = payload::event(happening, &self.instance);
        let mut matching = Vec::new();
        for alert in self.alerts.all() {
            let verdict = judge(
                &alert,
                &event,
                &happening.labels,
                self.no_cross_namespace_refs,
            );
            for problem in verdict.invalid {
                self.warn(&alert, INVALID_CONFIG, problem);
            }
            if verdict.sends {
                matching.push(alert);
            }
        }
        // What nobody wants to hear is not told, hence no repetition either.
        if matching.is_empty() || !limit.passes(&event) {
            return;
        }
        for alert in matching {
            let Some(provider) = self.provider(&alert) else {
                continue;
            };
            if provider.spec.suspend || !wants(&provider.spec.type_, &event) {
                continue;
            }
            if running.len() >= PENDING {
                self.warn(
                    &alert,
                    DISPATCH_FAILED,
                    "too many notifications wait already".into(),
                );
                continue;
            }
            let (event, doubled) = payload::for_alert(&event, &alert.spec);
            if !doubled.is_empty() {
                let message = format!(
                    "metadata keys have more than one source, the last one wins: {}",
                    doubled.join(", ")
                );
                self.warn(&alert, APPEND_FAILED, message);
            }
            let (delivery, recorder) = (Arc::clone(&self.delivery), self.recorder.clone());
            let turns = Arc::clone(turns);
            running.spawn(async move {
                if let Err(problem) = deliver(&*delivery, &turns, &alert, &provider, &event).await {
                    tracing::warn!(
                        alert = %Key::of(&*alert),
                        provider = provider.metadata.name,
                        error = problem,
                        "failed to send a notification"
                    );
                    warn(&recorder, &alert, DISPATCH_FAILED, problem);
                }
            });
        }
    }

    fn provider(&self, alert: &Alert) -> Option<Arc<Provider>> {
        let namespace = alert.metadata.namespace.clone().unwrap_or_default();
        let key = Key::new(namespace, &alert.spec.provider_ref.name);
        let provider = self.providers.get(&key);
        if provider.is_none() {
            self.warn(
                alert,
                DISPATCH_FAILED,
                format!("the Provider '{key}' does not exist"),
            );
        }
        provider
    }

    fn warn(&self, alert: &Alert, reason: &str, message: String) {
        warn(&self.recorder, alert, reason, message);
    }
}

fn warn(recorder: &Recorder, alert: &Alert, reason: &str, message: String) {
    recorder.record(Happening::new(alert, Severity::Error, reason, message).kubernetes_only());
}

/// Whether a Provider of this type is sent the event. What exists only to update a commit status
/// goes to those that do, and to those that forward everything.
fn wants(type_: &ProviderType, event: &Event) -> bool {
    let forwards = matches!(type_, ProviderType::Generic | ProviderType::GenericHmac);
    forwards || !event.is_commit_status_update()
}

/// Delivers, again after a while when the peer is not available.
async fn deliver<D: Deliver>(
    delivery: &D,
    turns: &Semaphore,
    alert: &Alert,
    provider: &Provider,
    event: &Event,
) -> Result<(), String> {
    let body = serde_json::to_string(event).map_err(|error| error.to_string())?;
    let uid = alert.metadata.uid.as_deref().unwrap_or_default();
    // The same for every attempt and for no other event or Alert.
    let id = Digest::of(format!("{uid}\0{body}")).hex();
    let mut attempt = 0;
    loop {
        let error = {
            // Held for the attempt only: a peer that is down must not keep others from theirs.
            let Ok(_turn) = turns.acquire().await else {
                return Ok(());
            };
            match delivery.deliver(provider, &id, &body).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            }
        };
        attempt += 1;
        let Some(floor) = error.retry_after.filter(|_| attempt <= RETRIES) else {
            return Err(error.message);
        };
        let delay = backoff(attempt, MIN_DELAY, MAX_DELAY).max(floor.min(MAX_DELAY));
        tokio::time::sleep(delay).await;
    }
}

#[cfg(test)]
mod tests;
