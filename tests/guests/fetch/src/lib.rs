//! Makes the HTTP requests that its settings list, all at once or one by one, and puts each answer
//! into the artifact: `<index>` holds the body (unless only notes are to be kept), `<index>.txt` status or failure, and headers.

guest::plugin!("source-plugin", "fetch");

use exports::weir::plugin::source::{Artifact, Call, Failure, Guest as Source, Revision};
use serde_json::Value;
use weir::plugin::files::File;
use weir::plugin::http::{Auth, Download, Request, fetch, fetch_many, send};

fn request(value: &Value) -> Request {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let headers = value["headers"].as_object().into_iter().flatten();
    Request {
        method: text("method").unwrap_or("GET".into()),
        url: text("url").unwrap(),
        headers: headers
            .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
            .collect(),
        body: text("body").map(String::into_bytes),
        auth: text("slot").map(|slot| Auth {
            slot,
            scheme: text("scheme"),
            parameters: vec![],
        }),
    }
}

fn keep(
    into: &Artifact,
    index: usize,
    answer: Result<Download, Failure>,
    notes_only: bool,
) -> Result<(), Failure> {
    let note = match answer {
        Ok(download) if notes_only => download.status.to_string(),
        Ok(download) => {
            into.put_blob(&index.to_string(), &download.content)?;
            if let Ok(tree) = download.content.unpack() {
                into.copy(&tree, &[(String::new(), format!("{index}.d"))])?;
            }
            format!("{} {:?}", download.status, download.headers)
        }
        Err(failure) => format!("{:?} {}: {}", failure.class, failure.code, failure.message),
    };
    into.put(&[File {
        path: format!("{index}.txt"),
        data: note.into_bytes(),
    }])
}

impl Source for Guest {
    fn pull(call: Call, _: Option<String>, into: Artifact) -> Result<Option<Revision>, Failure> {
        let settings: Value = serde_json::from_str(&call.settings()).unwrap();
        let requests: Vec<Request> = settings["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(request)
            .collect();
        match settings["by"].as_str() {
            Some("many") => {
                for (index, answer) in fetch_many(&requests).into_iter().enumerate() {
                    keep(&into, index, answer, settings["keep"] == "notes")?;
                }
            }
            Some("send") => {
                for (index, request) in requests.iter().enumerate() {
                    let response = send(request)?;
                    let path = index.to_string();
                    into.put(&[File {
                        path,
                        data: response.body,
                    }])?;
                }
            }
            _ => {
                for (index, request) in requests.iter().enumerate() {
                    keep(&into, index, fetch(request), false)?;
                }
            }
        }
        Ok(Some(Revision {
            id: "latest@sha256:00".into(),
            token: "t".into(),
            summary: None,
            verified: None,
            metadata: vec![],
        }))
    }
}
