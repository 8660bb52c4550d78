//! What Helm keeps of an installation can be made of the component's output: ten charts are
//! installed with the real binary in a real cluster, and what it stored is held against it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use weir_plugin::{DirTree, FixedTarget, RenderOutput};
use weir_tests_support::Cluster;
use weir_tests_support::parts::{self, Part};

use crate::support::{component, corpus, render, target};

/// Charts with hooks, notes, subcharts, definitions, files and schemas.
const CHARTS: [&str; 10] = [
    "prometheus-community__prometheus-blackbox-exporter",
    "cert-manager__cert-manager",
    "argo__argo-cd",
    "kyverno-reporter__policy-reporter",
    "keda__keda",
    "prometheus-community__prometheus-operator-admission-webhook",
    "grafana__promtail",
    "reloader__reloader",
    "sealed-secrets__sealed-secrets",
    "nats__nats",
];

/// The real binary and the cluster that it works on.
struct Helm<'a> {
    program: &'a Path,
    cluster: &'a Cluster,
    home: tempfile::TempDir,
}

impl Helm<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.program)
            .args(arguments)
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The record as it is stored: packed twice in the data of a Secret.
    fn record(&self, name: &str, namespace: &str) -> Value {
        let secret = format!("sh.helm.release.v1.{name}.v1");
        let path = "jsonpath={.data.release}";
        let arguments = ["get", "secret", &secret, "-n", namespace, "-o", path];
        let once = BASE64.decode(self.cluster.kubectl(&arguments).unwrap().trim());
        let packed = BASE64.decode(once.unwrap()).unwrap();
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
        unpacked.read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// All that the API server serves, as Helm lists it.
fn apis(cluster: &Cluster) -> Vec<String> {
    let versions = cluster.kubectl(&["api-versions"]).unwrap();
    let mut apis = Vec::new();
    for version in versions.lines() {
        let root = if version.contains('/') { "apis" } else { "api" };
        let answer = cluster.kubectl(&["get", "--raw", &format!("/{root}/{version}")]);
        let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
        apis.push(version.to_owned());
        for resource in answer["resources"].as_array().unwrap() {
            apis.push(format!("{version}/{}", resource["kind"].as_str().unwrap()));
        }
    }
    apis.sort();
    apis.dedup();
    apis
}

/// The documents of a role as Helm prints them.
fn documents(output: &RenderOutput, role: Option<&str>) -> String {
    let mut text = String::new();
    let of_role = |it: &&weir_plugin::Manifest| it.role.as_deref() == role;
    for manifest in output.manifests.iter().filter(of_role) {
        let origin = manifest.origin.as_deref().unwrap();
        let body = std::str::from_utf8(&manifest.body).unwrap();
        writeln!(text, "---\n# Source: {origin}\n{body}").unwrap();
    }
    text
}

fn attached(output: &RenderOutput, name: &str) -> String {
    let mut all = output.attachments.iter();
    let (_, data) = all.find(|(attached, _)| attached == name).unwrap();
    String::from_utf8(data.to_vec()).unwrap()
}

/// The hooks with their documents, as they stand in a record.
fn hooks(output: &RenderOutput) -> Value {
    let mut hooks: Value = serde_json::from_str(&attached(output, "hooks")).unwrap();
    let is_hook = |it: &&weir_plugin::Manifest| it.role.as_deref() == Some("hook");
    let documents = output.manifests.iter().filter(is_hook);
    for (hook, document) in hooks.as_array_mut().unwrap().iter_mut().zip(documents) {
        hook["manifest"] = std::str::from_utf8(&document.body).unwrap().into();
    }
    hooks
}

/// What the runs of hooks left is not the chart's.
fn without_runs(mut hooks: Value) -> Value {
    for hook in hooks.as_array_mut().into_iter().flatten() {
        hook.as_object_mut().unwrap().remove("last_run");
    }
    if hooks.is_null() { json!([]) } else { hooks }
}

/// Where two values part, and how.
fn difference(made: &Value, stored: &Value) -> Option<String> {
    let inner = match (made, stored) {
        (Value::Object(made), Value::Object(stored)) => {
            let mut keys = made.keys().chain(stored.keys());
            keys.find_map(|key| {
                let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                let sides = (side(made), side(stored));
                let (made, stored) = (sides.0.unwrap_or_default(), sides.1.unwrap_or_default());
                difference(&made, &stored).map(|inner| format!(".{key}{inner}"))
            })
        }
        (Value::Array(made), Value::Array(stored)) if made.len() == stored.len() => {
            let mut pairs = made.iter().zip(stored).enumerate();
            pairs.find_map(|(at, (made, stored))| {
                difference(made, stored).map(|inner| format!("[{at}]{inner}"))
            })
        }
        _ => (made != stored).then(|| format!(": {made} rather than {stored}")),
    };
    inner.map(|text| text.chars().take(500).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_helm_stores_can_be_made_of_the_output() {
    let Some(corpus) = corpus("helm") else {
        return;
    };
    let cluster = Cluster::start().unwrap();
    let parts = parts::ensure(&[Part::Helm]).unwrap();
    let helm = Helm {
        program: parts.get(Part::Helm).unwrap(),
        cluster: &cluster,
        home: tempfile::tempdir().unwrap(),
    };
    let plugin = component("helm").await;
    let values = json!({"global": {"set": [1, 2.5, null]}, "nameOverride": "given"});
    let values_file = helm.home.path().join("values.json");
    std::fs::write(&values_file, values.to_string()).unwrap();
    for (number, chart) in CHARTS.into_iter().enumerate() {
        let (name, namespace) = (format!("release-{number}"), format!("space-{number}"));
        let path = corpus.join("charts").join(chart);
        let apis = apis(&cluster);
        let arguments = [
            "install",
            &name,
            path.to_str().unwrap(),
            "--namespace",
            &namespace,
            "--create-namespace",
            "--no-hooks",
            "--values",
            values_file.to_str().unwrap(),
        ];
        helm.run(&arguments);
        let target = FixedTarget {
            values: values.to_string().into(),
            namespace: Some(namespace.clone()),
            release_name: Some(name.clone()),
            kube_version: "v1.35.4".into(),
            apis,
            ..target()
        };
        let tree = Arc::new(DirTree::open(&path).unwrap());
        let called = render(&plugin, tree, &json!({}), target).await;
        let output = called.result.unwrap();

        let get = |what: &str| helm.run(&["get", what, &name, "-n", &namespace]);
        let manifest = documents(&output, None);
        assert_eq!(get("manifest"), format!("{manifest}\n"), "{chart}");
        assert_eq!(get("hooks"), documents(&output, Some("hook")), "{chart}");
        let notes = match attached(&output, "notes").as_str() {
            "" => String::new(),
            notes => format!("NOTES:\n{notes}\n"),
        };
        assert_eq!(get("notes"), notes, "{chart}");
        let all = ["get", "values", &name, "-n", &namespace, "-a", "-o", "json"];
        let all: Value = serde_json::from_str(&helm.run(&all)).unwrap();
        let computed: Value = serde_json::from_str(&attached(&output, "values")).unwrap();
        assert_eq!(computed, all, "{chart}");

        let record = helm.record(&name, &namespace);
        let made: BTreeMap<&str, Value> = [
            (
                "chart",
                serde_json::from_str(&attached(&output, "chart")).unwrap(),
            ),
            ("config", values.clone()),
            ("hooks", hooks(&output)),
            ("manifest", manifest.into()),
        ]
        .into();
        for (field, made) in made {
            let stored = match field {
                "hooks" => without_runs(record[field].clone()),
                _ => record[field].clone(),
            };
            let differ = difference(&made, &stored);
            assert!(differ.is_none(), "{chart}: {field}{differ:?}");
        }
    }
}
