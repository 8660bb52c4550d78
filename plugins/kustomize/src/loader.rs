//! Finds what a kustomization names, within what it may reach (kustomize `api/internal/loader`).

use std::rc::Rc;

use crate::error::{Context as _, Error, Kind, Result};
use crate::fs::{EntryKind, FileSystem};
use crate::path;
use crate::remote::Address;
use crate::run::Options;

/// How far a file reference may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadRestrictor {
    /// In or below the directory of the kustomization that names the file.
    #[default]
    RootOnly,
    /// Anywhere in the tree.
    None,
}

/// A tree and the rules, shared by all loaders that read from it.
pub(crate) struct Source<'a> {
    fs: Box<dyn FileSystem + 'a>,
    restrictor: LoadRestrictor,
    /// What messages put in front of absolute paths.
    root_name: String,
    /// The address of a repository, as it was given.
    address: Option<String>,
}

impl<'a> Source<'a> {
    /// The tree that is built.
    pub(crate) fn local(fs: &'a dyn FileSystem, options: &Options) -> Self {
        Self {
            fs: Box::new(fs),
            restrictor: options.load_restrictor,
            root_name: options.root_name.clone(),
            address: None,
        }
    }
}

impl Source<'_> {
    /// An absolute path as messages show it.
    pub(crate) fn show(&self, path: &str) -> String {
        if path == "/" && !self.root_name.is_empty() {
            self.root_name.clone()
        } else {
            format!("{}{path}", self.root_name)
        }
    }

    /// Why there is nothing at `path`, in the words of kustomize. `named`: the path as given.
    fn absent(&self, named: &str, path: &str) -> Error {
        let mut at = String::new();
        let mut reason = "no such file or directory";
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let in_file = !at.is_empty() && self.fs.kind(&at) == Some(EntryKind::File);
            at = format!("{at}/{part}");
            if in_file {
                reason = "not a directory";
                break;
            }
            if self.fs.kind(&at).is_none() {
                break;
            }
        }
        let missing = self.show(&at);
        Error::new(format!(
            "evalsymlink failure on '{named}' : lstat {missing}: {reason}"
        ))
        .of_kind(Kind::NotFound)
    }
}

/// Resolves names against one directory.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    source: Rc<Source<'a>>,
    /// Absolute path of the directory.
    root: Rc<str>,
    referrer: Option<Rc<Loader<'a>>>,
}

const NOT_A_DIRECTORY: &str = "must build at directory";

impl<'a> Loader<'a> {
    /// A loader at the directory that is built; `dir` is relative to the root of the tree.
    pub(crate) fn at(source: Rc<Source<'a>>, dir: &str) -> Result<Self> {
        let root = path::join("/", dir);
        let loader = Self {
            source,
            root: "/".into(),
            referrer: None,
        };
        let root = loader.confirm_dir(dir, &root).context(NOT_A_DIRECTORY)?;
        Ok(Self {
            root: root.into(),
            ..loader
        })
    }

    /// Absolute path of the directory.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The directory as messages show it.
    pub(crate) fn shown_root(&self) -> String {
        self.source.show(&self.root)
    }

    fn confirm_dir(&self, named: &str, absolute: &str) -> Result<String> {
        if named.is_empty() {
            return Err(Error::new("directory path cannot be empty"));
        }
        match self.source.fs.kind(absolute) {
            Some(EntryKind::Directory) => Ok(absolute.to_owned()),
            Some(EntryKind::File) => Err(Error::new(format!("'{named}': file is not directory"))),
            None => Err(self
                .source
                .absent(named, absolute)
                .context("not a valid directory")),
        }
    }

    /// A loader at a directory that this one's kustomization names.
    pub(crate) fn new_at(self: &Rc<Self>, path: &str) -> Result<Rc<Self>> {
        if path.is_empty() {
            return Err(Error::new("new root cannot be empty"));
        }
        if is_remote_repository(path) {
            return self.new_at_repository(path);
        }
        if path.starts_with('/') {
            return Err(Error::new(format!("new root '{path}' cannot be absolute")));
        }
        let absolute = path::join(&self.root, path);
        if self.source.address.is_some() && path::leaves(&self.root, path) {
            return Err(Error::new(format!(
                "security; bases in kustomizations found in cloned git repos must be within the \
                 repo, but base '{path}' is outside '{}'",
                self.source.show("/")
            ))
            .of_kind(Kind::Denied));
        }
        let named = self.source.show(&absolute);
        let root = self
            .confirm_dir(&named, &absolute)
            .context(NOT_A_DIRECTORY)?;
        self.refuse_cycle(&root)?;
        Ok(Rc::new(Self {
            source: Rc::clone(&self.source),
            root: root.into(),
            referrer: Some(Rc::clone(self)),
        }))
    }

