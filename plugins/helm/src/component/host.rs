//! What a render reaches, through the host.

use std::time::UNIX_EPOCH;

use weir_sdk::{Dir, Target};
use weir_template::{Host, Value};

use super::lookup::lookup;
use crate::capabilities::{Discovery, KubeVersion};
use crate::fs::{EntryKind, FileSystem};

/// A cluster that is asked when a template asks.
pub(super) struct Asked {
    pub(super) target: Target,
    pub(super) more_apis: Vec<String>,
}

impl Discovery for Asked {
    fn kube_version(&self) -> KubeVersion {
        let version = self.target.kube_version();
        KubeVersion::parse(&version).unwrap_or_default()
    }

    fn has_api(&self, name: &str) -> bool {
        self.more_apis.iter().any(|api| api == name) || self.target.has_api(name)
    }

    fn apis(&self) -> Vec<String> {
        let mut apis = self.target.apis();
        apis.extend(self.more_apis.iter().cloned());
        apis
    }
}

/// Time and randomness of the host.
pub(super) struct Outside;

impl Host for Outside {
    fn now(&self) -> i128 {
        let now = weir_sdk::clock::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| i128::try_from(now.as_nanos()).unwrap_or(i128::MAX))
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(64 << 10) {
            let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            chunk.copy_from_slice(&weir_sdk::random::bytes(len));
        }
    }

    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String> {
        lookup(api_version, kind, namespace, name)
    }
}

/// The host's tree.
pub(super) struct Tree {
    pub(super) dir: Dir,
}

fn kind_of(kind: weir_sdk::EntryKind) -> EntryKind {
    match kind {
        weir_sdk::EntryKind::File => EntryKind::File,
        weir_sdk::EntryKind::Directory => EntryKind::Directory,
    }
}

impl FileSystem for Tree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.dir.kind(path).map(kind_of)
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let entries = self.dir.entries(path).unwrap_or_default();
        entries
            .into_iter()
            .map(|entry| (entry.name, kind_of(entry.kind)))
            .collect()
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.dir.read(path).ok()
    }

    fn read_many(&self, paths: &[String]) -> Result<Vec<Vec<u8>>, String> {
        let files = self.dir.read_many(paths).map_err(|err| err.to_string())?;
        Ok(files.into_iter().map(|file| file.data).collect())
    }
}
