//! Whole builds of a tree that the input writes out, as `kustomize build` and as Flux does them.
//!
//! Lines `=== PATH` begin a file; what comes before the first one is `kustomization.yaml`.
#![no_main]

use plugin_kustomize::{FluxOptions, MemoryFs, Options, build, build_as_flux};

/// Files of one tree, which bounds how far bases multiply.
const MAX_FILES: usize = 8;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let tree = tree(data);
    let options = Options::default();
    if let Ok(output) = build(&tree, ".", &options) {
        again(&output.to_yaml());
    }
    let flux = FluxOptions {
        generate: true,
        ..FluxOptions::default()
    };
    let _ = build_as_flux(&tree, ".", &options, &flux);
});

fn tree(data: &[u8]) -> MemoryFs {
    let mut tree = MemoryFs::new();
    let (mut path, mut content) = ("kustomization.yaml".to_owned(), Vec::new());
    let mut files = 1;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"=== ") {
            Some(next) if files < MAX_FILES => {
                tree.insert(&path, std::mem::take(&mut content));
                path = String::from_utf8_lossy(next.trim_ascii()).into_owned();
                files += 1;
            }
            _ => content.extend_from_slice(line),
        }
    }
    tree.insert(&path, content);
    tree
}

/// What a build made is a build's input.
fn again(output: &str) {
    let mut tree = MemoryFs::new();
    tree.insert("kustomization.yaml", "resources: [all.yaml]\n");
    tree.insert("all.yaml", output);
    let _ = build(&tree, ".", &Options::default());
}
