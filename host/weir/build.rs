//! Finds the built-in components: the folder that `weir-precompile` fills, by way of
//! `cargo xtask build`. Without it the binary is built all the same, and says so where it needs one.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if knows_packed_relocations() {
        // 1.5 MiB of the file that each start would read, and keep in memory, become 20 KiB.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
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

/// Whether what is built here runs here, and the loader knows `DT_RELR`: glibc's does since 2.36.
fn knows_packed_relocations() -> bool {
    if env::var_os("HOST") != env::var_os("TARGET")
        || env::var("CARGO_CFG_TARGET_ENV").as_deref() != Ok("gnu")
    {
        return false;
    }
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else {
        return false;
    };
    let version = String::from_utf8_lossy(&output.stdout);
    let minor = version.trim().strip_prefix("glibc 2.");
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor >= 36))
}
