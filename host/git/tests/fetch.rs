//! Listing and fetching, against `git http-backend`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{Client, files, remote, texts, wanted};
use weir_plugin::{EntryKind, FailureClass, Git as _};
use weir_tests_support::{Change, GitServer};

#[tokio::test]
async fn references_are_listed_by_prefix_with_peeled_tags() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let first = repo.commit(&[("a", Some("1"))], "one").unwrap();
    repo.tag("light").unwrap();
    repo.annotated_tag("v1.0.0", "release").unwrap();
    let second = repo.commit(&[("a", Some("2"))], "two").unwrap();
    repo.git(&["update-ref", "refs/pull/7/head", &second])
        .unwrap();
    let tag = repo.git(&["rev-parse", "refs/tags/v1.0.0"]).unwrap();
    let client = Client::new();

    let names = |listed: &[weir_plugin::Reference]| {
        listed
            .iter()
            .map(|reference| reference.name.clone())
            .collect::<Vec<_>>()
    };
    let main = client.list(&repo, &["refs/heads/main"]).await.unwrap();
    assert_eq!(names(&main), ["refs/heads/main"]);
    assert_eq!(main[0].target, second);
    let tags = client.list(&repo, &["refs/tags/"]).await.unwrap();
    assert_eq!(names(&tags), ["refs/tags/light", "refs/tags/v1.0.0"]);
    assert_eq!((&tags[0].target, &tags[0].peeled), (&first, &None));
    assert_eq!(
        (&tags[1].target, tags[1].peeled.as_ref()),
        (&tag, Some(&first))
    );
    let named = client.list(&repo, &["refs/pull/7/head"]).await.unwrap();
    assert_eq!(named[0].target, second);
    assert!(
        client
            .list(&repo, &["refs/heads/none"])
            .await
            .unwrap()
            .is_empty()
    );
    let all = client.list(&repo, &[]).await.unwrap();
    assert!(
        names(&all).contains(&"HEAD".to_owned()) && all.len() == 5,
        "{all:?}"
    );
}

#[tokio::test]
async fn an_empty_repository_has_no_references() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("empty").unwrap();
    let client = Client::new();
    assert!(client.list(&repo, &[]).await.unwrap().is_empty());
    let missing = "1111111111111111111111111111111111111111";
    let failure = client
        .fetch(&repo, missing, Some("refs/heads/main"))
        .await
        .err()
        .unwrap();
    assert_eq!(failure.class, FailureClass::NotFound);
    assert!(
        failure.message.contains("does not exist"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_branch_and_then_what_changed_on_it() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let client = Client::new();
    let script = Change::Executable("bin/run".into(), b"#!/bin/sh\n".to_vec());
    let first = repo
        .commit_on(
            "main",
            &[Change::text("a/b.yaml", "x: 1\n"), script],
            "one\n\nbody\n",
        )
        .unwrap();
    let checkout = client
        .fetch(&repo, &first, Some("refs/heads/main"))
        .await
        .unwrap();
    assert_eq!(checkout.commit.message, "one\n\nbody\n");
    assert!(checkout.commit.time > 1_600_000_000 && checkout.commit.signature.is_none());
    assert!(checkout.tag_signature.is_none());
    assert_eq!(
        files(&*checkout.files),
        texts(&[("a/b.yaml", "x: 1\n"), ("bin/run*", "#!/bin/sh\n")])
    );

    let second = repo
        .commit(
            &[
                ("a/b.yaml", Some("x: 2\n")),
                ("bin/run", None),
                ("c", Some("new")),
            ],
            "two",
        )
        .unwrap();
    assert_eq!(
        client.files(&repo, &second).await,
        texts(&[("a/b.yaml", "x: 2\n"), ("c", "new")])
    );
    // The first commit's tree is still what it was.
    assert_eq!(
        files(&*checkout.files),
        texts(&[("a/b.yaml", "x: 1\n"), ("bin/run*", "#!/bin/sh\n")])
    );
    // And it is there without another fetch.
    let asked = server.requests().len();
    assert_eq!(client.files(&repo, &first).await.len(), 2);
    assert_eq!(server.requests().len(), asked);
}

#[tokio::test]
async fn a_poll_and_a_fetch_are_one_request_each() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let client = Client::new();
    let first = repo.commit(&[("a", Some("1"))], "one").unwrap();
    client.list(&repo, &["refs/heads/main"]).await.unwrap();
    client.files(&repo, &first).await;
    let second = repo.commit(&[("a", Some("2"))], "two").unwrap();
    let before = server.requests().len();
    client.list(&repo, &["refs/heads/main"]).await.unwrap();
    assert_eq!(
        server.requests()[before..],
        ["POST /app.git/git-upload-pack"]
    );
    client.files(&repo, &second).await;
    assert_eq!(
        server.requests().len(),
        before + 2,
        "{:?}",
        server.requests()
    );
}

