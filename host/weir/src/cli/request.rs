//! `weir reconcile`, `weir suspend`, `weir resume`: asking the host by way of the objects, with
//! the flux CLI's protocol, so that either CLI works with either runtime.

use std::time::Duration;

use clap::Args;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use weir_api::meta;

use super::connection::{Connection, explain};
use super::kinds::{Kind, condition, ready, text};
use super::{Error, Exit};

/// Field manager of what the flux CLI writes; a change of CLI is no conflict.
const MANAGER: &str = "flux";

/// Reconcile an object now, and wait for the result.
#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// Kind of the object
    kind: String,
    /// Its name
    name: String,
    #[command(flatten)]
    connection: Connection,
    /// Reconcile the source of a Kustomization first
    #[arg(long)]
    with_source: bool,
    /// How long to wait, such as 5m
    #[arg(long, value_name = "TIME", default_value = "5m")]
    timeout: weir_api::Duration,
}

/// Stop reconciling objects.
#[derive(Debug, Args)]
pub(super) struct SuspendArgs {
    /// Kind of the objects
    kind: String,
    /// Their names
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Reconcile suspended objects again, and wait for the result.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    objects: SuspendArgs,
    /// Do not wait
    #[arg(long)]
    no_wait: bool,
    /// How long to wait, such as 5m
    #[arg(long, value_name = "TIME", default_value = "5m")]
    timeout: weir_api::Duration,
}

pub(super) async fn reconcile(args: ReconcileArgs) -> Result<(), Error> {
    let kind = Kind::named(&args.kind)?;
    let client = args.connection.client().await?;
    let timeout = args.timeout.get();
    let api = args.connection.api(&client, kind);
    let object = fetch(&api, kind, &args.name).await?;
    if args.with_source {
        let (source, source_api) = source_of(&client, kind, &object)?;
        let name = text(&object.data, "/spec/sourceRef/name");
        let object = fetch(&source_api, source, &name).await?;
        request(&source_api, source, &name, &object, timeout).await?;
    }
    request(&api, kind, &args.name, &object, timeout).await
}

pub(super) async fn suspend(args: SuspendArgs) -> Result<(), Error> {
    let kind = Kind::named(&args.kind)?;
    let client = args.connection.client().await?;
    let api = args.connection.api(&client, kind);
    for name in &args.names {
        set_suspended(&api, kind, name, true).await?;
        println!("{}/{name} suspended", kind.singular());
    }
    Ok(())
}

pub(super) async fn resume(args: ResumeArgs) -> Result<(), Error> {
    let ResumeArgs {
        objects,
        no_wait,
        timeout,
    } = args;
    let kind = Kind::named(&objects.kind)?;
    let client = objects.connection.client().await?;
    let api = objects.connection.api(&client, kind);
    for name in &objects.names {
        set_suspended(&api, kind, name, false).await?;
        println!("{}/{name} resumed", kind.singular());
    }
    if !no_wait && !kind.is_static {
        for name in &objects.names {
            wait(&api, kind, name, timeout.get(), None).await?;
        }
    }
    Ok(())
}

async fn fetch(api: &Api<DynamicObject>, kind: &Kind, name: &str) -> Result<DynamicObject, Error> {
    api.get(name)
        .await
        .map_err(|error| explain(error, kind, Some(name)))
}

/// The kind of the object's source, and its objects where the object looks for it.
fn source_of(
    client: &Client,
    kind: &Kind,
    object: &DynamicObject,
) -> Result<(&'static Kind, Api<DynamicObject>), Error> {
    let source = text(&object.data, "/spec/sourceRef/kind");
    if source.is_empty() {
        let message = format!("--with-source: a {} has no source", kind.name);
        return Err(Error::new(Exit::Usage, message));
    }
    let source = Kind::named(&source)?;
    let namespace = match text(&object.data, "/spec/sourceRef/namespace") {
        own if own.is_empty() => object.metadata.namespace.clone().unwrap_or_default(),
        other => other,
    };
    Ok((
        source,
        Api::namespaced_with(client.clone(), &namespace, &source.resource()),
    ))
}

/// Asks for a reconcile, waits until it is done, prints what came of it.
async fn request(
    api: &Api<DynamicObject>,
    kind: &Kind,
    name: &str,
    object: &DynamicObject,
    timeout: Duration,
) -> Result<(), Error> {
    let title = format!("{}/{name}", kind.singular());
    if kind.is_static {
        return Err(Error::failed(format!(
            "{} objects have no state to reconcile",
            kind.name
        )));
    }
    if object
        .data
        .pointer("/spec/suspend")
        .and_then(Value::as_bool)
        == Some(true)
    {
        return Err(Error::failed(format!(
            "{title} is suspended: resume it first"
        )));
    }
    let handled = text(&object.data, "/status/lastHandledReconcileAt");
    let now = jiff::Timestamp::now().to_string();
    let patch = json!({ "metadata": { "annotations": { meta::REQUESTED_AT: now } } });
    api.patch(name, &parameters(), &Patch::Merge(patch))
        .await
        .map_err(|error| explain(error, kind, Some(name)))?;
    eprintln!("waiting for {title} to be reconciled");
    wait(api, kind, name, timeout, Some(&handled)).await
}

