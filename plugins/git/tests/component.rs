//! The component in the host's runtime, against a repository that is held in memory.

use serde_json::json;
use weir_sdk_testing::{Component, FailureClass, Repository, Test};

const URL: &str = "https://git.example.com/org/app.git";

fn component() -> Component {
    Component::build_with_profile(env!("CARGO_MANIFEST_DIR"), "component")
}

/// A pull of a repository by a `ref`.
fn pull(repository: &Repository, reference: serde_json::Value) -> Test {
    component()
        .test()
        .settings(json!({ "url": URL, "interval": "1m", "ref": reference }))
        .repository(repository)
}

#[test]
fn a_branch_is_fetched_once_and_then_only_looked_at() {
    let repository = Repository::new(URL);
    let first = repository.commit("First\n\nWhy.", [("apps/a.yaml", "a: 1\n"), ("b.txt", "b")]);
    repository.set("refs/heads/main", &first);

    let pulled = pull(&repository, json!({ "branch": "main" }))
        .pull(None)
        .ok();
    let revision = pulled.revision();
    assert_eq!(revision.id, format!("main@sha1:{first}"));
    assert_eq!(revision.summary.as_deref(), Some("First"));
    assert_eq!(pulled.text("apps/a.yaml"), "a: 1\n");
    assert_eq!(pulled.files.len(), 2);

    let token = revision.token.clone();
    let again = pull(&repository, json!({ "branch": "main" }))
        .pull(Some(&token))
        .ok();
    assert_eq!(again.revision, None);
    assert_eq!(repository.fetches().len(), 1, "a poll fetches nothing");
    assert_eq!(
        repository.lists(),
        [["refs/heads/main"], ["refs/heads/main"]]
    );

    let second = repository.commit("Second", [("apps/a.yaml", "a: 2\n")]);
    repository.set("refs/heads/main", &second);
    let pulled = pull(&repository, json!({ "branch": "main" }))
        .pull(Some(&token))
        .ok();
    assert_eq!(pulled.revision().id, format!("main@sha1:{second}"));
    assert_eq!(pulled.text("apps/a.yaml"), "a: 2\n");
}

#[test]
fn a_commit_is_not_asked_for_twice() {
    let repository = Repository::new(URL);
    let commit = repository.commit("First", [("a", "1")]);
    let pulled = pull(&repository, json!({ "commit": commit }))
        .pull(None)
        .ok();
    assert_eq!(pulled.revision().id, format!("sha1:{commit}"));
    let token = pulled.revision().token.clone();
    let again = pull(&repository, json!({ "commit": commit }))
        .pull(Some(&token))
        .ok();
    assert_eq!(again.revision, None);
    assert!(repository.lists().is_empty() && repository.fetches().len() == 1);
}

#[test]
fn an_annotated_tag_is_its_commit() {
    let repository = Repository::new(URL);
    let old = repository.commit("Old", [("a", "1")]);
    let new = repository.commit("New", [("a", "2")]);
    repository.annotate("refs/tags/v1.0.0", &old);
    repository.annotate("refs/tags/v1.1.0", &new);
    repository.set("refs/tags/v2.0.0-rc.1", &new);
    let pulled = pull(&repository, json!({ "semver": ">=1.0.0" }))
        .pull(None)
        .ok();
    assert_eq!(pulled.revision().id, format!("v1.1.0@sha1:{new}"));
    assert_eq!(pulled.text("a"), "2");
}

#[test]
fn of_tags_of_one_version_the_youngest_commit_wins() {
    let repository = Repository::new(URL);
    let commits = ["one", "two", "three"].map(|name| repository.commit(name, [("a", name)]));
    repository.set("refs/tags/1.0.0+z", &commits[0]);
    repository.set("refs/tags/1.0.0+a", &commits[2]);
    repository.set("refs/tags/v1.0.0", &commits[1]);
    let pulled = pull(&repository, json!({ "semver": "1.x" }))
        .pull(None)
        .ok();
    assert_eq!(pulled.revision().id, format!("1.0.0+a@sha1:{}", commits[2]));
    assert_eq!(pulled.text("a"), "three");
    assert_eq!(pulled.files.len(), 1);

    let token = pulled.revision().token.clone();
    let again = pull(&repository, json!({ "semver": "1.x" }))
        .pull(Some(&token))
        .ok();
    assert_eq!((again.revision, repository.fetches().len()), (None, 3));
}

