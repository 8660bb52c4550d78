//! Laws of builds, checked on random trees; `LAWS_SEED` and `LAWS_COUNT` (200) move the range.

use std::fmt::Write as _;

use plugin_kustomize::{MemoryFs, Options, build};

use crate::generate::{self, Random};
use crate::number;

fn seeds() -> std::ops::Range<u64> {
    let first = number("LAWS_SEED", 1);
    first..first + number("LAWS_COUNT", 200)
}

fn built(files: &[(&str, &str)], dir: &str) -> Result<String, String> {
    let mut fs = MemoryFs::new();
    for (path, content) in files {
        fs.insert(path, content.as_bytes());
    }
    let output = build(&fs, dir, &Options::default()).map_err(|err| err.to_string())?;
    Ok(output.to_yaml())
}

/// The kustomization of a file, and what else it does.
fn over(objects: &str, also: &str) -> Result<String, String> {
    let kustomization = format!("resources: [all.yaml]\n{also}");
    built(
        &[
            ("kustomization.yaml", &kustomization),
            ("all.yaml", objects),
        ],
        ".",
    )
}

#[test]
fn building_the_output_again_changes_nothing() {
    let mut checked = 0;
    for seed in seeds() {
        let tree = generate::tree(seed);
        // Where an object comes from, every build says for itself.
        if tree
            .files
            .values()
            .any(|file| file.contains("buildMetadata"))
        {
            continue;
        }
        let files: Vec<(&str, &str)> = tree
            .files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str()))
            .collect();
        let Ok(output) = built(&files, &tree.dir) else {
            continue;
        };
        // The order of the first build may be one that its kustomization asks for.
        let Ok(sorted) = over(&output, "") else {
            // Two objects may have come to share an identity, which only reading refuses.
            continue;
        };
        assert_eq!(over(&sorted, "").unwrap(), sorted, "seed {seed}");
        assert_eq!(
            over(&output, "sortOptions: {order: fifo}\n").unwrap(),
            output,
            "seed {seed}"
        );
        checked += 1;
    }
    println!("{checked} outputs were built again");
    assert!(checked > 0);
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels: \
    {app: a, gone: b}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - \
    name: main\n        image: nginx:1\n        env:\n        - {name: A, value: x}\n        ports:\n        \
    - containerPort: 80\n          protocol: TCP\n      - name: side\n        image: side:1\n";

fn patched(patches: &[&str]) -> Result<String, String> {
    let mut also = "patches:\n".to_owned();
    for patch in patches {
        also.push_str("- patch: |\n");
        for line in patch.lines() {
            let _ = writeln!(also, "    {line}");
        }
    }
    over(DEPLOYMENT, &also)
}

#[test]
fn a_strategic_merge_applies_once() {
    let names = ["web".to_owned()];
    let mut checked = 0;
    for seed in seeds() {
        let mut random = Random::of(seed);
        let patch = generate::merge_patch(&mut random, &names, "Deployment", "web");
        let Ok(once) = patched(&[&patch]) else {
            continue;
        };
        // What is deleted cannot be patched again.
        if once.is_empty() {
            continue;
        }
        assert_eq!(patched(&[&patch, &patch]).unwrap(), once, "{patch}");
        checked += 1;
    }
    println!("{checked} patches were applied twice");
    assert!(checked > 0);
}

#[test]
fn a_strategic_merge_of_nothing_changes_nothing() {
    let identity = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
    assert_eq!(patched(&[identity]), over(DEPLOYMENT, ""));
}

#[test]
fn of_two_strategic_merges_of_a_field_the_later_one_holds() {
    let patch = |replicas: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: \
             {replicas}\n"
        )
    };
    let (first, second) = (patch("7"), patch("9"));
    assert_eq!(patched(&[&first, &second]), patched(&[&second]));
    assert_eq!(patched(&[&patch("null"), &second]), patched(&[&second]));
}

#[test]
fn the_hash_does_not_depend_on_the_order_of_keys() {
    for seed in seeds() {
        let mut random = Random::of(seed);
        let mut entries: Vec<String> = (0..random.below(6) + 2)
            .map(|at| {
                let text = generate::string(&mut random);
                // `"text"` becomes `"k0=text"`.
                format!("\"k{at}={}", &text[1..])
            })
            .collect();
        let generators = |entries: &[String]| {
            let literals = entries.join(", ");
            let kustomization = format!(
                "configMapGenerator:\n- name: a\n  literals: [{literals}]\nsecretGenerator:\n- \
                 name: b\n  literals: [{literals}]\n"
            );
            built(&[("kustomization.yaml", &kustomization)], ".")
        };
        let expected = generators(&entries);
        for _ in 0..3 {
            let (a, b) = (random.below(entries.len()), random.below(entries.len()));
            entries.swap(a, b);
            assert_eq!(generators(&entries), expected, "seed {seed}");
        }
    }
}
