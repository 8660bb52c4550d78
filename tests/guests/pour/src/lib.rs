//! Fills an artifact in each way there is; unchanged when the token is the input's revision.

guest::plugin!("source-plugin", "pour");

use exports::weir::plugin::source::{Artifact, Call, Failure, Guest as Source, Revision};
use serde_json::Value;
use weir::plugin::artifacts::Writer;
use weir::plugin::files::File;

impl Source for Guest {
    fn pull(call: Call, last: Option<String>, into: Artifact) -> Result<Option<Revision>, Failure> {
        let token = call.revision("upstream")?;
        if last.as_ref() == Some(&token) {
            return Ok(None);
        }
        let settings: Value = serde_json::from_str(&call.settings()).unwrap();
        if let Some(path) = settings["put"].as_str() {
            into.put(&[File {
                path: path.into(),
                data: b"put".into(),
            }])?;
        }
        if let Some(size) = settings["write"].as_u64() {
            let writer = Writer::new();
            for _ in 0..size {
                writer.write(&[b'w'; 1024])?;
            }
            let blob = writer.finish()?;
            assert!(writer.write(b"late").is_err());
            into.put_blob("written", &blob)?;
        }
        if let Some(from) = settings["copy"].as_str() {
            into.copy(&call.tree("upstream")?, &[(from.into(), "copied".into())])?;
        }
        if let Some(path) = settings["store"].as_str() {
            let blob = call.tree("upstream")?.open(path)?;
            into.store(&blob, Some("stored.tgz"))?;
        }
        let ignored = into.ignored(&["a.md".into(), "b.yaml".into()]);
        let id = match settings["id"].as_str() {
            Some(id) => id.to_owned(),
            None => "main@sha1:abc".to_owned(),
        };
        Ok(Some(Revision {
            id,
            token,
            summary: Some("a subject".into()),
            verified: None,
            metadata: vec![("ignored".into(), format!("{ignored:?}"))],
        }))
    }
}
