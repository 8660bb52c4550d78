//! One notification of the same thing per five minutes (`--rate-limit-interval` of Flux's
//! notification-controller): a failure that repeats every few seconds is told once.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use weir_api::event::Event;
use weir_api::meta;
use weir_plugin::Digest;

const INTERVAL: Duration = Duration::from_mins(5);
/// Keys that are remembered: bounds memory, not correctness.
const REMEMBERED: usize = 50_000;

/// What was told lately.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    told: HashSet<Digest>,
    order: VecDeque<(Instant, Digest)>,
}

impl RateLimit {
    /// Whether the event may be told now; if so, not again within the interval.
    pub(super) fn passes(&mut self, event: &Event) -> bool {
        let now = Instant::now();
        while let Some((since, key)) = self.order.front()
            && (now.duration_since(*since) >= INTERVAL || self.order.len() > REMEMBERED)
        {
            self.told.remove(key);
            self.order.pop_front();
        }
        let key = key(event);
        let is_new = self.told.insert(key);
        if is_new {
            self.order.push_back((now, key));
        }
        is_new
    }
}

/// Who, what, and of which revision.
fn key(event: &Event) -> Digest {
    let object = &event.involved_object;
    let mut text = String::new();
    for part in [
        &object.name,
        &object.namespace,
        &object.kind,
        &Some(event.message.clone()),
    ] {
        text.push_str(part.as_deref().unwrap_or_default());
        text.push('\0');
    }
    for name in [meta::META_ORIGIN_REVISION, meta::META_REVISION, "token"] {
        if let Some(value) = event.metadata_of_group(name) {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push('\0');
        }
    }
    Digest::of(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, message: &str, revision: &str) -> Event {
        serde_json::from_value(json!({
            "involvedObject": {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization", "namespace": "ns", "name": name,
            },
            "severity": "error",
            "timestamp": "2026-01-01T00:00:00Z",
            "message": message,
            "reason": "R",
            "metadata": { "kustomize.toolkit.fluxcd.io/revision": revision },
            "reportingController": "kustomize-controller",
        }))
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_thing_is_told_once_in_five_minutes() {
        let mut limit = RateLimit::default();
        assert!(limit.passes(&event("a", "failed", "1")));
        assert!(!limit.passes(&event("a", "failed", "1")));
        assert!(limit.passes(&event("a", "failed", "2")), "another revision");
        assert!(
            limit.passes(&event("a", "failed again", "1")),
            "another message"
        );
        assert!(limit.passes(&event("b", "failed", "1")), "another object");
        tokio::time::advance(INTERVAL).await;
        assert!(limit.passes(&event("a", "failed", "1")));
        assert_eq!(limit.told.len(), 1, "what is over is forgotten");
    }
}
