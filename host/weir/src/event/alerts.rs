//! Which events an Alert sends (fluxcd/notification-controller `internal/server/event_handlers.go`).

use std::collections::BTreeMap;

use regex::RegexBuilder;
use weir_api::event::Event;
use weir_api::notification::v1beta3::{Alert, EventSource};

/// Bytes that a compiled pattern may take: patterns come from users, and all Alerts share a host.
const MAX_PATTERN: usize = 1 << 20;

/// What an Alert makes of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) sends: bool,
    /// Patterns that do not compile, each with the reason. They match nothing.
    pub(super) invalid: Vec<String>,
}

/// Whether `alert` sends `event`. `labels` are those of the involved object.
pub(super) fn judge(
    alert: &Alert,
    event: &Event,
    labels: &BTreeMap<String, String>,
    no_cross_namespace_refs: bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    let spec = &alert.spec;
    let own = alert.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = event
        .involved_object
        .namespace
        .as_deref()
        .unwrap_or_default();
    if spec.suspend
        || !spec.passes(&event.severity)
        || (no_cross_namespace_refs && namespace != own)
        || !spec
            .event_sources
            .iter()
            .any(|source| selects(source, own, event, labels))
    {
        return verdict;
    }
    // Inclusion first; exclusion wins.
    let included = spec.inclusion_list.is_empty()
        || matches_any(&spec.inclusion_list, &event.message, &mut verdict.invalid);
    verdict.sends =
        included && !matches_any(&spec.exclusion_list, &event.message, &mut verdict.invalid);
    verdict
}

fn selects(
    source: &EventSource,
    own_namespace: &str,
    event: &Event,
    labels: &BTreeMap<String, String>,
) -> bool {
    let object = &event.involved_object;
    object.kind.as_deref() == Some(source.kind.as_str())
        && (source.name == "*" || object.name.as_deref() == Some(&source.name))
        && object.namespace.as_deref() == Some(source.namespace.as_deref().unwrap_or(own_namespace))
        && source
            .match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

fn matches_any(patterns: &[String], message: &str, invalid: &mut Vec<String>) -> bool {
    patterns.iter().any(|pattern| {
        match RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build() {
            Ok(regex) => regex.is_match(message),
            Err(error) => {
                invalid.push(format!("failed to compile the regex '{pattern}': {error}"));
                false
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn alert(spec: Value) -> Alert {
        let mut full = json!({ "providerRef": { "name": "p" } });
        full.as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        let mut alert = Alert::new("alert", serde_json::from_value(full).unwrap());
        alert.metadata.namespace = Some("flux-system".into());
        alert
    }

    fn event(kind: &str, namespace: &str, name: &str, severity: &str, message: &str) -> Event {
        serde_json::from_value(json!({
            "involvedObject": {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": kind, "namespace": namespace, "name": name,
            },
            "severity": severity,
            "timestamp": "2026-01-01T00:00:00Z",
            "message": message,
            "reason": "R",
            "reportingController": "kustomize-controller",
        }))
        .unwrap()
    }

    fn judged(spec: Value, event: &Event) -> Verdict {
        let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        judge(&alert(spec), event, &labels, false)
    }

    fn check(expected: bool, spec: Value) {
        let event = event(
            "Kustomization",
            "flux-system",
            "apps",
            "info",
            "Deployment/x created",
        );
        assert_eq!(judged(spec.clone(), &event).sends, expected, "{spec}");
    }

    #[test]
    fn sources_select_by_kind_name_namespace_and_labels() {
        let sources = |sources: Value| json!({ "eventSources": sources });
        check(
            true,
            sources(json!([{ "kind": "Kustomization", "name": "*" }])),
        );
        check(
            true,
            sources(json!([{ "kind": "Kustomization", "name": "apps" }])),
        );
        check(
            false,
            sources(json!([{ "kind": "Kustomization", "name": "app" }])),
        );
        check(
            false,
            sources(json!([{ "kind": "GitRepository", "name": "*" }])),
        );
        check(
            true,
            sources(json!([
                { "kind": "GitRepository", "name": "*" },
                { "kind": "Kustomization", "name": "*" }
            ])),
        );
        check(
            false,
            sources(json!([{ "kind": "Kustomization", "name": "*", "namespace": "b" }])),
        );
        check(
            true,
            sources(json!([{ "kind": "Kustomization", "name": "*", "namespace": "flux-system" }])),
        );
        let labelled = |team: &str| {
            sources(
                json!([{ "kind": "Kustomization", "name": "*", "matchLabels": { "team": team } }]),
            )
        };
        check(true, labelled("web"));
        check(false, labelled("db"));
        check(false, sources(json!([])));
    }

    #[test]
    fn severity_lists_and_suspension_filter() {
        let with = |more: Value| {
            let mut spec = json!({ "eventSources": [{ "kind": "Kustomization", "name": "*" }] });
            spec.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            spec
        };
        check(true, with(json!({ "eventSeverity": "info" })));
        check(false, with(json!({ "eventSeverity": "error" })));
        check(false, with(json!({ "suspend": true })));
        check(
            true,
            with(json!({ "inclusionList": ["nothing", "^Deployment/.* created$"] })),
        );
        check(false, with(json!({ "inclusionList": ["deleted"] })));
        check(false, with(json!({ "exclusionList": ["created"] })));
        check(
            false,
            with(json!({ "inclusionList": ["created"], "exclusionList": ["x"] })),
        );
        check(true, with(json!({ "exclusionList": ["(?i)WAITING"] })));
        let error = event("Kustomization", "flux-system", "apps", "error", "no");
        assert!(judged(with(json!({ "eventSeverity": "error" })), &error).sends);
        assert!(judged(with(json!({ "eventSeverity": "info" })), &error).sends);
    }

    #[test]
    fn a_pattern_that_does_not_compile_matches_nothing_and_is_told() {
        let spec = json!({
            "eventSources": [{ "kind": "Kustomization", "name": "*" }],
            "inclusionList": ["(", "created"],
            "exclusionList": ["["],
        });
        let event = event("Kustomization", "flux-system", "apps", "info", "created");
        let verdict = judged(spec, &event);
        assert!(verdict.sends);
        assert_eq!(verdict.invalid.len(), 2);
        assert!(verdict.invalid[0].starts_with("failed to compile the regex '('"));
    }

    #[test]
    fn namespaces_can_be_kept_apart() {
        let alert = alert(json!({
            "eventSources": [{ "kind": "Kustomization", "name": "*", "namespace": "team" }],
        }));
        let event = event("Kustomization", "team", "apps", "info", "created");
        assert!(judge(&alert, &event, &BTreeMap::new(), false).sends);
        assert!(!judge(&alert, &event, &BTreeMap::new(), true).sends);
    }
}
