//! Lists references and fetches the first one's commit through `git`.

guest::plugin!("source-plugin", "checkout");

use exports::weir::plugin::source::{Artifact, Call, Failure, Guest as Source, Revision};
use weir::plugin::git::{Remote, Wanted, fetch, list_references};

impl Source for Guest {
    fn pull(call: Call, _: Option<String>, into: Artifact) -> Result<Option<Revision>, Failure> {
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        let remote = || Remote {
            url: settings["url"].as_str().unwrap().into(),
            slot: settings["slot"].as_str().map(str::to_owned),
        };
        let references = list_references(&remote(), &["refs/heads/".into()])?;
        let first = &references[0];
        let wanted = Wanted {
            commit: first.target.clone(),
            reference: Some(first.name.clone()),
            sparse: vec![],
            submodules: false,
        };
        let checkout = fetch(&remote(), &wanted)?;
        let commit = checkout.commit();
        into.copy(&checkout.files(), &[(String::new(), String::new())])?;
        Ok(Some(Revision {
            id: format!("main@sha1:{}", commit.id),
            token: commit.id,
            summary: commit.message.lines().next().map(str::to_owned),
            verified: None,
            metadata: vec![],
        }))
    }
}
