//! Rendering with memory: a render whose every question would be answered the same today is not
//! run again.
//!
//! The read-set of the last render of each object is kept with its result, in memory and beside
//! it on disk, so that a commit that touches nothing of it, a restart, and a repaired drift all
//! cost no render. Failed renders are remembered too. What asked for time, randomness or the
//! cluster follows Helm's rule, which comes to the same: rendered when an input changes.

mod output;
#[cfg(fuzzing)]
pub use output::fuzzing;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use weir_failpoint::{Step, hit};
use weir_plugin::{Call, CallError, Digest, Failure, Plugin, RenderOutput, Target, Trace};

use crate::artifact::{StoreError, write_atomically};

/// The last render of one object.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    /// The component that rendered.
    plugin: Digest,
    trace: Trace,
    /// Digest of the output, or how it failed.
    result: Result<Digest, Failure>,
}

/// A result, fresh or remembered.
#[derive(Debug)]
pub struct Rendered {
    /// Of the output's canonical form: equal output, equal digest.
    pub digest: Digest,
    /// There for a fresh render; a remembered one is read by [`Renders::output`] when needed.
    pub output: Option<RenderOutput>,
}

/// See the module.
#[derive(Debug)]
pub struct Renders {
    folder: PathBuf,
    by_uid: Mutex<HashMap<String, Arc<Remembered>>>,
}

impl Renders {
    /// Opens the memory kept in `folder`, making it if need be.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            by_uid: Mutex::default(),
        })
    }

    /// The result for the object `uid`: remembered if its read-set still holds, else rendered.
    /// Returns whether the renderer ran.
    pub async fn render(
        &self,
        uid: &str,
        plugin: &Arc<Plugin>,
        call: Call,
        target: Arc<dyn Target>,
    ) -> (Result<Rendered, CallError>, bool) {
        if let Some(known) = self.remembered(uid)
            && known.plugin == plugin.digest()
            && known.trace.holds(&call, &*target)
        {
            let result = match &known.result {
                Ok(digest) => Ok(Rendered {
                    digest: *digest,
                    output: None,
                }),
                Err(failure) => Err(CallError::Failed(failure.clone())),
            };
            return (result, false);
        }
        let called = plugin.render(call, target).await;
        let result = match called.result {
            Ok(output) => {
                hit(Step::Render);
                let encoded = output::encode(&output);
                let digest = Digest::of(&encoded);
                let remembered = Remembered {
                    plugin: plugin.digest(),
                    trace: called.trace,
                    result: Ok(digest),
                };
                self.remember(uid, remembered, Some(encoded)).await;
                Ok(Rendered {
                    digest,
                    output: Some(output),
                })
            }
            Err(CallError::Failed(failure)) => {
                let result = Err(failure.clone());
                let remembered = Remembered {
                    plugin: plugin.digest(),
                    trace: called.trace,
                    result,
                };
                self.remember(uid, remembered, None).await;
                Err(CallError::Failed(failure))
            }
            // A trap, a deadline or a limit may have had a passing cause.
            Err(error) => Err(error),
        };
        (result, true)
    }

    /// The output of a remembered result; `None` when it is gone or damaged (render again, after
    /// [`forget`](Self::forget)).
    pub async fn output(&self, uid: &str, digest: &Digest) -> Option<RenderOutput> {
        let path = self.output_path(uid);
        let encoded = tokio::fs::read(path).await.ok()?;
        if Digest::of(&encoded) != *digest {
            return None;
        }
        output::decode(encoded.into())
    }

    /// Drops what is known of an object.
    pub fn forget(&self, uid: &str) {
        self.by_uid.lock().remove(uid);
        let _ = fs::remove_file(self.trace_path(uid));
        let _ = fs::remove_file(self.output_path(uid));
    }

    fn remembered(&self, uid: &str) -> Option<Arc<Remembered>> {
        if let Some(known) = self.by_uid.lock().get(uid) {
            return Some(Arc::clone(known));
        }
        let bytes = fs::read(self.trace_path(uid)).ok()?;
        let known: Arc<Remembered> = Arc::new(serde_json::from_slice(&bytes).ok()?);
        self.by_uid
            .lock()
            .insert(uid.to_owned(), Arc::clone(&known));
        Some(known)
    }

    async fn remember(&self, uid: &str, remembered: Remembered, encoded: Option<Vec<u8>>) {
        let (trace_path, output_path) = (self.trace_path(uid), self.output_path(uid));
        let folder = self.folder.clone();
        let remembered = Arc::new(remembered);
        self.by_uid
            .lock()
            .insert(uid.to_owned(), Arc::clone(&remembered));
        let write = move || -> Result<(), StoreError> {
            // The output first: a trace on disk means that its output is there.
            if let Some(encoded) = encoded {
                write_atomically(&folder, &output_path, &encoded)?;
            }
            let trace = serde_json::to_vec(&*remembered).unwrap_or_default();
            write_atomically(&folder, &trace_path, &trace)
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            tracing::warn!(error = %crate::telemetry::chain(&error), "a render was not kept");
        }
    }

    fn trace_path(&self, uid: &str) -> PathBuf {
        self.folder.join(format!("{uid}.trace"))
    }

    fn output_path(&self, uid: &str) -> PathBuf {
        self.folder.join(format!("{uid}.output"))
    }
}
