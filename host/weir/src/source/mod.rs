//! From a source object to an artifact: calls the source component and keeps what it yields.
//!
//! Knows no kind: the reconciler of a kind hands over settings and credentials and gets back a
//! `Record`, or word that nothing changed.

use std::sync::Arc;

use weir_failpoint::{Step, hit};
use weir_plugin::{
    Call, CallError, Catalog, Digest, Failure, FailureClass, Limits, Plugin, Revision,
};

use crate::artifact::{Bounds, Builder, FinishError, Owner, Record, Store, StoreError};

/// How many times what an artifact may hold a source may have, ignored files included.
const IGNORED: u64 = 5;

/// What a pull found.
#[derive(Debug)]
pub enum Pulled {
    /// The artifact is that of the last pull.
    Unchanged(Record),
    /// New content, or the same content under a new revision.
    New {
        /// Now current.
        record: Record,
        /// One line for the event: a commit's subject.
        summary: Option<String>,
    },
}

/// Why a pull failed.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// No component of that name is ready.
    #[error("plugin '{0}' is not ready")]
    NoPlugin(String),
    /// The settings do not fit the plugin's schema.
    #[error("{0}")]
    Settings(String),
    /// The call ended badly.
    #[error("{error}")]
    Call {
        /// Name and digest of the plugin, for people.
        plugin: String,
        /// How.
        #[source]
        error: Box<CallError>,
    },
    /// What it yielded could not be kept.
    #[error("failed to store the artifact")]
    Store(#[from] StoreError),
    /// What it yielded is over a bound.
    #[error("{0}")]
    Bounds(FinishError),
}

/// What a pull needs besides the call.
pub struct Request {
    /// Name of the source plugin in the catalog.
    pub plugin: &'static str,
    /// Whose artifact.
    pub owner: Owner,
    /// `spec.ignore`.
    pub ignore: Option<String>,
    /// The call, with everything but what depends on the plugin.
    pub call: Call,
    /// Settings without what cannot change the content (interval, timeout): their digest voids
    /// the token of the last pull.
    pub deciding_settings: String,
}

/// Pulls sources into the store.
#[derive(Clone)]
pub struct Sources {
    /// Components by name.
    pub catalog: Arc<Catalog>,
    /// Where artifacts are kept.
    pub store: Arc<Store>,
    /// How large they may be.
    pub bounds: Bounds,
}

impl Sources {
    /// Asks the source component for what is new and stores it.
    pub async fn pull(&self, request: Request) -> Result<Pulled, PullError> {
        let Request {
            plugin: name,
            owner,
            ignore,
            mut call,
            deciding_settings,
        } = request;
        let plugin = self
            .catalog
            .get(name)
            .ok_or_else(|| PullError::NoPlugin(name.to_owned()))?;
        if self.catalog.is_built_in(&plugin) {
            self.leave_room(&mut call.limits);
        }
        check_settings(&plugin, &call.settings)?;
        let fingerprint = Digest::of(format!("{}\n{deciding_settings}", plugin.digest()));

        let store = Arc::clone(&self.store);
        let bounds = self.bounds;
        let reading = {
            let owner = owner.clone();
            blocking(move || {
                let builder = Builder::new(Arc::clone(&store), ignore, bounds)?;
                Ok((store.record(&owner), builder))
            })
        };
        let (known, builder) = reading.await?;
        let last = known
            .as_ref()
            .filter(|record| record.fingerprint == fingerprint)
            .map(|record| record.token.clone());

        let (called, builder) = plugin.pull(call, last.clone(), builder).await;
        let failed = |error| PullError::Call {
            plugin: describe(&plugin),
            error: Box::new(error),
        };
        let revision = called.result.map_err(failed)?;
        if revision.is_some() {
            hit(Step::Fetch);
        }
        match (revision, known) {
            (Some(revision), _) => self.keep(owner, revision, builder, fingerprint).await,
            (None, Some(record)) if last.is_some() => Ok(Pulled::Unchanged(record)),
            (None, _) => Err(failed(CallError::Failed(Failure::new(
                FailureClass::Internal,
                "NoRevision",
                "the plugin says that nothing changed, but it was not told of a last revision",
            )))),
        }
    }

    /// Lets a call emit what the ignore rules will take out again: the artifact has bounds of its
    /// own, which count after them and say which flag they are. For the binary's own components,
    /// which copy what the host holds already; others could fill the disk with what they write.
    fn leave_room(&self, limits: &mut Limits) {
        let files = (self.bounds.files as u64).saturating_mul(IGNORED);
        let bytes = self.bounds.total_size.saturating_mul(IGNORED);
        limits.output_count = limits.output_count.max(files);
        limits.output_bytes = limits.output_bytes.max(bytes);
    }

    async fn keep(
        &self,
        owner: Owner,
        revision: Revision,
        builder: Builder,
        fingerprint: Digest,
    ) -> Result<Pulled, PullError> {
        let store = Arc::clone(&self.store);
        let work = move || {
            let stem = file_stem(&revision.id);
            let built = builder.finish(&owner, &stem).map_err(|error| match error {
                FinishError::Store(error) => PullError::Store(error),
                error => PullError::Bounds(error),
            })?;
            hit(Step::Store);
            let record = Record {
                path: built.path,
                revision: revision.id,
                digest: built.digest,
                size: built.size,
                last_update_time: jiff::Timestamp::now().to_string(),
                metadata: revision.metadata,
                token: revision.token,
                fingerprint,
                left_out: left_out(&built.left_out),
            };
            store.commit(&owner, &record)?;
            hit(Step::Record);
            Ok(Pulled::New {
                record,
                summary: revision.summary,
            })
        };
        blocking(work).await
    }
}

/// Paths named in a message.
const NAMED: usize = 3;

/// Links and odd names that an artifact cannot hold, as one clause; nothing if there are none.
fn left_out(paths: &[String]) -> Option<String> {
    let examples = paths.get(..paths.len().min(NAMED))?.join("', '");
    let more = if paths.len() > NAMED { ", ..." } else { "" };
    let count = paths.len();
    (count > 0).then(|| {
        format!(
            "left out {count} symbolic link(s) or name(s) that no artifact can hold: \
             '{examples}'{more}"
        )
    })
}

/// Checks settings against the plugin's schema, naming every failing pointer.
pub fn check_settings(plugin: &Plugin, settings: &str) -> Result<(), PullError> {
    let problems = plugin.validate_settings(settings);
    let fatal: Vec<String> = problems
        .iter()
        .filter(|problem| problem.fatal)
        .map(ToString::to_string)
        .collect();
    if fatal.is_empty() {
        Ok(())
    } else {
        Err(PullError::Settings(fatal.join("; ")))
    }
}

/// Name and digest of a plugin, for messages.
pub fn describe(plugin: &Plugin) -> String {
    format!("{}@{}", plugin.info().name, plugin.digest())
}

/// File name of a revision: its hash, as Flux names archives.
fn file_stem(revision: &str) -> String {
    let hash = revision.rsplit(':').next().unwrap_or(revision);
    hash.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PullError> + Send + 'static,
) -> Result<T, PullError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            let error = std::io::Error::other(error);
            Err(PullError::Store(StoreError::io(
                "finish",
                std::path::Path::new("a task"),
            )(error)))
        })
}
