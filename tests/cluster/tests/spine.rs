//! From a commit to objects and back: what a Kustomization promises, seen from outside.

use serde_json::Value;
use weir_tests_cluster::{PATIENCE, Rig, condition, config_map, kustomization, source};
use weir_tests_support::eventually;

#[test]
fn a_commit_becomes_objects_and_the_next_one_updates_and_prunes_them() {
    let tenant = Rig::shared().tenant("commit").unwrap();
    let namespace = format!("  targetNamespace: {}\n", tenant.namespace);
    let first = tenant
        .repo
        .commit(
            &[
                ("deploy/a.yaml", Some(&config_map("a", "one"))),
                ("deploy/b.yaml", Some(&config_map("b", "one"))),
                ("README.md", Some("not yaml")),
            ],
            "first",
        )
        .unwrap();
    tenant.follow("./deploy", &namespace).unwrap();
    let object = tenant.wait_applied("app", &first).unwrap();

    let revision = format!("main@sha1:{first}");
    assert_eq!(object["status"]["lastAppliedRevision"], *revision);
    assert_eq!(
        object["status"]["observedGeneration"],
        object["metadata"]["generation"]
    );
    assert_eq!(
        condition(&object, "Ready").unwrap()["message"],
        format!("Applied revision: {revision}")
    );
    assert!(condition(&object, "Reconciling").is_none());
    let ids: Vec<&str> = object["status"]["inventory"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    let ns = &tenant.namespace;
    assert_eq!(
        ids,
        [format!("{ns}_a__ConfigMap"), format!("{ns}_b__ConfigMap")]
    );
    let a = tenant.get("configmap", "a").unwrap();
    assert_eq!(
        a["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"],
        "app"
    );
    assert_eq!(
        a["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"],
        **ns
    );

    let second = tenant
        .repo
        .commit(
            &[
                ("deploy/a.yaml", Some(&config_map("a", "two"))),
                ("deploy/b.yaml", None),
            ],
            "second",
        )
        .unwrap();
    let object = tenant.wait_applied("app", &second).unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");
    tenant.wait_gone("configmap", "b").unwrap();
    assert_eq!(
        object["status"]["inventory"]["entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(object["status"]["history"].as_array().unwrap().len(), 2);

    let events = eventually("the event of the update", PATIENCE, || {
        let events = tenant.events("Kustomization", "app").unwrap();
        events
            .iter()
            .any(|(_, text)| text.contains("ConfigMap/") && text.contains("deleted"))
            .then_some(events)
    });
    assert!(
        events
            .iter()
            .any(|(_, text)| text.contains(&format!("ConfigMap/{ns}/a created")))
    );
    assert!(
        events
            .iter()
            .any(|(_, text)| text.contains(&format!("ConfigMap/{ns}/a configured")))
    );
    let sources = tenant.events("GitRepository", "app").unwrap();
    assert!(sources.contains(&(
        "NewArtifact".into(),
        "stored artifact for commit 'first'".into()
    )));
}

#[test]
fn what_is_changed_or_deleted_by_hand_is_put_back() {
    let tenant = Rig::shared().tenant("drift").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "git")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();

    // What another controller adds is its own; what kubectl sets is taken over and reverted, as
    // in Flux (fluxcd/pkg ssa/patch.go).
    let patch = |manager: &str, data: &str| {
        let manager = format!("--field-manager={manager}");
        let data = format!(r#"{{"data":{data}}}"#);
        tenant
            .kubectl(&[
                "patch",
                "configmap",
                "a",
                "--type=merge",
                &manager,
                "-p",
                &data,
            ])
            .unwrap();
    };
    patch("another-controller", r#"{"other":"stays"}"#);
    patch("kubectl-patch", r#"{"key":"by hand","added":"by hand"}"#);
    let repaired =
        |object: &Value| object["data"]["key"] == "git" && object["data"]["added"].is_null();
    let object = tenant
        .wait_for("repaired", "configmap", "a", repaired)
        .unwrap();
    assert_eq!(object["data"]["other"], "stays");

    tenant
        .kubectl(&[
            "label",
            "configmap",
            "a",
            "kustomize.toolkit.fluxcd.io/name-",
        ])
        .unwrap();
    let label =
        |object: &Value| object["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "app";
    tenant
        .wait_for("labelled again", "configmap", "a", label)
        .unwrap();

    tenant.kubectl(&["delete", "configmap", "a"]).unwrap();
    tenant
        .wait_for("created again", "configmap", "a", repaired)
        .unwrap();
}

#[test]
fn suspended_objects_rest_and_deleted_ones_take_their_objects_along() {
    let tenant = Rig::shared().tenant("life").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let first = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "one")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &first).unwrap();

    let suspend = |value: &str| {
        let patch = format!(r#"{{"spec":{{"suspend":{value}}}}}"#);
        tenant
            .kubectl(&[
                "patch",
                "kustomization",
                "app",
                "--type=merge",
                "-p",
                &patch,
            ])
            .unwrap();
    };
    suspend("true");
    let second = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "two")))], "two")
        .unwrap();
    tenant
        .wait_for("the source to move on", "gitrepository", "app", |object| {
            object
                .pointer("/status/artifact/revision")
                .is_some_and(|r| r == &format!("main@sha1:{second}"))
        })
        .unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "one");
    suspend("false");
    tenant.wait_applied("app", &second).unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");

    tenant
        .kubectl(&["delete", "kustomization", "app", "--timeout=60s"])
        .unwrap();
    tenant.wait_gone("configmap", "a").unwrap();
    tenant
        .kubectl(&["delete", "gitrepository", "app", "--timeout=60s"])
        .unwrap();
}

