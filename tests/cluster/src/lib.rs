//! The rig that the black-box tests share: a cluster with weir's CRDs, a Git server, and the weir
//! binary running against both. A test gets a namespace and a repository of its own.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use weir_tests_support::{
    AuditMark, Cluster, FaultProxy, GitServer, Repo, Request, Weir, WeirOptions, try_eventually,
};

/// How long a state may take to be reached. Generous: the machine may be busy; nothing sleeps.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The user that the host runs as.
pub const HOST_USER: &str = "weir";

/// Leader election in terms that a test can wait for.
pub const TERMS: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=4s",
    "--leader-election-renew-deadline=3s",
    "--leader-election-retry-period=500ms",
];

/// Everything that runs.
#[derive(Debug)]
pub struct Rig {
    /// The control plane.
    pub cluster: Cluster,
    /// The Git server.
    pub git: GitServer,
    /// The host.
    pub weir: Weir,
}

impl Rig {
    /// Starts everything anew; for tests that count requests or stop the host.
    pub fn start(args: &[&str]) -> Result<Self> {
        Self::start_by(args, |cluster| Ok(cluster.kubeconfig_of(HOST_USER)))
    }

    /// The same with a proxy between the host and the API server.
    pub fn start_behind_proxy() -> Result<(Self, FaultProxy)> {
        let mut proxy = None;
        let rig = Self::start_by(&[], |cluster| {
            let proxy = proxy.insert(FaultProxy::before_api(cluster)?);
            proxy.kubeconfig(cluster, HOST_USER)
        })?;
        Ok((rig, proxy.context("no proxy")?))
    }

    fn start_by(
        args: &[&str],
        kubeconfig: impl FnOnce(&Cluster) -> Result<PathBuf>,
    ) -> Result<Self> {
        let cluster = Cluster::start()?;
        install(&cluster)?;
        // Where the host lives, by its defaults.
        cluster.kubectl(&["create", "namespace", "flux-system"])?;
        // A user of its own, so that its requests can be told from those of the tests.
        let role = "--clusterrole=cluster-admin";
        cluster.kubectl(&[
            "create",
            "clusterrolebinding",
            "weir",
            role,
            "--user",
            HOST_USER,
        ])?;
        let mut options = WeirOptions::new(kubeconfig(&cluster)?);
        options.meets_full_disk = true;
        options.args = args.iter().map(Into::into).collect();
        let weir = Weir::start(&options)?;
        Ok(Self {
            git: GitServer::start()?,
            cluster,
            weir,
        })
    }

    /// Requests of the host since a mark, once it has made none for a while.
    pub fn requests_since(&self, mark: AuditMark) -> Result<Vec<Request>> {
        let audit = self.cluster.audit();
        let mut before = usize::MAX;
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let requests = audit.of_user(HOST_USER, mark)?;
            if requests.len() == before {
                return Ok(requests);
            }
            before = requests.len();
        }
    }

    /// The rig of this test binary, started once.
    pub fn shared() -> &'static Self {
        static RIG: OnceLock<Rig> = OnceLock::new();
        RIG.get_or_init(|| match Self::start(&[]) {
            Ok(rig) => rig,
            Err(error) => unavailable(&error),
        })
    }

    /// A new namespace with a repository of the same name.
    pub fn tenant(&self, hint: &str) -> Result<Tenant<'_>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("{hint}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.cluster.kubectl(&["create", "namespace", &name])?;
        let repo = self.git.create_repo(&name)?;
        Ok(Tenant {
            rig: self,
            namespace: name,
            repo,
        })
    }
}

/// Installs the CRDs and waits until they are served.
pub fn install(cluster: &Cluster) -> Result<()> {
    let crds = Weir::command(&cluster.kubeconfig(), &["install", "--crds-only"])?;
    cluster.apply(&crds)?;
    cluster.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        "--timeout=60s",
    ])?;
    Ok(())
}

#[expect(clippy::panic, reason = "no test of the binary can run")]
fn unavailable(error: &anyhow::Error) -> ! {
    panic!("the rig does not start: {error:?}")
}

/// One test's namespace and repository.
#[derive(Debug)]
pub struct Tenant<'r> {
    /// Where.
    pub rig: &'r Rig,
    /// Its namespace.
    pub namespace: String,
    /// Its repository.
    pub repo: Repo,
}

