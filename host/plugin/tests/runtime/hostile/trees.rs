//! Trees.

use std::io::Write as _;
use std::sync::Arc;

use weir_plugin::{Call, Entry, EntryKind, FileInfo, Input, Limits, MemoryTree, Tree};

use super::{alone, attack, attack_call, attack_with, briefly, limits, out_of_time, peak, told};
use crate::support::load;

#[tokio::test]
async fn paths_do_not_leave_the_tree() {
    let told = told(attack("read-outside", limits()).await);
    assert_eq!(told.len(), 13 * 4);
    for (n, answer) in told.iter().enumerate() {
        let expected = if n % 4 == 0 {
            r#"Err("NotFound")"#
        } else {
            "None"
        };
        assert_eq!(answer, expected, "answer {n}");
    }
}

#[tokio::test]
async fn patterns_do_not_leave_the_tree() {
    let told = told(attack("glob-outside", limits()).await);
    assert_eq!(told, ["0"; 5]);
}

#[tokio::test]
async fn inputs_are_found_by_their_exact_name() {
    let told = told(attack("ask-for-other-inputs", limits()).await);
    assert_eq!(told, [r#"Err("NotFound")"#; 12]);
}

#[tokio::test]
async fn a_pattern_has_few_alternatives() {
    for name in [
        "glob-with-many-alternatives",
        "glob-with-many-braces",
        "glob-with-nested-braces",
    ] {
        let told = told(attack(name, limits()).await);
        assert_eq!(told, [r#"Err("InvalidPattern")"#], "{name}");
    }
}

#[tokio::test]
async fn a_pattern_is_short() {
    let told = told(attack("glob-with-many-stars", limits()).await);
    assert_eq!(told, [r#"Err("InvalidPattern")"#]);
}

/// A call whose input is this tree.
fn call_with(name: &str, limits: Limits, tree: Arc<dyn Tree>) -> Call {
    let input = Input {
        name: "source".into(),
        revision: "v1".into(),
        tree,
    };
    Call {
        inputs: vec![input],
        ..attack_call(name, limits)
    }
}

/// Directories within directories, ten in each, eight deep: longer to walk than anybody waits.
#[derive(Debug)]
struct Endless;

impl Tree for Endless {
    fn kind(&self, _: &str) -> Option<EntryKind> {
        Some(EntryKind::Directory)
    }
    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let directory = |n| Entry {
            name: format!("d{n}"),
            kind: EntryKind::Directory,
        };
        let is_deep = path.matches('/').count() >= 7;
        Some((0..10).filter(|_| !is_deep).map(directory).collect())
    }
    fn file(&self, _: &str) -> Option<FileInfo> {
        None
    }
    fn read(&self, _: &str) -> std::io::Result<bytes::Bytes> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[tokio::test]
async fn a_slow_pattern_ends_at_the_deadline() {
    let call = call_with("glob-slowly", briefly(), Arc::new(Endless));
    out_of_time(attack_with(call).await);
}

/// A tree with one large file; small to keep for whoever does not read it.
fn large() -> Arc<dyn Tree> {
    Arc::new(MemoryTree::from_pairs([("large", vec![0; 128 << 20])]).unwrap())
}

#[tokio::test]
async fn a_file_read_many_times_over_does_not_fill_the_host() {
    if alone("hostile::trees::a_file_read_many_times_over_does_not_fill_the_host") {
        let tree = Arc::new(MemoryTree::from_pairs([("large", vec![0; 1 << 20])]).unwrap());
        load("hostile").await;
        let before = peak();
        let call = call_with("read-the-same-many-times", limits(), tree);
        assert_eq!(told(attack_with(call).await), [r#"Err("TooLarge")"#]);
        assert!(
            peak() - before < 192 << 20,
            "{} MiB",
            (peak() - before) >> 20
        );
    }
}

#[tokio::test]
async fn what_does_not_fit_into_the_guest_is_not_read() {
    if alone("hostile::trees::what_does_not_fit_into_the_guest_is_not_read") {
        let tree = large();
        load("hostile").await;
        let before = peak();
        let told = told(attack_with(call_with("read-what-does-not-fit", limits(), tree)).await);
        let too_large = r#"Err("TooLarge")"#;
        assert_eq!(told, [too_large, too_large, "Ok(0)"]);
        assert!(
            peak() - before < 64 << 20,
            "{} MiB",
            (peak() - before) >> 20
        );
    }
}

#[tokio::test]
async fn what_is_unpacked_counts_for_the_whole_call() {
    if alone("hostile::trees::what_is_unpacked_counts_for_the_whole_call") {
        let tree = Arc::new(MemoryTree::from_pairs([("archive", archive())]).unwrap());
        load("hostile").await;
        let before = peak();
        let called = attack_with(call_with("unpack-again-and-again", limits(), tree)).await;
        let failure = super::failed(called);
        assert_eq!(failure.code, "ArchiveTooLarge");
        assert!(failure.message.contains("in all"), "{}", failure.message);
        assert!(
            peak() - before < 256 << 20,
            "{} MiB",
            (peak() - before) >> 20
        );
    }
}

/// A small archive of a file that is large, but not so large that it would go to disk.
fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    let content = vec![b'x'; 200 << 10];
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "a", content.as_slice())
        .unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&builder.into_inner().unwrap()).unwrap();
    encoder.finish().unwrap()
}
