//! Sources that are too large, too many or too odd, and a disk that is full: what can be carried
//! is applied, what cannot is told on the object, and the last good state stays.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use weir_tests_cluster::{Rig, Tenant, condition, config_map};
use weir_tests_support::{Repo, Usage, net};

/// A tenant whose first commit, with the ConfigMap `good`, is applied.
fn applied<'r>(rig: &'r Rig, hint: &str) -> (Tenant<'r>, String) {
    let tenant = rig.tenant(hint).unwrap();
    let files = [("good.yaml", Some(&*config_map("good", "one")))];
    let commit = tenant.repo.commit(&files, "good").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    (tenant, commit)
}

/// Writes a commit on top of `main` with `git fast-import`, which takes any name and any size.
fn import(repo: &Repo, write: impl FnOnce(&mut dyn std::io::Write)) {
    let mut child = Command::new("git")
        .args(["-C"])
        .arg(repo.folder())
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = std::io::BufWriter::new(child.stdin.take().unwrap());
    let head = "commit refs/heads/main\ncommitter a <a@example.com> 1700000000 +0000\n\
                data 3\nodd\nfrom refs/heads/main^0\n";
    input.write_all(head.as_bytes()).unwrap();
    write(&mut input);
    input.flush().unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// One more commit on `main` that puts things right: the good file alone, with another value.
fn mend(tenant: &Tenant<'_>) -> String {
    import(&tenant.repo, |input| {
        let text = config_map("good", "mended");
        write!(
            input,
            "deleteall\nM 644 inline good.yaml\ndata {}\n{text}\n",
            text.len()
        )
        .unwrap();
    });
    tenant.repo.resolve("main").unwrap()
}

#[test]
fn links_and_odd_names_are_left_out_and_told() {
    let (tenant, _) = applied(Rig::shared(), "names");
    import(&tenant.repo, |input| {
        let mut file = |mode: &str, path: &str, text: &str| {
            write!(
                input,
                "M {mode} inline {path}\ndata {}\n{text}\n",
                text.len()
            )
            .unwrap();
        };
        file("120000", "passwd.yaml", "/etc/passwd");
        file("120000", "up", "../../..");
        file("100644", r#""not-\377-utf8.yaml""#, "kind: Nonsense");
        file("100644", r#""bell\007.yaml""#, "kind: Nonsense");
        // Two files wherever case counts, as it does here and in Git.
        file("100644", "case.yaml", &config_map("lower", "one"));
        file("100644", "CASE.yaml", &config_map("upper", "one"));
    });
    let commit = tenant.repo.resolve("main").unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    for name in ["good", "lower", "upper"] {
        assert!(tenant.get("configmap", name).is_some(), "{name}");
    }
    let object = tenant.get("gitrepository", "app").unwrap();
    let message = condition(&object, "Ready").unwrap()["message"]
        .as_str()
        .unwrap();
    for part in [
        "left out 4",
        "'bell\\x07.yaml'",
        "'not-\\xff-utf8.yaml'",
        "'passwd.yaml'",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(
        tenant
            .events("GitRepository", "app")
            .unwrap()
            .iter()
            .any(|(_, message)| message.contains("left out 4"))
    );

    // Ignored ones are nobody's business.
    let ignore = "bell*\nnot-*\npasswd.yaml\nup\n";
    let commit = tenant
        .repo
        .commit(&[(".sourceignore", Some(ignore))], "ignore")
        .unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let object = tenant.get("gitrepository", "app").unwrap();
    let message = condition(&object, "Ready").unwrap()["message"]
        .as_str()
        .unwrap();
    assert!(!message.contains("left out"), "{message}");
}

#[test]
fn too_many_files_and_a_file_too_large_are_refused_by_number() {
    const SIZE: u64 = 2 << 30;
    let rig = Rig::shared();
    let (tenant, first) = applied(rig, "large");
    let refused = |words: &[&str]| {
        let object = tenant
            .wait_condition("gitrepository", "app", "Ready", "False", words[0])
            .unwrap();
        let message = condition(&object, "Ready").unwrap()["message"]
            .as_str()
            .unwrap();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
        println!("{message}");
        let revision = object["status"]["artifact"]["revision"].as_str().unwrap();
        assert!(revision.ends_with(&first), "the artifact stays");
        assert_eq!(
            tenant.get("configmap", "good").unwrap()["data"]["key"],
            "one"
        );
    };

    import(&tenant.repo, |input| {
        let mut text = String::new();
        for file in 0..200_000 {
            let folder = file / 500;
            write!(text, "M 644 inline {folder}/{file}.yaml\ndata 2\n{{}}\n").unwrap();
        }
        input.write_all(text.as_bytes()).unwrap();
    });
    refused(&["200001 files", "--artifact-max-files", ".sourceignore"]);

    let before = Usage::of(rig.weir.id()).unwrap().peak_memory;
    import(&tenant.repo, |input| {
        write!(input, "deleteall\nM 644 inline huge.bin\ndata {SIZE}\n").unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..SIZE >> 20 {
            input.write_all(&zeros).unwrap();
        }
        writeln!(input).unwrap();
    });
    refused(&["huge.bin", "more than 268435456 bytes"]);
    // Two GiB of zeros are two MiB on the way: they are refused by what they say of themselves.
    let grown = Usage::of(rig.weir.id()).unwrap().peak_memory - before;
    assert!(grown < 512 << 20, "{grown} bytes more than before");

    let commit = mend(&tenant);
    tenant.wait_applied("app", &commit).unwrap();
    assert_eq!(
        tenant.get("configmap", "good").unwrap()["data"]["key"],
        "mended"
    );
}

#[test]
fn a_full_disk_keeps_what_is_stored() {
    let rig = Rig::start(&[]).unwrap();
    let (tenant, first) = applied(&rig, "disk");
    let served = || {
        let object = tenant.get("gitrepository", "app").unwrap();
        let url = object["status"]["artifact"]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        let (address, path) = url["http://".len()..].split_once('/').unwrap();
        net::get(address.parse().unwrap(), &format!("/{path}")).unwrap()
    };
    let before = served();
    assert_eq!(before.status, 200);

    rig.weir.limit_files(Some(32 << 10)).unwrap();
    // Text that does not compress.
    let mut state = 1_u64;
    let mut noise = String::new();
    while noise.len() < 200 << 10 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        write!(noise, "{:x}", state >> 20).unwrap();
    }
    let files = [
        ("good.yaml", Some(&*config_map("good", "two"))),
        ("noise.txt", Some(&*noise)),
    ];
    let second = tenant.repo.commit(&files, "large").unwrap();
    let object = tenant
        .wait_for("told", "gitrepository", "app", |object| {
            condition(object, "Ready").is_some_and(|ready| ready["status"] == "False")
        })
        .unwrap();
    println!("{}", condition(&object, "Ready").unwrap()["message"]);
    assert!(
        object["status"]["artifact"]["revision"]
            .as_str()
            .unwrap()
            .ends_with(&first)
    );
    assert_eq!(served().bytes, before.bytes, "what is served is whole");
    assert_eq!(
        tenant.get("configmap", "good").unwrap()["data"]["key"],
        "one"
    );
    assert_eq!(rig.weir.health("/healthz").unwrap().status, 200);

    // Others fit, and go on.
    let (other, _) = applied(&rig, "small");
    assert_eq!(
        other.get("configmap", "good").unwrap()["data"]["key"],
        "one"
    );

    rig.weir.limit_files(None).unwrap();
    tenant.wait_applied("app", &second).unwrap();
    assert_eq!(
        tenant.get("configmap", "good").unwrap()["data"]["key"],
        "two"
    );
}
