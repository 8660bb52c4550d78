//! Flags of the commands that talk to a cluster.

use std::path::PathBuf;

use clap::Args;
use kube::Client;
use kube::api::{Api, DynamicObject};

use super::Error;
use super::kinds::Kind;
use crate::cluster::Access;

/// Which cluster and which namespace.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// Kubeconfig file; without it $KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE", env = "WEIR_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME", env = "WEIR_CONTEXT")]
    context: Option<String>,
    /// Namespace of the objects
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "FLUX_SYSTEM_NAMESPACE",
        default_value = "flux-system"
    )]
    pub(super) namespace: String,
}

impl Connection {
    pub(super) async fn client(&self) -> Result<Client, Error> {
        let access = Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        Ok(access.connect(None).await?)
    }

    /// The objects of a kind in the namespace, or of the cluster if the kind is the cluster's.
    pub(super) fn api(&self, client: &Client, kind: &Kind) -> Api<DynamicObject> {
        let resource = kind.resource();
        if kind.namespaced {
            Api::namespaced_with(client.clone(), &self.namespace, &resource)
        } else {
            Api::all_with(client.clone(), &resource)
        }
    }
}

/// What the API server's refusal means to a user.
pub(super) fn explain(error: kube::Error, kind: &Kind, name: Option<&str>) -> Error {
    if let kube::Error::Api(status) = &error
        && status.code == 404
    {
        let plural = kind.plural;
        return match name {
            // A missing definition has no details about an object.
            Some(name) if !status.message.contains("the server could not find") => {
                Error::failed(format!("{plural} \"{name}\" not found"))
            }
            _ => Error::failed(format!(
                "the cluster has no {plural}.{}: is weir installed?",
                kind.group
            )),
        };
    }
    Error::from(error)
}