    /// A loader in a repository that this one's kustomization names.
    fn new_at_repository(self: &Rc<Self>, named: &str) -> Result<Rc<Self>> {
        let refused = |err: Error| {
            err.reworded(|why| {
                format!(
                    "remote base '{named}' cannot be fetched: {why}; allow its host \
                     (--allow-remote-bases), vendor it into the repository, or make it a source of \
                     its own"
                )
            })
        };
        let address = Address::parse(named)
            .ok_or_else(|| refused(Error::new("it is no address of a Git repository")))?;
        self.refuse_repository_cycle(named)?;
        let fs = self
            .source
            .fs
            .repository(&address.url, address.reference.as_deref())
            .map_err(refused)?;
        let source = Rc::new(Source {
            fs,
            // What is fetched never reaches out of its directory.
            restrictor: LoadRestrictor::RootOnly,
            root_name: address.url,
            address: Some(named.to_owned()),
        });
        let mut loader = Self::at(source, &address.path)?;
        loader.referrer = Some(Rc::clone(self));
        Ok(Rc::new(loader))
    }

    fn refuse_cycle(&self, candidate: &str) -> Result<()> {
        self.refuse_cycle_in(&self.source, candidate)
    }

    /// `candidate` is a directory of `source`; directories of other sources are no part of a cycle.
    fn refuse_cycle_in(&self, source: &Rc<Source<'a>>, candidate: &str) -> Result<()> {
        if Rc::ptr_eq(source, &self.source) && path::is_within(&self.root, candidate) {
            return Err(Error::new(format!(
                "cycle detected: candidate root '{}' contains visited root '{}'",
                self.source.show(candidate),
                self.shown_root()
            )));
        }
        self.referrer.as_ref().map_or(Ok(()), |referrer| {
            referrer.refuse_cycle_in(source, candidate)
        })
    }

    fn refuse_repository_cycle(&self, named: &str) -> Result<()> {
        if let Some(address) = &self.source.address
            && address.starts_with(named)
        {
            return Err(Error::new(format!(
                "cycle detected: URI '{named}' referenced by previous URI '{address}'"
            )));
        }
        self.referrer
            .as_ref()
            .map_or(Ok(()), |referrer| referrer.refuse_repository_cycle(named))
    }

    /// The path of a file relative to the root of the tree, for positions.
    pub(crate) fn relative(&self, path: &str) -> String {
        let absolute = path::join(&self.root, path);
        match &self.source.address {
            Some(_) => self.source.show(&absolute),
            None => absolute.trim_start_matches('/').to_owned(),
        }
    }

    /// Content of a file that this loader's kustomization names.
    pub(crate) fn load(&self, path: &str) -> Result<Vec<u8>> {
        if path.starts_with("http://") || path.starts_with("https://") {
            return self.source.fs.download(path).map_err(|err| {
                err.reworded(|why| {
                    format!(
                        "remote file '{path}' cannot be fetched: {why}; allow its host \
                         (--allow-remote-bases), or add the file to the repository"
                    )
                })
            });
        }
        let rooted = path.starts_with('/');
        let (absolute, named) = if rooted {
            (path::clean(path), path.to_owned())
        } else {
            let absolute = path::join(&self.root, path);
            let named = self.source.show(&absolute);
            (absolute, named)
        };
        if rooted && self.source.fs.kind(&absolute).is_none() {
            // An absolute path names something of the machine, which a build never sees.
            return Err(self.outside(&named));
        }
        if self.source.restrictor == LoadRestrictor::RootOnly
            && !path::is_within(path::parent(&absolute), &self.root)
            && self.source.fs.kind(&absolute) == Some(EntryKind::File)
        {
            return Err(self.outside(&named));
        }
        if let Some(content) = self.source.fs.read(&absolute) {
            return Ok(content);
        }
        match self.source.fs.kind(&absolute) {
            None => Err(self.source.absent(&named, &absolute)),
            Some(_) if self.source.restrictor == LoadRestrictor::None => {
                Err(Error::new(format!("read {named}: is a directory")))
            }
            Some(_) => Err(Error::new(format!("'{named}' must resolve to a file"))),
        }
    }

    fn outside(&self, named: &str) -> Error {
        Error::new(format!(
            "security; file '{named}' is not in or below '{}'",
            self.shown_root()
        ))
        .of_kind(Kind::Denied)
    }
}

/// True for what kustomize would clone with Git.
pub(crate) fn is_remote_repository(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let lower = lower.strip_prefix("git::").unwrap_or(&lower);
    [
        "https://",
        "http://",
        "ssh://",
        "git://",
        "github.com/",
        "github.com:",
        "gh:",
        "git@",
    ]
    .iter()
    .any(|prefix| lower.starts_with(prefix))
        || lower.contains("@github.com:")
}
