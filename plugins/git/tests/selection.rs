//! Which commit a `ref` means, and what the revision is called: reference tables of Flux's
//! GitRepository.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use plugin_git::selection::{Candidate, Selection};
use plugin_git::settings::Reference;
use weir_sdk::git::Reference as Advertised;

fn id(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn remote() -> Vec<Advertised> {
    let reference = |name: &str, target: char, peeled: Option<char>| Advertised {
        name: name.to_owned(),
        target: id(target),
        peeled: peeled.map(id),
    };
    vec![
        reference("refs/heads/feature/x", '3', None),
        reference("refs/heads/main", '1', None),
        reference("refs/heads/main-2", '2', None),
        reference("refs/heads/master", '9', None),
        reference("refs/pull/420/head", '4', None),
        reference("refs/tags/1.9.0", '5', None),
        reference("refs/tags/latest", '6', None),
        reference("refs/tags/v1.10.0", 'a', Some('7')),
        reference("refs/tags/v2.0.0-rc.1", '8', None),
    ]
}

/// The candidates for a `ref`, of what the remote would list for its prefixes.
fn candidates(reference: &str) -> Vec<Candidate> {
    let reference: Reference = serde_json::from_str(reference).unwrap();
    let selection = Selection::new(Some(&reference)).unwrap();
    let prefixes = selection.prefixes().unwrap_or_default();
    let listed: Vec<_> = remote()
        .into_iter()
        .filter(|each| prefixes.iter().any(|prefix| each.name.starts_with(prefix)))
        .collect();
    selection.candidates(&listed)
}

fn revision(reference: &str) -> String {
    let candidates = candidates(reference);
    assert_eq!(candidates.len(), 1, "{reference}: {candidates:?}");
    candidates[0].revision.clone()
}

#[test]
fn revisions_read_as_in_flux() {
    for (reference, expected) in [
        ("{}", format!("master@sha1:{}", id('9'))),
        (r#"{"branch": "main"}"#, format!("main@sha1:{}", id('1'))),
        (
            r#"{"branch": "feature/x"}"#,
            format!("feature/x@sha1:{}", id('3')),
        ),
        (r#"{"tag": "latest"}"#, format!("latest@sha1:{}", id('6'))),
        (r#"{"tag": "v1.10.0"}"#, format!("v1.10.0@sha1:{}", id('7'))),
        (r#"{"semver": "^1"}"#, format!("v1.10.0@sha1:{}", id('7'))),
        (r#"{"semver": "<1.10"}"#, format!("1.9.0@sha1:{}", id('5'))),
        (
            r#"{"semver": ">=1-0"}"#,
            format!("v2.0.0-rc.1@sha1:{}", id('8')),
        ),
        (
            r#"{"name": "refs/pull/420/head"}"#,
            format!("refs/pull/420/head@sha1:{}", id('4')),
        ),
        (
            r#"{"name": "refs/heads/main"}"#,
            format!("refs/heads/main@sha1:{}", id('1')),
        ),
        (
            r#"{"name": "refs/tags/v1.10.0^{}"}"#,
            format!("refs/tags/v1.10.0^{{}}@sha1:{}", id('7')),
        ),
    ] {
        assert_eq!(revision(reference), expected, "{reference}");
    }
}

#[test]
fn a_commit_needs_no_list() {
    let commit = |rest: &str| format!(r#"{{"commit": "{}"{rest}}}"#, id('C'));
    assert_eq!(revision(&commit("")), format!("sha1:{}", id('c')));
    assert_eq!(
        revision(&commit(r#", "branch": "main""#)),
        format!("main@sha1:{}", id('c'))
    );
    assert_eq!(
        revision(&commit(r#", "name": "refs/pull/1/head""#)),
        format!("refs/pull/1/head@sha1:{}", id('c'))
    );
    let sha256 = "d".repeat(64);
    assert_eq!(
        revision(&format!(r#"{{"commit": "{sha256}"}}"#)),
        format!("sha256:{sha256}")
    );
}

#[test]
fn the_more_precise_field_wins() {
    for (reference, reference_name) in [
        (r#"{"branch": "main", "tag": "latest"}"#, "refs/tags/latest"),
        (
            r#"{"branch": "main", "tag": "latest", "semver": "^1"}"#,
            "refs/tags/v1.10.0",
        ),
        (
            r#"{"branch": "main", "tag": "latest", "semver": "^1", "name": "refs/pull/420/head"}"#,
            "refs/pull/420/head",
        ),
        (
            r#"{"branch": "main", "tag": "", "semver": "", "name": "", "commit": ""}"#,
            "refs/heads/main",
        ),
    ] {
        let candidates = candidates(reference);
        assert_eq!(
            candidates[0].reference.as_deref(),
            Some(reference_name),
            "{reference}"
        );
    }
}

#[test]
fn tags_of_one_version_are_all_candidates() {
    let tag = |name: &str, digit| Advertised {
        name: format!("refs/tags/{name}"),
        target: id(digit),
        peeled: None,
    };
    let reference = Reference {
        semver: Some("*".into()),
        ..Reference::default()
    };
    let selection = Selection::new(Some(&reference)).unwrap();
    let listed = [
        tag("1.0.0+b", '1'),
        tag("0.9.0", '2'),
        tag("v1.0.0", '3'),
        tag("1.0.0+a", '4'),
    ];
    let found: Vec<_> = selection
        .candidates(&listed)
        .into_iter()
        .map(|each| each.revision)
        .collect();
    assert_eq!(
        found,
        [
            format!("1.0.0+a@sha1:{}", id('4')),
            format!("1.0.0+b@sha1:{}", id('1')),
            format!("v1.0.0@sha1:{}", id('3')),
        ]
    );
}

#[test]
fn what_is_not_there_is_told_in_fluxs_words() {
    for (reference, expected) in [
        (
            r#"{"branch": "gone"}"#,
            "unable to clone: couldn't find remote ref 'refs/heads/gone'",
        ),
        (
            r#"{"tag": "gone"}"#,
            "unable to clone: couldn't find remote ref 'refs/tags/gone'",
        ),
        (r#"{"semver": "^7"}"#, "no match found for semver: ^7"),
        (
            r#"{"name": "refs/x/1"}"#,
            "unable to resolve ref 'refs/x/1' to a specific commit",
        ),
        (
            r#"{"name": "main"}"#,
            "unable to resolve ref 'main' to a specific commit",
        ),
    ] {
        assert!(candidates(reference).is_empty(), "{reference}");
        let reference: Reference = serde_json::from_str(reference).unwrap();
        assert_eq!(
            Selection::new(Some(&reference)).unwrap().nothing_found(),
            expected
        );
    }
}

#[test]
fn what_cannot_be_acted_on_is_refused() {
    for (reference, expected) in [
        (r#"{"commit": "abc123"}"#, "40 or 64 hex digits"),
        (
            r#"{"semver": "latest"}"#,
            "semver parse error: improper constraint: \"latest\"",
        ),
        (
            r#"{"name": "refs/heads/main/"}"#,
            "cannot begin or end with a slash",
        ),
    ] {
        let reference: Reference = serde_json::from_str(reference).unwrap();
        let message = Selection::new(Some(&reference)).unwrap_err().0;
        assert!(message.contains(expected), "{message}");
    }
}
