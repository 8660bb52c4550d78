//! The object store of one repository, readable from any thread.

use std::path::Path;
use std::sync::Arc;

use gix_hash::{Kind as Hash, ObjectId};
use gix_object::{Find as _, Kind};
use gix_odb::{HandleArc, Header as _};
use parking_lot::Mutex;

use crate::error::Error;

/// Indexes that can be known at once. Packs are written anew as one long before.
const SLOTS: u16 = 512;
/// Readers kept for the next one; as many threads read at once seldom.
const KEPT_HANDLES: usize = 4;
/// Bytes of delta bases that one walk over a whole tree keeps.
const WALK_CACHE: usize = 32 << 20;

/// An open store. What it has mapped stays readable while its files are replaced.
pub(crate) struct Objects {
    store: Arc<gix_odb::Store>,
    handles: Mutex<Vec<HandleArc>>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects")
            .field("path", &self.store.path())
            .finish_non_exhaustive()
    }
}

impl Objects {
    /// Opens `objects/` of a repository.
    pub(crate) fn open(directory: &Path, max_object_bytes: u64) -> Result<Self, Error> {
        let options = gix_odb::store::init::Options {
            slots: gix_odb::store::init::Slots::Given(SLOTS),
            use_multi_pack_index: false,
            alloc_limit_bytes: Some(usize::try_from(max_object_bytes).unwrap_or(usize::MAX)),
            ..Default::default()
        };
        let store = gix_odb::Store::at_opts(
            directory.to_owned(),
            Hash::Sha1,
            &mut [].into_iter(),
            options,
        )
        .map_err(Error::local("open", directory))?;
        Ok(Self {
            store: Arc::new(store),
            handles: Mutex::default(),
        })
    }

    /// Runs `read` with a handle of this thread's own.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&HandleArc) -> T) -> T {
        let kept = self.handles.lock().pop();
        let handle = kept.unwrap_or_else(|| self.store.to_cache_arc());
        let result = read(&handle);
        let mut handles = self.handles.lock();
        if handles.len() < KEPT_HANDLES {
            handles.push(handle);
        }
        result
    }

    /// A handle for reading many objects: it remembers delta bases.
    pub(crate) fn walker(&self) -> HandleArc {
        self.store.to_cache_arc().with_pack_cache(|| {
            Box::new(gix_pack::cache::lru::StaticLinkedList::<64>::new(
                WALK_CACHE,
            ))
        })
    }

    /// Content of an object that must be there and of that kind.
    pub(crate) fn read(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, Error> {
        self.find(id).and_then(|(found, data)| {
            if found == kind {
                Ok(data)
            } else {
                Err(Error::Damaged(format!(
                    "object {id} is a {found}, not a {kind}"
                )))
            }
        })
    }

    /// Content and kind of an object that must be there.
    pub(crate) fn find(&self, id: ObjectId) -> Result<(Kind, Vec<u8>), Error> {
        self.with(|handle| find(handle, id))
    }

    /// Kind and size, without reading the content; `None`: absent.
    pub(crate) fn header(&self, id: ObjectId) -> Result<Option<(Kind, u64)>, Error> {
        self.with(|handle| handle.try_header(&id))
            .map(|header| header.map(|header| (header.kind(), header.size())))
            .map_err(|error| Error::damaged(&format!("cannot read object {id}"), &error))
    }
}

/// Content and kind of an object that must be there.
pub(crate) fn find(handle: &HandleArc, id: ObjectId) -> Result<(Kind, Vec<u8>), Error> {
    let mut data = Vec::new();
    let found = handle
        .try_find(&id, &mut data)
        .map(|found| found.map(|object| (object.kind, object.data.len())));
    match found {
        Ok(Some((kind, length))) => {
            data.truncate(length);
            Ok((kind, data))
        }
        Ok(None) => Err(Error::Damaged(format!("object {id} is missing"))),
        Err(error) => Err(Error::damaged(&format!("cannot read object {id}"), &error)),
    }
}
