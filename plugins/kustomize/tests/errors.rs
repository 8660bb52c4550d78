//! Where errors are: the file, and the line of what is wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

use plugin_kustomize::{MemoryFs, Options, build};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";

/// Builds a kustomization beside `a.yaml`, a ConfigMap, and one more file. The error has to contain
/// `text` and to be at `place`, which is `FILE:LINE`.
fn check(kustomization: &str, other: (&str, &str), place: &str, text: &str) {
    let mut fs = MemoryFs::new();
    fs.insert("kustomization.yaml", kustomization);
    fs.insert("a.yaml", MAP);
    fs.insert(other.0, other.1);
    let error = build(&fs, ".", &Options::default()).unwrap_err();
    let found = error.position().map_or_else(String::new, |position| {
        let line = position.line.map(|line| format!(":{line}"));
        format!("{}{}", position.path, line.unwrap_or_default())
    });
    assert_eq!(found, place, "{error}");
    assert!(error.message().contains(text), "{error}");
}

const NONE: (&str, &str) = ("other.txt", "");

#[test]
fn a_kustomization_that_cannot_be_read_is_told_by_line() {
    for (text, line, message) in [
        (
            "resources:\n- a.yaml\n namePrefix: x\n",
            3,
            "mapping values",
        ),
        ("resources:\n\t- a.yaml\n", 2, "cannot start any token"),
        ("resources: [a.yaml]\nnamePrefx: x\n", 2, "namePrefx"),
        ("namePrefix: x\nresources: a.yaml\n", 2, "of type []string"),
        (
            "resources: [a.yaml]\nimages:\n- name: x\n- name: w\n  newTag: 1.2\n",
            5,
            "newTag",
        ),
        ("resources: [a.yaml\n", 1, "did not find expected"),
    ] {
        check(text, NONE, &format!("kustomization.yaml:{line}"), message);
    }
}

#[test]
fn an_entry_that_fails_is_told_by_its_line() {
    let patch = |body: &str| {
        format!(
            "resources: [a.yaml]\npatches:\n- path: good.yaml\n- target: {{kind: ConfigMap}}\n  \
             patch: |-\n{body}"
        )
    };
    let good = ("good.yaml", "- {op: test, path: /kind, value: ConfigMap}\n");
    let targeted = patch("    - {op: remove, path: /data/none}\n").replace(
        "- path: good.yaml\n",
        "- path: good.yaml\n  target: {kind: ConfigMap}\n",
    );
    check(&targeted, good, "kustomization.yaml:5", "/data/none");
    for (text, line, message) in [
        ("resources:\n- a.yaml\n- missing.yaml\n", 3, "missing.yaml"),
        (
            "resources:\n- a.yaml\n- ./a.yaml\n",
            3,
            "already registered",
        ),
        (
            "configMapGenerator:\n- name: x\n  literals: [a=b]\n- name: w\n  literals: [novalue]\n",
            4,
            "novalue",
        ),
        (
            "secretGenerator:\n- name: x\n  behavior: merge\n  literals: [a=b]\n",
            2,
            "cannot merge or replace",
        ),
        (
            "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap}\n  targets:\n  - select: \
             {kind: ConfigMap}\n    fieldPaths: [data.k]\n- source: {kind: Secret}\n  targets: []\n",
            7,
            "nothing selected by Secret",
        ),
        (
            "resources: [a.yaml]\nreplicas:\n- {name: none, count: 2}\n",
            3,
            "none",
        ),
        (
            "resources: [a.yaml]\nvars:\n- name: V\n  objref: {kind: Service, name: s, apiVersion: v1}\n",
            2,
            "var '",
        ),
        ("resources: [a.yaml]\ncomponents:\n- none\n", 3, "none"),
        ("helmCharts:\n- name: x\n", 1, "use a HelmRelease"),
    ] {
        // An object that is there twice is told by the file that repeats it.
        let place = match message {
            "already registered" => "a.yaml".to_owned(),
            _ => format!("kustomization.yaml:{line}"),
        };
        check(text, NONE, &place, message);
    }
}

#[test]
fn another_file_that_is_wrong_is_told_by_its_name_and_line() {
    let resource = "resources: [a.yaml, b.yaml]\n";
    let patch = "resources: [a.yaml]\npatches:\n- path: b.yaml\n";
    let second = format!("{MAP}---\napiVersion: v1\nmetadata:\n  name: b\n");
    let broken = format!("{MAP}---\n{MAP}  broken\n");
    for (text, content, place, message) in [
        (resource, "a: [1, 2\n", "b.yaml:1", "did not find expected"),
        (resource, broken.as_str(), "b.yaml:14", "could not find"),
        (resource, second.as_str(), "b.yaml:8", "missing kind"),
        (
            resource,
            "apiVersion: v1\nkind: ConfigMap\n",
            "b.yaml:1",
            "missing metadata.name",
        ),
        (
            patch,
            "- op: add\n  path /x\n",
            "b.yaml:2",
            "unable to parse",
        ),
        (
            "resources: [a.yaml]\nconfigurations: [b.yaml]\n",
            "images:\n- kind: [x\n",
            "b.yaml:2",
            "did not find expected",
        ),
        (
            "resources: [a.yaml]\ntransformers: [b.yaml]\n",
            "apiVersion: example.com/v1\nkind: Program\nmetadata: {name: p}\n",
            "b.yaml",
            "unable to load external plugin 'Program'",
        ),
    ] {
        check(text, ("b.yaml", content), place, message);
    }
}

#[test]
fn the_base_that_fails_is_the_one_that_is_told() {
    check(
        "resources:\n- a.yaml\n- base\n",
        (
            "base/kustomization.yaml",
            "namePrefix: x\nresources:\n- none.yaml\n",
        ),
        "base/kustomization.yaml:3",
        "none.yaml",
    );
}