#[tokio::test]
async fn an_annotated_tag_brings_its_signature() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let signature = "-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n";
    let payload = format!(
        "object {commit}\ntype commit\ntag v1\ntagger T <t@example.com> 1700000000 +0000\n\nrelease\n"
    );
    let file = repo_file(&repo, "tag", format!("{payload}{signature}").as_bytes());
    let tag = repo
        .git(&["hash-object", "-t", "tag", "-w", "--literally", &file])
        .unwrap();
    repo.git(&["update-ref", "refs/tags/v1", &tag]).unwrap();
    repo.annotated_tag("v2", "unsigned").unwrap();
    repo.tag("v3").unwrap();
    repo.commit(&[("a", Some("2"))], "two").unwrap();

    let client = Client::new();
    client.list(&repo, &["refs/tags/"]).await.unwrap();
    // Once with what the listing said, once without any.
    for client in [client, Client::new()] {
        let signed = client
            .fetch(&repo, &commit, Some("refs/tags/v1"))
            .await
            .unwrap();
        let found = signed.tag_signature.unwrap();
        assert_eq!(found.signature, signature);
        assert_eq!(String::from_utf8(found.payload).unwrap(), payload);
        assert_eq!(files(&*signed.files), texts(&[("a", "1")]));
        for unsigned in ["refs/tags/v2", "refs/tags/v3", "refs/heads/main"] {
            let checkout = client.fetch(&repo, &commit, Some(unsigned)).await.unwrap();
            assert!(checkout.tag_signature.is_none(), "{unsigned}");
        }
    }
}

#[tokio::test]
async fn a_signed_commit_is_split_for_checking() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let plain = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let raw = repo.git(&["cat-file", "commit", &plain]).unwrap() + "\n";
    let signed = raw.replacen("\n\n", "\ngpgsig -----BEGIN\n  x\n -----END\n\n", 1);
    let file = repo_file(&repo, "commit", signed.as_bytes());
    let id = repo
        .git(&["hash-object", "-t", "commit", "-w", &file])
        .unwrap();
    repo.branch("signed", &id).unwrap();
    let checkout = Client::new()
        .fetch(&repo, &id, Some("refs/heads/signed"))
        .await
        .unwrap();
    let found = checkout.commit.signature.unwrap();
    assert_eq!(found.signature, "-----BEGIN\n x\n-----END\n");
    assert_eq!(String::from_utf8(found.payload).unwrap(), raw);
}

#[tokio::test]
async fn a_commit_behind_the_tip_and_one_that_does_not_exist() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let first = repo.commit(&[("a", Some("1"))], "one").unwrap();
    repo.commit(&[("a", Some("2"))], "two").unwrap();
    let client = Client::new();
    let checkout = client.fetch(&repo, &first, None).await.unwrap();
    assert_eq!(files(&*checkout.files), texts(&[("a", "1")]));

    let missing = "1234567890123456789012345678901234567890";
    for reference in [None, Some("refs/heads/main"), Some("refs/heads/none")] {
        let failure = client.fetch(&repo, missing, reference).await.err().unwrap();
        assert_eq!(failure.class, FailureClass::NotFound, "{failure:?}");
        assert_eq!(failure.code, "GitOperationFailed");
        assert!(failure.message.contains(missing) && failure.message.contains("does not exist"));
        assert!(failure.message.contains(repo.url()), "{}", failure.message);
    }
    for (odd, class) in [
        ("main", FailureClass::InvalidSettings),
        (&first[..12], FailureClass::InvalidSettings),
        (
            &format!("{first}{}", &first[..24]),
            FailureClass::Unsupported,
        ),
    ] {
        let failure = client.fetch(&repo, odd, None).await.err().unwrap();
        assert_eq!(failure.class, class, "{failure:?}");
    }
}

