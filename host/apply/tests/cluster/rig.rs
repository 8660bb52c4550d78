//! What every test starts from.

use std::sync::LazyLock;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use weir_apply::{
    ApplyError, ApplyRequest, ChangeSet, Engine, EngineOptions, Event, Object, Owner,
};
use weir_tests_support::{AuditMark, Cluster, Tally, eventually};

/// How long anything that should happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start().expect("no cluster"));

pub(crate) fn cluster() -> &'static Cluster {
    &CLUSTER
}

/// Where the audit log ends now.
pub(crate) fn mark() -> AuditMark {
    cluster().audit().mark()
}

pub(crate) async fn client(agent: &str) -> Client {
    client_of("admin", agent).await
}

/// A client of one of the cluster's users.
pub(crate) async fn client_of(user: &str, agent: &str) -> Client {
    let user = user.to_owned();
    let path = tokio::task::spawn_blocking(move || cluster().kubeconfig_of(&user))
        .await
        .unwrap();
    let kubeconfig = Kubeconfig::read_from(path).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_str(agent).unwrap()));
    Client::try_from(config).unwrap()
}

pub(crate) struct Rig {
    pub(crate) name: String,
    pub(crate) owner: Owner,
    pub(crate) engine: Engine,
}

impl Rig {
    /// A namespace, an owner and an engine of one name.
    pub(crate) async fn new(name: &str) -> Self {
        let rig = Self::without_namespace(name).await;
        kubectl(&["create", "namespace", name]).await;
        rig
    }

    pub(crate) async fn without_namespace(name: &str) -> Self {
        let engine = Engine::new(client(name).await, EngineOptions::default());
        let owner = Owner::new("kustomize.toolkit.fluxcd.io", "flux-system", name);
        Self {
            name: name.to_owned(),
            owner,
            engine,
        }
    }

    /// As after a restart of the host: another engine that knows nothing.
    pub(crate) async fn restarted(&self) -> Self {
        self.engine.shutdown();
        Self::without_namespace(&self.name).await
    }

    pub(crate) fn objects(&self, manifests: &str) -> Vec<Object> {
        objects(&manifests.replace("NS", &self.name))
    }

    pub(crate) fn request(&self, manifests: &str) -> ApplyRequest {
        ApplyRequest::new(self.owner.clone(), self.objects(manifests))
    }

    pub(crate) async fn try_apply(&self, manifests: &str) -> Result<ChangeSet, ApplyError> {
        self.engine.apply(self.request(manifests)).await
    }

    pub(crate) async fn apply(&self, manifests: &str) -> ChangeSet {
        self.try_apply(manifests).await.unwrap()
    }

    /// The live object as JSON.
    pub(crate) async fn get(&self, what: &str, name: &str) -> Option<Value> {
        let args = [
            "get",
            what,
            name,
            "-n",
            &self.name,
            "-o",
            "json",
            "--ignore-not-found",
        ];
        let text = kubectl(&args).await;
        serde_json::from_str(&text).ok()
    }

    pub(crate) async fn kubectl(&self, args: &[&str]) -> String {
        let mut all = vec!["-n", self.name.as_str()];
        all.extend(args);
        kubectl(&all).await
    }

    /// Requests of this rig's engine since a mark, watches apart. The log is written a moment
    /// after the answer: `at_least` have to come.
    pub(crate) async fn requests(&self, from: AuditMark, at_least: usize) -> Tally {
        let agent = self.name.clone();
        tokio::task::spawn_blocking(move || {
            eventually("requests in the audit log", PATIENCE, || {
                let requests = cluster().audit().of_agent(&agent, from).unwrap();
                let tally = Tally::of(&requests);
                (tally.total() >= at_least).then_some(tally)
            })
        })
        .await
        .unwrap()
    }

    /// The next event of this rig's owner; fails if none comes. The watches see the objects of
    /// the other tests too.
    pub(crate) async fn event(&self) -> Event {
        let next = async {
            loop {
                let event = self.engine.next_event().await;
                if *event.owner() == self.owner {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("no event came")
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Engine) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !holds(&self.engine) {
            assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) fn objects(manifests: &str) -> Vec<Object> {
    use serde::Deserialize as _;
    serde_norway::Deserializer::from_str(manifests)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|value| !value.is_null())
        .map(|value| Object::new(value).unwrap())
        .collect()
}

pub(crate) async fn kubectl(args: &[&str]) -> String {
    kubectl_with(args, "").await
}

pub(crate) async fn kubectl_with(args: &[&str], input: &str) -> String {
    try_kubectl_with(args, input).await.unwrap()
}

/// What kubectl printed, or said on standard error.
pub(crate) async fn try_kubectl_with(args: &[&str], input: &str) -> Result<String, String> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        cluster()
            .kubectl_with(&args, &input)
            .map_err(|error| error.to_string())
    })
    .await
    .unwrap()
}

/// `Kind/namespace/name action` of every object, in the order of applying.
pub(crate) fn lines(changes: &ChangeSet) -> Vec<String> {
    changes.changes.iter().map(ToString::to_string).collect()
}
