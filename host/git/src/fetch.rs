//! Getting a commit: from the cache, by its id without history, or by its reference when the
//! server does not hand out bare ids.

use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Kind;
use weir_plugin::{Reference, Signed};

use crate::error::Error;
use crate::object;
use crate::repository::Repository;
use crate::session::{Dialer, PackRequest};
use crate::tree::{Dir, Limits};
use crate::walk;

/// Times `max_packs` that a fetch leaves packs alone.
const PATIENCE: usize = 4;

/// A commit that is here with all its files.
pub(crate) struct Fetched {
    pub(crate) id: ObjectId,
    pub(crate) commit: object::Commit,
    pub(crate) tag_signature: Option<Signed>,
    pub(crate) root: Arc<Dir>,
}

/// Fetches `commit`; a damaged local copy is thrown away once.
pub(crate) fn fetch(
    dialer: &Dialer,
    repository: &mut Repository,
    commit: ObjectId,
    reference: Option<&str>,
) -> Result<Fetched, Error> {
    let result = attempt(dialer, repository, commit, reference).or_else(|error| {
        if !matches!(error, Error::Damaged(_) | Error::Missing { .. }) {
            return Err(error);
        }
        tracing::warn!(url = %dialer.endpoint.base, %error, "the local copy is damaged or lacks a file, fetching all anew");
        repository.begin(&dialer.operation)?;
        repository.discard()?;
        attempt(dialer, repository, commit, reference)
    });
    repository.end();
    result
}

fn attempt(
    dialer: &Dialer,
    repository: &mut Repository,
    commit: ObjectId,
    reference: Option<&str>,
) -> Result<Fetched, Error> {
    repository.begin(&dialer.operation)?;
    let tag = match reference {
        Some(name) if name.starts_with("refs/tags/") => annotated_tag(dialer, name, commit)?,
        _ => None,
    };
    let mut received = false;
    let from_nothing = repository.haves().is_empty();
    if !repository.is_complete(commit) || !has(repository, tag)? {
        obtain(dialer, repository, commit, tag, reference)?;
        received = true;
    }
    let objects = repository.objects()?;
    let data = objects.read(commit, Kind::Commit)?;
    let parsed = object::commit(&data)
        .ok_or_else(|| Error::Content(format!("commit {commit} names no tree")))?;
    let limits = Limits::of(&dialer.config);
    let previous = repository.nearest_root(commit);
    let root = walk::build(
        &objects,
        parsed.tree,
        previous.as_ref(),
        limits,
        &dialer.operation,
    )
    .map_err(|error| match error {
        // All was sent just now but what is too large, see `Session::fetch`. Otherwise what
        // was here before may be damaged.
        Error::Missing { path, .. } if received && from_nothing => Error::Content(format!(
            "file '{path}' has more than {} bytes",
            limits.file_bytes
        )),
        other => other,
    })?;
    root.check(limits)?;
    let tag_signature = match tag {
        Some(id) if has(repository, tag)? => object::tag_signature(&objects.read(id, Kind::Tag)?),
        _ => None,
    };
    repository.complete(commit, &root)?;
    // Done by garbage collection, which nobody waits for, unless that does not keep up.
    let most = dialer.config.max_packs.saturating_mul(PATIENCE);
    if received && let Err(error) = repository.tidy(most, &dialer.operation) {
        // The commit is here; tidying is tried again after the next one.
        tracing::warn!(url = %dialer.endpoint.base, %error, "could not join packs");
    }
    Ok(Fetched {
        id: commit,
        commit: parsed,
        tag_signature,
        root,
    })
}

/// Whether an optional object is here.
fn has(repository: &Repository, id: Option<ObjectId>) -> Result<bool, Error> {
    id.map_or(Ok(true), |id| {
        Ok(repository.objects()?.header(id)?.is_some())
    })
}

/// The tag object behind a tag's name, if it is an annotated one that leads to the commit.
fn annotated_tag(dialer: &Dialer, name: &str, commit: ObjectId) -> Result<Option<ObjectId>, Error> {
    let commit = commit.to_string();
    let leads_here = |listed: &Reference| {
        let end = listed.peeled.as_ref().unwrap_or(&listed.target);
        listed.name == name && *end == commit
    };
    let listed = match dialer.remembered.tag(name).filter(leads_here) {
        Some(known) => Some(known),
        None => list(dialer, &[name.to_owned()])?
            .into_iter()
            .find(leads_here),
    };
    Ok(listed
        .filter(|tag| tag.peeled.is_some())
        .and_then(|tag| ObjectId::from_hex(tag.target.as_bytes()).ok()))
}

/// Lists references, and remembers the tags among them.
pub(crate) fn list(dialer: &Dialer, prefixes: &[String]) -> Result<Vec<Reference>, Error> {
    let listed = dialer.with_session(|session| session.references(prefixes))?;
    dialer.remembered.note_tags(&listed);
    Ok(listed)
}

fn obtain(
    dialer: &Dialer,
    repository: &Repository,
    commit: ObjectId,
    tag: Option<ObjectId>,
    reference: Option<&str>,
) -> Result<(), Error> {
    let shallow = |want: ObjectId| PackRequest {
        wants: vec![want],
        haves: repository.haves(),
        shallow: true,
    };
    let refused = match receive(dialer, repository, &shallow(tag.unwrap_or(commit))) {
        Err(Error::Refused(why)) => why,
        other => return other,
    };
    if tag.is_some() {
        // The tag has moved meanwhile, perhaps; the commit counts.
        match receive(dialer, repository, &shallow(commit)) {
            Err(Error::Refused(_)) => {}
            other => return other,
        }
    }
    tracing::debug!(url = %dialer.endpoint.base, %commit, refused, "fetching with history");
    let prefixes = match reference {
        Some(name) => vec![name.to_owned()],
        None => vec!["refs/heads/".to_owned(), "refs/tags/".to_owned()],
    };
    let mut wants: Vec<ObjectId> = list(dialer, &prefixes)?
        .iter()
        .filter(|listed| reference.is_none_or(|name| listed.name == name))
        .filter_map(|listed| ObjectId::from_hex(listed.target.as_bytes()).ok())
        .collect();
    wants.sort_unstable();
    wants.dedup();
    if !wants.is_empty() {
        let request = PackRequest {
            wants,
            haves: Vec::new(),
            shallow: false,
        };
        match receive(dialer, repository, &request) {
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if repository.objects()?.header(commit)?.is_some() {
        return Ok(());
    }
    let under = reference
        .map(|name| format!(" under {name}"))
        .unwrap_or_default();
    Err(Error::NotFound(format!(
        "commit {commit} does not exist{under} ({refused})"
    )))
}

fn receive(dialer: &Dialer, repository: &Repository, request: &PackRequest) -> Result<(), Error> {
    let thin = !request.haves.is_empty();
    dialer.with_session(|session| {
        session.fetch(request, &dialer.config, |pack| {
            repository.receive(pack, thin, &dialer.operation)
        })
    })
}
