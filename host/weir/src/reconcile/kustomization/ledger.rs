//! What was applied, kept on disk: a restarted host that finds it makes no request for what
//! nobody has touched meanwhile. A cache: without it the first run of each object compares anew.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use weir_apply::{Engine, KnownState, Owner};
use weir_failpoint::{Step, hit};

use crate::artifact::{StoreError, write_atomically};
use crate::telemetry::chain;

/// One file per object, named by its uid.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    adopted: Mutex<HashSet<String>>,
}

impl Ledger {
    /// Opens the ledger in `folder`, making it if need be.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            adopted: Mutex::default(),
        })
    }

    /// Gives the engine what an earlier process had applied, before the first run of an owner.
    pub(super) async fn adopt(&self, engine: &Engine, owner: &Owner, uid: &str) {
        if !self.adopted.lock().insert(uid.to_owned()) {
            return;
        }
        let Ok(bytes) = tokio::fs::read(self.path(uid)).await else {
            return;
        };
        match serde_json::from_slice::<KnownState>(&bytes) {
            Ok(known) => engine.adopt(owner, &known),
            Err(error) => tracing::warn!(%error, "a ledger file is damaged; comparing anew"),
        }
    }

    /// Keeps what the engine knows of an owner.
    pub(super) async fn keep(&self, engine: &Engine, owner: &Owner, uid: &str) {
        let known = engine.known(owner);
        let (folder, path) = (self.folder.clone(), self.path(uid));
        let write = move || {
            let bytes = serde_json::to_vec(&known).unwrap_or_default();
            write_atomically(&folder, &path, &bytes)
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            tracing::warn!(error = %chain(&error), "what was applied was not kept");
        }
        hit(Step::Ledger);
    }

    /// Drops what is kept of a deleted object.
    pub(super) fn forget(&self, uid: &str) {
        self.adopted.lock().remove(uid);
        let _ = fs::remove_file(self.path(uid));
    }

    fn path(&self, uid: &str) -> PathBuf {
        self.folder.join(format!("{uid}.json"))
    }
}
