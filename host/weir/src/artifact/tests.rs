use std::io::Read as _;

use bytes::Bytes;
use weir_plugin::{ArtifactSink as _, BlobSource, EntryKind};

use super::*;

struct Blob(&'static [u8]);

impl BlobSource for Blob {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn digest(&self) -> Digest {
        Digest::of(self.0)
    }
    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let start = offset as usize;
        Ok(Bytes::from_static(
            &self.0[start..self.0.len().min(start + len)],
        ))
    }
}

const BOUNDS: Bounds = Bounds {
    files: 100,
    file_size: 1000,
    total_size: 2000,
};

fn owner() -> Owner {
    Owner {
        kind: "gitrepository".into(),
        namespace: "flux-system".into(),
        name: "app".into(),
    }
}

fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    let retention = Retention {
        ttl: Duration::from_mins(1),
        records: 2,
    };
    Arc::new(Store::open(folder.path(), retention).unwrap())
}

fn builder(store: &Arc<Store>, files: &[(&str, &'static [u8])]) -> Builder {
    let mut builder = Builder::new(Arc::clone(store), None, BOUNDS).unwrap();
    for (path, content) in files {
        builder.put(path, &Blob(content)).unwrap();
    }
    builder
}

#[test]
fn an_archive_lists_directories_before_their_files_without_times_and_owners() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let files: &[(&str, &[u8])] = &[
        ("b/c.yaml", b"c"),
        ("a.yaml", b"a"),
        ("b-1/x", b"x"),
        (".gitignore", b"no"),
    ];
    let built = builder(&store, files).finish(&owner(), "0123").unwrap();

    assert_eq!(built.path, "gitrepository/flux-system/app/0123.tar.gz");
    let bytes = fs::read(store.served_root().join(&built.path)).unwrap();
    assert_eq!(
        (Digest::of(&bytes), bytes.len() as u64),
        (built.digest, built.size)
    );
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*bytes));
    let mut listed = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 0));
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        listed.push((name, header.mode().unwrap(), content));
    }
    let expected = [
        (".", 0o750, ""),
        ("a.yaml", 0o600, "a"),
        ("b", 0o750, ""),
        ("b/c.yaml", 0o600, "c"),
        ("b-1", 0o750, ""),
        ("b-1/x", 0o600, "x"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(n, m, c)| ((*n).to_owned(), *m, (*c).to_owned()))
        .collect();
    assert_eq!(listed, expected);
}

#[test]
fn a_tree_reads_what_was_put_and_is_rebuilt_when_its_pack_is_lost_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let files: &[(&str, &[u8])] = &[
        ("b/c", b"content"),
        ("b/d/e", b"e"),
        ("b-x", b"1"),
        ("b.y", b"2"),
    ];
    let built = builder(&store, files).finish(&owner(), "1").unwrap();
    let pack = folder
        .path()
        .join(format!("trees/{}.pack", built.digest.hex()));
    for damage in [None, Some(Vec::new()), Some(b"short".to_vec())] {
        if let Some(bytes) = damage {
            store.close_unused_trees(Duration::ZERO);
            fs::write(&pack, bytes).unwrap();
        }
        let tree = store.tree(&built.digest, &built.path).unwrap();
        assert_eq!(&tree.read("b/c").unwrap()[..], b"content");
        assert_eq!(&tree.read_at("b/c", 3, 2).unwrap()[..], b"te");
        assert_eq!(tree.file("b/c").unwrap().digest, Digest::of("content"));
        assert_eq!(tree.kind("b"), Some(EntryKind::Directory));
        assert_eq!(tree.kind("b/"), None);
        assert_eq!(tree.entries("missing"), None);
        let names = |path| -> Vec<String> {
            tree.entries(path)
                .unwrap()
                .into_iter()
                .map(|entry| entry.name)
                .collect()
        };
        assert_eq!(names(""), ["b", "b-x", "b.y"]);
        assert_eq!(names("b"), ["c", "d"]);
    }
}

#[test]
fn damage_to_an_open_tree_is_noticed_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let built = builder(&store, &[("a", b"content")])
        .finish(&owner(), "1")
        .unwrap();
    let pack = folder
        .path()
        .join(format!("trees/{}.pack", built.digest.hex()));
    let open = || store.tree(&built.digest, &built.path).unwrap();
    for damage in [&b"Content"[..], b"cont", b""] {
        let tree = open();
        assert_eq!(&tree.read("a").unwrap()[..], b"content");
        fs::write(&pack, damage).unwrap();
        assert!(tree.read("a").is_err(), "{damage:?}");
        assert_eq!(&open().read("a").unwrap()[..], b"content", "{damage:?}");
    }
}

#[test]
fn a_damaged_archive_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let built = builder(&store, &[("a", b"a")])
        .finish(&owner(), "1")
        .unwrap();
    fs::remove_file(
        folder
            .path()
            .join(format!("trees/{}.index", built.digest.hex())),
    )
    .unwrap();
    fs::write(store.served_root().join(&built.path), b"something else").unwrap();
    let error = store.tree(&built.digest, &built.path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(..)), "{error}");
}

#[test]
fn bounds_are_checked_after_the_ignore_rules_and_name_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    static LARGE: [u8; 1500] = [b'x'; 1500];
    let large: &[(&str, &[u8])] = &[("data/large.bin", &LARGE), ("a.yaml", b"a")];
    let error = builder(&store, large)
        .finish(&owner(), "1")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("data/large.bin") && error.contains("--artifact-max-file-size"),
        "{error}"
    );

    let mut ignoring = Builder::new(Arc::clone(&store), Some("*.bin".into()), BOUNDS).unwrap();
    for (path, content) in large {
        ignoring.put(path, &Blob(content)).unwrap();
    }
    ignoring.finish(&owner(), "1").unwrap();
}

#[test]
fn paths_that_leave_the_artifact_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut builder = builder(&store, &[]);
    for path in ["../x", "a/../../x", "", "."] {
        assert!(builder.put(path, &Blob(b"x")).is_err(), "{path}");
    }
}

#[test]
fn superseded_files_go_and_a_record_without_its_file_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut last = None;
    for number in ["1", "2", "3"] {
        let built = builder(&store, &[("a", number.as_bytes())])
            .finish(&owner(), number)
            .unwrap();
        let record = Record {
            path: built.path,
            revision: format!("main@sha1:{number}"),
            digest: built.digest,
            size: built.size,
            last_update_time: String::new(),
            metadata: Vec::new(),
            token: String::new(),
            fingerprint: Digest::of(""),
            left_out: None,
        };
        store.commit(&owner(), &record).unwrap();
        last = Some(record);
    }
    assert_eq!(store.record(&owner()), last);
    let kept = fs::read_dir(store.served_root().join(owner().path()))
        .unwrap()
        .count();
    assert_eq!(kept, 2, "the current file and one before it");
    fs::remove_file(store.served_root().join(last.unwrap().path)).unwrap();
    assert_eq!(store.record(&owner()), None);
}
