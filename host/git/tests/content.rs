//! Content that nobody should commit, limits, and what the cache goes through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::proxy::{self, Way};
use common::{Client, files, remote, texts, wanted};
use weir_plugin::{FailureClass, Git as _};
use weir_tests_support::{Change, GitServer, Repo, run_git};

const MAIN: &str = "refs/heads/main";

fn folder(repo: &Repo) -> PathBuf {
    repo.git(&["rev-parse", "--absolute-git-dir"])
        .unwrap()
        .into()
}

/// Writes an object as it stands, however odd.
fn object(repo: &Repo, kind: &str, content: &[u8]) -> String {
    let arguments = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
    run_git(&folder(repo), &arguments, content).unwrap()
}

/// A tree object of entries as they are given, unsorted and unchecked.
fn tree(repo: &Repo, entries: &[(&str, &[u8], &str)]) -> String {
    let mut content = Vec::new();
    for (mode, name, id) in entries {
        content.extend_from_slice(mode.as_bytes());
        content.push(b' ');
        content.extend_from_slice(name);
        content.push(0);
        let digits = id.as_bytes().chunks(2);
        content.extend(
            digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()),
        );
    }
    object(repo, "tree", &content)
}

/// A commit of a tree on `main`.
fn commit(repo: &Repo, tree: &str) -> String {
    let commit = repo.git(&["commit-tree", "-m", "odd", tree]).unwrap();
    repo.git(&["update-ref", MAIN, &commit]).unwrap();
    commit
}

#[tokio::test]
async fn links_and_names_that_lead_out_are_left_out() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("odd").unwrap();
    let blob = object(&repo, "blob", b"x");
    let target = object(&repo, "blob", b"/etc/passwd");
    let below = tree(
        &repo,
        &[("100644", b"f", &blob), ("120000", b"up", &target)],
    );
    let long = [b'n'; 300];
    let root = tree(
        &repo,
        &[
            ("100644", b"..", &blob),
            ("100644", b".", &blob),
            ("40000", b".git", &below),
            ("40000", b".GIT", &below),
            ("100644", b"../../etc/cron.d/x", &blob),
            ("100644", b"a/b", &blob),
            ("100644", b"bell\x07", &blob),
            ("100644", b"line\nbreak", &blob),
            ("100644", b"not-\xff-utf8", &blob),
            ("100644", &long, &blob),
            ("120000", b"link", &target),
            (
                "160000",
                b"module",
                "1111111111111111111111111111111111111111",
            ),
            ("40000", b"..", &below),
            ("100644", b"README", &blob),
            ("100644", b"readme", &blob),
            ("100755", b"run", &blob),
            ("100664", b"group-writable", &blob),
            ("40000", b"dir", &below),
            ("100644", "grüße".as_bytes(), &blob),
        ],
    );
    let id = commit(&repo, &root);
    let found = Client::new().files(&repo, &id).await;
    assert_eq!(
        found,
        texts(&[
            ("README", "x"),
            ("dir/f", "x"),
            ("group-writable", "x"),
            ("grüße", "x"),
            ("readme", "x"),
            ("run*", "x"),
        ])
    );
}

#[tokio::test]
async fn trees_that_make_no_sense_are_refused_by_name() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("odd").unwrap();
    let client = Client::new();
    let blob = object(&repo, "blob", b"x");
    let leaf = tree(&repo, &[("100644", b"f", &blob)]);
    let twice = tree(&repo, &[("100644", b"f", &blob), ("40000", b"f", &leaf)]);
    // 2^40 files in forty objects.
    let mut bomb = leaf.clone();
    for _ in 0..40 {
        bomb = tree(&repo, &[("40000", b"a", &bomb), ("40000", b"b", &bomb)]);
    }
    let mut deep = leaf;
    for _ in 0..300 {
        deep = tree(&repo, &[("40000", b"d", &deep)]);
    }
    for (root, words) in [(twice, "twice"), (bomb, "files"), (deep, "deeper than")] {
        let id = commit(&repo, &root);
        let failure = client.fetch(&repo, &id, Some(MAIN)).await.err().unwrap();
        assert_eq!(failure.class, FailureClass::InvalidInput, "{failure:?}");
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    // The client and its copy are well.
    let good = repo
        .commit_on("good", &[Change::text("a", "1")], "good")
        .unwrap();
    assert_eq!(client.files(&repo, &good).await, texts(&[("a", "1")]));
}

