//! Whether what a Kustomization depends on is ready (fluxcd/kustomize-controller
//! `checkDependencies`): known, its last generation reconciled, Ready, and, when it has the same
//! source, applied at the very revision that is about to be applied.

use std::sync::Arc;

use weir_api::condition;
use weir_api::kustomize::v1::Kustomization;
use weir_api::meta;

use super::super::objects::Key;

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unmet {
    #[error("dependency '{0}' not found")]
    NotFound(Key),
    #[error("dependency '{0}' is not ready")]
    NotReady(Key),
    #[error("dependency '{0}' has not applied revision '{1}' yet")]
    OtherRevision(Key, String),
    #[error("dependency cycle: {0}")]
    Cycle(String),
}

/// The keys that `object` depends on.
pub fn keys(object: &Kustomization) -> impl Iterator<Item = Key> + '_ {
    let own = object.metadata.namespace.as_deref().unwrap_or_default();
    object.spec.depends_on.iter().map(move |dependency| {
        Key::new(
            dependency.namespace.as_deref().unwrap_or(own),
            &dependency.name,
        )
    })
}

/// The first dependency of `object` that is not met for `revision` of its source.
pub(super) fn check(
    object: &Kustomization,
    revision: &str,
    get: impl Fn(&Key) -> Option<Arc<Kustomization>>,
) -> Result<(), Unmet> {
    if let Some(cycle) = cycle(object, &get) {
        return Err(Unmet::Cycle(cycle));
    }
    for key in keys(object) {
        let Some(dependency) = get(&key) else {
            return Err(Unmet::NotFound(key));
        };
        let Some(status) = &dependency.status else {
            return Err(Unmet::NotReady(key));
        };
        let observed = status.observed_generation == dependency.metadata.generation;
        if !observed || !condition::is_true(&status.conditions, meta::condition::READY) {
            return Err(Unmet::NotReady(key));
        }
        if same_source(object, &dependency)
            && status.last_applied_revision.as_deref() != Some(revision)
        {
            return Err(Unmet::OtherRevision(key, revision.to_owned()));
        }
    }
    Ok(())
}

fn same_source(a: &Kustomization, b: &Kustomization) -> bool {
    let source = |object: &Kustomization| {
        let reference = &object.spec.source_ref;
        let own = object.metadata.namespace.clone();
        (
            reference.kind.to_string(),
            reference.name.clone(),
            reference.namespace.clone().or(own),
        )
    };
    source(a) == source(b)
}

/// A cycle through `object`, written `a -> b -> a`.
fn cycle(
    object: &Kustomization,
    get: &impl Fn(&Key) -> Option<Arc<Kustomization>>,
) -> Option<String> {
    fn visit(
        key: &Key,
        target: &Key,
        path: &mut Vec<Key>,
        seen: &mut std::collections::HashSet<Key>,
        get: &impl Fn(&Key) -> Option<Arc<Kustomization>>,
    ) -> bool {
        if key == target {
            return true;
        }
        if !seen.insert(key.clone()) {
            return false;
        }
        let Some(object) = get(key) else { return false };
        path.push(key.clone());
        if keys(&object).any(|next| visit(&next, target, path, seen, get)) {
            return true;
        }
        path.pop();
        false
    }
    let own = Key::of(object);
    let mut path = vec![own.clone()];
    let mut seen = std::collections::HashSet::new();
    for next in keys(object) {
        if visit(&next, &own, &mut path, &mut seen, get) {
            path.push(own);
            return Some(
                path.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" -> "),
            );
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    const REVISION: &str = "main@sha1:2";

    /// `ready`: revision it has applied, `None` for not ready.
    fn object(name: &str, source: &str, depends_on: &[&str], ready: Option<&str>) -> Kustomization {
        let depends_on: Vec<_> = depends_on
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        let status = if ready.is_some() { "True" } else { "False" };
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "ns", "generation": 1},
            "spec": {
                "interval": "1m", "prune": true, "dependsOn": depends_on,
                "sourceRef": {"kind": "GitRepository", "name": source},
            },
            "status": {
                "observedGeneration": 1,
                "lastAppliedRevision": ready,
                "conditions": [{
                    "type": "Ready", "status": status, "reason": "Any", "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }],
            },
        }))
        .unwrap()
    }

    fn unmet(own: &Kustomization, others: Vec<Kustomization>) -> Option<String> {
        let others: HashMap<Key, Arc<Kustomization>> = others
            .into_iter()
            .map(|other| (Key::of(&other), Arc::new(other)))
            .collect();
        check(own, REVISION, |key| others.get(key).cloned())
            .err()
            .map(|unmet| unmet.to_string())
    }

    #[test]
    fn a_dependency_must_exist_be_ready_and_have_applied_the_same_revision_of_the_same_source() {
        let own = object("app", "repo", &["base"], None);
        for (base, expected) in [
            (None, Some("dependency 'ns/base' not found")),
            (
                Some(object("base", "repo", &[], None)),
                Some("dependency 'ns/base' is not ready"),
            ),
            (
                Some(object("base", "repo", &[], Some("main@sha1:1"))),
                Some("dependency 'ns/base' has not applied revision 'main@sha1:2' yet"),
            ),
            (Some(object("base", "repo", &[], Some(REVISION))), None),
            (
                Some(object("base", "other", &[], Some("main@sha1:1"))),
                None,
            ),
        ] {
            let found = unmet(&own, base.into_iter().collect());
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn an_edit_that_is_not_reconciled_yet_is_not_ready() {
        let own = object("app", "repo", &["base"], None);
        let mut base = object("base", "repo", &[], Some(REVISION));
        base.metadata.generation = Some(2);
        assert_eq!(
            unmet(&own, vec![base]).unwrap(),
            "dependency 'ns/base' is not ready"
        );
    }

    #[test]
    fn a_cycle_is_written_out_and_one_beside_the_object_is_not_its_own() {
        let own = object("a", "repo", &["b"], None);
        let ring = vec![
            object("b", "repo", &["c"], None),
            object("c", "repo", &["a"], None),
        ];
        let expected = "dependency cycle: ns/a -> ns/b -> ns/c -> ns/a";
        assert_eq!(unmet(&own, ring).unwrap(), expected);

        let beside = vec![
            object("b", "repo", &["c"], None),
            object("c", "repo", &["b"], None),
        ];
        assert_eq!(
            unmet(&own, beside).unwrap(),
            "dependency 'ns/b' is not ready"
        );
    }
}
