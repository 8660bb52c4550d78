//! Compiling components at build time, for the binary to carry (see [`crate::Builtin`]).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::builtin::pack;
use crate::runtime::engine;
use crate::{Description, LoadError, Runtime, RuntimeConfig};

/// An entry of the `index.json` that `weir-precompile` writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Precompiled {
    /// Name in the catalog: the component's file name without `.wasm`.
    pub name: String,
    /// The component, packed by gzip, beside the index.
    pub wasm: String,
    /// Its code, packed by gzip, beside the index.
    pub cwasm: String,
    /// The target of the code.
    pub target: String,
    /// What the component says of itself.
    #[serde(flatten)]
    pub description: Description,
}

/// Why a component is not compiled for a release.
#[derive(Debug, thiserror::Error)]
pub enum PrecompileError {
    /// The component is no plugin.
    #[error("failed to load `{}`", path.display())]
    Load {
        /// Which.
        path: PathBuf,
        /// Why.
        source: LoadError,
    },
    /// There is no code for that target.
    #[error("failed to compile for `{target}`")]
    Compile {
        /// Which.
        target: String,
        /// Why.
        source: wasmtime::Error,
    },
    /// A file cannot be read or written.
    #[error("failed to {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Compiles components into `output`: `<name>.wasm.gz`, `<name>.cwasm.gz`, `index.json`, and
/// `builtins.rs` with an expression of type `&[weir_plugin::Builtin]`. The code runs on any
/// processor of the target. A component that the folder holds already in the same form is not
/// compiled again.
pub async fn precompile(
    components: &[PathBuf],
    output: &Path,
    target: &str,
) -> Result<Vec<Precompiled>, PrecompileError> {
    let io = |what, path: &Path| {
        let path = path.to_owned();
        move |source| PrecompileError::Io { what, path, source }
    };
    let compile = |source| PrecompileError::Compile {
        target: target.to_owned(),
        source,
    };
    let portable = engine::portable(target).map_err(compile)?;
    // What an earlier form of these files left is no match.
    let stamp = format!("{} gzip", engine::stamp(&portable));
    std::fs::create_dir_all(output).map_err(io("make", output))?;
    let known: Vec<Precompiled> = std::fs::read(output.join("index.json"))
        .ok()
        .and_then(|index| serde_json::from_slice(&index).ok())
        .unwrap_or_default();
    let same_engine = std::fs::read_to_string(output.join("engine")).is_ok_and(|is| is == stamp);

    let runtime = Runtime::new(RuntimeConfig {
        max_calls: 1,
        ..RuntimeConfig::default()
    })
    .map_err(|source| PrecompileError::Load {
        path: PathBuf::new(),
        source,
    })?;
    let mut entries = Vec::new();
    for path in components {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(path).map_err(io("read", path))?;
        let digest = crate::Digest::of(&bytes);
        let unchanged = known.iter().find(|entry| {
            same_engine
                && entry.name == name
                && entry.description.digest == digest
                && output.join(&entry.cwasm).exists()
        });
        if let Some(entry) = unchanged {
            entries.push(entry.clone());
            continue;
        }
        let plugin = runtime
            .load(bytes.clone())
            .await
            .map_err(|source| PrecompileError::Load {
                path: path.clone(),
                source,
            })?;
        let code = portable.precompile_component(&bytes).map_err(compile)?;
        let entry = Precompiled {
            wasm: format!("{name}.wasm.gz"),
            cwasm: format!("{name}.cwasm.gz"),
            name,
            target: target.to_owned(),
            description: plugin.description().clone(),
        };
        for (file, content) in [(&entry.wasm, &bytes), (&entry.cwasm, &code)] {
            let file = output.join(file);
            let packed = pack(content).map_err(io("pack", &file))?;
            std::fs::write(&file, packed).map_err(io("write", &file))?;
        }
        entries.push(entry);
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let index = serde_json::to_string_pretty(&entries).unwrap_or_default();
    for (file, content) in [
        ("index.json", index),
        ("builtins.rs", source(&entries)),
        ("engine", stamp),
    ] {
        let file = output.join(file);
        // What includes these files is built again only when they change.
        if std::fs::read_to_string(&file).is_ok_and(|there| there == content) {
            continue;
        }
        std::fs::write(&file, content).map_err(io("write", &file))?;
    }
    Ok(entries)
}

/// The Rust expression that embeds the entries; its paths are relative to the file it is in.
fn source(entries: &[Precompiled]) -> String {
    use std::fmt::Write as _;

    let mut text = String::from("&[\n");
    for entry in entries {
        let description = serde_json::to_string(&entry.description).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "    ::weir_plugin::Builtin {{\n        name: {:?},\n        \
             wasm: ::weir_plugin::Packed(include_bytes!({:?})),\n        \
             cwasm: ::weir_plugin::Packed(include_bytes!({:?})),\n        \
             description: {:?},\n    }},\n",
            entry.name, entry.wasm, entry.cwasm, description
        );
    }
    text.push_str("]\n");
    text
}
