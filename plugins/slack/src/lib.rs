//! The notifier plugin `slack`: serves Providers of the type `slack`, by an incoming webhook or by
//! the method `chat.postMessage`.
//!
//! Source of the payload: fluxcd/notification-controller `internal/notifier/slack.go`.

use serde::{Deserialize, Serialize};
use weir_notify::{DISPATCH_FAILED, Destination, Event, Provider, SLOT, given};
use weir_sdk::http::{Auth, Request, Response};
use weir_sdk::{About, Call, Class, Error, Notifier, Result, secrets};

/// Always answers with status 200; whether it worked is in the body.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

struct Slack;

impl Notifier for Slack {
    type Settings = Provider;

    fn about() -> About {
        About::new("slack", env!("CARGO_PKG_VERSION"))
            .summary("Posts events to Slack, by incoming webhook or by chat.postMessage")
            .example(serde_json::json!({
                "type": "slack",
                "channel": "deployments",
                "secretRef": { "name": "slack-webhook" },
            }))
            .example(serde_json::json!({
                "type": "slack",
                "channel": "deployments",
                "address": POST_MESSAGE,
                "secretRef": { "name": "slack-bot-token" },
            }))
            .wants_host("https://hooks.slack.com", "incoming webhooks")
            .wants_host("https://slack.com", "the method chat.postMessage")
            .wants_slot(
                SLOT,
                "the webhook's address (key address) or the bot's token (token)",
            )
            .wants_secret(
                SLOT,
                "the name to post under, where the Secret has the key username",
            )
    }

    fn notify(_: &Call, provider: Provider, _: &str, event: &str) -> Result<()> {
        let mut destination = Destination::new(provider);
        // As in Flux, basic authentication gives the name to post under.
        if destination.has("username") && destination.has("password") {
            let username = secrets::get(SLOT, "username")?;
            destination.provider.username = Some(String::from_utf8_lossy(&username).into_owned());
        }
        request(&destination, &Event::parse(event)?)?
            .send()
            .and_then(|response| accepted(response, destination.provider.address.as_deref()))
            .map_err(|error| error.context("postMessage failed"))
    }
}

weir_sdk::export!(notifier: Slack);

