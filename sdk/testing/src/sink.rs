//! The artifact that a source fills, kept in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_plugin::{
    ArtifactSink, BlobSource, EntryKind, Failure, FailureClass, Revision, Tree, normalise,
};

/// What a pull brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The revision; `None`: unchanged.
    pub revision: Option<Revision>,
    /// Files of the artifact by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The blob that is the artifact, with its file name.
    pub stored: Option<(Option<String>, Vec<u8>)>,
}

impl Pulled {
    /// A file of the artifact as text.
    ///
    /// # Panics
    /// There is no such file, or it is not UTF-8.
    #[track_caller]
    pub fn text(&self, path: &str) -> &str {
        let paths: Vec<_> = self.files.keys().collect();
        let file = self
            .files
            .get(path)
            .unwrap_or_else(|| panic!("no file {path} in {paths:?}"));
        std::str::from_utf8(file).unwrap_or_else(|_| panic!("{path} is not UTF-8"))
    }

    /// The revision.
    ///
    /// # Panics
    /// The source said that nothing has changed.
    #[track_caller]
    pub fn revision(&self) -> &Revision {
        self.revision
            .as_ref()
            .expect("the source has something new")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) stored: Option<(Option<String>, Vec<u8>)>,
    pub(crate) ignored: Vec<String>,
}

impl ArtifactSink for Sink {
    fn put(&mut self, path: &str, content: &dyn BlobSource) -> Result<(), Failure> {
        let path = normalise(path)
            .filter(|path| !path.is_empty())
            .ok_or_else(|| absent(path))?;
        self.files.insert(path, all(content)?);
        Ok(())
    }

    fn copy(&mut self, tree: &Arc<dyn Tree>, paths: &[(String, String)]) -> Result<(), Failure> {
        for (from, to) in paths {
            let inside = normalise(from).ok_or_else(|| absent(from))?;
            let to = normalise(to).ok_or_else(|| absent(to))?;
            self.copy_one(tree, &inside, &to)?;
        }
        Ok(())
    }

    fn ignored(&self, paths: &[String]) -> Vec<bool> {
        paths
            .iter()
            .map(|path| self.ignored.contains(path))
            .collect()
    }

    fn store(&mut self, content: &dyn BlobSource, file_name: Option<&str>) -> Result<(), Failure> {
        self.stored = Some((file_name.map(str::to_owned), all(content)?));
        Ok(())
    }
}

impl Sink {
    fn copy_one(&mut self, tree: &Arc<dyn Tree>, from: &str, to: &str) -> Result<(), Failure> {
        match tree.kind(from) {
            None => Err(absent(from)),
            Some(EntryKind::File) => {
                let content = tree.read(from).map_err(|error| unreadable(&error))?;
                self.files.insert(to.to_owned(), content.to_vec());
                Ok(())
            }
            Some(EntryKind::Directory) => {
                for entry in tree.entries(from).unwrap_or_default() {
                    self.copy_one(tree, &below(from, &entry.name), &below(to, &entry.name))?;
                }
                Ok(())
            }
        }
    }
}

fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

fn all(content: &dyn BlobSource) -> Result<Vec<u8>, Failure> {
    let len = usize::try_from(content.size()).unwrap_or(usize::MAX);
    Ok(content
        .read_at(0, len)
        .map_err(|error| unreadable(&error))?
        .to_vec())
}

fn absent(path: &str) -> Failure {
    Failure::new(
        FailureClass::NotFound,
        "NotFound",
        format!("there is no `{path}`"),
    )
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(FailureClass::Internal, "ReadFailed", error.to_string())
}