#[tokio::test]
async fn limits_name_what_passes_them() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("big").unwrap();
    let client = Client::with(|config| {
        config.max_files = 10;
        config.max_file_bytes = 100_000;
        config.max_tree_bytes = 250_000;
        config.max_fetch_bytes = 500_000;
    });
    let refused = async |id: &str, words: &[&str]| {
        let failure = client.fetch(&repo, id, Some(MAIN)).await.err().unwrap();
        assert_eq!(failure.class, FailureClass::InvalidInput, "{failure:?}");
        for word in words {
            assert!(
                failure.message.contains(word),
                "{word}: {}",
                failure.message
            );
        }
    };
    // Compresses to nothing.
    let id = repo
        .commit(&[("dir/zeros", Some(&"0".repeat(200_000)))], "zeros")
        .unwrap();
    refused(&id, &["'dir/zeros'", "more than 100000 bytes"]).await;
    // A server that does not leave out what is too large.
    repo.git(&["config", "uploadpack.allowFilter", "false"])
        .unwrap();
    refused(&id, &["more than 100000 bytes"]).await;
    let many: Vec<String> = (0..12).map(|n| format!("many/{n}")).collect();
    let many: Vec<(&str, Option<&str>)> =
        many.iter().map(|path| (path.as_str(), Some("x"))).collect();
    repo.commit(&[("dir/zeros", None)], "no zeros").unwrap();
    let id = repo.commit(&many, "many").unwrap();
    refused(&id, &["more than 10 files"]).await;
    repo.commit(&[("many", None)], "not many").unwrap();
    let heavy = |salt: u32| {
        let words = (0..9_000_u32).map(|n| (n + salt).wrapping_mul(2_654_435_761));
        words.fold(String::new(), |text, word| text + &format!("{word:08x}"))
    };
    let texts: Vec<String> = (0..4).map(|salt| heavy(salt * 77_777)).collect();
    let changes: Vec<(String, &str)> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| (format!("h{n}"), text.as_str()))
        .collect();
    let changes: Vec<(&str, Option<&str>)> = changes
        .iter()
        .map(|(path, text)| (path.as_str(), Some(*text)))
        .collect();
    let id = repo.commit(&changes, "heavy").unwrap();
    refused(&id, &["288000 bytes together", "more than 250000"]).await;
    // Bytes that do not compress.
    let noise: Vec<u8> = (0..90_000_u64)
        .flat_map(|n| {
            let mut x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            x ^= x >> 29;
            x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (x ^ (x >> 32)).to_le_bytes()
        })
        .collect();
    let id = repo
        .commit_on("main", &[Change::File("noise".into(), noise)], "noise")
        .unwrap();
    refused(&id, &["more than 500000 bytes"]).await;
    let cleared: Vec<Change> = ["noise", "h0", "h1", "h2", "h3"]
        .map(|path| Change::Remove(path.into()))
        .to_vec();
    repo.commit_on("main", &cleared, "clear").unwrap();
    let id = repo.commit(&[("a", Some("1"))], "fine").unwrap();
    assert_eq!(client.files(&repo, &id).await, common::texts(&[("a", "1")]));
}