async fn set_suspended(
    api: &Api<DynamicObject>,
    kind: &Kind,
    name: &str,
    is_suspended: bool,
) -> Result<(), Error> {
    let patch = Patch::Merge(json!({ "spec": { "suspend": is_suspended } }));
    api.patch(name, &parameters(), &patch)
        .await
        .map(drop)
        .map_err(|error| explain(error, kind, Some(name)))
}

fn parameters() -> PatchParams {
    PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// Waits until the object is done with its present generation, and prints the result. With
/// `before`, the request that it had handled before, it waits until another one is handled, and
/// an attempt that failed ends the wait. What it says comes along when the time is over.
async fn wait(
    api: &Api<DynamicObject>,
    kind: &Kind,
    name: &str,
    timeout: Duration,
    before: Option<&str>,
) -> Result<(), Error> {
    let is_done = |object: Option<&DynamicObject>| {
        object.is_none_or(|object| {
            let handled = text(&object.data, "/status/lastHandledReconcileAt");
            let answers = before.is_none_or(|before| handled != before);
            let is_over =
                state_of(object) != State::Pending || (before.is_some() && has_failed(object));
            answers && is_over
        })
    };
    let title = format!("{}/{name}", kind.singular());
    let Ok(waited) =
        tokio::time::timeout(timeout, await_condition(api.clone(), name, is_done)).await
    else {
        let said = match api.get(name).await {
            Ok(object) => ready(kind, &object).1,
            Err(_) => "it cannot be read any more".to_owned(),
        };
        let waited = weir_api::Duration(timeout);
        return Err(Error::new(
            Exit::TimedOut,
            format!("{title} is not reconciled after {waited}: {said}"),
        ));
    };
    let object = waited?.ok_or_else(|| Error::failed(format!("{title} was deleted")))?;
    let (status, message) = ready(kind, &object);
    if state_of(&object) == State::Failed || status != "True" {
        return Err(Error::failed(format!("{title} failed: {message}")));
    }
    println!("{}", result(kind, &object));
    Ok(())
}

/// State of an object of ours by kstatus' rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Failed,
    Current,
}

fn state_of(object: &DynamicObject) -> State {
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    let is_true = |type_: &str| condition(object, type_).is_some_and(|c| c["status"] == "True");
    if object.metadata.deletion_timestamp.is_some()
        || observed != object.metadata.generation
        || is_true(meta::condition::RECONCILING)
    {
        State::Pending
    } else if is_true(meta::condition::STALLED) {
        State::Failed
    } else if is_true(meta::condition::READY) {
        State::Current
    } else {
        State::Pending
    }
}

/// Whether the last attempt failed by itself. kstatus calls that in progress, as it is retried; who
/// asked for the attempt wants to know. A dependency may still become ready meanwhile.
fn has_failed(object: &DynamicObject) -> bool {
    let reason = |type_: &str| condition(object, type_).map(|c| text(c, "/reason"));
    reason(meta::condition::RECONCILING).as_deref() == Some(meta::reason::PROGRESSING_WITH_RETRY)
        && reason(meta::condition::READY).as_deref() != Some(meta::reason::DEPENDENCY_NOT_READY)
}

/// What the flux CLI prints of a reconciled object.
fn result(kind: &Kind, object: &DynamicObject) -> String {
    let at = |pointer: &str| text(&object.data, pointer);
    match kind.name {
        "Kustomization" => format!("applied revision {}", at("/status/lastAppliedRevision")),
        "Plugin" => format!("serves {}", at("/status/digest")),
        _ => format!("fetched revision {}", at("/status/artifact/revision")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_follows_kstatus() {
        let state = |observed: i64, conditions: &[(&str, &str)]| {
            let conditions: Vec<Value> = conditions
                .iter()
                .map(|(type_, status)| json!({ "type": type_, "status": status }))
                .collect();
            let object = json!({
                "metadata": { "name": "a", "generation": 2 },
                "status": { "observedGeneration": observed, "conditions": conditions },
            });
            state_of(&serde_json::from_value(object).unwrap())
        };
        assert_eq!(state(1, &[("Ready", "True")]), State::Pending);
        assert_eq!(state(2, &[("Ready", "True")]), State::Current);
        assert_eq!(
            state(2, &[("Ready", "False")]),
            State::Pending,
            "it will be retried"
        );
        assert_eq!(
            state(2, &[("Ready", "False"), ("Stalled", "True")]),
            State::Failed
        );
        assert_eq!(
            state(2, &[("Ready", "True"), ("Reconciling", "True")]),
            State::Pending
        );
        assert_eq!(state(2, &[]), State::Pending);
    }

    #[test]
    fn a_failed_attempt_is_told_from_one_that_waits() {
        let state = |reconciling: &str, ready: &str| {
            let condition = |type_: &str, status: &str, reason: &str| json!({ "type": type_, "status": status, "reason": reason });
            let object = json!({
                "metadata": { "name": "a" },
                "status": { "conditions": [
                    condition("Reconciling", "True", reconciling),
                    condition("Ready", "False", ready),
                ] },
            });
            has_failed(&serde_json::from_value(object).unwrap())
        };
        assert!(state("ProgressingWithRetry", "BuildFailed"));
        assert!(!state("ProgressingWithRetry", "DependencyNotReady"));
        assert!(!state("Progressing", "Progressing"));
    }
}
