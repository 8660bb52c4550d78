//! The access rights that `weir install` prints: enough for everything, and nothing to spare.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;

use serde_json::Value;
use weir_tests_cluster::{PATIENCE, condition, config_map, kustomization, source};
use weir_tests_support::{
    Cluster, ClusterOptions, GitServer, Registry, Request, Webhook, Weir, WeirOptions, eventually,
    folders,
};

/// The user that the host's ServiceAccount is.
const ACCOUNT: &str = "system:serviceaccount:flux-system:weir";

/// What the repositories of the test hold: rights that are bound to the host for them alone.
const FOR_REPOSITORIES: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: repositories}
rules:
- apiGroups: ["", apps]
  resources: [configmaps, deployments]
  verbs: [get, list, watch, create, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: repositories}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: repositories}
subjects: [{kind: ServiceAccount, name: weir, namespace: flux-system}]
"#;

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  \
    replicas: 0\n  selector: {matchLabels: {app: web}}\n  template:\n    \
    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: web:1}]}\n";

/// One right: a verb for a resource of a group.
type Right = (String, String, String);

fn right_of(request: &Request) -> Right {
    let mut resource = request.resource.clone();
    if !request.subresource.is_empty() {
        resource = format!("{resource}/{}", request.subresource);
    }
    (request.group.clone(), resource, request.verb.clone())
}

/// The rights of a role, one by one.
fn rights_of(role: &Value) -> BTreeSet<Right> {
    let list = |value: &Value| -> Vec<String> {
        let values = value.as_array().unwrap().iter();
        values.map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}

struct Scene {
    cluster: Cluster,
    git: GitServer,
    webhook: Webhook,
    registry: Registry,
}

impl Scene {
    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster.kubectl(args).unwrap()
    }

    fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let arguments = ["get", kind, name, "-n", "default", "-o", "json"];
        serde_json::from_str(&self.cluster.kubectl(&arguments).ok()?).ok()
    }

    fn wait_ready(&self, kind: &str, name: &str, text: &str) {
        eventually(&format!("{kind}/{name} ready: {text}"), PATIENCE, || {
            let object = self.get(kind, name)?;
            let ready = condition(&object, "Ready")?;
            let told = ready["status"] == "True" && ready["message"].as_str()?.contains(text);
            told.then_some(())
        });
    }
}

/// Pushes a test guest; returns the image's name.
fn push(scene: &Scene, guest: &str, tag: &str) -> String {
    let image = scene.registry.oci(&format!("guest:{tag}"));
    let file = folders::guests().join(format!("{guest}.wasm"));
    let file = file.to_str().unwrap();
    let arguments = ["plugin", "push", "--insecure", file, &image];
    Weir::command(&scene.cluster.kubeconfig(), &arguments).unwrap();
    image
}

