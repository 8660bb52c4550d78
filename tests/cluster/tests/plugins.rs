//! Plugins from a registry, seen from outside: pushed with the command line, named in `Plugin`
//! objects, used, replaced, broken and taken away while objects need them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::LazyLock;

use serde_json::Value;
use weir_tests_cluster::{PATIENCE, Rig, Tenant, condition, config_map, kustomization, source};
use weir_tests_support::{Registry, Weir, eventually, folders};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::start().unwrap());

/// Pushes a test guest with `weir plugin push`; returns the image's name.
fn push(guest: &str, repository: &str) -> String {
    let image = REGISTRY.oci(repository);
    let file = folders::guests().join(format!("{guest}.wasm"));
    let file = file.to_str().unwrap();
    let rig = Rig::shared();
    let arguments = ["plugin", "push", "--insecure", file, &image];
    Weir::command(&rig.cluster.kubeconfig(), &arguments).unwrap();
    image
}

/// A Plugin that looks its tag up every second.
fn plugin(name: &str, image: &str) -> String {
    format!(
        "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata:\n  name: {name}\n\
         spec:\n  image: {image}\n  insecure: true\n  interval: 1s\n"
    )
}

fn wait_serving(tenant: &Tenant<'_>, name: &str) -> String {
    let object = tenant
        .wait_condition("plugin", name, "Ready", "True", "serving")
        .unwrap();
    object["status"]["digest"].as_str().unwrap().to_owned()
}

/// A Kustomization `app` that a plugin renders.
fn rendered_by(plugin: &str) -> String {
    let annotation = format!("metadata:\n  annotations:\n    weir.dev/renderer: {plugin}\n");
    kustomization("app", "./", "").replacen("metadata:\n", &annotation, 1)
}

/// A ConfigMap with its namespace, for renderers that take files as they are.
fn placed(tenant: &Tenant<'_>, value: &str) -> String {
    let namespace = format!("metadata:\n  namespace: {}\n", tenant.namespace);
    config_map("a", value).replacen("metadata:\n", &namespace, 1)
}

#[test]
fn a_pushed_renderer_renders_and_a_bad_successor_loses_nothing() {
    let tenant = Rig::shared().tenant("renderer").unwrap();
    let name = &tenant.namespace;
    let image = push("echo", &format!("{name}:v1"));
    tenant.apply(&plugin(name, &image)).unwrap();
    let first = wait_serving(&tenant, name);
    let object = tenant.get("plugin", name).unwrap();
    assert_eq!(object["status"]["world"], "renderer");

    let one = placed(&tenant, "one");
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&one))], "one")
        .unwrap();
    tenant.apply(&source(tenant.repo.url(), "")).unwrap();
    tenant.apply(&rendered_by(name)).unwrap();
    tenant.wait_applied("app", &commit).unwrap();

    // A version that traps takes over: the object says so and keeps what was applied.
    push("trap", &format!("{name}:v1"));
    tenant
        .wait_for("another digest", "plugin", name, |object| {
            object["status"]["digest"] != *first
        })
        .unwrap();
    let two = placed(&tenant, "two");
    let second = tenant
        .repo
        .commit(&[("a.yaml", Some(&two))], "two")
        .unwrap();
    let object = tenant
        .wait_condition("kustomization", "app", "Ready", "False", "trap")
        .unwrap();
    assert_eq!(
        condition(&object, "Ready").unwrap()["reason"],
        "PluginTrapped"
    );
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "one");

    // The good one again: the pending revision is applied without anybody asking.
    push("echo", &format!("{name}:v1"));
    tenant.wait_applied("app", &second).unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");

    // Taken away while it is needed: nothing is pruned, and its return mends it.
    tenant.kubectl(&["delete", "plugin", name]).unwrap();
    let third = placed(&tenant, "three");
    let third = tenant
        .repo
        .commit(&[("a.yaml", Some(&third))], "three")
        .unwrap();
    let expected = format!("plugin '{name}' is not ready");
    tenant
        .wait_condition("kustomization", "app", "Ready", "False", &expected)
        .unwrap();
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");
    tenant.apply(&plugin(name, &image)).unwrap();
    tenant.wait_applied("app", &third).unwrap();
    tenant.kubectl(&["delete", "plugin", name]).unwrap();
}

