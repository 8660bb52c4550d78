//! A monorepo: a commit that touches one directory renders one Kustomization of two hundred, and
//! all report the new revision.

use serde_json::Value;
use weir_tests_cluster::{PATIENCE, Rig, config_map, kustomization, source};
use weir_tests_support::{Tally, eventually};

const COUNT: usize = 200;

#[test]
fn a_commit_to_one_directory_renders_exactly_one_of_two_hundred() {
    let rig = Rig::start(&[]).unwrap();
    let tenant = rig.tenant("monorepo").unwrap();
    let files: Vec<(String, String)> = (0..COUNT)
        .map(|n| {
            (
                format!("apps/{n}/config.yaml"),
                config_map(&format!("app-{n}"), "one"),
            )
        })
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(p, t)| (p.as_str(), Some(t.as_str())))
        .collect();
    let first = tenant.repo.commit(&files, "two hundred").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let mut manifests = source(tenant.repo.url(), "");
    for n in 0..COUNT {
        manifests += "---\n";
        manifests += &kustomization(&format!("app-{n}"), &format!("./apps/{n}"), &fields);
    }
    tenant.apply(&manifests).unwrap();

    let all_at = |commit: &str| {
        eventually("all at the revision", PATIENCE * 2, || {
            let text = tenant
                .kubectl(&["get", "kustomizations", "-o", "json"])
                .ok()?;
            let list: Value = serde_json::from_str(&text).ok()?;
            let at = |item: &Value| {
                let revision = item["status"]["lastAppliedRevision"].as_str();
                revision.is_some_and(|revision| revision.ends_with(commit))
            };
            let items = list["items"].as_array()?;
            (items.len() == COUNT && items.iter().all(at)).then_some(())
        });
    };
    all_at(&first);
    let renders = || {
        rig.weir
            .metric("weir_renders_total", &["outcome=\"rendered\""])
            .unwrap()
    };
    let rendered_before = renders();
    assert!(
        (rendered_before - COUNT as f64).abs() < 0.5,
        "{rendered_before} renders for {COUNT}"
    );

    let mark = rig.cluster.audit().mark();
    let second = tenant
        .repo
        .commit(
            // The last in the order of their names.
            &[("apps/99/config.yaml", Some(&config_map("app-99", "two")))],
            "one of them",
        )
        .unwrap();
    all_at(&second);
    let rendered = renders() - rendered_before;
    assert!((rendered - 1.0).abs() < 0.5, "{rendered} renders");
    assert_eq!(
        tenant.get("configmap", "app-99").unwrap()["data"]["key"],
        "two"
    );

    let requests = rig.requests_since(mark).unwrap();
    let tally = Tally::of(requests.iter().filter(|r| r.verb != "list"));
    println!(
        "a commit to one of {COUNT}: {} requests\n{tally}",
        tally.total()
    );
    // Objects: the one that changed. Reports: one status write each, and the source's.
    assert_eq!(tally.get("patch configmaps"), 1, "{tally}");
    assert_eq!(tally.get("patch configmaps (dry run)"), 0, "{tally}");
    assert_eq!(tally.get("patch kustomizations/status"), COUNT, "{tally}");
    assert!(tally.total() <= COUNT + 5, "{tally}");

    // What changed is not kept waiting by those that only report.
    let mut requests: Vec<_> = requests.iter().filter(|r| r.verb == "patch").collect();
    requests.sort_by_key(|request| request.received);
    let before = requests
        .iter()
        .position(|request| request.resource == "configmaps");
    assert!(
        before.is_some_and(|before| before < COUNT / 2),
        "{before:?} writes came before that of the object that changed"
    );
}
