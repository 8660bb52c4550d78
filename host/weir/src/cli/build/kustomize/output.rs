//! `--output`: the result in a file, or each object in one of its own.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use weir_plugin::RenderOutput;

use crate::cli::{Error, component};

/// Writes to the file, or into the directory, that `path` names.
pub(super) fn write(output: &RenderOutput, path: &Path) -> Result<(), Error> {
    let put = |file: &Path, content: &[u8]| {
        fs::write(file, content).with_context(|| format!("failed to write {}", file.display()))
    };
    if !path.is_dir() {
        let mut content = Vec::new();
        component::write(&mut content, output)?;
        return Ok(put(path, &content)?);
    }
    for manifest in &output.manifests {
        let name = manifest.origin.as_deref().unwrap_or_default();
        // Names of objects become names of files: none may lead elsewhere.
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Err(Error::failed(format!(
                "an object gives no file name: {name:?}"
            )));
        }
        put(&path.join(name), &manifest.body)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use weir_plugin::Manifest;

    use super::*;

    fn rendered(names: &[&str]) -> RenderOutput {
        let manifests = names.iter().map(|name| Manifest {
            body: format!("name: {name}\n").into(),
            origin: Some((*name).to_owned()),
            role: None,
        });
        RenderOutput {
            manifests: manifests.collect(),
            ..RenderOutput::default()
        }
    }

    #[test]
    fn a_file_gets_all_and_a_directory_gets_each() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let output = rendered(&["a", "b"]);
        write(&output, &folder.path().join("all")).unwrap();
        assert_eq!(read("all"), "name: a\n---\nname: b\n");
        write(&output, folder.path()).unwrap();
        assert_eq!(read("b"), "name: b\n");
        for wrong in ["../c", "c/d", "", ".."] {
            assert!(
                write(&rendered(&[wrong]), folder.path()).is_err(),
                "{wrong}"
            );
        }
        assert!(write(&output, &folder.path().join("no/file")).is_err());
    }
}