#[tokio::test]
async fn servers_without_protocol_version_2() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    repo.git(&["config", "uploadpack.allowReachableSHA1InWant", "false"])
        .unwrap();
    let first = repo
        .commit(&[("a", Some("1")), ("b/c", Some("c"))], "one")
        .unwrap();
    let address = proxy::start(
        &server,
        Way {
            old: true,
            ..Way::default()
        },
    );
    let there = remote(&format!("{address}/app.git"));
    let client = Client::new();
    let fetch = async |id: &str, reference| {
        let checkout = client
            .git
            .fetch(there.clone(), wanted(id, reference))
            .await
            .unwrap();
        files(&*checkout.files)
    };
    let listed = client
        .git
        .list_references(there.clone(), vec![MAIN.into()])
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].target, first);
    assert_eq!(
        fetch(&first, Some(MAIN)).await,
        texts(&[("a", "1"), ("b/c", "c")])
    );
    for round in 2..5 {
        let id = repo
            .commit(&[("a", Some(&round.to_string()))], "more")
            .unwrap();
        let expected = texts(&[("a", &round.to_string()), ("b/c", "c")]);
        assert_eq!(fetch(&id, Some(MAIN)).await, expected);
    }
    // Not at the tip, and this server refuses bare ids: found in the branch's history.
    let behind = repo.commit(&[("a", Some("behind"))], "behind").unwrap();
    repo.commit(&[("a", Some("tip"))], "tip").unwrap();
    assert_eq!(fetch(&behind, Some(MAIN)).await["a"], "behind");
    let other = Client::new();
    let checkout = other
        .git
        .fetch(there.clone(), wanted(&behind, None))
        .await
        .unwrap();
    assert_eq!(files(&*checkout.files)["a"], "behind");

    repo.annotated_tag("v1", "one").unwrap();
    let tip = repo.resolve("main").unwrap();
    assert_eq!(fetch(&tip, Some("refs/tags/v1")).await["a"], "tip");
}

#[tokio::test]
async fn repositories_with_sha256_ids_are_told_apart() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("modern").unwrap();
    let path = folder(&repo);
    std::fs::remove_dir_all(&path).unwrap();
    let parent = path.parent().unwrap();
    let new = [
        "init",
        "--quiet",
        "--bare",
        "--object-format=sha256",
        "modern.git",
    ];
    run_git(parent, &new, b"").unwrap();
    repo.commit(&[("a", Some("1"))], "one").unwrap();
    let failure = Client::new().list(&repo, &[MAIN]).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unsupported);
    assert!(failure.message.contains("sha256"), "{}", failure.message);
}

/// Every file below, largest last.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(all_files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort_by_key(|path| path.metadata().unwrap().len());
    found
}

/// Done to every file of the cache.
type Damage = fn(&Path);

#[tokio::test]
async fn a_damaged_copy_is_fetched_again() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let first = repo
        .commit(&[("a", Some("1")), ("b/c", Some("c"))], "one")
        .unwrap();
    let second = repo.commit(&[("a", Some("2"))], "two").unwrap();
    let damages: [(&str, Damage); 5] = [
        ("packs removed", |path| {
            if path
                .extension()
                .is_some_and(|extension| extension == "pack")
            {
                std::fs::remove_file(path).unwrap();
            }
        }),
        ("packs cut", |path| {
            if path
                .extension()
                .is_some_and(|extension| extension == "pack")
            {
                make_writable(path);
                std::fs::File::options()
                    .write(true)
                    .open(path)
                    .unwrap()
                    .set_len(40)
                    .unwrap();
            }
        }),
        ("bytes turned", |path| {
            if path
                .extension()
                .is_some_and(|extension| extension == "pack")
            {
                make_writable(path);
                let mut content = std::fs::read(path).unwrap();
                let end = content.len() - 20;
                for byte in &mut content[12..end] {
                    *byte ^= 0x55;
                }
                std::fs::write(path, content).unwrap();
            }
        }),
        ("indexes emptied", |path| {
            if path.extension().is_some_and(|extension| extension == "idx") {
                make_writable(path);
                std::fs::write(path, b"").unwrap();
            }
        }),
        ("list of commits overwritten", |path| {
            if path.ends_with("commits") {
                std::fs::write(path, b"\xff\xfe\nnonsense\n").unwrap();
            }
        }),
    ];
    for (name, damage) in damages {
        // First what it had, or first what builds upon that.
        for order in [[&first, &second, &first], [&second, &first, &second]] {
            let client = Client::new();
            client.files(&repo, &first).await;
            for path in all_files(client.cache.path()) {
                damage(&path);
            }
            let client = client.restart();
            for id in order {
                let found = client.files(&repo, id).await;
                let a = if *id == first { "1" } else { "2" };
                assert_eq!(found, texts(&[("a", a), ("b/c", "c")]), "{name}");
            }
        }
    }
}

