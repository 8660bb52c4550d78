//! Entry points of the fuzz targets (`tests/fuzz`): what reads bytes from outside and is not
//! public, and what must hold of whatever it makes of them.

use bytes::Bytes;

use crate::component::interfaces;
use crate::oci::{ImageReference, PullOptions, fuzzing as artifact};
use crate::unpack::{UnpackLimits, unpack};
use crate::{EntryKind, MemoryBlob, Tree, normalise};

const BYTES: u64 = 4 << 20;
const ENTRIES: usize = 1000;

/// Unpacks an archive within bounds and reads all of its tree.
pub fn archive(data: &[u8]) {
    let mut limits = UnpackLimits {
        directory: std::env::temp_dir(),
        bytes: BYTES,
        entries: ENTRIES,
        memory: 1 << 20,
    };
    let blob = MemoryBlob::new(Bytes::copy_from_slice(data));
    let Ok(tree) = unpack(&blob, &mut limits, &|| false) else {
        return;
    };
    let mut bytes = 0;
    let mut entries = 0;
    walk(tree.as_ref(), "", &mut bytes, &mut entries);
    assert!(bytes <= BYTES, "{bytes} bytes came out");
    assert!(
        entries <= ENTRIES * 8,
        "{entries} files and directories came out"
    );
}

fn walk(tree: &dyn Tree, path: &str, bytes: &mut u64, entries: &mut usize) {
    let listed = tree.entries(path).expect("a listed directory has entries");
    for entry in listed {
        *entries += 1;
        let below = if path.is_empty() {
            entry.name
        } else {
            format!("{path}/{}", entry.name)
        };
        assert_eq!(normalise(&below).as_deref(), Some(below.as_str()));
        assert_eq!(tree.kind(&below), Some(entry.kind));
        if entry.kind == EntryKind::Directory {
            walk(tree, &below, bytes, entries);
        } else {
            let info = tree.file(&below).expect("a listed file is there");
            let content = tree.read(&below).expect("its content is there");
            assert_eq!(content.len() as u64, info.size);
            *bytes += info.size;
        }
    }
}

/// Reads the bytes as a manifest, a config, a component and an image's name.
pub fn oci(data: &[u8]) {
    artifact::read(data, PullOptions::default());
    let _ = interfaces(data);
    let name = std::str::from_utf8(data).ok();
    if let Some(image) = name.and_then(|name| name.parse::<ImageReference>().ok()) {
        let written = image.to_string();
        let again: ImageReference = written.parse().expect("what is written is read");
        assert_eq!(again, image, "{written}");
    }
}