/// Everything that a host does in a life without trouble.
fn happy_path(scene: &Scene) {
    let repo = scene.git.create_repo("app").unwrap();
    let first = repo
        .commit(
            &[
                ("a.yaml", Some(&*config_map("a", "one"))),
                ("b.yaml", Some(&*config_map("b", "one"))),
                ("web.yaml", Some(DEPLOYMENT)),
            ],
            "one",
        )
        .unwrap();
    let image = push(scene, "echo", "v1");
    let manifests = [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: git}\n\
         stringData: {username: a, password: b}\n"
            .to_owned(),
        format!(
            "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata:\n  name: echo\n\
             spec:\n  image: {image}\n  insecure: true\n"
        ),
        format!(
            "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\n\
             metadata: {{name: hook}}\nspec: {{type: generic, address: {}}}\n",
            scene.webhook.url()
        ),
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n\
         metadata: {name: all}\nspec:\n  providerRef: {name: hook}\n  \
         eventSources: [{kind: Kustomization, name: '*'}]\n"
            .to_owned(),
        source(repo.url(), "  secretRef: {name: git}\n"),
        kustomization(
            "app",
            "./",
            "  targetNamespace: default\n  wait: true\n  dependsOn: []\n",
        ),
    ]
    .join("---\n");
    let arguments = ["apply", "--server-side", "-n", "default", "-f", "-"];
    scene.cluster.kubectl_with(&arguments, &manifests).unwrap();
    scene.wait_ready("plugin", "echo", "serving");
    let digest = scene.get("plugin", "echo").unwrap()["status"]["digest"].clone();
    scene.wait_ready("kustomization", "app", &first);
    // A change, a removal, an edit by hand, a reconcile that is asked for.
    let second = repo
        .commit(
            &[("a.yaml", Some(&*config_map("a", "two"))), ("b.yaml", None)],
            "two",
        )
        .unwrap();
    scene.wait_ready("kustomization", "app", &second);
    let edit = r#"{"data":{"key":"x"}}"#;
    scene.kubectl(&["patch", "configmap", "a", "-p", edit]);
    eventually("the edit repaired", PATIENCE, || {
        let object = scene.get("configmap", "a")?;
        (object["data"]["key"] == "two").then_some(())
    });
    // Another component and the first again: the same thing happening twice is one Event, counted.
    for (guest, tag) in [("chatty", "v2"), ("echo", "v1")] {
        let image = push(scene, guest, tag);
        let patch = format!(r#"{{"spec":{{"image":"{image}"}}}}"#);
        scene.kubectl(&["patch", "plugin", "echo", "--type=merge", "-p", &patch]);
        eventually("the component swapped", PATIENCE, || {
            let object = scene.get("plugin", "echo")?;
            let is_first = object["status"]["digest"] == digest;
            let is_seen =
                object["status"]["observedGeneration"] == object["metadata"]["generation"];
            (is_first == (tag == "v1") && is_seen).then_some(())
        });
    }
    eventually("the alert", PATIENCE, || {
        let received = scene.webhook.received();
        received
            .iter()
            .any(|request| String::from_utf8_lossy(&request.body).contains(&second))
            .then_some(())
    });
    for kind in ["kustomization", "gitrepository"] {
        scene.kubectl(&["delete", kind, "app"]);
    }
    scene.kubectl(&["delete", "plugin", "echo"]);
    assert!(
        scene.get("configmap", "a").is_none(),
        "pruned with its owner"
    );
}

#[test]
fn the_rights_that_install_prints_are_needed_and_suffice() {
    let options = ClusterOptions {
        users: vec![ACCOUNT.to_owned()],
        ..ClusterOptions::default()
    };
    let cluster = Cluster::start_with(&options).unwrap();
    let install = ["install", "--without-cluster-admin"];
    let manifests = Weir::command(&cluster.kubeconfig(), &install).unwrap();
    cluster.apply(&manifests).unwrap();
    cluster.apply(FOR_REPOSITORIES).unwrap();
    cluster
        .kubectl(&[
            "wait",
            "--for=condition=Established",
            "crd",
            "--all",
            "--timeout=60s",
        ])
        .unwrap();
    let mark = cluster.audit().mark();
    let mut options = WeirOptions::new(cluster.kubeconfig_of(ACCOUNT));
    options.args = vec!["--enable-leader-election".into()];
    let mut weir = Weir::start(&options).unwrap();
    let scene = Scene {
        cluster,
        git: GitServer::start().unwrap(),
        webhook: Webhook::start().unwrap(),
        registry: Registry::start().unwrap(),
    };
    happy_path(&scene);
    weir.process().stop().unwrap();

    let requests = scene.cluster.audit().of_user(ACCOUNT, mark).unwrap();
    let denied: Vec<String> = requests
        .iter()
        .filter(|request| matches!(request.code, 401 | 403))
        .map(|request| format!("{} {}", request.verb, request.uri))
        .collect();
    assert!(
        denied.is_empty(),
        "denied: {denied:#?}\n{}",
        weir.log_tail(30)
    );

    // A right that no request needed could be taken away; one that is missing was denied above.
    let used: BTreeSet<Right> = requests.iter().map(right_of).collect();
    let mut given = BTreeSet::new();
    for (kind, name, namespace) in [
        ("clusterrole", "weir-flux-system", "default"),
        ("role", "weir-leader-election", "flux-system"),
    ] {
        let arguments = ["get", kind, name, "-n", namespace, "-o", "json"];
        let role: Value = serde_json::from_str(&scene.kubectl(&arguments)).unwrap();
        given.extend(rights_of(&role));
    }
    let spare: Vec<&Right> = given.difference(&used).collect();
    assert!(
        spare.is_empty(),
        "granted and never used: {spare:#?}\nused: {used:#?}"
    );
    println!(
        "{} rights, each of them used; {} requests",
        given.len(),
        requests.len()
    );
}