impl Tenant<'_> {
    /// Applies manifests in the namespace.
    pub fn apply(&self, manifests: &str) -> Result<()> {
        let arguments = ["apply", "--server-side", "-n", &self.namespace, "-f", "-"];
        self.rig.cluster.kubectl_with(&arguments, manifests)?;
        Ok(())
    }

    /// Runs kubectl in the namespace.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        let mut all = vec!["-n", &self.namespace];
        all.extend(args);
        self.rig.cluster.kubectl(&all)
    }

    /// An object; `None` when there is none.
    pub fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self
            .kubectl(&["get", kind, name, "-o", "json", "--ignore-not-found"])
            .ok()?;
        serde_json::from_str(&text).ok()
    }

    /// A GitRepository of the tenant's repository, polled every second, and a Kustomization of
    /// `path` with further fields of its spec.
    pub fn follow(&self, path: &str, fields: &str) -> Result<()> {
        self.apply(&source(self.repo.url(), ""))?;
        self.apply(&kustomization("app", path, fields))
    }

    /// Waits until the object satisfies `test`; on the way out of patience tells its last state
    /// and the end of the host's log.
    pub fn wait_for(
        &self,
        what: &str,
        kind: &str,
        name: &str,
        test: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let probe = || self.get(kind, name).filter(|object| test(object));
        try_eventually(what, PATIENCE, probe).with_context(|| {
            format!(
                "{kind}/{name} is now {:#}\nthe host said:\n{}",
                self.get(kind, name).unwrap_or_default(),
                self.rig.weir.log_tail(40)
            )
        })
    }

    /// Waits until the Kustomization is ready at the revision of a commit.
    pub fn wait_applied(&self, name: &str, commit: &str) -> Result<Value> {
        self.wait_for("applied", "kustomization", name, |object| {
            let revision = object
                .pointer("/status/lastAppliedRevision")
                .and_then(Value::as_str);
            revision.is_some_and(|revision| revision.ends_with(commit))
                && condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        })
    }

    /// Waits until a condition of an object has a status and a message that contains a text.
    pub fn wait_condition(
        &self,
        kind: &str,
        name: &str,
        type_: &str,
        status: &str,
        text: &str,
    ) -> Result<Value> {
        self.wait_for(&format!("{type_}={status}"), kind, name, |object| {
            condition(object, type_).is_some_and(|condition| {
                condition["status"] == status
                    && condition["message"]
                        .as_str()
                        .is_some_and(|message| message.contains(text))
            })
        })
    }

    /// Waits until an object is gone.
    pub fn wait_gone(&self, kind: &str, name: &str) -> Result<()> {
        try_eventually(&format!("{kind}/{name} gone"), PATIENCE, || {
            self.get(kind, name).is_none().then_some(())
        })
    }

    /// Messages of the events about an object.
    pub fn events(&self, kind: &str, name: &str) -> Result<Vec<(String, String)>> {
        let selector = format!("involvedObject.kind={kind},involvedObject.name={name}");
        let text = self.kubectl(&["get", "events", "--field-selector", &selector, "-o", "json"])?;
        let list: Value = serde_json::from_str(&text)?;
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        Ok(list["items"]
            .as_array()
            .map(|items| {
                items
                    .iter()
                    .map(|e| (text(e, "reason"), text(e, "message")))
                    .collect()
            })
            .unwrap_or_default())
    }
}

/// A condition of an object.
pub fn condition<'o>(object: &'o Value, type_: &str) -> Option<&'o Value> {
    object
        .pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|c| c["type"] == type_)
}

/// A GitRepository `app` with further fields of its spec (two spaces of indentation).
pub fn source(url: &str, fields: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: app\n\
         spec:\n  interval: 1s\n  url: {url}\n  ref:\n    branch: main\n{fields}"
    )
}

/// A Kustomization of the source `app` with further fields of its spec.
pub fn kustomization(name: &str, path: &str, fields: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n\
         spec:\n  interval: 10m\n  retryInterval: 1s\n  prune: true\n  path: {path}\n  sourceRef:\n    kind: GitRepository\n    name: app\n{fields}"
    )
}

/// A ConfigMap with one key.
pub fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: \"{value}\"\n"
    )
}
