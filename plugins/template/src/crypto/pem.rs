//! PEM (golang/go `src/encoding/pem`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A block of a type.
pub(crate) fn encode(block_type: &str, bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {block_type}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out + "-----END " + block_type + "-----\n"
}

/// The first block: its type and bytes.
pub(crate) fn decode(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (block_type, rest) = rest.split_once("-----")?;
    let end = format!("-----END {block_type}-----");
    let (body, _) = rest.split_once(&end)?;
    // Headers end in an empty line.
    let body = match body.split_once("\n\n") {
        Some((headers, body)) if headers.contains(':') => body,
        _ => body,
    };
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Some((block_type, STANDARD.decode(body).ok()?))
}
