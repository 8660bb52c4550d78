//! A control plane: etcd, kube-apiserver and kube-controller-manager on loopback ports.
//!
//! There is no kubelet: Pods stay pending, Deployments of 0 replicas become healthy, namespaces
//! end and garbage is collected. Data and logs are in a temporary folder that goes with the value.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::audit::{self, AuditLog};
use crate::net;
use crate::parts::{self, Part};
use crate::process::{Process, ProcessOptions};
use crate::reaper;
use crate::tls::{self, Authority, Keys};

/// Controllers that need no nodes.
const CONTROLLERS: &str = "deployment,replicaset,statefulset,daemonset,job,namespace,\
                           serviceaccount,garbagecollector,clusterrole-aggregation";

/// How a cluster is to be.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Run the controller manager. Without it nothing is collected and namespaces do not end.
    pub controllers: bool,
    /// Users besides `admin`, in no group and with no rights until a role is bound to them.
    pub users: Vec<String>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            controllers: true,
            users: vec!["weir".to_owned(), "tenant".to_owned()],
        }
    }
}

/// A running control plane.
#[derive(Debug)]
pub struct Cluster {
    // In the order in which they are ended.
    _controllers: Option<Process>,
    apiserver: Option<Process>,
    _etcd: Process,
    address: SocketAddr,
    /// How the API server is started, and the authority that it is trusted by.
    serving: (ProcessOptions, String),
    kubectl: PathBuf,
    folder: TempDir,
}

impl Cluster {
    /// Starts a cluster with [`ClusterOptions::default`].
    pub fn start() -> Result<Self> {
        Self::start_with(&ClusterOptions::default())
    }

    /// Starts a cluster, building the parts that are missing.
    pub fn start_with(options: &ClusterOptions) -> Result<Self> {
        let paths = parts::ensure(&Part::CLUSTER)?;
        let folder = tempfile::Builder::new().prefix("weir-cluster-").tempdir()?;
        reaper::remove_folder(folder.path());
        let dir = folder.path();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let ca = write_keys(dir)?;
        write_users(dir, address, &options.users)?;

        let (etcd, store) = start_etcd(paths.get(Part::Etcd)?, dir)?;
        let serving = apiserver(paths.get(Part::KubeApiserver)?, dir, address, &store);
        let apiserver = start_apiserver(&serving, address, &ca)?;
        let controllers = if options.controllers {
            Some(start_controllers(
                paths.get(Part::KubeControllerManager)?,
                dir,
            )?)
        } else {
            None
        };
        Ok(Self {
            _controllers: controllers,
            apiserver: Some(apiserver),
            _etcd: etcd,
            address,
            serving: (serving, ca),
            kubectl: paths.get(Part::Kubectl)?.to_path_buf(),
            folder,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where the API server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the API server; what it stored stays.
    pub fn stop_api(&mut self) -> Result<()> {
        self.apiserver
            .take()
            .map_or(Ok(()), |mut process| process.kill().map(drop))
    }

    /// Starts the API server again, at the same address.
    pub fn start_api(&mut self) -> Result<()> {
        let (options, ca) = &self.serving;
        self.apiserver = Some(start_apiserver(options, self.address, ca)?);
        Ok(())
    }

    /// The kubeconfig of `admin`, who may do everything.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_of("admin")
    }

    /// The kubeconfig of one of the users that the cluster was started with.
    pub fn kubeconfig_of(&self, user: &str) -> PathBuf {
        kubeconfig(self.folder.path(), user)
    }

    /// The kubectl that [`Cluster::kubectl`] runs.
    pub fn kubectl_path(&self) -> &Path {
        &self.kubectl
    }

    /// Runs kubectl as `admin` and returns what it printed.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.kubectl_with(args, "")
    }

    /// Applies manifests, server-side.
    pub fn apply(&self, manifests: &str) -> Result<String> {
        self.kubectl_with(&["apply", "--server-side", "-f", "-"], manifests)
    }

    /// Runs kubectl as `admin` with something on standard input.
    pub fn kubectl_with(&self, args: &[&str], input: &str) -> Result<String> {
        kubectl(&self.kubectl, &self.kubeconfig(), args, input)
    }

    /// The requests that the API server answered.
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(self.folder.path().join("audit.log"))
    }

