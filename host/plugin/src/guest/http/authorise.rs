//! What a slot's Secret makes of a request: placeholders filled in, a header, a client certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};

use super::invalid;
use crate::bindings::weir::plugin::http as wire;
use crate::guest::secrets::Secret;
use crate::net::Trust;
use crate::{Failure, FailureClass};

/// Puts the slot's values in the place of `{{key}}`.
pub(super) fn fill(text: &str, slot: &str, secret: Option<&Secret>) -> Result<String, Failure> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((key, after)) = after.split_once("}}") else {
            break;
        };
        let missing =
            |message| Failure::new(FailureClass::Unauthorized, "MissingCredentials", message);
        let secret = secret.ok_or_else(|| {
            missing(format!(
                "the object binds no Secret to the slot `{slot}` for this address"
            ))
        })?;
        let value = secret.get(key.trim()).ok_or_else(|| {
            missing(format!(
                "the Secret of the slot `{slot}` has no key `{}`",
                key.trim()
            ))
        })?;
        let value = std::str::from_utf8(value).map_err(|_| {
            missing(format!(
                "the key `{}` of the slot `{slot}` is no text",
                key.trim()
            ))
        })?;
        filled.push_str(before);
        filled.push_str(value.trim());
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Adds what the Secret's keys say, as Flux reads them: `username` and `password`, `bearerToken` or
/// `token`, `tls.crt` and `tls.key`.
pub(super) fn authorise(
    auth: &wire::Auth,
    secret: &Secret,
    headers: &mut HeaderMap,
    trust: &mut Trust,
) -> Result<(), Failure> {
    let value = |key: &str| {
        let text = std::str::from_utf8(secret.get(key)?).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let scheme = auth.scheme.as_deref();
    if scheme == Some("template") {
        return Ok(());
    }
    if let (Some(certificate), Some(key)) = (secret.get("tls.crt"), secret.get("tls.key")) {
        trust.identity = Some([certificate.as_slice(), b"\n", key.as_slice()].concat());
    }
    let named = auth
        .parameters
        .iter()
        .find(|(name, _)| name == "key")
        .map(|(_, key)| key.as_str());
    let token = || named.map_or_else(|| value("bearerToken").or_else(|| value("token")), value);
    let basic = || {
        let pair = format!(
            "{}:{}",
            value("username")?,
            value("password").unwrap_or_default()
        );
        Some(format!("Basic {}", STANDARD.encode(pair)))
    };
    let bearer = || token().map(|token| format!("Bearer {token}"));
    let authorization = match scheme {
        Some("basic") => basic(),
        Some("bearer") => bearer(),
        _ => basic().or_else(bearer),
    };
    let Some(authorization) = authorization else {
        if scheme.is_some() {
            let message = format!("the Secret of the slot `{}` has no keys for it", auth.slot);
            return Err(Failure::new(
                FailureClass::Unauthorized,
                "MissingCredentials",
                message,
            ));
        }
        return Ok(());
    };
    let mut value = HeaderValue::from_str(&authorization).map_err(|_| {
        invalid(format!(
            "the slot `{}` holds no valid header value",
            auth.slot
        ))
    })?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn secret(pairs: &[(&str, &str)]) -> Secret {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        Arc::new(pairs.iter().map(pair).collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn placeholders_are_filled_in_from_the_slot() {
        let known = secret(&[("address", "https://x/\n"), ("token", "t")]);
        let check = |text| fill(text, "default", Some(&known));
        assert_eq!(
            check("{{address}}a?b={{ token }}").unwrap(),
            "https://x/a?b=t"
        );
        assert_eq!(check("{{open").unwrap(), "{{open");
        assert_eq!(check("{{other}}").unwrap_err().code, "MissingCredentials");
        assert!(fill("{{token}}", "default", None).is_err());
        assert_eq!(fill("plain", "default", None).unwrap(), "plain");
    }

    #[test]
    fn the_keys_of_a_secret_say_how_it_authorises() {
        let check = |scheme: Option<&str>, pairs: &[(&str, &str)]| {
            let auth = wire::Auth {
                slot: "default".into(),
                scheme: scheme.map(Into::into),
                parameters: vec![],
            };
            let mut headers = HeaderMap::new();
            authorise(&auth, &secret(pairs), &mut headers, &mut Trust::default())?;
            Ok(headers
                .get("authorization")
                .map(|v| v.to_str().unwrap().to_owned()))
        };
        let user = [("username", "u"), ("password", "p"), ("token", "t")];
        let ok = |text: &str| Ok::<_, Failure>(Some(text.to_owned()));
        assert_eq!(check(None, &user), ok("Basic dTpw"));
        assert_eq!(check(Some("bearer"), &user), ok("Bearer t"));
        assert_eq!(check(None, &[("bearerToken", "b\n")]), ok("Bearer b"));
        assert_eq!(check(Some("template"), &user), Ok(None));
        assert_eq!(check(None, &[("other", "x")]), Ok(None));
        assert!(check(Some("basic"), &[("token", "t")]).is_err());
    }
}
