//! The service account of a workload on GKE (`IAMPolicyGenerator`).

use std::fmt::Write as _;

use weir_yaml::Value;
use weir_yaml::resolve::Dialect;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::resource::Handle;
use crate::types::decode::{self, Mode, decode_struct};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct KubernetesService {
    name: String,
    namespace: String,
}

decode_struct!(KubernetesService, "KubernetesService", "types.KubernetesService", {
    "name" => name,
    "namespace" => namespace,
});

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct ServiceAccount {
    name: String,
    project_id: String,
}

decode_struct!(ServiceAccount, "ServiceAccount", "types.ServiceAccount", {
    "name" => name,
    "projectId" => project_id,
});

/// Its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IamPolicyGenerator {
    cloud: String,
    service: KubernetesService,
    account: ServiceAccount,
}

decode_struct!(IamPolicyGenerator, "IAMPolicyGeneratorPlugin", "builtins.IAMPolicyGeneratorPlugin", {
    "cloud" => cloud,
    "kubernetesService" => service,
    "serviceAccount" => account,
});

impl IamPolicyGenerator {
    pub(crate) fn configure(config: &Value) -> Result<Self> {
        decode::decode(config, Mode::Lenient)
    }

    pub(crate) fn generate(&self, cx: &mut Context) -> Result<Handle> {
        if self.cloud != "gke" {
            return Err(Error::new(format!(
                "cloud provider {} not supported yet",
                self.cloud
            )));
        }
        let ServiceAccount { name, project_id } = &self.account;
        let mut text = format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    \
             iam.gke.io/gcp-service-account: {name}@{project_id}.iam.gserviceaccount.com\n  \
             name: {}\n",
            self.service.name
        );
        if !self.service.namespace.is_empty() {
            let _ = writeln!(text, "  namespace: {}", self.service.namespace);
        }
        let node = weir_yaml::parse::parse(&mut cx.arena, &text, Dialect::V3)?
            .ok_or_else(|| Error::new("nothing generated"))?;
        Ok(cx.add_resource(node))
    }
}
