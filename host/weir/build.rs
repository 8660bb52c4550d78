//! Finds the built-in components: the folder that `weir-precompile` fills, by way of
//! `cargo xtask build`. Without it the binary is built all the same, and says so where it needs one.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=WEIR_BUILTIN_DIR");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    let folder = folder()?;
    // Cargo watches a folder that exists; one that does not would rebuild the crate every time.
    if fs::create_dir_all(&folder).is_ok() {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let table = folder.join("builtins.rs");
    let expression = if table.is_file() {
        format!("include!({:?})", table.display().to_string())
    } else {
        "&[]".to_owned()
    };
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("builtins.rs"), expression)?;
    Ok(())
}

fn folder() -> Result<PathBuf, env::VarError> {
    if let Some(folder) = env::var_os("WEIR_BUILTIN_DIR") {
        return Ok(folder.into());
    }
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    // A relative one is relative to where cargo was called, which is the workspace's root.
    let folder = workspace.join(target).join("builtin");
    Ok(folder.canonicalize().unwrap_or(folder))
}
