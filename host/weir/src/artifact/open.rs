//! Trees that are open. All readers of a tree share one, and it stays open for a while after the
//! last of them: the index of a large repository takes milliseconds to read, and a commit makes
//! every object of the source read it within moments.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use weir_plugin::Digest;

use super::{PackTree, StoreError};

#[derive(Debug)]
struct Opened {
    tree: Arc<PackTree>,
    used: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OpenTrees {
    trees: Mutex<HashMap<Digest, Opened>>,
    /// Held while one is opened, so that many who want the same read its index once.
    opening: Mutex<()>,
}

impl OpenTrees {
    /// The tree of that digest, opened with `open` if it is not open yet, or if it was found to be
    /// damaged, which `open` is told. Blocks.
    pub(super) fn get(
        &self,
        digest: &Digest,
        open: impl FnOnce(bool) -> Result<PackTree, StoreError>,
    ) -> Result<Arc<PackTree>, StoreError> {
        if let Some(tree) = self.known(digest) {
            return Ok(tree);
        }
        let _turn = self.opening.lock();
        if let Some(tree) = self.known(digest) {
            return Ok(tree);
        }
        let is_damaged = self.trees.lock().remove(digest).is_some();
        let tree = Arc::new(open(is_damaged)?);
        let opened = Opened {
            tree: Arc::clone(&tree),
            used: Instant::now(),
        };
        self.trees.lock().insert(*digest, opened);
        Ok(tree)
    }

    fn known(&self, digest: &Digest) -> Option<Arc<PackTree>> {
        let mut trees = self.trees.lock();
        let opened = trees
            .get_mut(digest)
            .filter(|opened| !opened.tree.is_damaged())?;
        opened.used = Instant::now();
        Some(Arc::clone(&opened.tree))
    }

    /// Digests of the trees that are open.
    pub(super) fn digests(&self) -> HashSet<Digest> {
        self.trees.lock().keys().copied().collect()
    }

    /// Closes trees that nobody reads and nobody opened for `age`.
    pub(super) fn close_unused(&self, age: Duration) {
        self.trees
            .lock()
            .retain(|_, opened| Arc::strong_count(&opened.tree) > 1 || opened.used.elapsed() < age);
    }
}