#[derive(Debug, Serialize)]
struct Payload {
    channel: String,
    username: String,
    icon_url: String,
    icon_emoji: String,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
struct Attachment {
    fallback: String,
    color: &'static str,
    author_name: String,
    text: String,
    mrkdwn_in: [&'static str; 1],
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    title: String,
    value: String,
    short: bool,
}

fn payload(provider: &Provider, event: &Event) -> Payload {
    let author = event.author();
    let first_line = event.message.split('\n').next().unwrap_or_default();
    let field = |(title, value): (&String, &String)| Field {
        title: title.clone(),
        value: value.clone(),
        short: false,
    };
    Payload {
        channel: given(provider.channel.as_ref())
            .unwrap_or_default()
            .to_owned(),
        username: given(provider.username.as_ref())
            .unwrap_or(&event.reporting_controller)
            .to_owned(),
        icon_url: String::new(),
        icon_emoji: String::new(),
        attachments: [Attachment {
            fallback: format!("{author}: {first_line}"),
            color: if event.is_error() { "danger" } else { "good" },
            text: event.message.clone(),
            mrkdwn_in: ["text"],
            // Sorted by key; Flux's order is random.
            fields: event.metadata.iter().map(field).collect(),
            author_name: author,
        }],
    }
}

fn request(destination: &Destination, event: &Event) -> Result<Request> {
    let request = destination
        .post()?
        .json(&payload(&destination.provider, event));
    Ok(if destination.has("token") {
        request
            .header("Authorization", "Bearer {{token}}")
            .auth(Auth::template(SLOT))
    } else {
        request
    })
}

/// What chat.postMessage answers.
#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error: String,
}

/// Whether Slack took the message. The address may be known to the host only, so the body is looked
/// at in any case: incoming webhooks answer with plain text.
fn accepted(response: Response, address: Option<&str>) -> Result<()> {
    let response = response.require_success(DISPATCH_FAILED)?;
    match serde_json::from_slice(&response.body) {
        Ok(Answer { ok: true, .. }) => Ok(()),
        Ok(Answer { error, .. }) => {
            let message = format!("Slack responded with error: {error}");
            Err(Error::new(class(&error), DISPATCH_FAILED, message))
        }
        Err(error) if address == Some(POST_MESSAGE) => Err(Error::unavailable(
            DISPATCH_FAILED,
            format!("unable to unmarshal response body: {error}"),
        )),
        Err(_) => Ok(()),
    }
}

/// Whether trying again may help. The codes are those of Slack's documentation of the method.
fn class(error: &str) -> Class {
    match error {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired"
        | "missing_scope" | "no_permission" => Class::Unauthorized,
        "ratelimited"
        | "rate_limited"
        | "service_unavailable"
        | "internal_error"
        | "fatal_error"
        | "request_timeout" => Class::Unavailable,
        _ => Class::InvalidSettings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(severity: &str) -> Event {
        serde_json::from_value(json!({
            "involvedObject": { "kind": "GitRepository", "namespace": "gitops-system", "name": "webapp" },
            "severity": severity,
            "timestamp": "2026-01-01T00:00:00Z",
            "message": "message\nsecond line",
            "reason": "reason",
            "metadata": { "test": "metadata", "kubernetes.io/somekey": "some.value" },
            "reportingController": "source-controller",
        }))
        .unwrap()
    }

    fn destination(provider: Value, keys: &[&str]) -> Destination {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Destination {
            provider: serde_json::from_value(provider).unwrap(),
            keys,
        }
    }

    fn body(request: &Request) -> Value {
        serde_json::from_slice(request.content().unwrap()).unwrap()
    }

    #[test]
    fn payload_is_fluxs() {
        let provider = json!({ "address": "https://hooks.slack.com/x", "channel": "general" });
        let request = request(&destination(provider, &[]), &event("info")).unwrap();
        assert_eq!(
            body(&request),
            json!({
                "channel": "general",
                "username": "source-controller",
                "icon_url": "",
                "icon_emoji": "",
                "attachments": [{
                    "fallback": "gitrepository/webapp.gitops-system: message",
                    "color": "good",
                    "author_name": "gitrepository/webapp.gitops-system",
                    "text": "message\nsecond line",
                    "mrkdwn_in": ["text"],
                    "fields": [
                        { "title": "kubernetes.io/somekey", "value": "some.value", "short": false },
                        { "title": "test", "value": "metadata", "short": false },
                    ],
                }],
            })
        );
    }

    #[test]
    fn an_error_is_red() {
        let provider = json!({ "address": "https://hooks.slack.com/x", "username": "bot" });
        let request = request(&destination(provider, &[]), &event("error")).unwrap();
        let body = body(&request);
        assert_eq!(body["attachments"][0]["color"], "danger");
        assert_eq!(
            (&body["username"], &body["channel"]),
            (&json!("bot"), &json!(""))
        );
    }

    #[test]
    fn the_token_stays_with_the_host() {
        let provider = json!({ "address": POST_MESSAGE });
        let with_token =
            request(&destination(provider.clone(), &["token"]), &event("info")).unwrap();
        assert_eq!(
            with_token.headers().get("authorization"),
            Some("Bearer {{token}}")
        );
        assert_eq!(with_token.slot(), Some("default"));
        let without = request(&destination(provider, &[]), &event("info")).unwrap();
        assert_eq!(
            (without.headers().get("authorization"), without.slot()),
            (None, None)
        );
    }

    #[test]
    fn slacks_answer_decides() {
        let judged = |status, body: &str, address| accepted(Response::new(status, body), address);
        assert!(judged(200, "ok", Some("https://hooks.slack.com/x")).is_ok());
        assert!(judged(200, r#"{"ok":true}"#, Some(POST_MESSAGE)).is_ok());

        let refused = judged(200, r#"{"ok":false,"error":"channel_not_found"}"#, None).unwrap_err();
        assert_eq!(
            refused.message(),
            "Slack responded with error: channel_not_found"
        );
        assert_eq!(refused.class(), Class::InvalidSettings);
        let later = judged(200, r#"{"ok":false,"error":"ratelimited"}"#, None).unwrap_err();
        assert_eq!(later.class(), Class::Unavailable);
        assert_eq!(
            judged(200, "<html>", Some(POST_MESSAGE))
                .unwrap_err()
                .class(),
            Class::Unavailable
        );

        let gone = judged(404, "no_service", None).unwrap_err();
        assert!(
            gone.message().ends_with("404: no_service"),
            "{}",
            gone.message()
        );
    }
}
