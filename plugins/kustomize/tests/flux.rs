//! What Flux adds to a build.

#![allow(clippy::unwrap_used, reason = "tests")]

use plugin_kustomize::{
    FluxOptions, ImageOverride, MemoryFs, Options, PatchOverride, SelectorOverride, build,
    build_as_flux,
};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - image: nginx:1\n        name: web\n";

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn tree(files: &[(&str, &str)]) -> MemoryFs {
    let mut fs = MemoryFs::new();
    for (path, content) in files {
        fs.insert(path, *content);
    }
    fs
}

fn built(fs: &MemoryFs, flux: &FluxOptions) -> String {
    build_as_flux(fs, "/app", &Options::default(), flux)
        .unwrap()
        .to_yaml()
}

fn generating() -> FluxOptions {
    FluxOptions {
        generate: true,
        ..FluxOptions::default()
    }
}

#[test]
fn a_directory_without_kustomization_is_scanned() {
    let (a, b, c) = (config_map("a"), config_map("b"), config_map("c"));
    let fs = tree(&[
        ("/app/a.yaml", &a),
        ("/app/notes.md", "not: [yaml"),
        ("/app/deep/er/b.yml", &b),
        (
            "/app/own/kustomization.yaml",
            "namePrefix: own-\nresources: [c.yaml]\n",
        ),
        ("/app/own/c.yaml", &c),
        ("/app/own/left-out.yaml", "not: [yaml"),
    ]);
    let names: Vec<_> = built(&fs, &generating())
        .lines()
        .filter_map(|line| line.strip_prefix("  name: ").map(str::to_owned))
        .collect();
    assert_eq!(names, ["a", "b", "own-c"]);
    assert!(build(&fs, "/app", &Options::default()).is_err());
}

#[test]
fn the_spec_is_merged_into_the_kustomization() {
    let fs = tree(&[
        ("/app/deployment.yaml", DEPLOYMENT),
        (
            "/app/kustomization.yaml",
            "namespace: theirs\nnamePrefix: their-\nimages: [{name: nginx, newName: mirror/nginx, newTag: '2'}]\nresources: [deployment.yaml]\n",
        ),
    ]);
    let flux = FluxOptions {
        namespace: Some("ours".to_owned()),
        name_suffix: Some("-x".to_owned()),
        images: vec![ImageOverride {
            name: "nginx".to_owned(),
            new_name: String::new(),
            new_tag: "3".to_owned(),
            digest: String::new(),
        }],
        patches: vec![PatchOverride {
            patch: "- {op: add, path: /spec/replicas, value: 4}\n".to_owned(),
            target: Some(SelectorOverride {
                kind: "Deployment".to_owned(),
                ..SelectorOverride::default()
            }),
        }],
        ..generating()
    };
    assert_eq!(
        built(&fs, &flux),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: their-web-x\n  namespace: ours\nspec:\n  replicas: 4\n  template:\n    spec:\n      containers:\n      - image: mirror/nginx:3\n        name: web\n"
    );
}

#[test]
fn components_that_are_missing_may_be_left_out() {
    let a = config_map("a");
    let fs = tree(&[
        ("/app/a.yaml", &a),
        ("/app/kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "/parts/there/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -part\n",
        ),
    ]);
    let mut flux = FluxOptions {
        components: vec!["../parts/there".to_owned(), "../parts/gone".to_owned()],
        ..generating()
    };
    assert!(build_as_flux(&fs, "/app", &Options::default(), &flux).is_err());
    flux.ignore_missing_components = true;
    assert!(built(&fs, &flux).contains("name: a-part\n"));
    flux.components = vec!["https://github.com/a/b".to_owned()];
    assert!(build_as_flux(&fs, "/app", &Options::default(), &flux).is_err());
}

#[test]
fn unknown_fields_are_forgiven_as_flux_does() {
    let a = config_map("a");
    let fs = tree(&[
        ("/app/a.yaml", &a),
        (
            "/app/kustomization.yaml",
            "resources: [a.yaml]\nunknown: 1\n",
        ),
    ]);
    assert_eq!(built(&fs, &generating()), a);
    assert!(build(&fs, "/app", &Options::default()).is_err());
}
