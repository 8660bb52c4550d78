//! The source plugin `git`: serves GitRepository.
//!
//! Decides which commit is wanted ([`selection`]) and asks the host for it; the host moves the
//! bytes from its object store into the artifact. A poll lists references and, when they are as
//! before, does nothing else. Not acted on here: `verify` and `include`.

pub mod selection;
pub mod settings;

use weir_sdk::git::{Checkout, Remote, Wanted};
use weir_sdk::{About, Artifact, Call, Class, Error, Problem, Result, Revision, Source};

use selection::{Candidate, InvalidSelection, Selection};
use settings::Settings;

/// Flux's reason for everything that goes wrong between here and a commit.
const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";

struct Git;

impl Source for Git {
    type Settings = Settings;

    fn about() -> About {
        About::new("git", env!("CARGO_PKG_VERSION"))
            .summary(
                "Fetches a branch, tag, version range, reference or commit of a Git repository",
            )
            .example(serde_json::json!({
                "url": "https://example.com/org/repository.git",
                "ref": { "branch": "main" },
            }))
            .example(serde_json::json!({
                "url": "https://example.com/org/repository.git",
                "ref": { "semver": ">=1.0.0 <2.0.0" },
                "secretRef": { "name": "credentials" },
                "sparseCheckout": ["apps", "clusters/production"],
            }))
            .wants_host("*", "the repositories that GitRepository objects name")
            .wants_slot("default", "credentials of private repositories")
    }

    fn check(settings: &Settings) -> Vec<Problem> {
        match Selection::new(settings.reference.as_ref()) {
            Ok(_) => Vec::new(),
            Err(InvalidSelection(message)) => vec![Problem::new("/ref", message)],
        }
    }

    fn pull(
        _: &Call,
        settings: Settings,
        last: Option<&str>,
        into: &Artifact,
    ) -> Result<Option<Revision>> {
        let selection =
            Selection::new(settings.reference.as_ref()).map_err(|InvalidSelection(message)| {
                Error::invalid_settings(GIT_OPERATION_FAILED, told(&message))
            })?;
        let repository = Repository::new(&settings);
        let candidates = repository.candidates(&selection)?;
        let token = token(&candidates);
        if last == Some(token.as_str()) {
            return Ok(None);
        }

        let (candidate, checkout) = repository.checkout(candidates)?;
        repository.fill(into, &checkout)?;
        let summary = subject(&checkout.commit().message);
        Ok(Some(
            Revision::new(candidate.revision)
                .token(token)
                .summary(summary),
        ))
    }
}

weir_sdk::export!(source: Git);

struct Repository<'a> {
    settings: &'a Settings,
    url: String,
    remote: Remote,
    directories: Vec<String>,
}

impl<'a> Repository<'a> {
    fn new(settings: &'a Settings) -> Self {
        let remote = Remote::new(&settings.url);
        let remote = if settings.secret_ref.is_some() {
            remote.slot("default")
        } else {
            remote
        };
        Self {
            settings,
            url: settings.shown_url(),
            remote,
            directories: settings.directories(),
        }
    }

    /// At least one.
    fn candidates(&self, selection: &Selection) -> Result<Vec<Candidate>> {
        let advertised = match selection.prefixes() {
            Some(prefixes) => self.list(&prefixes)?,
            None => Vec::new(),
        };
        let candidates = selection.candidates(&advertised);
        if !candidates.is_empty() {
            return Ok(candidates);
        }
        // Only now that it failed is it worth a question whether there is anything at all.
        if advertised.is_empty() && self.list(&["refs/".to_owned()])?.is_empty() {
            return Err(Error::not_found(
                "EmptyGitRepository",
                format!("git repository is empty: '{}'", self.url),
            ));
        }
        let message = format!(
            "{}: git repository: '{}'",
            selection.nothing_found(),
            self.url
        );
        Err(Error::not_found(GIT_OPERATION_FAILED, told(&message)))
    }

    fn list(&self, prefixes: &[String]) -> Result<Vec<weir_sdk::git::Reference>> {
        self.remote
            .list_references(prefixes)
            .map_err(|error| failed(error, &format!("unable to list remote for '{}'", self.url)))
    }

