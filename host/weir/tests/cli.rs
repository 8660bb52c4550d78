//! The binary as a user calls it, as far as that needs no cluster.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use weir::builtin::BUILTINS;

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        // No cluster, whatever this machine has.
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ends with the code and prints an error with this in it, once and nothing else.
fn fails(arguments: &[&str], code: i32, expected: &str) {
    let output = weir(arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert_eq!(
        errors.matches("error:").count(),
        1,
        "{arguments:?}: {errors}"
    );
    assert!(errors.contains(expected), "{arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

#[test]
fn codes_tell_usage_from_failure() {
    fails(
        &["get", "pods"],
        2,
        "unknown kind `pods`; known are gitrepository",
    );
    fails(&["get", "all", "name"], 2, "a name belongs to one");
    fails(&["get", "git", "--no-such-flag"], 2, "--no-such-flag");
    fails(
        &["run", "--concurrent", "0"],
        2,
        "--concurrent must be at least 1",
    );
    fails(
        &["plugin", "run", "x", "--settings", "[]"],
        2,
        "is no JSON object",
    );
    fails(
        &["plugin", "pull", "oci://host", "x.wasm"],
        2,
        "is no image reference",
    );
    fails(&["get", "git"], 1, "failed to find a cluster");
    fails(
        &["plugin", "inspect", "nowhere.wasm"],
        1,
        "nowhere.wasm does not exist",
    );
    assert_eq!(weir(&["--help"]).status.code(), Some(0));
    assert_eq!(weir(&["--version"]).status.code(), Some(0));
}

#[test]
fn what_install_prints_is_yaml_that_names_each_object_once() {
    let output = weir(&["install", "--namespace", "gitops"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut seen = std::collections::BTreeSet::new();
    for document in text(&output.stdout)
        .split("---\n")
        .filter(|document| !document.is_empty())
    {
        let object: serde_json::Value = serde_norway::from_str(document).unwrap();
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(|v| v.as_str())
                .unwrap_or("")
        };
        assert!(!text("/apiVersion").is_empty() && !text("/metadata/name").is_empty());
        assert!(seen.insert((text("/kind").to_owned(), text("/metadata/name").to_owned())));
    }
    let has = |kind: &str, name: &str| seen.contains(&(kind.to_owned(), name.to_owned()));
    assert!(has(
        "CustomResourceDefinition",
        "kustomizations.kustomize.toolkit.fluxcd.io"
    ));
    assert!(has("Deployment", "weir") && has("Service", "source-controller"));
    assert!(has("Namespace", "gitops"));
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: b\n";

#[test]
fn build_prints_what_kustomize_prints() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "base/kustomization.yaml",
                "resources: [map.yaml, namespace.yaml]\n",
            ),
            ("base/map.yaml", CONFIG_MAP),
            ("base/namespace.yaml", NAMESPACE),
            (
                "overlay/kustomization.yaml",
                "namePrefix: x-\nresources: [../base]\n",
            ),
            ("lone/map.yaml", CONFIG_MAP),
            (
                "escape/kustomization.yaml",
                "resources: [../base/map.yaml]\n",
            ),
        ],
    );
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    if BUILTINS.is_empty() {
        // A plain `cargo build`, without the task runner.
        let expected = "built without its components: run `cargo xtask build`";
        fails(&["build", "kustomize", &at("overlay")], 1, expected);
        return;
    }
    let built = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["build", "kustomize"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let output = weir(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (map, namespace) = (CONFIG_MAP.replace("name: a", "name: x-a"), NAMESPACE);
    assert_eq!(
        built(&[&at("overlay")]),
        format!("{namespace}---\n{map}"),
        "legacy order"
    );
    assert_eq!(
        built(&[&at("overlay"), "--reorder", "none"]),
        format!("{map}---\n{namespace}")
    );
    // What kustomize refuses and Flux does not.
    fails(
        &["build", "kustomize", &at("lone")],
        1,
        "unable to find one of 'kustomization.yaml'",
    );
    assert_eq!(built(&["--flux", &at("lone")]), CONFIG_MAP);
    fails(
        &["build", "kustomize", &at("escape")],
        1,
        "is not in or below",
    );
    let flag = ["--load-restrictor", "LoadRestrictionsNone"];
    assert_eq!(built(&[&at("escape"), flag[0], flag[1]]), CONFIG_MAP);
    assert_eq!(
        built(&["--flux", &at("escape"), "--root", &at("")]),
        CONFIG_MAP
    );
    fails(
        &["build", "kustomize", &at("missing")],
        1,
        "failed to open the directory",
    );
}

#[test]
fn built_in_plugins_can_be_looked_at_and_tried() {
    if BUILTINS.is_empty() {
        fails(&["plugin", "list"], 1, "cargo xtask build");
        return;
    }
    let list = text(&weir(&["plugin", "list"]).stdout);
    for name in ["git", "kustomize", "semver", "slack", "webhook"] {
        assert!(
            list.lines()
                .any(|line| line.starts_with(&format!("{name} "))),
            "{list}"
        );
    }
    let described = weir(&["plugin", "inspect", "kustomize", "-o", "json"]);
    let described: serde_json::Value = serde_json::from_slice(&described.stdout).unwrap();
    assert_eq!(described["world"], "renderer");
    assert!(described["info"]["settingsSchema"]["properties"]["namespace"].is_object());

    let select = |range: &str| {
        let settings = format!("{{\"range\": \"{range}\"}}");
        let tags = [
            "--candidate",
            "1.2.0",
            "--candidate",
            "1.10.0",
            "--candidate",
            "2.0.0",
        ];
        let arguments = ["plugin", "run", "semver", "--settings", &settings];
        weir(&arguments.iter().copied().chain(tags).collect::<Vec<_>>())
    };
    assert_eq!(text(&select("^1.0").stdout), "1.10.0\n");
    let none = select(">=3");
    assert_eq!(
        (none.status.code(), text(&none.stderr)),
        (Some(1), "error: no candidate fits\n".into())
    );
    fails(
        &["plugin", "run", "semver", "--settings", "{}"],
        2,
        "refuses the settings",
    );
}
