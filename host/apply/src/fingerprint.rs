//! 128-bit digests of JSON values, for comparing what was applied with what is to be applied.
//!
//! Keys are sorted, so that the order of rendering does not matter. A cut sha256 is enough: the
//! values compared are two states of the same object, not a hash table under attack.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A digest of a JSON value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of one value.
    pub fn of(value: &Value) -> Self {
        let mut builder = Builder::default();
        builder.value(value);
        builder.finish()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no fingerprint of 32 hex digits")]
pub struct InvalidFingerprint(String);

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| InvalidFingerprint(text.to_owned()))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Digests several values into one.
#[derive(Default)]
pub(crate) struct Builder(Sha256);

impl Builder {
    /// Text with its length, so that neighbours cannot run into each other.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.update(b"n"),
            Value::Bool(value) => self.0.update([b'b', u8::from(*value)]),
            Value::Number(number) => {
                self.0.update(b"#");
                self.text(&number.to_string());
            }
            Value::String(text) => {
                self.0.update(b"s");
                self.text(text);
            }
            Value::Array(items) => {
                self.0.update(b"[");
                self.0.update((items.len() as u64).to_le_bytes());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(map) => {
                self.0.update(b"{");
                self.0.update((map.len() as u64).to_le_bytes());
                let mut members: Vec<_> = map.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                for (key, member) in members {
                    self.text(key);
                    self.value(member);
                }
            }
        }
    }

    pub(crate) fn finish(self) -> Fingerprint {
        let digest = self.0.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Fingerprint(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_of_keys_does_not_matter_and_everything_else_does() {
        let of = |value: Value| Fingerprint::of(&value);
        let base = of(json!({ "a": 1, "b": [1, 2] }));
        assert_eq!(base, of(json!({ "b": [1, 2], "a": 1 })));
        for other in [
            json!({ "a": "1", "b": [1, 2] }),
            json!({ "a": 1, "b": [2, 1] }),
            json!({ "a": 1, "b": [[1], 2] }),
            json!({ "a": 1, "b": [1, 2], "c": null }),
            json!({ "a": 1.0, "b": [1, 2] }),
        ] {
            assert_ne!(base, of(other.clone()), "{other}");
        }
    }

    #[test]
    fn text_round_trips() {
        let fingerprint = Fingerprint::of(&json!("x"));
        assert_eq!(
            fingerprint.to_string().parse::<Fingerprint>().unwrap(),
            fingerprint
        );
        assert!("xyz".parse::<Fingerprint>().is_err());
    }
}
