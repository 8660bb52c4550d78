//! Our definitions as an API server takes them: defaults, refusals, old versions.

use kube::core::CustomResourceExt as _;
use serde_json::Value;
use weir_api::duration::Duration;
use weir_api::kustomize::v1::{Kustomization, SourceKind};
use weir_api::notification::v1beta3::{Alert, Provider, ProviderType};
use weir_api::source::v1::GitRepository;
use weir_api::weir::v1alpha1::Plugin;

use crate::rig::{kubectl, kubectl_with, try_kubectl_with};

const NAMESPACE: &str = "api";

/// Definitions are there once for all tests of this module.
async fn install() {
    static INSTALLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    INSTALLED
        .get_or_init(|| async {
            let list = serde_json::json!({
                "apiVersion": "v1", "kind": "List", "items": weir_api::crds()
            });
            kubectl_with(&["apply", "--server-side", "-f", "-"], &list.to_string()).await;
            for crd in weir_api::crds() {
                let name = format!("crd/{}", crd.metadata.name.unwrap());
                kubectl(&[
                    "wait",
                    "--for=condition=Established",
                    &name,
                    "--timeout=60s",
                ])
                .await;
            }
            kubectl(&["create", "namespace", NAMESPACE]).await;
        })
        .await;
}

async fn create(manifest: &str) -> Result<String, String> {
    try_kubectl_with(&["create", "-n", NAMESPACE, "-f", "-"], manifest).await
}

