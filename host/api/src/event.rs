//! The event that is posted to notification endpoints, `event.toolkit.fluxcd.io/v1beta1`.
//! Not stored in the cluster; the Kubernetes Event made beside it is another type.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ObjectReference;
use serde::{Deserialize, Serialize};

use crate::string_enum::string_enum;
use crate::{Time, meta};

/// API group of the event.
pub const GROUP: &str = "event.toolkit.fluxcd.io";

string_enum! {
    /// How much an event matters.
    Severity {
        /// Kubernetes Event only; never posted.
        Trace = "trace",
        /// Something happened as it should.
        Info = "info",
        /// Something failed.
        Error = "error",
    }
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The object it happened to.
    pub involved_object: ObjectReference,
    /// How much it matters.
    pub severity: Severity,
    /// When.
    pub timestamp: Time,
    /// For people.
    pub message: String,
    /// For machines, PascalCase.
    pub reason: String,
    /// Keys are prefixed with the involved object's group, or with
    /// [`meta::EVENT_PREFIX`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Name of the controller.
    pub reporting_controller: String,
    /// Host or pod.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reporting_instance: String,
}

impl Event {
    /// The API group of the involved object, which prefixes its metadata keys.
    pub fn group(&self) -> &str {
        let version = self
            .involved_object
            .api_version
            .as_deref()
            .unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    /// A metadata value of the involved object's group, such as
    /// [`meta::META_REVISION`].
    pub fn metadata_of_group(&self, key: &str) -> Option<&str> {
        self.metadata
            .get(&format!("{}/{key}", self.group()))
            .map(String::as_str)
    }

    /// Whether the event only exists to update a commit status; chat providers leave it out.
    pub fn is_commit_status_update(&self) -> bool {
        self.metadata_of_group(meta::META_COMMIT_STATUS) == Some(meta::META_COMMIT_STATUS_UPDATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_flux_field_names() {
        let event = Event {
            involved_object: ObjectReference {
                api_version: Some("kustomize.toolkit.fluxcd.io/v1".into()),
                kind: Some("Kustomization".into()),
                name: Some("apps".into()),
                namespace: Some("flux-system".into()),
                ..ObjectReference::default()
            },
            severity: Severity::Info,
            timestamp: Time(jiff::Timestamp::from_second(0).unwrap()),
            message: "done".into(),
            reason: meta::reason::RECONCILIATION_SUCCEEDED.into(),
            metadata: BTreeMap::from([(
                "kustomize.toolkit.fluxcd.io/commit_status".to_owned(),
                "update".to_owned(),
            )]),
            reporting_controller: "kustomize-controller".into(),
            reporting_instance: String::new(),
        };
        assert!(event.is_commit_status_update());
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(
            json["involvedObject"]["apiVersion"],
            "kustomize.toolkit.fluxcd.io/v1"
        );
        assert_eq!(json["severity"], "info");
        assert_eq!(json["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(json["reportingController"], "kustomize-controller");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
