//! What each plugin may do: the grants and limits of its `Plugin` object, or those of the
//! built-in of that name.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use weir_api::weir::v1alpha1 as api;
use weir_plugin::{Grants, Limits};

/// Grants and limits of one plugin.
#[derive(Clone, Debug)]
pub struct Granted {
    /// What it may reach and use.
    pub grants: Arc<Grants>,
    /// Bounds of its calls.
    pub limits: Limits,
}

/// By plugin name.
#[derive(Debug)]
pub struct GrantBook {
    by_name: RwLock<HashMap<String, Granted>>,
    defaults: Limits,
    remote_bases: Vec<String>,
}

/// Built-ins that talk to the hosts their object names, as Flux's controllers do: any host, also
/// in private networks, with the Secrets that the object binds.
const REACHING_OUT: &[&str] = &["git", "slack", "webhook"];

/// Built-ins that read the Secret that their object names. The webhook makes the HMAC of
/// `generic-hmac` itself and knows the names of the extra headers only from the Secret; Slack's
/// Secret may hold the name to post under beside the token.
const READING_SECRETS: &[&str] = &["slack", "webhook"];

impl GrantBook {
    /// A book with the grants of the built-ins, under the host's limits. `remote_bases`: what the
    /// built-in `kustomize` may reach.
    pub fn new(defaults: Limits, remote_bases: Vec<String>) -> Self {
        Self {
            by_name: RwLock::default(),
            defaults,
            remote_bases,
        }
    }

    /// The grants of a plugin.
    pub fn of(&self, name: &str) -> Granted {
        if let Some(granted) = self.by_name.read().get(name) {
            return granted.clone();
        }
        let mut grants = Grants::default();
        if REACHING_OUT.contains(&name) {
            grants.hosts = vec!["*".into()];
            grants.private_networks = true;
            grants.slots = vec!["*".into()];
        }
        if name == "kustomize" {
            grants.hosts.clone_from(&self.remote_bases);
        }
        if READING_SECRETS.contains(&name) {
            grants.secrets = vec!["default".into()];
        }
        Granted {
            grants: Arc::new(grants),
            limits: self.defaults,
        }
    }

    /// Takes over what a `Plugin` object grants; `None` goes back to the built-in's.
    pub fn set(&self, name: &str, grants: Option<&api::Grants>) {
        let mut by_name = self.by_name.write();
        match grants {
            None => {
                by_name.remove(name);
            }
            Some(grants) => {
                by_name.insert(name.to_owned(), granted(grants, self.defaults));
            }
        }
    }
}

fn granted(grants: &api::Grants, defaults: Limits) -> Granted {
    let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
    let limits = Limits {
        memory: grants.memory.map_or(defaults.memory, |size| size.0),
        time: grants.time.map_or(defaults.time, weir_api::Duration::get),
        output_bytes: grants
            .output_bytes
            .map_or(defaults.output_bytes, |size| size.0),
        output_count: count(grants.output_count).unwrap_or(defaults.output_count),
        log_lines: count(grants.log_lines).map_or(defaults.log_lines, |lines| {
            u32::try_from(lines).unwrap_or(u32::MAX)
        }),
        http_body: grants.http_body.map_or(defaults.http_body, |size| size.0),
    };
    let grants = Grants {
        hosts: grants.hosts.clone(),
        private_networks: grants.private_networks,
        slots: grants.slots.clone(),
        secrets: grants.secrets.clone(),
        cluster: grants.cluster.clone(),
    };
    Granted {
        grants: Arc::new(grants),
        limits,
    }
}