#[test]
fn a_deletion_policy_of_orphan_leaves_the_objects() {
    let tenant = Rig::shared().tenant("orphan").unwrap();
    let fields = format!(
        "  targetNamespace: {}\n  deletionPolicy: Orphan\n",
        tenant.namespace
    );
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "one")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    tenant
        .kubectl(&["delete", "kustomization", "app", "--timeout=60s"])
        .unwrap();
    assert!(tenant.get("configmap", "a").is_some());
}

#[test]
fn a_request_by_annotation_is_handled_and_its_value_copied() {
    let tenant = Rig::shared().tenant("requested").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "one")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    for kind in ["gitrepository", "kustomization"] {
        let annotation = format!("reconcile.fluxcd.io/requestedAt={kind}-now");
        tenant
            .kubectl(&["annotate", kind, "app", &annotation])
            .unwrap();
        tenant
            .wait_for("handled", kind, "app", |object| {
                object["status"]["lastHandledReconcileAt"] == format!("{kind}-now")
            })
            .unwrap();
    }
}

#[test]
fn dependents_wait_for_what_they_depend_on_and_a_cycle_is_named() {
    let tenant = Rig::shared().tenant("depends").unwrap();
    let ns = format!("  targetNamespace: {}\n", tenant.namespace);
    let files = [
        ("base/a.yaml", config_map("a", "1")),
        ("app/b.yaml", config_map("b", "1")),
    ];
    let files: Vec<(&str, Option<&str>)> =
        files.iter().map(|(p, c)| (*p, Some(c.as_str()))).collect();
    let commit = tenant.repo.commit(&files, "one").unwrap();
    tenant.apply(&source(tenant.repo.url(), "")).unwrap();
    let depends = format!("{ns}  dependsOn:\n  - name: base\n");
    tenant
        .apply(&kustomization("app", "./app", &depends))
        .unwrap();
    tenant
        .wait_condition("kustomization", "app", "Ready", "False", "base")
        .unwrap();
    assert!(tenant.get("configmap", "b").is_none());
    tenant.apply(&kustomization("base", "./base", &ns)).unwrap();
    tenant.wait_applied("base", &commit).unwrap();
    tenant.wait_applied("app", &commit).unwrap();

    let cycle = format!("{ns}  dependsOn:\n  - name: app\n");
    tenant
        .apply(&kustomization("base", "./base", &cycle))
        .unwrap();
    let object = tenant
        .wait_condition("kustomization", "base", "Ready", "False", "cycle")
        .unwrap();
    let message = condition(&object, "Ready").unwrap()["message"]
        .as_str()
        .unwrap();
    assert!(
        message.contains("app ->") && message.contains("/base"),
        "{message}"
    );
}

#[test]
fn health_is_waited_for_and_told() {
    let tenant = Rig::shared().tenant("health").unwrap();
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 0\n  \
        selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
        spec: {containers: [{name: web, image: web:1}]}\n";
    let commit = tenant
        .repo
        .commit(
            &[
                ("web.yaml", Some(deployment)),
                ("gone.yaml", Some(&config_map("gone", "1"))),
            ],
            "one",
        )
        .unwrap();
    let fields = format!(
        "  targetNamespace: {}\n  wait: true\n  timeout: 1m\n",
        tenant.namespace
    );
    tenant.follow("./", &fields).unwrap();
    let object = tenant.wait_applied("app", &commit).unwrap();
    let healthy = condition(&object, "Healthy").unwrap();
    assert_eq!(healthy["status"], "True");
    assert!(
        healthy["message"]
            .as_str()
            .unwrap()
            .starts_with("Health check passed in")
    );

    // A run that waits for health still keeps the inventory true.
    let update = deployment.replace("web:1", "web:2");
    let files = [("web.yaml", Some(&*update)), ("gone.yaml", None)];
    let commit = tenant.repo.commit(&files, "update").unwrap();
    let object = tenant.wait_applied("app", &commit).unwrap();
    let entries = object["status"]["inventory"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{object:#}");

    // No kubelet runs here: a replica never becomes available.
    let one = deployment.replace("replicas: 0", "replicas: 1");
    tenant
        .repo
        .commit(&[("web.yaml", Some(&one))], "two")
        .unwrap();
    tenant
        .wait_condition(
            "kustomization",
            "app",
            "Reconciling",
            "True",
            "Running health checks",
        )
        .unwrap();
}

#[test]
fn fields_that_are_not_acted_on_are_named_and_dangerous_ones_stall() {
    let tenant = Rig::shared().tenant("fields").unwrap();
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "1")))], "one")
        .unwrap();
    let fields = format!(
        "  targetNamespace: {}\n  ignore:\n  - paths: [/data/key]\n",
        tenant.namespace
    );
    tenant.follow("./", &fields).unwrap();
    let object = tenant.wait_applied("app", &commit).unwrap();
    let told = condition(&object, "UnsupportedFields").unwrap();
    assert!(
        told["message"].as_str().unwrap().contains("spec.ignore"),
        "{told}"
    );

    let fields = format!("{fields}  serviceAccountName: tenant\n");
    tenant.apply(&kustomization("app", "./", &fields)).unwrap();
    let object = tenant
        .wait_condition(
            "kustomization",
            "app",
            "Stalled",
            "True",
            "spec.serviceAccountName",
        )
        .unwrap();
    assert_eq!(condition(&object, "Ready").unwrap()["status"], "False");
    assert!(
        tenant.get("configmap", "a").is_some(),
        "the last good state stays"
    );
}