    /// Where logs and data are, as long as this lives.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs a kubectl against any cluster; fails with what it printed on standard error.
pub fn kubectl(program: &Path, kubeconfig: &Path, args: &[&str], input: &str) -> Result<String> {
    use std::io::Write;
    let mut child = Command::new(program)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        // Discovery is kept per server address: ports come again with other CRDs behind them.
        .arg("--cache-dir")
        .arg(kubeconfig.with_extension("kubectl-cache"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start kubectl")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let input = input.as_bytes().to_vec();
    let writer = std::thread::spawn(move || {
        // kubectl may end before it has read all; its status tells.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    ensure!(
        output.status.success(),
        "kubectl {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Writes the certificates and the key of service account tokens; returns the authority.
fn write_keys(dir: &Path) -> Result<String> {
    let authority = Authority::new("weir test cluster authority")?;
    let names = [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "kubernetes.default.svc",
    ];
    let issued = authority.issue(&names)?;
    fs::write(dir.join("ca.crt"), authority.certificate())?;
    fs::write(dir.join("server.crt"), issued.certificate)?;
    fs::write(dir.join("server.key"), issued.key)?;
    let tokens = Keys::generate()?;
    fs::write(dir.join("tokens.key"), tokens.private)?;
    fs::write(dir.join("tokens.pub"), tokens.public)?;
    fs::write(dir.join("audit-policy.yaml"), audit::POLICY)?;
    Ok(authority.certificate())
}

fn kubeconfig(dir: &Path, user: &str) -> PathBuf {
    // A colon would make two paths of it in `KUBECONFIG`.
    dir.join(format!("{}.kubeconfig", user.replace(':', "-")))
}

/// A throw-away cluster: the token says whose it is and nothing more.
fn token(user: &str) -> String {
    format!("token-of-{user}")
}

fn write_users(dir: &Path, address: SocketAddr, users: &[String]) -> Result<()> {
    let mut tokens = format!("{},admin,admin,\"system:masters\"\n", token("admin"));
    for user in users {
        writeln!(tokens, "{},{user},{user}", token(user))?;
    }
    fs::write(dir.join("tokens.csv"), tokens)?;
    for user in users.iter().map(String::as_str).chain(["admin"]) {
        let config = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": format!("https://{address}"),
                "certificate-authority": dir.join("ca.crt"),
            }}],
            "users": [{"name": user, "user": {"token": token(user)}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        });
        fs::write(
            kubeconfig(dir, user),
            serde_json::to_string_pretty(&config)?,
        )?;
    }
    Ok(())
}

fn start_etcd(program: &Path, dir: &Path) -> Result<(Process, String)> {
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
    let peer = format!("http://127.0.0.1:{}", net::free_port()?);
    let url = format!("http://{client}");
    let options = ProcessOptions::new("etcd", program, dir.join("etcd.log"))
        .arg("--data-dir")
        .arg(dir.join("etcd"))
        .arg(format!("--listen-client-urls={url}"))
        .arg(format!("--advertise-client-urls={url}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        .arg("--unsafe-no-fsync")
        .arg("--log-level=warn");
    let process = Process::start(&at_once(options), || {
        net::get(client, "/health").is_ok_and(|answer| answer.status == 200)
    })?;
    Ok((process, url))
}

fn apiserver(program: &Path, dir: &Path, address: SocketAddr, store: &str) -> ProcessOptions {
    let file = |flag: &str, name: &str| format!("--{flag}={}", dir.join(name).display());
    let mut options = ProcessOptions::new("kube-apiserver", program, dir.join("apiserver.log"));
    for arg in [
        format!("--etcd-servers={store}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", address.port()),
        file("cert-dir", "certificates"),
        file("tls-cert-file", "server.crt"),
        file("tls-private-key-file", "server.key"),
        file("token-auth-file", "tokens.csv"),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        file("service-account-key-file", "tokens.pub"),
        file("service-account-signing-key-file", "tokens.key"),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        // Nothing makes the tokens that it would wait for.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        file("audit-policy-file", "audit-policy.yaml"),
        file("audit-log-path", "audit.log"),
        // In MiB: the log is read by position, so it must not be rotated.
        "--audit-log-maxsize=1000000".to_owned(),
    ] {
        options = options.arg(arg);
    }
    at_once(options)
}

fn start_apiserver(options: &ProcessOptions, address: SocketAddr, ca: &str) -> Result<Process> {
    let authorization = format!("Bearer {}", token("admin"));
    Process::start(options, || {
        let get = |path| tls::get(address, ca, path, &[("Authorization", &authorization)]);
        get("/readyz").is_ok_and(|answer| answer.status == 200)
            // Made by the server itself shortly after it is ready.
            && get("/api/v1/namespaces/default").is_ok_and(|answer| answer.status == 200)
    })
}

fn start_controllers(program: &Path, dir: &Path) -> Result<Process> {
    let options = ProcessOptions::new(
        "kube-controller-manager",
        program,
        dir.join("controllers.log"),
    )
    .arg("--kubeconfig")
    .arg(kubeconfig(dir, "admin"))
    .arg(format!("--controllers={CONTROLLERS}"))
    .arg("--leader-elect=false")
    .arg("--secure-port=0")
    // Its default of 20 a second would be what a bench measures.
    .arg("--kube-api-qps=1000")
    .arg("--kube-api-burst=2000");
    // It has no port to probe; tests wait for what it does.
    Process::start(&at_once(options), || true)
}

/// The data goes with the process: nothing to wait for when it ends.
fn at_once(mut options: ProcessOptions) -> ProcessOptions {
    options.grace = Duration::ZERO;
    options
}
