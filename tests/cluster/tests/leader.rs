//! Two hosts: one works, the other stands by and takes over.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use weir_tests_cluster::{HOST_USER, PATIENCE, Rig, TERMS, config_map};
use weir_tests_support::{Tally, Weir, WeirOptions, eventually};

fn lease(rig: &Rig) -> Value {
    let arguments = ["get", "lease", "weir-leader-election", "-o", "json"];
    let text = rig
        .cluster
        .kubectl(&[&arguments[..], &["-n", "flux-system"]].concat())
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn one_of_two_hosts_works_and_the_other_takes_over() {
    let mut rig = Rig::start(&TERMS).unwrap();
    let first_leader = lease(&rig)["spec"]["holderIdentity"].clone();
    let mut options = WeirOptions::new(rig.cluster.kubeconfig_of(HOST_USER));
    options.args = TERMS.iter().map(Into::into).collect();
    options.stands_by = true;
    let mut second = Weir::start(&options).unwrap();

    let (namespace, commit) = {
        let tenant = rig.tenant("leader").unwrap();
        let fields = format!("  targetNamespace: {}\n", tenant.namespace);
        let files = [("a.yaml", Some(&*config_map("a", "one")))];
        let one = tenant.repo.commit(&files, "one").unwrap();
        tenant.follow("./", &fields).unwrap();
        tenant.wait_applied("app", &one).unwrap();

        // Each write is made once although two hosts watch.
        let mark = rig.cluster.audit().mark();
        let files = [("a.yaml", Some(&*config_map("a", "two")))];
        let two = tenant.repo.commit(&files, "two").unwrap();
        tenant.wait_applied("app", &two).unwrap();
        let writes = rig.cluster.audit().of_user(HOST_USER, mark).unwrap();
        let tally = Tally::of(writes.iter());
        assert_eq!(tally.get("patch configmaps"), 1, "{tally}");
        assert_eq!(tally.get("patch kustomizations/status"), 1, "{tally}");
        assert_ne!(
            second.health("/readyz").unwrap().status,
            200,
            "it stands by"
        );
        assert_eq!(lease(&rig)["spec"]["holderIdentity"], first_leader);

        // The leader dies without a word; what is committed meanwhile is not lost.
        let files = [("a.yaml", Some(&*config_map("a", "three")))];
        (
            tenant.namespace.clone(),
            tenant.repo.commit(&files, "three").unwrap(),
        )
    };
    rig.weir.process().kill().unwrap();
    eventually("the second host leads", PATIENCE, || {
        (second.health("/readyz").ok()?.status == 200).then_some(())
    });
    let object = eventually("the third commit applied", PATIENCE, || {
        let arguments = ["get", "configmap", "a", "-o", "json", "-n", &namespace];
        let object: Value = serde_json::from_str(&rig.cluster.kubectl(&arguments).ok()?).ok()?;
        (object["data"]["key"] == "three").then_some(object)
    });
    assert_eq!(object["metadata"]["name"], "a", "{commit}");
    let spec = &lease(&rig)["spec"];
    assert_ne!(spec["holderIdentity"], first_leader);
    assert_eq!(spec["leaseTransitions"], 1);

    // One that is told to stop gives the lease back.
    second.process().stop().unwrap();
    assert_eq!(lease(&rig)["spec"]["holderIdentity"], "");
}

/// A leader whose clock is an hour ahead, or behind, and that died: what counts is how long its
/// lease has not changed, by the own clock that never jumps.
#[test]
fn the_clocks_of_other_hosts_do_not_matter() {
    for (name, renewed) in [("ahead", "2199-01-01"), ("behind", "2001-01-01")] {
        let mut rig = Rig::start(&[]).unwrap();
        rig.weir.process().stop().unwrap();
        let held = format!(
            "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata:\n  \
             name: weir-leader-election\n  namespace: flux-system\nspec:\n  \
             holderIdentity: {name}\n  leaseDurationSeconds: 4\n  leaseTransitions: 7\n  \
             acquireTime: {renewed}T00:00:00.000000Z\n  renewTime: {renewed}T00:00:00.000000Z\n"
        );
        rig.cluster.apply(&held).unwrap();
        let mut options = WeirOptions::new(rig.cluster.kubeconfig_of(HOST_USER));
        options.args = TERMS.iter().map(Into::into).collect();
        options.stands_by = true;
        let host = Weir::start(&options).unwrap();
        eventually(name, PATIENCE, || {
            (host.health("/readyz").ok()?.status == 200).then_some(())
        });
        let spec = &lease(&rig)["spec"];
        assert_ne!(spec["holderIdentity"], name);
        assert_eq!(spec["leaseTransitions"], 8);
    }
}
