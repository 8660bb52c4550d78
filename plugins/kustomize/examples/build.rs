//! `kustomize build DIR` on a workstation, without the component: for comparing and timing.
//!
//! `cargo run --release --example build -- DIR [REPEAT]` prints the result, or with a number of
//! repetitions how long one build takes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use plugin_kustomize::{MemoryFs, Options, build};

fn read_tree(tree: &mut MemoryFs, root: &Path, at: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(at)? {
        let path = entry?.path();
        if path.is_dir() {
            read_tree(tree, root, &path)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            tree.insert(&name.to_string_lossy(), std::fs::read(&path)?);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap_or_else(|| ".".to_owned());
    let repeat: u32 = args
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    // Bases may stand beside the directory: the tree starts two levels up.
    let Ok(dir) = std::fs::canonicalize(&dir) else {
        eprintln!("Error: no such directory: {dir}");
        return ExitCode::FAILURE;
    };
    let root = match std::env::var("TREE_ROOT") {
        Ok(root) => root.into(),
        Err(_) => dir.clone(),
    };
    let mut tree = MemoryFs::new();
    if let Err(err) = read_tree(&mut tree, &root, &root) {
        eprintln!("Error: {err}");
        return ExitCode::FAILURE;
    }
    let relative = dir
        .strip_prefix(&root)
        .map(|path| path.to_string_lossy().into_owned());
    let relative = relative
        .ok()
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| ".".to_owned());
    let options = Options {
        root_name: root.to_string_lossy().into_owned(),
        ..Options::default()
    };
    if repeat > 0 {
        let start = Instant::now();
        for _ in 0..repeat {
            if build(&tree, &relative, &options).is_err() {
                break;
            }
        }
        println!("{:?} per build", start.elapsed() / repeat);
        return ExitCode::SUCCESS;
    }
    match build(&tree, &relative, &options) {
        Ok(output) => {
            print!("{}", output.to_yaml());
            ExitCode::SUCCESS
        }
        Err(err) => {
            eprintln!("Error: {err}");
            ExitCode::FAILURE
        }
    }
}
