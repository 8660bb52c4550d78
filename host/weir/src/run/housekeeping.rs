//! What the host tidies up while it runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use weir_git::GitClient;

use crate::artifact::Store;
use crate::memory;

use super::Parts;

/// How long Git objects that nobody asked for are kept, and how many bytes of them.
const GIT_CACHE_AGE: Duration = Duration::from_hours(7 * 24);
const GIT_CACHE_BYTES: u64 = 4 << 30;

/// How long a tree stays open that nobody reads.
const TREE_IDLE: Duration = Duration::from_secs(20);

impl Parts {
    /// Starts what keeps house, for as long as the host runs.
    pub(super) fn keep_house(&self, tasks: &mut JoinSet<()>) {
        tasks.spawn(collect_garbage(Arc::clone(&self.store), self.git.clone()));
        tasks.spawn(close_unused_trees(Arc::clone(&self.store)));
        tasks.spawn(memory::give_back());
    }
}

/// Gives memory back when a commit was worked off.
async fn close_unused_trees(store: Arc<Store>) {
    let mut ticks = tokio::time::interval(TREE_IDLE / 2);
    loop {
        ticks.tick().await;
        store.close_unused_trees(TREE_IDLE);
    }
}

/// Keeps house now and then: packs that nothing names any more, Git objects that are not used.
async fn collect_garbage(store: Arc<Store>, git: GitClient) {
    let mut ticks = tokio::time::interval(Duration::from_mins(5));
    loop {
        ticks.tick().await;
        let store = Arc::clone(&store);
        let _ = tokio::task::spawn_blocking(move || store.collect_trees()).await;
        if let Err(failure) = git.collect_garbage(GIT_CACHE_AGE, GIT_CACHE_BYTES).await {
            tracing::warn!(error = %failure, "the Git cache was not cleaned");
        }
    }
}
