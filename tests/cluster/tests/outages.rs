//! Git servers and registries that fail, hang or break off in the middle, and are well again
//! afterwards: what is there goes on, the object says what is wrong, nobody has to help.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use weir_tests_cluster::{PATIENCE, Rig, condition, config_map, kustomization, source};
use weir_tests_support::{FaultProxy, Registry, Verdict, Weir, eventually, folders};

/// A kind of outage and what the user reads of it.
type Outage = (&'static str, fn() -> Verdict, &'static [&'static str]);

#[test]
fn a_git_server_that_fails_is_told_and_costs_nothing() {
    const OUTAGES: [Outage; 4] = [
        (
            "it answers 500",
            || Verdict::refusal(500, "InternalError", "no"),
            &["500"],
        ),
        (
            "it hangs",
            || Verdict::Hang,
            &["timed out", "timeout", "deadline"],
        ),
        (
            "it closes the connection",
            || Verdict::Close,
            &["connection", "request"],
        ),
        (
            "its answers break off",
            || Verdict::Truncate(330),
            &["failed to"],
        ),
    ];
    let rig = Rig::shared();
    let tenant = rig.tenant("git").unwrap();
    let address = rig.git.url()["http://".len()..].parse().unwrap();
    let proxy = FaultProxy::before(address).unwrap();
    let url = tenant
        .repo
        .url()
        .replace(&rig.git.url(), &format!("http://{}", proxy.address()));
    let files = [("a.yaml", Some(&*config_map("a", "first")))];
    let first = tenant.repo.commit(&files, "first").unwrap();
    tenant.apply(&source(&url, "  timeout: 3s\n")).unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant.apply(&kustomization("app", "./", &fields)).unwrap();
    tenant.wait_applied("app", &first).unwrap();

    for (outage, verdict, words) in OUTAGES {
        proxy.set(move |_| verdict());
        let files = [("a.yaml", Some(&*config_map("a", outage)))];
        let commit = tenant.repo.commit(&files, outage).unwrap();
        let object = tenant
            .wait_for(outage, "gitrepository", "app", |object| {
                condition(object, "Ready").is_some_and(|ready| ready["status"] == "False")
            })
            .unwrap();
        let ready = condition(&object, "Ready").unwrap();
        let message = ready["message"].as_str().unwrap();
        assert!(
            words.iter().any(|word| message.contains(word)),
            "{outage}: {message}"
        );
        assert_eq!(ready["reason"], "GitOperationFailed", "{outage}");
        // The artifact stays, and with it everything that is made of it.
        assert!(object["status"]["artifact"]["revision"].is_string());
        let app = tenant.get("kustomization", "app").unwrap();
        assert_eq!(condition(&app, "Ready").unwrap()["status"], "True");
        assert!(proxy.heal() > 0);
        tenant.wait_applied("app", &commit).unwrap();
        let object = tenant.get("configmap", "a").unwrap();
        assert_eq!(object["data"]["key"], outage);
        println!("{outage}: {message}");
    }
}

#[test]
fn a_registry_that_fails_is_told_and_the_plugin_goes_on() {
    // The manifest comes whole in the last one; the layer of several hundred KiB does not.
    const OUTAGES: [Outage; 4] = [
        (
            "it answers 500",
            || Verdict::refusal(500, "InternalError", "no"),
            &["500"],
        ),
        (
            "it closes the connection",
            || Verdict::Close,
            &["connection", "request"],
        ),
        (
            "it hangs",
            || Verdict::Hang,
            &["timed out", "timeout", "no answer"],
        ),
        (
            "its layers break off",
            || Verdict::Truncate(20_000),
            &["end of file before message length"],
        ),
    ];
    let rig = Rig::shared();
    let registry = Registry::start().unwrap();
    let proxy = FaultProxy::before(registry.host().parse().unwrap()).unwrap();
    let tenant = rig.tenant("registry").unwrap();
    let name = &tenant.namespace;
    let push = |guest: &str| {
        let file = folders::guests().join(format!("{guest}.wasm"));
        let file = file.to_str().unwrap();
        let image = registry.oci("guest:v1");
        let arguments = ["plugin", "push", "--insecure", file, &image];
        Weir::command(&rig.cluster.kubeconfig(), &arguments).unwrap();
    };
    push("echo");
    let plugin = format!(
        "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata:\n  name: {name}\nspec:\n  \
         image: oci://{}/guest:v1\n  insecure: true\n  interval: 1s\n",
        proxy.address()
    );
    tenant.apply(&plugin).unwrap();
    tenant
        .wait_condition("plugin", name, "Ready", "True", "serving")
        .unwrap();

    // Another component each time, so that there is something to fetch.
    let guests = ["trap", "echo", "trap", "echo"];
    for ((outage, verdict, words), guest) in OUTAGES.into_iter().zip(guests) {
        let before = tenant.get("plugin", name).unwrap()["status"]["digest"].clone();
        proxy.set(move |_| verdict());
        push(guest);
        let told = |object: &serde_json::Value| {
            let pulled = condition(object, "Pulled")?["message"].as_str()?.to_owned();
            words
                .iter()
                .any(|word| pulled.contains(word))
                .then_some(pulled)
        };
        let object = tenant
            .wait_for(outage, "plugin", name, |object| told(object).is_some())
            .unwrap();
        println!("{outage}: {}", told(&object).unwrap());
        assert_eq!(object["status"]["digest"], before, "{outage}");
        assert!(proxy.heal() > 0);
        let object = tenant
            .wait_for("the new component", "plugin", name, |object| {
                object["status"]["digest"] != before
                    && condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
            })
            .unwrap();
        let message = condition(&object, "Pulled").unwrap()["message"].as_str();
        assert!(!message.unwrap().contains("not checked"), "{object:#}");
    }
    tenant.kubectl(&["delete", "plugin", name]).unwrap();
    eventually("the plugin is gone", PATIENCE, || {
        tenant.get("plugin", name).is_none().then_some(())
    });
}
