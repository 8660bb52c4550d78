//! From a GitRepository's `ref` and the references that the remote advertises to a commit. Source
//! of the rules: fluxcd/pkg `git/gogit/clone.go` and `git/git.go`.

use std::cmp::Ordering;

use weir_sdk::git::Reference as Advertised;
use weir_version::{Range, Version};

use crate::settings::Reference;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// What Flux takes when nothing is said.
const DEFAULT_BRANCH: &str = "master";
/// Suffix by which Git advertises the commit behind an annotated tag.
const PEELED: &str = "^{}";

/// How the commit is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// This one. No list of references is needed.
    Commit {
        /// Hex, lower case.
        id: String,
        /// Where it is to be found, if that is known.
        reference: Option<String>,
        /// As in [`Selection::Reference`].
        full_name: bool,
    },
    /// The commit of one reference.
    Reference {
        /// Its full name.
        name: String,
        /// As the user wrote it: what revisions are called by.
        shown: String,
        /// Whether the revision has the full name (`ref.name`), not the part behind `refs/heads/`.
        full_name: bool,
    },
    /// The highest tag in a range.
    Range(Range),
}

/// A commit that may be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Full name of the reference it was found under.
    pub reference: Option<String>,
    /// Hex.
    pub commit: String,
    /// `main@sha1:…`.
    pub revision: String,
}

/// Why `ref` cannot be acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSelection(pub String);

impl Selection {
    /// Reads `ref`; empty fields count as absent.
    ///
    /// # Errors
    /// A commit that is no object id, a range that does not parse, a name that Git does not allow.
    pub fn new(reference: Option<&Reference>) -> Result<Self, InvalidSelection> {
        let none = Reference::default();
        let reference = reference.unwrap_or(&none);
        let given = |field: &'_ Option<String>| field.clone().filter(|text| !text.is_empty());
        let branch = given(&reference.branch);
        let name = given(&reference.name);

        if let Some(commit) = given(&reference.commit) {
            let id = commit.to_ascii_lowercase();
            if !matches!(id.len(), 40 | 64) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(InvalidSelection(format!(
                    "unable to resolve commit object for '{commit}': it has to be 40 or 64 hex digits"
                )));
            }
            let full_name = name.is_some();
            let reference = name.or_else(|| branch.map(|branch| format!("{BRANCHES}{branch}")));
            return Ok(Self::Commit {
                id,
                reference,
                full_name,
            });
        }
        if let Some(shown) = name {
            if shown.starts_with('/') || shown.ends_with('/') {
                return Err(InvalidSelection(format!(
                    "ref {shown} is invalid; Git refs cannot begin or end with a slash '/'"
                )));
            }
            let name = shown.strip_suffix(PEELED).unwrap_or(&shown).to_owned();
            return Ok(Self::Reference {
                name,
                shown,
                full_name: true,
            });
        }
        if let Some(range) = given(&reference.semver) {
            return match range.parse() {
                Ok(range) => Ok(Self::Range(range)),
                Err(error) => Err(InvalidSelection(format!("semver parse error: {error}"))),
            };
        }
        let name = match given(&reference.tag) {
            Some(tag) => format!("{TAGS}{tag}"),
            None => format!("{BRANCHES}{}", branch.as_deref().unwrap_or(DEFAULT_BRANCH)),
        };
        Ok(Self::Reference {
            shown: name.clone(),
            name,
            full_name: false,
        })
    }

    /// Which references the remote is asked for; `None`: none.
    pub fn prefixes(&self) -> Option<Vec<String>> {
        match self {
            Self::Commit { .. } => None,
            Self::Reference { name, .. } => Some(vec![name.clone()]),
            Self::Range(_) => Some(vec![TAGS.to_owned()]),
        }
    }

    /// The commits that `ref` may mean: one, or the tags of one and the same version, between which
    /// the time of the commits decides. Sorted by name. Empty: there is none.
    pub fn candidates(&self, advertised: &[Advertised]) -> Vec<Candidate> {
        match self {
            Self::Commit {
                id,
                reference,
                full_name,
            } => {
                vec![Candidate {
                    commit: id.clone(),
                    revision: revision(reference.as_deref(), *full_name, id),
                    reference: reference.clone(),
                }]
            }
            Self::Reference {
                name,
                shown,
                full_name,
            } => advertised
                .iter()
                .filter(|each| each.name == *name)
                .map(|each| candidate(each, shown, *full_name))
                .collect(),
            Self::Range(range) => highest(range, advertised)
                .into_iter()
                .map(|each| candidate(each, &each.name, false))
                .collect(),
        }
    }

    /// Why there is no candidate, in Flux's words.
    pub fn nothing_found(&self) -> String {
        match self {
            Self::Range(range) => format!("no match found for semver: {range}"),
            Self::Reference {
                shown,
                full_name: true,
                ..
            } => {
                format!("unable to resolve ref '{shown}' to a specific commit")
            }
            Self::Reference { name, .. } => {
                format!("unable to clone: couldn't find remote ref '{name}'")
            }
            Self::Commit { id, .. } => format!("unable to resolve commit object for '{id}'"),
        }
    }
}

fn candidate(advertised: &Advertised, shown: &str, full_name: bool) -> Candidate {
    // The commit behind an annotated tag, not the tag's own object.
    let commit = advertised.peeled.as_ref().unwrap_or(&advertised.target);
    Candidate {
        reference: Some(advertised.name.clone()),
        commit: commit.clone(),
        revision: revision(Some(shown), full_name, commit),
    }
}

/// All tags of the highest version, sorted by name.
fn highest<'a>(range: &Range, advertised: &'a [Advertised]) -> Vec<&'a Advertised> {
    let mut best: Vec<(Version, &Advertised)> = Vec::new();
    for each in advertised {
        let Some(version) = each
            .name
            .strip_prefix(TAGS)
            .and_then(|tag| Version::parse(tag).ok())
        else {
            continue;
        };
        if !range.contains(&version) {
            continue;
        }
        match best
            .first()
            .map_or(Ordering::Greater, |(best, _)| version.precedence(best))
        {
            Ordering::Greater => best = vec![(version, each)],
            Ordering::Equal => best.push((version, each)),
            Ordering::Less => {}
        }
    }
    let mut best: Vec<_> = best.into_iter().map(|(_, each)| each).collect();
    best.sort_by(|left, right| left.name.cmp(&right.name));
    best
}

/// `main@sha1:…`, `refs/pull/1/head@sha1:…`, `sha1:…`.
fn revision(reference: Option<&str>, full_name: bool, commit: &str) -> String {
    let algorithm = if commit.len() == 64 { "sha256" } else { "sha1" };
    let name = match reference {
        Some(name) if full_name => Some(name),
        // Cuts off `refs/heads/` or `refs/tags/`.
        Some(name) => name.splitn(3, '/').nth(2),
        None => None,
    };
    match name {
        Some(name) => format!("{name}@{algorithm}:{commit}"),
        None => format!("{algorithm}:{commit}"),
    }
}
