//! The API server's audit log: which requests were made, by whom, between two marks.
//!
//! A request is counted when it is complete; a watch when it starts, because it completes minutes
//! later.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

/// What the API server is told to log: all requests of everybody but itself, without bodies.
pub(crate) const POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ['system:apiserver']
- level: Metadata
";

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditMark(u64);

/// One request to the API server.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asked; the impersonated user where there was one.
    pub user: String,
    /// The client, as it calls itself.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// API group of the resource, empty for core.
    pub group: String,
    /// Plural resource name; empty for discovery and the like.
    pub resource: String,
    /// Such as `status`; empty if none.
    pub subresource: String,
    /// Namespace of the object; empty if none.
    pub namespace: String,
    /// Name of the object; empty for lists and creates.
    pub name: String,
    /// The whole address with its query.
    pub uri: String,
    /// Whether nothing was to be persisted.
    pub dry_run: bool,
    /// HTTP status.
    pub code: u16,
    /// When the server received it.
    pub received: SystemTime,
    /// When it was answered.
    pub answered: SystemTime,
}

/// The audit log of one API server.
#[derive(Clone, Debug)]
pub struct AuditLog {
    file: PathBuf,
}

impl AuditLog {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// The end of the log as it is now.
    pub fn mark(&self) -> AuditMark {
        AuditMark(self.file.metadata().map_or(0, |meta| meta.len()))
    }

    /// All requests logged since a mark.
    pub fn since(&self, from: AuditMark) -> Result<Vec<Request>> {
        self.between(from, self.mark())
    }

    /// The requests logged between two marks, in the order in which they were answered.
    pub fn between(&self, from: AuditMark, to: AuditMark) -> Result<Vec<Request>> {
        read(&self.file, from.0, to.0)
            .with_context(|| format!("failed to read {}", self.file.display()))
    }

    /// The requests of one client since a mark, by the start of its user agent.
    pub fn of_agent(&self, agent: &str, from: AuditMark) -> Result<Vec<Request>> {
        let mut requests = self.since(from)?;
        requests.retain(|request| request.user_agent.starts_with(agent));
        Ok(requests)
    }

    /// The requests of one user since a mark.
    pub fn of_user(&self, user: &str, from: AuditMark) -> Result<Vec<Request>> {
        let mut requests = self.since(from)?;
        requests.retain(|request| request.user == user);
        Ok(requests)
    }
}

fn read(file: &Path, from: u64, to: u64) -> Result<Vec<Request>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    let mut lines = BufReader::new(file);
    let mut requests = Vec::new();
    let mut position = from;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)?;
        position += length as u64;
        // The last line may still be being written.
        if length == 0 || position > to || line.last() != Some(&b'\n') {
            return Ok(requests);
        }
        let event: Value = serde_json::from_slice(&line)?;
        requests.extend(request(&event));
    }
}

fn request(event: &Value) -> Option<Request> {
    let text = |pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let verb = text("/verb");
    let counted_at = if verb == "watch" {
        "ResponseStarted"
    } else {
        "ResponseComplete"
    };
    if text("/stage") != counted_at {
        return None;
    }
    let impersonated = text("/impersonatedUser/username");
    let uri = text("/requestURI");
    Some(Request {
        user: if impersonated.is_empty() {
            text("/user/username")
        } else {
            impersonated
        },
        user_agent: text("/userAgent"),
        verb,
        group: text("/objectRef/apiGroup"),
        resource: text("/objectRef/resource"),
        subresource: text("/objectRef/subresource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        dry_run: uri.contains("dryRun=All"),
        uri,
        code: event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or_default(),
        received: timestamp(&text("/requestReceivedTimestamp"))?,
        answered: timestamp(&text("/stageTimestamp"))?,
    })
}

/// Requests counted by what they ask for, and watches apart.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: BTreeMap<String, usize>,
    watches: usize,
}