#[tokio::test]
async fn history_that_was_rewritten() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let client = Client::new();
    for round in 0..3 {
        let orphan = repo
            .commit_on(
                &format!("b{round}"),
                &[Change::text("f", &format!("{round}"))],
                "r",
            )
            .unwrap();
        repo.branch("main", &orphan).unwrap();
        repo.git(&["branch", "-D", &format!("b{round}")]).unwrap();
        // What we have, the server has no longer.
        repo.git(&["gc", "--quiet", "--prune=now"]).unwrap();
        assert_eq!(
            client.files(&repo, &orphan).await,
            texts(&[("f", &format!("{round}"))])
        );
    }
}

#[tokio::test]
async fn many_small_fetches_become_few_packs_and_survive_restarts() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let big = "z".repeat(50_000);
    repo.commit(&[("big", Some(&big)), ("n", Some(""))], "start")
        .unwrap();
    // With garbage collection, and when a fetch has to do it by itself.
    for (max_packs, collect) in [(4, true), (1, false)] {
        let mut client = Client::with(|config| config.max_packs = max_packs);
        for round in 0..20 {
            let commit = repo
                .commit(&[("n", Some(&round.to_string()))], "more")
                .unwrap();
            let found = client.files(&repo, &commit).await;
            assert_eq!(found, texts(&[("big", &big), ("n", &round.to_string())]));
            if collect && round % 6 == 5 {
                client
                    .git
                    .collect_garbage(Duration::MAX, u64::MAX)
                    .await
                    .unwrap();
            }
            // What was there before is there still, without another fetch.
            let asked = server.requests().len();
            assert_eq!(client.files(&repo, &commit).await, found);
            assert_eq!(server.requests().len(), asked);
            if round == 12 {
                client = client.restart_with(|config| config.max_packs = max_packs);
            }
        }
        let folder = client.repositories()[0].join("objects/pack");
        let packs = std::fs::read_dir(folder).unwrap().count() / 2;
        assert!(packs <= 10, "{packs}");
    }
}

#[tokio::test]
async fn a_restarted_host_asks_for_nothing_it_has() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a/b", Some("1"))], "one").unwrap();
    let client = Client::new();
    client.files(&repo, &commit).await;
    let client = client.restart();
    let asked = server.requests().len();
    assert_eq!(client.files(&repo, &commit).await, texts(&[("a/b", "1")]));
    assert_eq!(server.requests().len(), asked);
}

#[tokio::test]
async fn fetches_at_once_do_not_disturb_each_other() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let client = Client::new();
    let mut commits = Vec::new();
    for round in 0..6 {
        commits.push(
            repo.commit(&[("n", Some(&round.to_string()))], "more")
                .unwrap(),
        );
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (round, commit) in commits.into_iter().enumerate() {
        let git = client.git.clone();
        let remote = remote(repo.url());
        tasks.spawn(async move {
            let checkout = git.fetch(remote, wanted(&commit, None)).await.unwrap();
            assert_eq!(files(&*checkout.files), texts(&[("n", &round.to_string())]));
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn parts_of_files_and_paths_that_are_not_there() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("d/f", Some("0123456789"))], "one").unwrap();
    let tree = Client::new()
        .fetch(&repo, &commit, None)
        .await
        .unwrap()
        .files;
    assert_eq!(&tree.read_at("d/f", 3, 4).unwrap()[..], b"3456");
    assert_eq!(&tree.read_at("d/f", 8, 10).unwrap()[..], b"89");
    assert!(tree.read_at("d/f", 99, 1).unwrap().is_empty());
    for absent in ["x", "d/x", "d/f/x", "x/f"] {
        assert_eq!(tree.kind(absent), None, "{absent}");
        assert!(
            tree.file(absent).is_none() && tree.entries(absent).is_none(),
            "{absent}"
        );
        assert_eq!(
            tree.read(absent).unwrap_err().kind(),
            std::io::ErrorKind::NotFound
        );
    }
    assert!(tree.file("d").is_none() && tree.entries("d/f").is_none());
    assert_eq!(tree.kind("d/f"), Some(EntryKind::File));
    assert_eq!(tree.kind(""), Some(EntryKind::Directory));
}

#[tokio::test]
async fn sparse_directories_only() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo
        .commit(
            &[
                ("top", Some("t")),
                ("a/x/1", Some("1")),
                ("a/y/2", Some("2")),
                ("b/3", Some("3")),
            ],
            "one",
        )
        .unwrap();
    let client = Client::new();
    let sparse = |directories: &[&str]| {
        let mut wanted = wanted(&commit, None);
        wanted.sparse = directories.iter().map(|one| (*one).to_owned()).collect();
        client.git.fetch(remote(repo.url()), wanted)
    };
    let checkout = sparse(&["a/x", "./b/"]).await.unwrap();
    assert_eq!(
        files(&*checkout.files),
        texts(&[("a/x/1", "1"), ("b/3", "3")])
    );
    assert_eq!(files(&*sparse(&["."]).await.unwrap().files).len(), 4);
    let failure = sparse(&["b", "c"]).await.err().unwrap();
    assert!(
        failure.message.contains("'c' does not exist"),
        "{}",
        failure.message
    );
    assert!(sparse(&["top"]).await.is_err());
    assert!(sparse(&["../a"]).await.is_err());
}