    /// Of several candidates the one with the youngest commit: tags of one version that differ in
    /// build metadata only.
    fn checkout(&self, candidates: Vec<Candidate>) -> Result<(Candidate, Checkout)> {
        let mut youngest: Option<(i64, Candidate, Checkout)> = None;
        for candidate in candidates {
            let checkout = self.fetch(&candidate)?;
            let time = checkout.commit().time;
            if youngest.as_ref().is_none_or(|(best, ..)| time >= *best) {
                youngest = Some((time, candidate, checkout));
            }
        }
        let (_, candidate, checkout) = youngest
            .ok_or_else(|| Error::internal(GIT_OPERATION_FAILED, "no commit to check out"))?;
        Ok((candidate, checkout))
    }

    fn fetch(&self, candidate: &Candidate) -> Result<Checkout> {
        let wanted = Wanted {
            commit: candidate.commit.clone(),
            reference: candidate.reference.clone(),
            sparse: self.directories.clone(),
            submodules: self.settings.recurse_submodules,
        };
        self.remote.fetch(&wanted).map_err(|error| {
            let at = candidate.reference.as_deref().unwrap_or(&candidate.commit);
            failed(error, &format!("unable to clone '{}' at '{at}'", self.url))
        })
    }

    fn fill(&self, into: &Artifact, checkout: &Checkout) -> Result<()> {
        let files = checkout.files();
        if self.directories.is_empty() {
            return into.copy_all(&files);
        }
        if let Some(absent) = self.directories.iter().find(|path| !files.is_dir(path)) {
            return Err(Error::not_found(
                GIT_OPERATION_FAILED,
                format!(
                    "failed to sparse checkout directories: \
                     sparse checkout dir '{absent}' does not exist in repository '{}'",
                    self.url
                ),
            ));
        }
        let pairs: Vec<_> = self
            .directories
            .iter()
            .map(|path| (path.clone(), path.clone()))
            .collect();
        into.copy(&files, &pairs)
    }
}

/// Flux's words for a failed operation.
fn told(message: &str) -> String {
    format!("failed to checkout and determine revision: {message}")
}

/// A failure of the host, with Flux's reason. What the operator did not grant keeps its own code,
/// for it is not the repository that has to change.
fn failed(error: Error, doing: &str) -> Error {
    let message = told(&format!("{doing}: {}", error.message()));
    let error = error.with_message(message);
    match error.class() {
        Class::Denied => error,
        Class::Unauthorized => error.with_code(AUTHENTICATION_FAILED),
        _ => error.with_code(GIT_OPERATION_FAILED),
    }
}

/// All that decides whether something has changed; the settings are the host's to compare.
fn token(candidates: &[Candidate]) -> String {
    candidates
        .iter()
        .map(|each| each.revision.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first line of a commit's message, at most 50 characters, as Flux's events have it.
fn subject(message: &str) -> String {
    const CHARACTERS: usize = 50;
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_the_shortened_first_line() {
        assert_eq!(subject("Fix it\n\nBecause."), "Fix it");
        assert_eq!(subject(""), "");
        assert_eq!(subject(&"ä".repeat(50)), "ä".repeat(50));
        assert_eq!(subject(&"ä".repeat(51)), format!("{}...", "ä".repeat(50)));
    }

    #[test]
    fn a_failure_gets_fluxs_reason_and_says_where() {
        let error = Error::unauthorized("HttpStatus", "401");
        let error = failed(error, "unable to list remote for 'https://a/b'");
        assert_eq!(error.code(), "AuthenticationFailed");
        assert_eq!(
            error.message(),
            "failed to checkout and determine revision: \
             unable to list remote for 'https://a/b': 401"
        );
        let denied = failed(Error::denied("HostNotGranted", "no"), "x");
        assert_eq!(denied.code(), "HostNotGranted");
        let down = failed(Error::unavailable("Timeout", "no answer"), "x");
        assert_eq!(
            (down.class(), down.code()),
            (Class::Unavailable, "GitOperationFailed")
        );
    }

    #[test]
    fn bad_references_are_told_at_admission() {
        let check = |reference: serde_json::Value| {
            let settings = serde_json::json!({ "url": "https://a/b", "ref": reference });
            <Git as Source>::check(&serde_json::from_value(settings).unwrap())
        };
        assert!(check(serde_json::json!({ "semver": "^1" })).is_empty());
        let problems = check(serde_json::json!({ "semver": "latest" }));
        assert_eq!(problems[0].pointer, "/ref");
        assert!(
            problems[0].message.contains("improper constraint"),
            "{}",
            problems[0].message
        );
    }
}
