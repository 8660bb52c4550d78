//! An OCI registry: the CNCF distribution registry on a loopback port, over plain HTTP.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tempfile::TempDir;

use crate::net;
use crate::parts::{Part, ensure};
use crate::process::{Process, ProcessOptions};
use crate::reaper;

/// How a registry is to be.
#[derive(Clone, Debug, Default)]
pub struct RegistryOptions {
    /// Ask for [`Registry::USER`] and [`Registry::PASSWORD`] (basic authentication).
    pub authenticate: bool,
}

/// A running registry, with its blobs in a temporary folder.
#[derive(Debug)]
pub struct Registry {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Registry {
    /// The user of a registry that authenticates.
    pub const USER: &str = "weir";
    /// The password of [`Registry::USER`].
    pub const PASSWORD: &str = "registry-password";
    /// The registry takes bcrypt only; this is [`Registry::PASSWORD`].
    const HTPASSWD: &str = "weir:$2b$05$8czwYJjxVYe/gIkzbsgynORtFcrT1hVODkVSDDHctR8Cda/K6ysXu\n";

    /// Starts a registry that lets everybody push and pull.
    pub fn start() -> Result<Self> {
        Self::start_with(RegistryOptions::default())
    }

    /// Starts a registry.
    pub fn start_with(options: RegistryOptions) -> Result<Self> {
        let paths = ensure(&[Part::Registry])?;
        let folder = tempfile::Builder::new()
            .prefix("weir-registry-")
            .tempdir()?;
        reaper::remove_folder(folder.path());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let mut config = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  \
             delete:\n    enabled: true\nhttp:\n  addr: {address}\n",
            folder.path().join("blobs").display()
        );
        if options.authenticate {
            let file = folder.path().join("htpasswd");
            fs::write(&file, Self::HTPASSWD)?;
            writeln!(
                config,
                "auth:\n  htpasswd:\n    realm: weir tests\n    path: {}",
                file.display()
            )?;
        }
        let config_file = folder.path().join("config.yaml");
        fs::write(&config_file, config)?;
        let options = ProcessOptions::new(
            "registry",
            paths.get(Part::Registry)?,
            folder.path().join("registry.log"),
        )
        .arg("serve")
        .arg(config_file)
        .env("OTEL_TRACES_EXPORTER", "none");
        let process = Process::start(&options, || {
            net::get(address, "/v2/").is_ok_and(|answer| matches!(answer.status, 200 | 401))
        })?;
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `oci://127.0.0.1:PORT/{repository}`, which may hold a tag or digest.
    pub fn oci(&self, repository: &str) -> String {
        format!("oci://{}/{repository}", self.address)
    }

    /// What it logged, access log included; the last `lines` lines.
    pub fn log_tail(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }
}
