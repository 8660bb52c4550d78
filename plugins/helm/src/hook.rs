//! Hooks: manifests that events run (helm/helm pkg/release/hook.go).

/// What runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookEvent {
    /// Before an installation.
    PreInstall,
    /// After it.
    PostInstall,
    /// Before a deletion.
    PreDelete,
    /// After it.
    PostDelete,
    /// Before an upgrade.
    PreUpgrade,
    /// After it.
    PostUpgrade,
    /// Before a rollback.
    PreRollback,
    /// After it.
    PostRollback,
    /// `helm test`.
    Test,
}

impl HookEvent {
    /// Reads a name of the annotation; `test-success` is Helm 2's.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pre-install" => Self::PreInstall,
            "post-install" => Self::PostInstall,
            "pre-delete" => Self::PreDelete,
            "post-delete" => Self::PostDelete,
            "pre-upgrade" => Self::PreUpgrade,
            "post-upgrade" => Self::PostUpgrade,
            "pre-rollback" => Self::PreRollback,
            "post-rollback" => Self::PostRollback,
            "test" | "test-success" => Self::Test,
            _ => return None,
        })
    }

    /// Its name in a release record.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::Test => "test",
        }
    }
}

/// A manifest that an event runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Name of the object.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template that it comes from.
    pub path: String,
    /// The document.
    pub manifest: String,
    /// What runs it.
    pub events: Vec<HookEvent>,
    /// Lower ones run first.
    pub weight: i64,
    /// When it is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`, or what the
    /// chart says instead.
    pub delete_policies: Vec<String>,
}

impl Hook {
    /// Whether `helm test` runs it.
    pub fn is_test(&self) -> bool {
        self.events.contains(&HookEvent::Test)
    }
}
