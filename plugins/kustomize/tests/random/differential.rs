//! Random kustomizations, built by this library and by the real `kustomize`.
//!
//! The generator is seeded, so that a difference can be had again: `DIFFERENTIAL_SEED` is the first
//! seed, `DIFFERENTIAL_COUNT` how many are tried (150), and a tree that differs is left in the
//! folder that the message names.

use std::path::Path;
use std::process::Command;

use plugin_kustomize::{MemoryFs, Options, build};
use weir_tests_support::parts::{self, Part};

use crate::generate::{self, Tree};
use crate::number;

fn write(tree: &Tree, root: &Path) {
    for (path, content) in &tree.files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// What the real one prints, or its error.
fn real(binary: &Path, root: &Path, dir: &str) -> Result<String, String> {
    let output = Command::new(binary)
        .args(["build", dir])
        .current_dir(root)
        .env_clear()
        .output()
        .expect("kustomize starts");
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let at = text.find("Error: ").map_or(0, |at| at + 7);
    let mut text = text[at..].trim().to_owned();
    // A generator is printed as Go prints a pointer.
    while let Some(at) = text.find(" &{0x") {
        let end = text[at..].find('}').map_or(text.len(), |end| at + end + 1);
        text.replace_range(at..end, "");
    }
    Err(text)
}

fn ours(tree: &Tree, root: &Path, dir: &str) -> Result<String, String> {
    let mut fs = MemoryFs::new();
    for (path, content) in &tree.files {
        fs.insert(path, content.as_bytes());
    }
    let root_name = std::fs::canonicalize(root)
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let options = Options {
        root_name,
        ..Options::default()
    };
    match build(&fs, dir, &options) {
        Ok(output) => Ok(output.to_yaml()),
        Err(err) => Err(err.to_string().trim().to_owned()),
    }
}

#[test]
fn random_kustomizations_build_as_with_kustomize() {
    let parts = parts::ensure(&[Part::Kustomize]).unwrap();
    let binary = parts.get(Part::Kustomize).unwrap();
    let first = number("DIFFERENTIAL_SEED", 1);
    let count = number("DIFFERENTIAL_COUNT", 150);
    println!("seeds {first} to {}", first + count - 1);
    let base = std::env::temp_dir().join(format!("weir-kustomize-{}", std::process::id()));
    let (mut built, mut refused, mut other_words, mut different) = (0, 0, 0, Vec::new());
    for seed in first..first + count {
        let tree = generate::tree(seed);
        let root = base.join(seed.to_string());
        write(&tree, &root);
        let (real, ours) = (
            real(binary, &root, &tree.dir),
            ours(&tree, &root, &tree.dir),
        );
        let same = match (&real, &ours) {
            (Ok(real), Ok(ours)) => {
                built += 1;
                real == ours
            }
            (Err(real), Err(ours)) => {
                refused += 1;
                println!(
                    "seed {seed}: refused: {}",
                    real.lines().next().unwrap_or_default()
                );
                if real != ours {
                    other_words += 1;
                    println!("seed {seed}: other words\n  real {real}\n  ours {ours}");
                }
                true
            }
            _ => false,
        };
        if same {
            std::fs::remove_dir_all(&root).unwrap();
            continue;
        }
        println!("seed {seed} differs, see {}", root.display());
        match (real, ours) {
            (Ok(real), Ok(ours)) => {
                let mut lines = real.lines().zip(ours.lines());
                let first = lines.find(|(a, b)| a != b);
                println!("  {first:?}");
            }
            (real, ours) => println!("  real {:?}\n  ours {:?}", real.err(), ours.err()),
        }
        different.push(seed);
    }
    std::fs::remove_dir(&base).ok();
    println!("{built} built, {refused} refused, {other_words} of them in other words");
    assert!(
        different.is_empty(),
        "{} differ: {different:?}",
        different.len()
    );
}
