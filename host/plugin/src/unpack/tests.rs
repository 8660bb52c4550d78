use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::{Digest, EntryKind, MemoryBlob};

fn limits() -> UnpackLimits {
    UnpackLimits {
        directory: std::env::temp_dir(),
        bytes: 1 << 30,
        entries: 1000,
        memory: 1 << 20,
    }
}

fn check(archive: Vec<u8>) -> Result<Arc<dyn Tree>, Failure> {
    unpack(&MemoryBlob::new(archive), &mut limits(), &|| false)
}

/// A tar of entries as they are, without the library's own checks of names.
fn tar_of(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if name.contains("run") { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn every_format_gives_the_same_tree() {
    use tar::EntryType::{Directory, Regular};
    let plain = tar_of(&[
        ("./", Directory, b""),
        ("./a/", Directory, b""),
        ("./a/b.yaml", Regular, b"kind: B"),
        ("run.sh", Regular, b"#!"),
    ]);
    let zipped = zip_of(&[("a/b.yaml", b"kind: B"), ("run.sh", b"#!")]);
    for archive in [gzip(&plain), plain, zipped] {
        let tree = check(archive).unwrap();
        let names: Vec<_> = tree
            .entries("")
            .unwrap()
            .into_iter()
            .map(|e| e.name)
            .collect();
        assert_eq!(names, ["a", "run.sh"]);
        assert_eq!(&tree.read("a/b.yaml").unwrap()[..], b"kind: B");
        assert_eq!(&tree.read_at("a/b.yaml", 6, 100).unwrap()[..], b"B");
        assert_eq!(tree.file("run.sh").unwrap().digest, Digest::of("#!"));
    }
}

#[test]
fn links_and_devices_are_left_out_and_empty_directories_stay() {
    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};
    let tree = check(tar_of(&[
        ("link", Symlink, b""),
        ("hard", Link, b""),
        ("null", Char, b""),
        ("disk", Block, b""),
        ("pipe", Fifo, b""),
        ("empty", Directory, b""),
        ("run", Regular, b"x"),
    ]))
    .unwrap();
    let names: Vec<_> = tree
        .entries("")
        .unwrap()
        .into_iter()
        .map(|e| e.name)
        .collect();
    assert_eq!(names, ["empty", "run"]);
    assert_eq!(tree.kind("empty"), Some(EntryKind::Directory));
    assert!(tree.file("run").unwrap().executable);
}

#[test]
fn paths_that_lead_out_refuse_the_archive() {
    use tar::EntryType::Regular;
    for name in ["/etc/passwd", "../x", "a/../../x", "a/../x", "a\\..\\x"] {
        assert_eq!(
            check(tar_of(&[(name, Regular, b"")])).unwrap_err().code,
            "InvalidArchive"
        );
    }
    for entries in [
        &[("a", &b""[..]), ("a/b", b"")],
        &[("a/b", b""), ("a", b"")],
    ] {
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, data)| (*name, Regular, *data))
            .collect();
        assert_eq!(check(tar_of(&entries)).unwrap_err().code, "InvalidArchive");
    }
}

#[test]
fn a_bomb_is_refused_by_its_ratio() {
    let archive = gzip(&tar_of(&[(
        "zeros",
        tar::EntryType::Regular,
        &vec![0; 40 << 20],
    )]));
    assert!(archive.len() < 1 << 20, "{}", archive.len());
    assert_eq!(check(archive).unwrap_err().code, "ArchiveTooLarge");
}

#[test]
fn many_entries_are_refused() {
    let names: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), tar::EntryType::Symlink, &b""[..]))
        .collect();
    assert_eq!(check(tar_of(&entries)).unwrap_err().code, "ArchiveTooLarge");
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    assert_eq!(check(b"hello".to_vec()).unwrap_err().code, "UnknownArchive");
    let whole = gzip(&tar_of(&[(
        "a",
        tar::EntryType::Regular,
        &vec![7; 100_000],
    )]));
    assert_eq!(
        check(whole[..whole.len() / 2].to_vec()).unwrap_err().code,
        "InvalidArchive"
    );
}

#[test]
fn a_later_file_replaces_an_earlier_one() {
    use tar::EntryType::Regular;
    let tree = check(tar_of(&[("a", Regular, b"1"), ("a", Regular, b"two")])).unwrap();
    assert_eq!(&tree.read("a").unwrap()[..], b"two");
}