#[test]
fn what_cannot_serve_is_told_and_does_not_take_over() {
    let tenant = Rig::shared().tenant("refused").unwrap();
    let name = &tenant.namespace;
    let image = push("echo", &format!("{name}:good"));
    tenant.apply(&plugin(name, &image)).unwrap();
    let serving = wait_serving(&tenant, name);
    for (guest, type_, reason, named) in [
        ("", "Pulled", "ImageNotFound", "missing"),
        ("future", "Pulled", "UnsupportedContract", "0.2"),
        (
            "smuggler",
            "Compiled",
            "ForbiddenImport",
            "weir:plugin/http",
        ),
        ("mute", "Compiled", "DescribeFailed", "describe"),
    ] {
        let image = match guest {
            "" => REGISTRY.oci(&format!("{name}:missing")),
            guest => push(guest, &format!("{name}:{guest}")),
        };
        tenant.apply(&plugin(name, &image)).unwrap();
        let object = tenant
            .wait_condition("plugin", name, "Ready", "False", named)
            .unwrap();
        let told = condition(&object, type_).unwrap();
        assert_eq!(
            (&told["status"], &told["reason"]),
            (&"False".into(), &reason.into())
        );
        let message = told["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("{serving} goes on serving")),
            "{message}"
        );
        assert_eq!(object["status"]["digest"], *serving, "{guest}");
    }
    tenant.kubectl(&["delete", "plugin", name]).unwrap();
}

#[test]
fn a_component_of_another_world_does_not_replace_a_built_in() {
    let tenant = Rig::shared().tenant("world").unwrap();
    let image = push("echo", &format!("{}:v1", tenant.namespace));
    tenant.apply(&plugin("semver", &image)).unwrap();
    let object = tenant
        .wait_condition("plugin", "semver", "Ready", "False", "is renderer")
        .unwrap();
    let message = condition(&object, "Ready").unwrap()["message"].as_str();
    assert!(
        message.unwrap().contains("image-policy is needed"),
        "{object}"
    );
    tenant.kubectl(&["delete", "plugin", "semver"]).unwrap();
}

#[test]
fn settings_that_break_the_schema_are_named_by_pointer() {
    let tenant = Rig::shared().tenant("schema").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "one")))], "one")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let annotate = |settings: &str| {
        let settings = format!("weir.dev/settings={settings}");
        tenant
            .kubectl(&["annotate", "--overwrite", "kustomization", "app", &settings])
            .unwrap();
    };
    annotate(r#"{"namePrefix":1}"#);
    let object = tenant
        .wait_condition("kustomization", "app", "Stalled", "True", "/namePrefix: ")
        .unwrap();
    assert_eq!(
        condition(&object, "Ready").unwrap()["reason"],
        "InvalidSettings"
    );
    assert!(tenant.get("configmap", "a").is_some());
    tenant
        .kubectl(&["annotate", "kustomization", "app", "weir.dev/settings-"])
        .unwrap();
    eventually("ready again", PATIENCE, || {
        let object: Value = tenant.get("kustomization", "app")?;
        (condition(&object, "Ready")?["status"] == "True").then_some(())
    });
}

#[test]
fn a_renderer_from_a_registry_cannot_grant_rights_to_plugins() {
    let tenant = Rig::shared().tenant("grants").unwrap();
    let name = &tenant.namespace;
    let image = push("echo", &format!("{name}:v1"));
    tenant.apply(&plugin(name, &image)).unwrap();
    wait_serving(&tenant, name);
    let greedy = format!("{name}-greedy");
    let manifest = plugin(&greedy, &image);
    let files = [
        ("good.yaml", Some(&*placed(&tenant, "one"))),
        ("plugin.yaml", Some(&*manifest)),
    ];
    let commit = tenant.repo.commit(&files, "one").unwrap();
    tenant.apply(&source(tenant.repo.url(), "")).unwrap();
    tenant.apply(&rendered_by(name)).unwrap();
    let object = tenant
        .wait_condition("kustomization", "app", "Ready", "False", &greedy)
        .unwrap();
    let message = condition(&object, "Ready").unwrap()["message"].as_str();
    assert!(
        message.unwrap().contains("only a built-in renderer"),
        "{object:#}"
    );
    assert!(tenant.get("plugin", &greedy).is_none());
    assert!(tenant.get("configmap", "a").is_none(), "all or nothing");

    // What is in Git is the platform team's word when nothing stands between.
    tenant.apply(&kustomization("app", "./", "")).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    assert!(tenant.get("plugin", &greedy).is_some());
    for plugin in [name, &greedy] {
        tenant.kubectl(&["delete", "plugin", plugin]).unwrap();
    }
}
