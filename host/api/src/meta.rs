//! Names that Flux and its tools agree on: annotations, labels, finalizer, field managers.

/// The finalizer of every kind that has one.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// A new value queues a reconcile at once; the handled one goes to
/// `status.lastHandledReconcileAt`.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// HelmRelease: force one install or upgrade; counts when equal to [`REQUESTED_AT`].
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// HelmRelease: reset failure counters; counts when equal to [`REQUESTED_AT`].
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Label on ConfigMaps and Secrets whose change wakes the objects that name them.
pub const WATCH_LABEL: &str = "reconcile.fluxcd.io/watch";
/// Value of [`WATCH_LABEL`].
pub const WATCH_ENABLED: &str = "Enabled";
/// Label that assigns an object to a shard.
pub const SHARD_KEY: &str = "sharding.fluxcd.io/key";
/// Annotations with this prefix are copied into event metadata.
pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";

/// API group of sources.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// API group of Kustomization; also the prefix of its owner labels and object annotations.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// API group of HelmRelease; also the prefix of its owner labels and object annotations.
pub const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";
/// API group of Provider, Alert and Receiver.
pub const NOTIFICATION_GROUP: &str = "notification.toolkit.fluxcd.io";
/// API group of what weir adds.
pub const WEIR_GROUP: &str = "weir.dev";

/// Namespace that Flux's tools look into unless told otherwise.
pub const DEFAULT_NAMESPACE: &str = "flux-system";

/// Field manager of applied objects.
pub const APPLY_MANAGER: &str = "kustomize-controller";
/// Field manager of a Kustomization's own status and finalizers: another name than
/// [`APPLY_MANAGER`], so that a Kustomization that is itself applied never clashes.
pub const KUSTOMIZATION_STATUS_MANAGER: &str = "gotk-kustomize-controller";
/// Field manager of source statuses.
pub const SOURCE_MANAGER: &str = "source-controller";
/// Field manager and event source of notifications.
pub const NOTIFICATION_MANAGER: &str = "notification-controller";

/// Labels by which the flux CLI finds an installation on CRDs and Deployments.
pub mod labels {
    /// Always `flux`.
    pub const PART_OF: &str = "app.kubernetes.io/part-of";
    /// Value of [`PART_OF`].
    pub const PART_OF_FLUX: &str = "flux";
    /// Namespace of the installation.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// Version of the installation, with a leading `v`.
    pub const VERSION: &str = "app.kubernetes.io/version";
    /// Controller that serves the kind.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
}

/// Version of Flux whose API is served: what the CLI compares itself with.
pub const FLUX_VERSION: &str = "v2.9.4";

/// Condition types.
pub mod condition {
    /// The object is reconciled at the observed generation.
    pub const READY: &str = "Ready";
    /// Work is going on or will be retried.
    pub const RECONCILING: &str = "Reconciling";
    /// No progress without a change.
    pub const STALLED: &str = "Stalled";
    /// Health checks passed.
    pub const HEALTHY: &str = "Healthy";
    /// The artifact in storage matches the source.
    pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
    /// The source has changed and the artifact has not yet.
    pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
    /// The source could not be fetched.
    pub const FETCH_FAILED: &str = "FetchFailed";
    /// The artifact could not be stored.
    pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
    /// The source's signature was checked.
    pub const SOURCE_VERIFIED: &str = "SourceVerified";
    /// An included repository has no artifact.
    pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
    /// weir: the spec sets fields that this version does not act on.
    pub const UNSUPPORTED: &str = "UnsupportedFields";
    /// Plugin: the component is here.
    pub const PULLED: &str = "Pulled";
    /// Plugin: its digest, and later its signature, is checked.
    pub const VERIFIED: &str = "Verified";
    /// Plugin: compiled for this host.
    pub const COMPILED: &str = "Compiled";
}

/// Reasons of conditions and events.
pub mod reason {
    /// Generic success.
    pub const SUCCEEDED: &str = "Succeeded";
    /// Generic failure.
    pub const FAILED: &str = "Failed";
    /// Work is going on.
    pub const PROGRESSING: &str = "Progressing";
    /// The attempt failed and will be retried.
    pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
    /// `spec.suspend`.
    pub const SUSPENDED: &str = "Suspended";
    /// A dependency is not ready.
    pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
    /// The source's artifact is missing or unusable.
    pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
    /// Rendering failed.
    pub const BUILD_FAILED: &str = "BuildFailed";
    /// Health checks failed.
    pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
    /// A health wait was given up for newer work.
    pub const HEALTH_CHECK_CANCELED: &str = "HealthCheckCanceled";
    /// Garbage collection failed.
    pub const PRUNE_FAILED: &str = "PruneFailed";
    /// Objects are applied.
    pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
    /// Applying failed.
    pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
    /// A path is not in the artifact.
    pub const INVALID_PATH: &str = "InvalidPath";
    /// A CEL expression does not compile.
    pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
    /// A reference is refused.
    pub const ACCESS_DENIED: &str = "AccessDenied";
    /// A feature is switched off.
    pub const FEATURE_GATE_DISABLED: &str = "FeatureGateDisabled";
    /// Credentials were refused.
    pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
    /// A Git operation failed.
    pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
    /// The URL cannot be used.
    pub const URL_INVALID: &str = "URLInvalid";
    /// Event: a new artifact was stored.
    pub const NEW_ARTIFACT: &str = "NewArtifact";
    /// Condition ArtifactOutdated: a new revision was seen.
    pub const NEW_REVISION: &str = "NewRevision";
    /// Event: the artifact is what the source has.
    pub const ARTIFACT_UP_TO_DATE: &str = "ArtifactUpToDate";
    /// weir: fields that are not acted on.
    pub const FIELDS_NOT_ACTED_ON: &str = "FieldsNotActedOn";
}

/// Key of the revision in event metadata, below the object's group.
pub const META_REVISION: &str = "revision";
/// Key of the origin revision in event metadata.
pub const META_ORIGIN_REVISION: &str = "originRevision";
/// Key of the artifact digest in event metadata.
pub const META_DIGEST: &str = "digest";
/// Key that lets an event update a commit status.
pub const META_COMMIT_STATUS: &str = "commit_status";
/// Value of [`META_COMMIT_STATUS`].
pub const META_COMMIT_STATUS_UPDATE: &str = "update";

/// Annotation of an OCI manifest or artifact that names the commit it was made from.
pub const OCI_REVISION: &str = "org.opencontainers.image.revision";