impl Tally {
    /// Counts requests by verb and kind of resource: `patch kustomizations/status`,
    /// `patch deployments (dry run)`, `get /apis` for what is no resource.
    pub fn of<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Self {
        Self::by(requests, |request| {
            let mut key = if request.resource.is_empty() {
                let path = request.uri.split('?').next().unwrap_or_default();
                format!("{} {path}", request.verb)
            } else {
                format!("{} {}", request.verb, request.resource)
            };
            if !request.subresource.is_empty() {
                key = format!("{key}/{}", request.subresource);
            }
            if request.dry_run {
                key.push_str(" (dry run)");
            }
            key
        })
    }

    /// Counts requests by verb alone, dry runs apart.
    pub fn by_verb<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Self {
        Self::by(requests, |request| {
            if request.dry_run {
                format!("{} (dry run)", request.verb)
            } else {
                request.verb.clone()
            }
        })
    }

    fn by<'a>(
        requests: impl IntoIterator<Item = &'a Request>,
        key: impl Fn(&Request) -> String,
    ) -> Self {
        let mut tally = Self::default();
        for request in requests {
            if request.verb == "watch" {
                tally.watches += 1;
            } else {
                *tally.counts.entry(key(request)).or_default() += 1;
            }
        }
        tally
    }

    /// All requests but watches.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// Watches started.
    pub fn watches(&self) -> usize {
        self.watches
    }

    /// The count of one key; 0 if there was none.
    pub fn get(&self, key: &str) -> usize {
        self.counts.get(key).copied().unwrap_or_default()
    }

    /// Keys and counts, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.counts
            .iter()
            .map(|(key, count)| (key.as_str(), *count))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.total())?;
        for (index, (key, count)) in self.iter().enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            write!(f, "{separator}{count} {key}")?;
        }
        if self.watches > 0 {
            write!(f, "; and {} watches started", self.watches)?;
        }
        Ok(())
    }
}

/// RFC 3339 in UTC with microseconds, as the API server writes it.
fn timestamp(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    // Days since 1970-01-01 in the Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stage: &str, verb: &str, uri: &str) -> Value {
        serde_json::json!({
            "stage": stage, "verb": verb, "requestURI": uri, "userAgent": "weir/0.1",
            "user": {"username": "weir"},
            "objectRef": {"apiGroup": "apps", "resource": "deployments", "name": "a"},
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": "2026-03-01T00:00:00.250000Z",
            "stageTimestamp": "2026-03-01T00:00:01.000000Z",
        })
    }

    #[test]
    fn timestamps_are_seconds_since_the_epoch() {
        let check = |text, expected: u64| {
            let since = timestamp(text)
                .unwrap()
                .duration_since(SystemTime::UNIX_EPOCH);
            assert_eq!(since.unwrap().as_micros(), u128::from(expected));
        };
        check("1970-01-01T00:00:00.000000Z", 0);
        check("2000-02-29T12:00:00.000001Z", 951_825_600_000_001);
        check("2026-03-01T00:00:00Z", 1_772_323_200_000_000);
    }

    #[test]
    fn watches_count_when_they_start_and_the_rest_when_complete() {
        let requests: Vec<Request> = [
            event(
                "ResponseStarted",
                "watch",
                "/apis/apps/v1/deployments?watch=1",
            ),
            event(
                "ResponseComplete",
                "watch",
                "/apis/apps/v1/deployments?watch=1",
            ),
            event(
                "ResponseComplete",
                "patch",
                "/apis/apps/v1/deployments/a?dryRun=All",
            ),
            event("ResponseComplete", "patch", "/apis/apps/v1/deployments/a"),
        ]
        .iter()
        .filter_map(request)
        .collect();
        let tally = Tally::of(&requests);
        assert_eq!((tally.total(), tally.watches()), (2, 1));
        assert_eq!(tally.get("patch deployments (dry run)"), 1);
        assert_eq!(tally.get("patch deployments"), 1);
        assert_eq!(
            requests[0]
                .answered
                .duration_since(requests[0].received)
                .unwrap(),
            Duration::from_millis(750)
        );
    }
}
