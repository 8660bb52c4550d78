//! Keeps the values of Secrets out of logs, events and failures.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Failure;

/// Shorter values are left alone: masking `a` everywhere hides nothing and garbles all.
const SHORTEST: usize = 4;
/// What stands in the place of a value.
const MASK: &str = "*****";
/// Keys whose values are no secrets: names and public halves.
const PUBLIC: [&str; 6] = [
    "username",
    "ca.crt",
    "tls.crt",
    "known_hosts",
    "identity.pub",
    "certFile",
];

/// The values that a call has come to hold.
#[derive(Default)]
pub(crate) struct Mask {
    values: Vec<String>,
    known: HashSet<String>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask")
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl Mask {
    /// Learns the values of a Secret, as they are, without surrounding white space, in base64 and
    /// in percent-encoding.
    pub(crate) fn learn(&mut self, secret: &BTreeMap<String, Vec<u8>>) {
        for (key, value) in secret {
            if PUBLIC.contains(&key.as_str()) {
                continue;
            }
            self.add(STANDARD.encode(value));
            let Ok(text) = std::str::from_utf8(value) else {
                continue;
            };
            self.add(url::form_urlencoded::byte_serialize(text.trim().as_bytes()).collect());
            self.add(text.trim().to_owned());
            // A key's armour is printed line by line.
            for line in text.lines().filter(|line| line.len() >= 16) {
                self.add(line.trim().to_owned());
            }
        }
        // The longest first, or a value that is part of another would leave the rest of it.
        self.values
            .sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    }

    fn add(&mut self, value: String) {
        if value.len() >= SHORTEST && self.known.insert(value.clone()) {
            self.values.push(value);
        }
    }

    /// `text` without the values.
    pub(crate) fn apply(&self, text: &mut String) {
        for value in &self.values {
            if text.contains(value) {
                *text = text.replace(value, MASK);
            }
        }
    }

    /// A failure's texts without the values.
    pub(crate) fn apply_to(&self, failure: &mut Failure) {
        self.apply(&mut failure.message);
        self.apply(&mut failure.code);
        if let Some(detail) = &mut failure.detail {
            self.apply(detail);
        }
        for position in &mut failure.positions {
            self.apply(&mut position.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_in_each_form_they_are_sent_in() {
        let mut mask = Mask::default();
        mask.learn(&BTreeMap::from([
            ("username".to_owned(), b"robot".to_vec()),
            ("password".to_owned(), b"p&ss word\n".to_vec()),
            ("short".to_owned(), b"ab".to_vec()),
            ("long".to_owned(), b"p&ss word and more".to_vec()),
        ]));
        let mut text = format!(
            "robot ab p&ss word|p%26ss+word|{}|p&ss word and more",
            STANDARD.encode("p&ss word\n")
        );
        mask.apply(&mut text);
        assert_eq!(text, "robot ab *****|*****|*****|*****");
    }
}
