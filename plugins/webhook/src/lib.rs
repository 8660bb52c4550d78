//! The notifier plugin `webhook`: serves Providers of the types `generic` and `generic-hmac`.
//!
//! Posts Flux's Event as it is. Source of the rules: fluxcd/notification-controller
//! `internal/notifier/forwarder.go`.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use weir_notify::{DISPATCH_FAILED, Destination, Event, Provider, SLOT};
use weir_sdk::http::Request;
use weir_sdk::{About, Call, Error, Notifier, Result, secrets};
use weir_yaml::Value;

/// Which of Flux's controllers the event is from.
const COMPONENT_HEADER: &str = "gotk-component";
const SIGNATURE_HEADER: &str = "X-Signature";

struct Webhook;

impl Notifier for Webhook {
    type Settings = Provider;

    fn about() -> About {
        About::new("webhook", env!("CARGO_PKG_VERSION"))
            .summary("Posts events to a webhook as they are, signed if wanted")
            .example(serde_json::json!({
                "type": "generic",
                "address": "https://hooks.example.com/flux",
            }))
            .example(serde_json::json!({
                "type": "generic-hmac",
                "address": "https://hooks.example.com/flux",
                "secretRef": { "name": "hmac" },
            }))
            .wants_host("*", "the webhooks that Provider objects name")
            .wants_slot(SLOT, "the webhook's address")
            .wants_secret(
                SLOT,
                "extra headers (key headers) and the key for signatures (token)",
            )
    }

    fn notify(_: &Call, provider: Provider, _: &str, event: &str) -> Result<()> {
        let destination = Destination::new(provider);
        let extra = if destination.has("headers") {
            headers(&secrets::get(SLOT, "headers")?)?
        } else {
            Vec::new()
        };
        let key = match destination.provider.kind.as_str() {
            "generic-hmac" => Some(secrets::get(SLOT, "token")?),
            _ => None,
        };
        request(&destination, event, &extra, key.as_deref())?
            .send()
            .and_then(|response| response.require_success(DISPATCH_FAILED))
            .map_err(|error| error.context("postMessage failed"))?;
        Ok(())
    }
}

weir_sdk::export!(notifier: Webhook);

/// The request that delivers an event.
fn request(
    destination: &Destination,
    event: &str,
    extra: &[(String, String)],
    key: Option<&[u8]>,
) -> Result<Request> {
    let mut request = destination
        .post()?
        .body(event)
        .set_header("Content-Type", "application/json")
        .set_header(COMPONENT_HEADER, Event::parse(event)?.reporting_controller);
    for (name, value) in extra {
        request = request.set_header(name, value);
    }
    Ok(match key {
        Some(key) => request.set_header(SIGNATURE_HEADER, signature(event.as_bytes(), key)?),
        None => request,
    })
}

fn signature(body: &[u8], key: &[u8]) -> Result<String> {
    if key.is_empty() {
        return Err(Error::invalid_settings(
            DISPATCH_FAILED,
            "HMAC key is empty",
        ));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|error| Error::internal(DISPATCH_FAILED, error.to_string()))?;
    mac.update(body);
    Ok(format!(
        "sha256={}",
        hex::encode(mac.finalize().into_bytes())
    ))
}

/// The Secret's key `headers`: a YAML map; plain values are taken as text, as Flux takes them.
fn headers(yaml: &[u8]) -> Result<Vec<(String, String)>> {
    let invalid = |why: &str| {
        let message = format!("failed to read headers from secret: {why}");
        Error::invalid_settings(DISPATCH_FAILED, message)
    };
    let text = std::str::from_utf8(yaml).map_err(|_| invalid("not UTF-8"))?;
    // The parser's own message may quote the text, which is secret.
    let value = weir_yaml::from_yaml(text).map_err(|_| invalid("not YAML"))?;
    let map = match &value {
        Value::Null => return Ok(Vec::new()),
        Value::Object(map) => map,
        _ => return Err(invalid("not a map")),
    };
    map.iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Null => String::new(),
                Value::Bool(value) => value.to_string(),
                Value::Int(value) => value.to_string(),
                Value::Uint(value) => value.to_string(),
                Value::Float(value) => value.to_string(),
                Value::String(value) => value.clone(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(invalid(&format!("the value of {name} is not text")));
                }
            };
            Ok((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"involvedObject":{"kind":"Kustomization","namespace":"flux-system","name":"apps"},"severity":"info","timestamp":"2026-01-01T00:00:00Z","message":"done","reason":"ReconciliationSucceeded","reportingController":"kustomize-controller"}"#;

    fn destination() -> Destination {
        let provider = Provider {
            address: Some("https://a.example/x".into()),
            ..Provider::default()
        };
        Destination {
            provider,
            keys: Vec::new(),
        }
    }

    #[test]
    fn the_event_is_posted_byte_for_byte() {
        let request = request(&destination(), EVENT, &[], None).unwrap();
        assert_eq!(
            (request.method(), request.url()),
            ("POST", "https://a.example/x")
        );
        assert_eq!(request.content(), Some(EVENT.as_bytes()));
        let headers = request.headers();
        assert_eq!(headers.get("gotk-component"), Some("kustomize-controller"));
        assert_eq!(headers.get("content-type"), Some("application/json"));
        assert_eq!(headers.get("x-signature"), None);
    }

    #[test]
    fn extra_headers_replace_but_not_the_signature() {
        let extra = [
            ("content-type", "application/cloudevents+json"),
            ("X-SIGNATURE", "forged"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = request(&destination(), EVENT, &extra, Some(b"key")).unwrap();
        let headers = request.headers();
        let values = |name: &str| -> Vec<String> {
            let of_name = |key: &str| key.eq_ignore_ascii_case(name);
            headers
                .iter()
                .filter(|(key, _)| of_name(key))
                .map(|(_, v)| v.to_owned())
                .collect()
        };
        assert_eq!(values("content-type"), ["application/cloudevents+json"]);
        assert_eq!(
            values("x-signature"),
            [signature(EVENT.as_bytes(), b"key").unwrap()]
        );
    }

    #[test]
    fn signature_is_hmac_sha256_of_the_body() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature(b"what do ya want for nothing?", b"Jefe").unwrap(),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            signature(b"x", b"").unwrap_err().message(),
            "HMAC key is empty"
        );
    }

    #[test]
    fn headers_are_a_yaml_map() {
        let read =
            headers(b"Authorization: Bearer abc\nX-Count: 5\nX-Flag: true\nX-None:\n").unwrap();
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            read,
            [
                ("Authorization", "Bearer abc"),
                ("X-Count", "5"),
                ("X-Flag", "true"),
                ("X-None", "")
            ]
        );
        assert!(headers(b"").unwrap().is_empty());
        for text in ["- a", "a: [b]", "a: {", "secret"] {
            let error = headers(text.as_bytes()).unwrap_err();
            assert!(
                error
                    .message()
                    .starts_with("failed to read headers from secret: "),
                "{error}"
            );
        }
    }
}