async fn get(what: &str) -> Value {
    let text = kubectl(&["get", "-n", NAMESPACE, what, "-o", "json"]).await;
    serde_json::from_str(&text).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(object: &Value) -> T {
    serde_json::from_value(object.clone()).unwrap()
}

#[tokio::test]
async fn defaults_are_set_and_the_status_is_unobserved() {
    install().await;
    create(
        "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: a}, \
         spec: {url: 'https://example.com/a.git', interval: 1m30s, verify: {secretRef: {name: k}}}}",
    )
    .await
    .unwrap();
    let live = get("gitrepository/a").await;
    assert_eq!(live["spec"]["timeout"], "60s");
    assert_eq!(live["spec"]["verify"]["mode"], "HEAD");
    assert_eq!(live["status"]["observedGeneration"], -1);
    let repository: GitRepository = read(&live);
    assert_eq!(repository.spec.interval, Duration::from_secs(90));

    create(
        "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: a}, \
         spec: {interval: 10m, prune: true, sourceRef: {kind: GitRepository, name: a}, \
         postBuild: {substituteFrom: [{kind: Secret, name: s}]}}}",
    )
    .await
    .unwrap();
    let live = get("kustomization/a").await;
    assert_eq!(live["spec"]["force"], false);
    assert_eq!(
        live["spec"]["postBuild"]["substituteFrom"][0]["optional"],
        false
    );
    let kustomization: Kustomization = read(&live);
    assert_eq!(kustomization.status.unwrap().observed_generation, Some(-1));
    assert_eq!(kustomization.spec.timeout().to_string(), "9m30s");

    create(
        "{apiVersion: notification.toolkit.fluxcd.io/v1beta3, kind: Alert, metadata: {name: a}, \
         spec: {providerRef: {name: p}, eventSources: [{kind: GitRepository, name: '*'}]}}",
    )
    .await
    .unwrap();
    let alert: Alert = read(&get("alert/a").await);
    assert_eq!(alert.spec.event_severity.as_str(), "info");
    create(
        "{apiVersion: weir.dev/v1alpha1, kind: Plugin, metadata: {name: a}, spec: {image: \
         'oci://localhost:5000/a:1', grants: {memory: 64Mi, outputBytes: 4096}}}",
    )
    .await
    .unwrap();
    let plugin: Plugin = read(&get("plugin/a").await);
    assert_eq!(plugin.spec.grants.memory.unwrap().0, 64 << 20);
    assert_eq!(plugin.spec.grants.output_bytes.unwrap().0, 4096);
}

#[tokio::test]
async fn what_flux_refuses_is_refused() {
    install().await;
    for (wrong, says) in [
        (
            "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: x}, \
          spec: {url: 'git@example.com:a.git', interval: 1m}}",
            "spec.url",
        ),
        (
            "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: x}, \
          spec: {url: 'https://example.com/a', interval: 1d}}",
            "spec.interval",
        ),
        (
            "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: x}, \
          spec: {url: 'https://example.com/a', interval: 1m, serviceAccountName: a}}",
            "serviceAccountName can only be set",
        ),
        (
            "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: x}, \
          spec: {interval: 1m, prune: true, sourceRef: {kind: ConfigMap, name: a}}}",
            "spec.sourceRef.kind",
        ),
        (
            "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: x}, \
          spec: {interval: 1m, prune: true, sourceRef: {kind: Bucket, name: a}, kubeConfig: {}}}",
            "exactly one of",
        ),
        (
            "{apiVersion: notification.toolkit.fluxcd.io/v1beta3, kind: Provider, metadata: \
          {name: x}, spec: {type: pigeon}}",
            "spec.type",
        ),
        (
            "{apiVersion: weir.dev/v1alpha1, kind: Plugin, metadata: {name: x}, spec: \
          {image: 'docker.io/a'}}",
            "spec.image",
        ),
    ] {
        let error = create(wrong).await.unwrap_err();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[tokio::test]
async fn old_versions_are_accepted_and_stored_as_the_new_one() {
    install().await;
    create(
        "{apiVersion: kustomize.toolkit.fluxcd.io/v1beta1, kind: Kustomization, metadata: \
         {name: old}, spec: {interval: 5m, path: ./a, prune: false, validation: client, sourceRef: \
         {kind: GitRepository, name: a}, patchesStrategicMerge: [{kind: Deployment, spec: \
         {replicas: 2}}], patchesJson6902: [{target: {kind: Service}, patch: [{op: add, path: /a, \
         value: {b: 1}}]}]}}",
    )
    .await
    .unwrap();
    let live = get("kustomizations.v1.kustomize.toolkit.fluxcd.io/old").await;
    let kustomization: Kustomization = read(&live);
    assert_eq!(
        kustomization.spec.source_ref.kind,
        SourceKind::GitRepository
    );
    assert_eq!(
        kustomization.spec.patches_strategic_merge[0]["spec"]["replicas"],
        2
    );
    assert_eq!(
        kustomization.spec.patches_json6902[0].patch[0]
            .value
            .as_ref()
            .unwrap()["b"],
        1
    );

    create(
        "{apiVersion: source.toolkit.fluxcd.io/v1beta2, kind: GitRepository, metadata: {name: old}, \
         spec: {url: 'ssh://git@example.com/a', interval: 1h, timeout: 1h, gitImplementation: \
         libgit2, accessFrom: {namespaceSelectors: [{matchLabels: {a: b}}]}, verify: {mode: head, \
         secretRef: {name: k}}}}",
    )
    .await
    .unwrap();
    let live = get("gitrepositories.v1.source.toolkit.fluxcd.io/old").await;
    let repository: GitRepository = read(&live);
    assert_eq!(repository.spec.timeout().to_string(), "1h0m0s");

    for (version, kind) in [("v1beta1", "Alert"), ("v1beta2", "Alert")] {
        create(&format!(
            "{{apiVersion: notification.toolkit.fluxcd.io/{version}, kind: {kind}, metadata: \
             {{name: {version}}}, spec: {{providerRef: {{name: p}}, summary: {}, eventSources: \
             [{{kind: Kustomization, name: a}}]}}}}",
            "x".repeat(300)
        ))
        .await
        .unwrap();
    }
    create(
        "{apiVersion: notification.toolkit.fluxcd.io/v1beta1, kind: Provider, metadata: \
         {name: old}, spec: {type: slack, address: 'https://example.com'}}",
    )
    .await
    .unwrap();
    let provider: Provider =
        read(&get("providers.v1beta3.notification.toolkit.fluxcd.io/old").await);
    assert_eq!(provider.spec.type_, ProviderType::Slack);
    // An object written under the old rules can still be changed under the new ones.
    let patched = try_kubectl_with(
        &[
            "patch",
            "-n",
            NAMESPACE,
            "gitrepositories.v1.source.toolkit.fluxcd.io/old",
            "--type=merge",
            "-p",
            r#"{"status":{"observedGeneration":1}}"#,
            "--subresource=status",
        ],
        "",
    )
    .await;
    assert!(patched.is_ok(), "{patched:?}");
}

#[tokio::test]
async fn tables_have_flux_columns() {
    install().await;
    create(
        "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: table}, \
         spec: {url: 'https://example.com/table.git', interval: 1m}}",
    )
    .await
    .unwrap();
    let table = kubectl(&["get", "-n", NAMESPACE, "gitrepo", "table"]).await;
    let columns: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(columns, ["NAME", "URL", "AGE", "READY", "STATUS"]);
    assert!(table.contains("https://example.com/table.git"), "{table}");
    assert_eq!(Kustomization::api_resource().plural, "kustomizations");
}
