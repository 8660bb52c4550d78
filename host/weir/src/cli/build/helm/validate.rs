//! `--validate`: whether the cluster could take the manifests of a new release
//! (helm/helm pkg/action/install.go and validate.go). Kinds must be served, and objects that are
//! there already must be the release's own.

use std::collections::BTreeMap;

use kube::Client;
use weir_apply::Object;
use weir_plugin::{ClusterReader as _, KindRef, RenderOutput};

use crate::cli::Error;
use crate::lookup::Lookup;
use crate::reconcile::kustomization::manifests;

/// Whose objects they would be.
pub(super) struct Release<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) is_upgrade: bool,
}

/// Asks about every object.
pub(super) async fn validate(
    output: &RenderOutput,
    release: &Release<'_>,
    client: &Client,
) -> Result<(), Error> {
    let lookup = Lookup::new(client.clone());
    let objects = manifests::parse(output, None)?;
    let mut unknown = Vec::new();
    for object in &objects {
        let kind = kind_of(object);
        if !lookup.knows(&kind).await.map_err(told)? {
            unknown.push(no_match(object, &kind));
        }
    }
    match unknown.as_slice() {
        [] => {}
        [one] => return Err(unbuildable(one)),
        many => return Err(unbuildable(&format!("[{}]", many.join(", ")))),
    }
    if release.is_upgrade {
        return Ok(());
    }
    for object in &objects {
        let id = object.id();
        let namespace = match id.namespace.as_str() {
            "" => release.namespace,
            namespace => namespace,
        };
        let kind = kind_of(object);
        let found = lookup.get(&kind, Some(namespace), &id.name).await;
        let Some(live) = found.map_err(told)? else {
            continue;
        };
        let live: Live = serde_json::from_str(&live)?;
        if let Some(problem) = live.foreign_to(release) {
            let kind = &kind.kind;
            return Err(Error::failed(format!(
                "Unable to continue with install: {kind} {:?} in namespace {namespace:?} exists \
                 and cannot be imported into the current release: {problem}",
                id.name
            )));
        }
    }
    Ok(())
}

fn told(failure: weir_plugin::Failure) -> Error {
    Error::failed(failure.message)
}

fn kind_of(object: &Object) -> KindRef {
    let gvk = object.gvk();
    KindRef {
        api_version: gvk.api_version(),
        kind: gvk.kind,
    }
}

fn no_match(object: &Object, kind: &KindRef) -> String {
    let id = object.id();
    format!(
        "resource mapping not found for name: {:?} namespace: {:?} from \"\": no matches for kind \
         {:?} in version {:?}\nensure CRDs are installed first",
        id.name, id.namespace, kind.kind, kind.api_version
    )
}

fn unbuildable(problem: &str) -> Error {
    Error::failed(format!(
        "unable to build kubernetes objects from release manifest: {problem}"
    ))
}

/// An object that is there.
#[derive(Debug, serde::Deserialize)]
struct Live {
    #[serde(default)]
    metadata: LiveMetadata,
}

#[derive(Debug, Default, serde::Deserialize)]
struct LiveMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Live {
    /// What keeps the release from taking it over, in Helm's words.
    fn foreign_to(&self, release: &Release<'_>) -> Option<String> {
        let LiveMetadata {
            labels,
            annotations,
        } = &self.metadata;
        let checks = [
            ("label", labels, "app.kubernetes.io/managed-by", "Helm"),
            (
                "annotation",
                annotations,
                "meta.helm.sh/release-name",
                release.name,
            ),
            (
                "annotation",
                annotations,
                "meta.helm.sh/release-namespace",
                release.namespace,
            ),
        ];
        let mut text = String::new();
        for (what, values, key, wanted) in checks {
            let problem = match values.get(key) {
                Some(value) if value == wanted => continue,
                Some(value) => {
                    format!("key {key:?} must equal {wanted:?}: current value is {value:?}")
                }
                None => format!("missing key {key:?}: must be set to {wanted:?}"),
            };
            text.push_str("; ");
            text.push_str(what);
            text.push_str(" validation error: ");
            text.push_str(&problem);
        }
        (!text.is_empty()).then(|| format!("invalid ownership metadata{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_others_are_not_taken_over() {
        let release = Release {
            name: "web",
            namespace: "apps",
            is_upgrade: false,
        };
        let live = |json: &str| serde_json::from_str::<Live>(json).unwrap();
        let own = live(
            r#"{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"},"annotations":
            {"meta.helm.sh/release-name":"web","meta.helm.sh/release-namespace":"apps"}}}"#,
        );
        assert_eq!(own.foreign_to(&release), None);
        let other = live(
            r#"{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"},"annotations":
            {"meta.helm.sh/release-name":"db"}}}"#,
        );
        assert_eq!(
            other.foreign_to(&release).unwrap(),
            "invalid ownership metadata; annotation validation error: key \
             \"meta.helm.sh/release-name\" must equal \"web\": current value is \"db\"; annotation \
             validation error: missing key \"meta.helm.sh/release-namespace\": must be set to \
             \"apps\""
        );
    }
}