#[test]
fn sparse_directories_and_submodules_are_passed_on() {
    let repository = Repository::new(URL);
    let files = [
        ("apps/a.yaml", "a"),
        ("apps/sub/b.yaml", "b"),
        ("infra/c.yaml", "c"),
        ("d", "d"),
    ];
    let commit = repository.commit("First", files);
    repository.set("refs/heads/master", &commit);
    let settings = |directories: serde_json::Value| {
        component()
            .test()
            .settings(
                json!({ "url": URL, "sparseCheckout": directories, "recurseSubmodules": true }),
            )
            .repository(&repository)
    };

    let pulled = settings(json!(["./apps/sub", "infra"])).pull(None).ok();
    assert_eq!(
        pulled.files.keys().collect::<Vec<_>>(),
        ["apps/sub/b.yaml", "infra/c.yaml"]
    );
    let fetches = repository.fetches();
    assert_eq!(fetches[0].sparse, ["apps/sub", "infra"]);
    assert!(fetches[0].submodules);
    assert_eq!(fetches[0].reference.as_deref(), Some("refs/heads/master"));

    let failure = settings(json!(["gone"])).pull(None).failure();
    assert_eq!(failure.code, "GitOperationFailed");
    assert!(
        failure
            .message
            .contains("sparse checkout dir 'gone' does not exist"),
        "{failure}"
    );
}

#[test]
fn credentials_are_used_only_when_the_object_names_a_secret() {
    let repository = Repository::new(URL);
    let commit = repository.commit("First", [("a", "1")]);
    repository.set("refs/heads/master", &commit);
    repository.require([("username", "git"), ("password", "hunter2")]);
    let test = |settings: serde_json::Value| {
        component()
            .test()
            .settings(settings)
            .repository(&repository)
            .secret("default", [("username", "git"), ("password", "hunter2")])
    };

    let pulled = test(json!({ "url": URL, "secretRef": { "name": "x" } }))
        .pull(None)
        .ok();
    assert_eq!(pulled.revision().id, format!("master@sha1:{commit}"));

    let failure = test(json!({ "url": URL })).pull(None).failure();
    assert_eq!(failure.class, FailureClass::Unauthorized);
    assert_eq!(failure.code, "AuthenticationFailed");
    assert!(failure.message.contains(URL), "{failure}");
}

#[test]
fn what_is_missing_is_told_in_fluxs_words() {
    let repository = Repository::new(URL);
    let empty = pull(&repository, json!({ "branch": "main" }))
        .pull(None)
        .failure();
    assert_eq!(empty.code, "EmptyGitRepository");

    let commit = repository.commit("First", [("a", "1")]);
    repository.set("refs/heads/main", &commit);
    let failure = pull(&repository, json!({ "branch": "gone" }))
        .pull(None)
        .failure();
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::NotFound, "GitOperationFailed")
    );
    assert_eq!(
        failure.message,
        format!(
            "failed to checkout and determine revision: unable to clone: couldn't find remote ref \
             'refs/heads/gone': git repository: '{URL}'"
        )
    );
}

#[test]
fn settings_are_a_git_repositorys_spec() {
    let component = component();
    let problems = component.check_settings(&json!({ "url": "git@example.com:org/app.git" }));
    assert_eq!(problems[0].pointer, "/url", "{problems:?}");
    let problems = component.check_settings(&json!({ "url": URL, "ref": { "semver": "latest" } }));
    assert_eq!(problems[0].pointer, "/ref", "{problems:?}");
    for example in &component.info().examples {
        assert!(component.check_settings(example).is_empty(), "{example}");
    }
}