#[test]
fn a_bad_commit_changes_nothing_and_a_good_one_mends_it() {
    let tenant = Rig::shared().tenant("bad").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let first = tenant
        .repo
        .commit(
            &[
                ("a.yaml", Some(&config_map("a", "one"))),
                ("b.yaml", Some(&config_map("b", "one"))),
            ],
            "one",
        )
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &first).unwrap();

    let bad = [
        ("not YAML", "a: [1\n", "b.yaml"),
        (
            "no such kind",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: b}\n",
            "Thing",
        ),
        (
            "refused by the API server",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {key: [1]}\n",
            "data.key",
        ),
    ];
    for (what, content, named) in bad {
        let files = [
            ("a.yaml", Some(&*config_map("a", what))),
            ("b.yaml", Some(content)),
        ];
        tenant.repo.commit(&files, what).unwrap();
        let object = tenant
            .wait_condition("kustomization", "app", "Ready", "False", named)
            .unwrap();
        let revision = object["status"]["lastAppliedRevision"].as_str().unwrap();
        assert!(revision.ends_with(&first), "{what}: {revision}");
        assert_eq!(
            tenant.get("configmap", "a").unwrap()["data"]["key"],
            "one",
            "{what}"
        );
    }
    let good = [("a.yaml", Some(&*config_map("a", "two"))), ("b.yaml", None)];
    let last = tenant.repo.commit(&good, "mended").unwrap();
    tenant.wait_applied("app", &last).unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");
}

#[test]
fn components_and_build_metadata_of_the_spec_reach_the_renderer() {
    let tenant = Rig::shared().tenant("components").unwrap();
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
        nameSuffix: -extra\n";
    let files = [
        ("app/a.yaml", Some(&*config_map("a", "1"))),
        ("parts/suffix/kustomization.yaml", Some(component)),
    ];
    let commit = tenant.repo.commit(&files, "one").unwrap();
    let fields = format!(
        "  targetNamespace: {}\n  buildMetadata: [originAnnotations]\n  \
         ignoreMissingComponents: true\n  components: [../parts/suffix, ../parts/none]\n",
        tenant.namespace
    );
    tenant.follow("./app", &fields).unwrap();
    let object = tenant.wait_applied("app", &commit).unwrap();
    assert!(
        condition(&object, "UnsupportedFields").is_none(),
        "{object}"
    );
    let applied = tenant.get("configmap", "a-extra").unwrap();
    let origin = &applied["metadata"]["annotations"]["config.kubernetes.io/origin"];
    assert_eq!(origin, "path: a.yaml\n");
}

#[test]
fn an_edit_of_the_settings_annotation_takes_effect_at_once() {
    let tenant = Rig::shared().tenant("settings").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "1")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let settings = format!(
        r#"weir.dev/settings={{"namespace":"{}","namePrefix":"set-"}}"#,
        tenant.namespace
    );
    tenant
        .kubectl(&["annotate", "kustomization", "app", &settings])
        .unwrap();
    eventually("the object under its new name", PATIENCE, || {
        tenant.get("configmap", "set-a")
    });
    tenant.wait_gone("configmap", "a").unwrap();
}

#[test]
fn a_deleted_object_leaves_no_series_behind() {
    let rig = Rig::shared();
    let tenant = rig.tenant("series").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "1")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let namespace = format!("namespace=\"{}\"", tenant.namespace);
    let series = || {
        let metrics = rig.weir.metrics().unwrap();
        metrics
            .lines()
            .filter(|line| line.contains(&namespace))
            .map(ToOwned::to_owned)
            .collect::<Vec<String>>()
    };
    let before = series().join("\n");
    for expected in [
        "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\"",
        "weir_artifact_bytes{kind=\"GitRepository\"",
    ] {
        assert!(before.contains(expected), "{expected} is not in {before}");
    }
    for kind in ["kustomization", "gitrepository"] {
        tenant.kubectl(&["delete", kind, "app"]).unwrap();
    }
    eventually("no series of it", PATIENCE, || {
        series().is_empty().then_some(())
    });
    let metrics = rig.weir.metrics().unwrap();
    assert!(metrics.contains("workqueue_depth{name=\"kustomization\"}"));
}
