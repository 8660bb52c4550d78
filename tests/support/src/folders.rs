//! Where things are: the workspace, its build output and the user's cache.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the workspace that this crate was built from.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Cargo's target folder of the workspace; `CARGO_TARGET_DIR` moves it.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => workspace().join(folder),
        None => workspace().join("target"),
    }
}

/// Where the components of `tests/guests` and of the examples are staged by `cargo xtask`;
/// `WEIR_GUESTS` moves it.
pub fn guests() -> PathBuf {
    env::var_os("WEIR_GUESTS").map_or_else(|| target().join("guests-components"), PathBuf::from)
}

/// The folder below which built parts are kept between checkouts: `weir` in `XDG_CACHE_HOME`,
/// else in `~/.cache`, else in the system's folder for temporary files.
pub fn cache() -> PathBuf {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("weir")
}

/// The executable `name` in the folders of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether `file` is a file that may be executed.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
