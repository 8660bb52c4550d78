//! URLs (Masterminds/sprig `url.go`, golang/go `src/net/url`).

use std::fmt::Write as _;

use super::{Result, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Map as Dict, String as Str};
use crate::syntax::quote;
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Str], parse),
    Function::new("urlJoin", &[Dict], join),
];

/// What may stand in a part of a URL without being escaped.
#[derive(Clone, Copy)]
enum Part {
    Path,
    Fragment,
    User,
    Host,
}

/// What stands for itself in a part, besides letters, digits and `-_.~`.
fn plain(part: Part) -> &'static str {
    match part {
        Part::Path => "$&+=:@/;,",
        Part::Fragment => "$&+,/:;=?@!()*",
        Part::User => "$&+,;=",
        Part::Host => "!()*$&+,;=:[]<>\"'",
    }
}

fn escape(text: &str, part: Part) -> String {
    let plain = plain(part).as_bytes();
    let mut out = String::new();
    for byte in text.bytes() {
        let always = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if always || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn unescape(text: &str) -> std::result::Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let code = text
            .get(at + 1..at + 3)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = code else {
            let end = (at + 3).min(bytes.len());
            let piece = String::from_utf8_lossy(&bytes[at..end]);
            return Err(format!("invalid URL escape {}", quote(&piece)));
        };
        out.push(byte);
        at += 3;
    }
    Ok(crate::fmt::into_text(out))
}

/// The pieces of a URL, as `url.URL` has them.
#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

impl Url {
    fn parse(raw: &str) -> std::result::Result<Self, String> {
        if raw.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        let (rest, fragment) = raw.split_once('#').unwrap_or((raw, ""));
        url.fragment = unescape(fragment)?;
        if rest == "*" {
            "*".clone_into(&mut url.path);
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(rest)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        query.clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Ok(url);
            }
            let first = rest.split('/').next().unwrap_or(rest);
            if first.contains(':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        // "///path" has an empty authority only behind a scheme.
        let has_authority = !url.scheme.is_empty() || !rest.starts_with("///");
        if let Some(after) = rest.strip_prefix("//").filter(|_| has_authority) {
            let end = after.find('/').unwrap_or(after.len());
            url.authority(&after[..end])?;
            path = &after[end..];
        }
        url.path = unescape(path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &str) -> std::result::Result<(), String> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let behind_brackets = host.rfind(']').map_or(host, |at| &host[at + 1..]);
        if host.starts_with('[') && !host.contains(']') {
            return Err("missing ']' in host".to_owned());
        }
        if let Some(at) = behind_brackets.rfind(':') {
            let port = &behind_brackets[at..];
            if !port[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("invalid port {} after host", quote(port)));
            }
        }
        if let Some(c) = host
            .chars()
            .find(|c| matches!(c, ' ' | '\\' | '^' | '`' | '{' | '}' | '|'))
        {
            let shown = quote(&c.to_string());
            return Err(format!("invalid character {shown} in host name"));
        }
        self.host = unescape(host)?;
        if let Some(user) = user {
            let valid = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
            if !user.chars().all(valid) {
                return Err("net/url: invalid userinfo".to_owned());
            }
            let (name, password) = match user.split_once(':') {
                Some((name, password)) => (name, Some(password)),
                None => (user, None),
            };
            let mut shown = escape(&unescape(name)?, Part::User);
            if let Some(password) = password {
                shown.push(':');
                shown.push_str(&escape(&unescape(password)?, Part::User));
            }
            self.user = Some(shown);
        }
        Ok(())
    }

    /// The host without its port.
    fn hostname(&self) -> &str {
        if let Some((inner, _)) = self
            .host
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            return inner;
        }
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &self.host,
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            self.push_hierarchy(&mut out);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push('?');
            out.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&escape(&self.fragment, Part::Fragment));
        }
        out
    }

    fn push_hierarchy(&self, out: &mut String) {
        if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
            if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                out.push_str("//");
            }
            if let Some(user) = &self.user {
                out.push_str(user);
                out.push('@');
            }
            out.push_str(&escape(&self.host, Part::Host));
        }
        let path = escape(&self.path, Part::Path);
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            out.push('/');
        }
        // A colon in the first segment would be read as the end of a scheme.
        let first = path.split('/').next().unwrap_or_default();
        if out.is_empty() && first.contains(':') {
            out.push_str("./");
        }
        out.push_str(&path);
    }
}

fn split_scheme(raw: &str) -> std::result::Result<(&str, &str), String> {
    for (at, c) in raw.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((&raw[..at], &raw[at + 1..])),
            _ => break,
        }
    }
    Ok(("", raw))
}

fn parse(_: &mut Call<'_>, v: &[Value]) -> Result {
    let raw = text(&v[0]);
    let url = Url::parse(&raw).map_err(|error| {
        CallError::text(format!(
            "unable to parse url: parse {}: {error}",
            quote(&raw)
        ))
    })?;
    let hostname = url.hostname().to_owned();
    let entries: [(&str, String); 8] = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", url.user.unwrap_or_default()),
    ];
    Ok(Value::map(entries.map(|(key, value)| (key, value.into()))))
}

fn join(_: &mut Call<'_>, v: &[Value]) -> Result {
    let part = |key: &str| -> std::result::Result<String, CallError> {
        let value = v[0].as_map().and_then(|map| map.get(key));
        let Some(value) = value else {
            return Ok(String::new());
        };
        value
            .text()
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| {
                let kind = value.kind().name();
                CallError::text(format!(
                    "unable to parse {key} key, must be of type string, but {kind} found"
                ))
            })
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let parsed = Url::parse(&format!("proto://{user}@host")).map_err(|error| {
            let raw = quote(&format!("proto://{user}@host"));
            CallError::text(format!(
                "unable to parse userinfo in dict: parse {raw}: {error}"
            ))
        })?;
        url.user = parsed.user;
    }
    Ok(url.text().into())
}
