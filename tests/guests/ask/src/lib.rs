//! Asks what its settings list (`{"ask": [["read", "a.yaml"], …]}`) and emits each answer as a
//! manifest: the tests see what a guest sees, and what asking does to the trace.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package weir:guest;
        world ask {
            include weir:plugin/renderer-plugin@0.1.0;
            import wasi:random/random@0.2.0;
        }
        package wasi:random@0.2.0 {
            interface random {
                get-random-bytes: func(len: u64) -> list<u8>;
                get-random-u64: func() -> u64;
            }
        }
    ",
    world: "weir:guest/ask",
    generate_all,
});

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use exports::weir::plugin::about;
use exports::weir::plugin::renderer::{Call, Emitter, Failure, Target};
use weir::plugin::output::Manifest;
use weir::plugin::{clock, cluster, random, remote};

struct Guest;

impl about::Guest for Guest {
    fn describe() -> about::Info {
        about::Info {
            name: "ask".into(),
            version: "1.2.3".into(),
            summary: "Asks".into(),
            settings_schema: r#"{
                "type": "object",
                "properties": {"ask": {"type": "array", "items": {"type": "array"}}},
                "required": ["ask"],
                "additionalProperties": false
            }"#
            .into(),
            examples: vec![r#"{"ask":[]}"#.into()],
            wants: vec![about::Want {
                kind: "host".into(),
                name: "https://example.com".into(),
                reason: "to ask".into(),
            }],
            annotations: vec![("license".into(), "Apache-2.0".into())],
        }
    }
    fn check_settings(_: String) -> Vec<about::Problem> {
        vec![]
    }
}

fn shown<T: std::fmt::Debug>(answer: Result<T, Failure>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(failure) => format!("{:?} {}", failure.class, failure.code),
    }
}

fn text(data: Vec<u8>) -> String {
    String::from_utf8_lossy(&data).into_owned()
}

fn answer(call: &Call, target: &Target, question: &[&str]) -> String {
    let tree = || call.tree("source");
    let names = |dir: &weir::plugin::files::Dir, path: &str| {
        dir.entries(path).map(|entries| {
            entries
                .into_iter()
                .map(|e| format!("{}:{:?}", e.name, e.kind))
                .collect::<Vec<_>>()
        })
    };
    match question {
        ["subject"] => format!("{:?}", call.subject()),
        ["settings"] => call.settings(),
        ["inputs"] => format!("{:?}", call.inputs()),
        ["revision", input] => shown(call.revision(input)),
        ["tree", input] => shown(call.tree(input).map(|_| ())),
        ["kind", path] => shown(tree().map(|tree| tree.kind(path))),
        ["entries", path] => shown(tree().and_then(|tree| names(&tree, path))),
        ["glob", pattern] => shown(tree().and_then(|tree| tree.glob(pattern))),
        ["read", path] => shown(tree().and_then(|tree| tree.read(path)).map(text)),
        ["read-many", paths @ ..] => {
            let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
            let files = tree().and_then(|tree| tree.read_many(&paths));
            shown(files.map(|files| files.into_iter().map(|f| text(f.data)).collect::<Vec<_>>()))
        }
        ["open", path] => shown(tree().and_then(|tree| tree.open(path)).and_then(|blob| {
            Ok((
                blob.size(),
                blob.digest(),
                text(blob.read(1, 3)?),
                text(blob.read(1000, 3)?),
            ))
        })),
        ["unpack", path] => shown(
            tree()
                .and_then(|tree| tree.open(path))
                .and_then(|blob| names(&blob.unpack()?, "")),
        ),
        ["path"] => target.path(),
        ["values"] => target.values(),
        ["namespace"] => format!("{:?}", target.namespace()),
        ["release"] => {
            format!(
                "{:?} {} {}",
                target.release_name(),
                target.release_revision(),
                target.is_upgrade()
            )
        }
        ["kube-version"] => target.kube_version(),
        ["has-api", name] => target.has_api(name).to_string(),
        ["apis"] => format!("{:?}", target.apis()),
        ["decrypt"] => shown(target.decrypt(b"x", "yaml").map(text)),
        ["clock"] => clock::now().to_string(),
        ["random", len] => format!("{:?}", random::bytes(len.parse().unwrap())),
        ["get", version, kind, name] => shown(cluster::get(version, kind, None, name)),
        ["get", version, kind, name, namespace] => {
            shown(cluster::get(version, kind, Some(namespace), name))
        }
        ["list", version, kind, namespace, selector] => shown(cluster::list_objects(
            version,
            kind,
            Some(namespace),
            Some(selector),
        )),
        ["remote", url] => {
            shown(remote::get_file(url).and_then(|file| Ok(text(file.read(0, 100)?))))
        }
        ["repository", url, reference @ ..] => shown(
            remote::get_repository(url, reference.first().copied())
                .and_then(|tree| Ok(text(tree.read("base/a.yaml")?))),
        ),
        // What language runtimes take from WASI by themselves.
        ["wasi-random"] => format!("{:?}", wasi::random::random::get_random_bytes(16)),
        ["wasi-clock"] => format!("{:?}", std::time::SystemTime::now()),
        ["wasi-instant"] => {
            let start = std::time::Instant::now();
            std::thread::sleep(std::time::Duration::from_secs(3600));
            format!("{:?}", start.elapsed())
        }
        ["wasi-seed"] => RandomState::new().hash_one(1).to_string(),
        ["wasi-env"] => format!("{} {}", std::env::vars().count(), std::env::args().count()),
        ["wasi-file", path] => format!("{:?}", std::fs::read(path).map_err(|e| e.kind())),
        ["wasi-list"] => format!(
            "{:?}",
            std::fs::read_dir("/").map(|_| ()).map_err(|e| e.kind())
        ),
        ["wasi-socket"] => {
            format!(
                "{:?}",
                std::net::TcpStream::connect("127.0.0.1:1")
                    .map(|_| ())
                    .map_err(|e| e.kind())
            )
        }
        ["wasi-stdin"] => format!(
            "{:?}",
            std::io::read_to_string(std::io::stdin()).map_err(|e| e.kind())
        ),
        ["wasi-exit"] => std::process::exit(3),
        other => format!("unknown question {other:?}"),
    }
}

impl exports::weir::plugin::renderer::Guest for Guest {
    fn render(call: Call, target: Target, out: Emitter) -> Result<(), Failure> {
        // The settings are asked for in any case: what else is asked follows from them.
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        for question in settings["ask"].as_array().unwrap() {
            let question: Vec<&str> = question
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|part| part.as_str())
                .collect();
            let body = answer(&call, &target, &question).into_bytes();
            out.emit(&[Manifest {
                body,
                origin: Some(question.join(" ")),
                role: None,
            }])?;
        }
        Ok(())
    }
}

export!(Guest);