#[tokio::test]
async fn submodules_are_fetched_at_their_pinned_commits() {
    let server = GitServer::start().unwrap();
    let inner = server.create_repo("inner").unwrap();
    let innermost = inner.commit(&[("deep", Some("d"))], "inner").unwrap();
    let library = server.create_repo("library").unwrap();
    let modules = "[submodule \"in\"]\n\tpath = in\n\turl = ../inner.git\n";
    let pinned = library
        .commit_on(
            "main",
            &[
                Change::text("lib", "1"),
                Change::text(".gitmodules", modules),
                Change::Submodule("in".into(), innermost),
            ],
            "lib",
        )
        .unwrap();
    library.commit(&[("lib", Some("2"))], "not pinned").unwrap();
    let repo = server.create_repo("app").unwrap();
    let modules = "[submodule \"l\"]\n\tpath = libs/l\n\turl = ../library.git\n";
    let commit = repo
        .commit_on(
            "main",
            &[
                Change::text("a", "a"),
                Change::text("libs/own", "o"),
                Change::text(".gitmodules", modules),
                Change::Submodule("libs/l".into(), pinned.clone()),
                Change::Submodule("orphan".into(), pinned),
            ],
            "app",
        )
        .unwrap();
    let client = Client::new();
    let without = client.fetch(&repo, &commit, None).await.unwrap();
    assert!(without.files.kind("libs/l").is_none());
    assert_eq!(without.files.kind("libs/own"), Some(EntryKind::File));

    let mut all = wanted(&commit, None);
    all.submodules = true;
    let with = client
        .git
        .fetch(remote(repo.url()), all.clone())
        .await
        .unwrap();
    let mut found = files(&*with.files);
    found.retain(|path, _| !path.ends_with(".gitmodules"));
    assert_eq!(
        found,
        texts(&[
            ("a", "a"),
            ("libs/l/in/deep", "d"),
            ("libs/l/lib", "1"),
            ("libs/own", "o")
        ])
    );

    let mut part = all.clone();
    part.sparse = vec!["libs/l/in".to_owned()];
    let part = client.git.fetch(remote(repo.url()), part).await.unwrap();
    assert_eq!(files(&*part.files), texts(&[("libs/l/in/deep", "d")]));

    let ssh = modules.replace("../library.git", "git@git.example:team/library.git");
    let other = repo.commit(&[(".gitmodules", Some(&ssh))], "ssh").unwrap();
    all.commit = other;
    let failure = client
        .git
        .fetch(remote(repo.url()), all)
        .await
        .err()
        .unwrap();
    assert_eq!(failure.class, FailureClass::Unsupported);
    assert!(failure.message.contains("'libs/l'"), "{}", failure.message);
}

/// A file beside the repository's own, by absolute path.
fn repo_file(repo: &weir_tests_support::Repo, name: &str, content: &[u8]) -> String {
    let folder = repo.git(&["rev-parse", "--absolute-git-dir"]).unwrap();
    let path = format!("{folder}/test-{name}");
    std::fs::write(&path, content).unwrap();
    path
}
