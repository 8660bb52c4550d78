//! A source that attacks its host in the way that its settings name (`{"do": "copy-for-ever"}`);
//! `docs/hardening.md` says what each tries and what stops it. What it learns it puts into the file
//! `told`.

guest::plugin!("source-plugin", "intruder");

use exports::weir::plugin::source::{Artifact, Call, Failure, Guest as Source, Revision};
use weir::plugin::files::{Dir, File};
use weir::plugin::http::{Auth, Request, fetch_many};
use weir::plugin::secrets;

/// What an attack works with.
struct Scene {
    call: Call,
    into: Artifact,
}

type Attack = fn(&Scene) -> Result<Revision, Failure>;

/// The attacks by name.
const ATTACKS: &[(&str, Attack)] = &[
    ("behave", |scene| scene.tell("all is well")),
    ("copy-for-ever", |scene| {
        // Directories without a file: however often they are copied, nothing comes of it.
        let tree = scene.unpacked()?;
        let pairs = vec![(String::new(), "copy".to_owned()); 50_000];
        scene.into.copy(&tree, &pairs)?;
        scene.tell("copied")
    }),
    ("unpack", |scene| {
        scene.unpacked()?;
        scene.tell("unpacked")
    }),
    ("request-in-masses", |scene| {
        let request = |n| Request {
            method: "GET".into(),
            url: format!("http://{n}.example"),
            headers: vec![],
            body: None,
            auth: None,
        };
        let requests: Vec<_> = (0..200_000).map(request).collect();
        let refused = fetch_many(&requests)
            .into_iter()
            .filter(|answer| answer.as_ref().is_err_and(|f| f.code == "NotGranted"))
            .count();
        scene.tell(&format!("{refused} refused"))
    }),
    ("ask-for-secrets", |scene| {
        let slots = ["default", "", "*", "verify", "../default", "default\0"];
        let asked = slots.map(|slot| {
            let read = secrets::get(slot, "password").map_err(|failure| failure.code);
            let request = Request {
                method: "GET".into(),
                url: "http://127.0.0.1:1/".into(),
                headers: vec![],
                body: None,
                auth: Some(Auth {
                    slot: slot.into(),
                    scheme: None,
                    parameters: vec![],
                }),
            };
            let used = fetch_many(&[request])
                .remove(0)
                .map(|_| ())
                .map_err(|f| f.code);
            format!("{:?} {read:?} {used:?}", secrets::keys(slot))
        });
        scene.tell(&asked.join("\n"))
    }),
    ("put-outside", |scene| {
        let paths = [
            "../x",
            "a/../../x",
            "",
            "/",
            ".",
            "..",
            "a/..",
            "a\0b",
            "a\nb",
        ];
        let put = paths.map(|path| {
            let file = File {
                path: path.into(),
                data: b"x".to_vec(),
            };
            format!(
                "{:?}",
                scene.into.put(&[file]).map_err(|failure| failure.code)
            )
        });
        scene.tell(&put.join("\n"))
    }),
    ("claim-hugely", |_| {
        Ok(Revision {
            token: "x".repeat(70_000),
            ..revision()
        })
    }),
    ("claim-a-million-nothings", |_| {
        Ok(Revision {
            metadata: vec![(String::new(), String::new()); 100_000],
            ..revision()
        })
    }),
    ("claim-at-length", |_| {
        Ok(Revision {
            summary: Some("é".repeat(1 << 20)),
            verified: Some("é".repeat(1 << 20)),
            ..revision()
        })
    }),
    ("claim-nothing", |_| {
        Ok(Revision {
            id: String::new(),
            ..revision()
        })
    }),
];

fn revision() -> Revision {
    Revision {
        id: "main@sha256:0000".into(),
        token: "t".into(),
        summary: None,
        verified: None,
        metadata: vec![],
    }
}

impl Scene {
    fn unpacked(&self) -> Result<Dir, Failure> {
        self.call.tree("source")?.open("archive")?.unpack()
    }

    fn tell(&self, learned: &str) -> Result<Revision, Failure> {
        self.into.put(&[File {
            path: "told".into(),
            data: learned.into(),
        }])?;
        Ok(revision())
    }
}

impl Source for Guest {
    fn pull(call: Call, _: Option<String>, into: Artifact) -> Result<Option<Revision>, Failure> {
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        let name = settings["do"].as_str().unwrap();
        let (_, attack) = ATTACKS
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("there is no attack `{name}`"));
        attack(&Scene { call, into }).map(Some)
    }
}
