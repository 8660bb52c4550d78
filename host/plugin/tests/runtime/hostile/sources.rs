//! Sources: what they put into an artifact, what they claim of it, what they ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use weir_plugin::{Call, Called, Grants, Input, Limits, MemoryTree, Revision};

use super::{SLACK, alone, briefly, failed, limits, peak};
use crate::network::with_secret_for;
use crate::support::{Sink, call, load};

async fn attack_with(call: Call) -> (Called<Option<Revision>>, Sink) {
    let plugin = load("intruder").await;
    let (started, allowed) = (Instant::now(), call.limits.time + SLACK);
    let (called, sink) = plugin.pull(call, None, Sink::default()).await;
    assert!(started.elapsed() < allowed, "{:?}", started.elapsed());
    let (behaved, kept) = plugin
        .pull(attack_call("behave", limits()), None, Sink::default())
        .await;
    assert!(behaved.result.unwrap().is_some());
    assert_eq!(kept.text("told"), "all is well");
    (called, sink)
}

fn attack_call(name: &str, limits: Limits) -> Call {
    Call {
        limits,
        ..call(&format!(r#"{{"do":"{name}"}}"#), &[])
    }
}

async fn attack(name: &str, limits: Limits) -> (Called<Option<Revision>>, Sink) {
    attack_with(attack_call(name, limits)).await
}

fn with_archive(name: &str, limits: Limits, archive: Vec<u8>) -> Call {
    let tree = MemoryTree::from_pairs([("archive", archive)]).unwrap();
    Call {
        inputs: vec![Input {
            name: "source".into(),
            revision: "v1".into(),
            tree: Arc::new(tree),
        }],
        ..attack_call(name, limits)
    }
}

/// A tar of directories without files.
fn directories(paths: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for path in paths {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        builder.append_data(&mut header, path, &b""[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

#[tokio::test]
async fn copying_directories_for_ever_ends_at_the_deadline() {
    let archive = directories((0..5000).map(|n| format!("d{n}/")));
    let (called, sink) = attack_with(with_archive("copy-for-ever", briefly(), archive)).await;
    let error = called.result.unwrap_err();
    assert_eq!(error.outcome(), "deadline", "{error}");
    assert!(sink.files.is_empty());
}

#[tokio::test]
async fn directories_that_a_path_implies_are_counted() {
    if alone("hostile::sources::directories_that_a_path_implies_are_counted") {
        // Each path stands for two thousand directories, whose paths have 4 MB together.
        let archive = directories((0..2000).map(|n| format!("{n}{}", "/a".repeat(2000))));
        load("intruder").await;
        let before = peak();
        let (called, _) = attack_with(with_archive("unpack", limits(), archive)).await;
        assert_eq!(failed(called).code, "ArchiveTooLarge");
        let taken = (peak() - before) >> 20;
        assert!(taken < 320, "{taken} MiB");
    }
}

#[tokio::test]
async fn a_long_name_in_an_archive_does_not_fill_the_host() {
    if alone("hostile::sources::a_long_name_in_an_archive_does_not_fill_the_host") {
        // An entry whose name comes before it as a file of its own, of 512 MiB.
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(512 << 20);
        header.set_path("././@LongLink").unwrap();
        header.set_cksum();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, header.as_bytes()).unwrap();
        let name = vec![b'a'; 1 << 20];
        for _ in 0..512 {
            std::io::Write::write_all(&mut encoder, &name).unwrap();
        }
        // Enough of anything to allow it as much as it wants to unpack to.
        let mut archive = encoder.finish().unwrap();
        archive.resize(8 << 20, 0);
        load("intruder").await;
        let before = peak();
        let (called, _) = attack_with(with_archive("unpack", limits(), archive)).await;
        assert_eq!(failed(called).code, "InvalidArchive");
        let taken = (peak() - before) >> 20;
        assert!(taken < 64, "{taken} MiB");
    }
}

#[tokio::test]
async fn masses_of_requests_are_refused_at_once() {
    if alone("hostile::sources::masses_of_requests_are_refused_at_once") {
        load("intruder").await;
        let before = peak();
        let roomy = Limits {
            memory: 128 << 20,
            time: std::time::Duration::from_secs(30),
            ..limits()
        };
        let (called, sink) = attack("request-in-masses", roomy).await;
        assert!(called.result.is_ok(), "{called:?}");
        assert_eq!(sink.text("told"), "200000 refused");
        let taken = (peak() - before) >> 20;
        assert!(taken < 512, "{taken} MiB");
    }
}

#[tokio::test]
async fn secrets_that_were_not_granted_are_not_there() {
    let call = attack_call("ask-for-secrets", limits());
    let call = with_secret_for(call, &[("password", "hunter22")], None);
    let (called, sink) = attack_with(call.clone()).await;
    assert!(called.result.is_ok(), "{called:?}");
    let told = sink.text("told");
    assert_eq!(told.lines().count(), 6);
    for line in told.lines() {
        assert_eq!(line, r#"[] Err("NotGranted") Err("NotGranted")"#);
    }

    // A grant is for its own slot, by its exact name.
    let grants = Grants {
        secrets: vec!["default".into()],
        ..Grants::default()
    };
    let (_, sink) = attack_with(Call {
        grants: Arc::new(grants),
        ..call
    })
    .await;
    let told: BTreeMap<usize, String> = sink
        .text("told")
        .lines()
        .map(str::to_owned)
        .enumerate()
        .collect();
    assert!(told[&0].starts_with(r#"["password"] Ok(["#), "{}", told[&0]);
    for line in 1..6 {
        assert_eq!(told[&line], r#"[] Err("NotGranted") Err("NotGranted")"#);
    }
}

#[tokio::test]
async fn files_stay_inside_the_artifact() {
    let (called, sink) = attack("put-outside", limits()).await;
    assert!(called.result.is_ok(), "{called:?}");
    assert!(sink.files.keys().eq(["told"]), "{:?}", sink.files.keys());
    let told = sink.text("told");
    assert_eq!(told.lines().count(), 9);
    for line in told.lines() {
        assert_eq!(line, r#"Err("InvalidPath")"#);
    }
}

#[tokio::test]
async fn a_revision_is_bounded_item_by_item() {
    for name in ["claim-hugely", "claim-a-million-nothings", "claim-nothing"] {
        let failure = failed(attack(name, limits()).await.0);
        assert_eq!(failure.code, "InvalidAnswer", "{name}");
    }
}

#[tokio::test]
async fn what_is_one_line_is_cut() {
    let revision = attack("claim-at-length", limits())
        .await
        .0
        .result
        .unwrap()
        .unwrap();
    for text in [revision.summary, revision.verified] {
        assert!(text.unwrap().len() <= 1024);
    }
}