fn make_writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_cache_that_is_deleted_while_it_is_used() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let client = Client::new();
    for round in 0..3 {
        let id = repo
            .commit(&[("n", Some(&round.to_string())), ("m", Some("m"))], "more")
            .unwrap();
        let expected = texts(&[("m", "m"), ("n", &round.to_string())]);
        assert_eq!(client.files(&repo, &id).await, expected);
        for path in client.repositories() {
            std::fs::remove_dir_all(path).unwrap();
        }
        assert_eq!(client.files(&repo, &id).await, expected);
    }
}

#[tokio::test]
async fn what_a_killed_host_leaves_is_cleared_away() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let first = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::new();
    client.files(&repo, &first).await;
    let path = client.repositories().remove(0);
    let packs = path.join("objects/pack");
    for name in [".tmpX1", "pack-1234.pack", "pack-1234.keep", "joined.tmp"] {
        std::fs::write(packs.join(name), b"half").unwrap();
    }
    std::fs::write(path.join("commits.new"), b"half").unwrap();
    std::fs::create_dir_all(path.with_extension("removed").join("x")).unwrap();
    let client = client.restart();
    let second = repo.commit(&[("a", Some("2"))], "two").unwrap();
    assert_eq!(client.files(&repo, &second).await, texts(&[("a", "2")]));
    for entry in std::fs::read_dir(&packs).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(
            name.starts_with("pack-") && !name.contains("1234"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn two_hosts_on_one_cache() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let here = Client::new();
    let mut config = weir_git::GitConfig::new(here.cache.path());
    config.timeout = Duration::from_mins(2);
    let there = weir_git::GitClient::new(config).unwrap();
    for round in 0..6 {
        let id = repo
            .commit(&[("n", Some(&round.to_string()))], "more")
            .unwrap();
        let (mine, theirs) = tokio::join!(
            here.git.fetch(remote(repo.url()), wanted(&id, Some(MAIN))),
            there.fetch(remote(repo.url()), wanted(&id, Some(MAIN)))
        );
        for checkout in [mine, theirs] {
            let found = files(&*checkout.unwrap().files);
            assert_eq!(found, texts(&[("n", &round.to_string())]));
        }
    }
}

#[tokio::test]
async fn garbage_goes_by_age_and_size() {
    let server = GitServer::start().unwrap();
    let client = Client::new();
    let mut repos = Vec::new();
    for name in ["one", "two", "three"] {
        let repo = server.create_repo(name).unwrap();
        let id = repo.commit(&[("a", Some(name))], name).unwrap();
        client.files(&repo, &id).await;
        repos.push((repo, id));
    }
    assert_eq!(client.repositories().len(), 3);
    let day = Duration::from_hours(24);
    let nothing = client.git.collect_garbage(day, u64::MAX).await.unwrap();
    assert_eq!((nothing.removed, nothing.freed_bytes), (0, 0));
    // The least recently used goes first.
    client.files(&repos[0].0, &repos[0].1).await;
    let room = nothing.kept_bytes - 1;
    let one = client.git.collect_garbage(day, room).await.unwrap();
    assert_eq!(one.removed, 1);
    assert_eq!(one.kept_bytes + one.freed_bytes, nothing.kept_bytes);
    let urls: Vec<String> = client
        .repositories()
        .iter()
        .map(|path| std::fs::read_to_string(path.join("url")).unwrap())
        .collect();
    assert!(!urls.iter().any(|url| url.contains("/two.git")), "{urls:?}");
    // A host that starts again goes by what it finds.
    let client = client.restart();
    let rest = client
        .git
        .collect_garbage(Duration::ZERO, u64::MAX)
        .await
        .unwrap();
    assert_eq!((rest.removed, rest.kept_bytes), (2, 0));
    for (repo, id) in &repos {
        assert_eq!(client.files(repo, id).await.len(), 1);
    }
}
