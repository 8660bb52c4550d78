//! Commits and tags, as far as they are read here. Parsed leniently: what real repositories hold
//! is older than any rule about it.

use gix_hash::ObjectId;
use weir_plugin::Signed;

/// What a commit object says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: ObjectId,
    /// Committer's, seconds since the epoch.
    pub(crate) time: i64,
    pub(crate) message: String,
    pub(crate) signature: Option<(String, Vec<u8>)>,
}

/// `None`: no commit.
pub(crate) fn commit(data: &[u8]) -> Option<Commit> {
    let end = header_end(data);
    let mut tree = None;
    let mut time = None;
    for line in data[..end].split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(id) = line.strip_prefix(b"tree ") {
            tree = tree.or(ObjectId::from_hex(id).ok());
        } else if let Some(who) = line.strip_prefix(b"committer ") {
            time = time.or_else(|| seconds(who));
        }
    }
    let message = data.get(end + 1..).unwrap_or_default();
    let (signature, payload) = split_commit_signature(data, end);
    Some(Commit {
        tree: tree?,
        time: time.unwrap_or_default(),
        message: String::from_utf8_lossy(message).into_owned(),
        signature: (!signature.is_empty())
            .then(|| (String::from_utf8_lossy(&signature).into_owned(), payload)),
    })
}

/// A tag's signature stands at its end and signs all before it.
pub(crate) fn tag_signature(data: &[u8]) -> Option<Signed> {
    const MARKERS: [&[u8]; 4] = [
        b"-----BEGIN PGP SIGNATURE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"-----BEGIN SIGNED MESSAGE-----",
        b"-----BEGIN SSH SIGNATURE-----",
    ];
    let mut start = 0;
    let mut found = None;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if MARKERS.iter().any(|marker| line.starts_with(marker)) {
            // The last one counts: a message may quote another.
            found = Some(start);
        }
        start += line.len();
    }
    let at = found?;
    Some(Signed {
        signature: String::from_utf8_lossy(&data[at..]).into_owned(),
        payload: data[..at].to_vec(),
    })
}

/// Offset of the empty line behind the headers.
fn header_end(data: &[u8]) -> usize {
    data.windows(2)
        .position(|two| two == b"\n\n")
        .map_or(data.len(), |at| at + 1)
}

fn seconds(who: &[u8]) -> Option<i64> {
    let mut words = who.rsplit(|byte| *byte == b' ');
    let _zone = words.next()?;
    std::str::from_utf8(words.next()?).ok()?.parse().ok()
}

/// The `gpgsig` header with its continuation lines, and the commit without any header of that
/// kind (there is one per hash algorithm; only SHA-1's is checked).
fn split_commit_signature(data: &[u8], end: usize) -> (Vec<u8>, Vec<u8>) {
    enum In {
        Signature,
        OtherSignature,
        Payload,
    }
    let mut signature = Vec::new();
    let mut payload = Vec::with_capacity(data.len());
    let mut place = In::Payload;
    for line in data[..end].split_inclusive(|byte| *byte == b'\n') {
        if let (In::Signature, Some(more)) = (&place, line.strip_prefix(b" ")) {
            signature.extend_from_slice(more);
            continue;
        }
        if matches!(place, In::OtherSignature) && line.starts_with(b" ") {
            continue;
        }
        place = if let Some(first) = line.strip_prefix(b"gpgsig ") {
            signature.extend_from_slice(first);
            In::Signature
        } else if line.starts_with(b"gpgsig") {
            In::OtherSignature
        } else {
            payload.extend_from_slice(line);
            In::Payload
        };
    }
    payload.extend_from_slice(&data[end..]);
    (signature, payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn a_signed_commit_is_split() {
        let unsigned = format!(
            "tree {TREE}\nauthor A <a@x> 1700000000 +0100\ncommitter C D <c@x> 1700000001 +0100\n\
             \nSubject\n\ngpgsig is a header\n"
        );
        let signed = unsigned.replace(
            "+0100\n\nSubject",
            "+0100\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP \
             SIGNATURE-----\ngpgsig-sha256 -----BEGIN\n other\nencoding UTF-8\n\nSubject",
        );
        let commit = commit(signed.as_bytes()).unwrap();
        assert_eq!(commit.tree.to_string(), TREE);
        assert_eq!(commit.time, 1_700_000_001);
        assert_eq!(commit.message, "Subject\n\ngpgsig is a header\n");
        let (signature, payload) = commit.signature.unwrap();
        assert_eq!(
            signature,
            "-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n"
        );
        let expected = unsigned.replace("+0100\n\nSubject", "+0100\nencoding UTF-8\n\nSubject");
        assert_eq!(String::from_utf8(payload).unwrap(), expected);
    }

    #[test]
    fn an_unsigned_commit_has_no_signature() {
        let data = format!("tree {TREE}\ncommitter C <c@x> 5 +0000\n\n-----BEGIN PGP\n");
        let commit = commit(data.as_bytes()).unwrap();
        assert_eq!((commit.time, commit.signature), (5, None));
    }

    #[test]
    fn odd_commits() {
        assert_eq!(commit(b""), None);
        assert_eq!(commit(b"author x\n\n"), None);
        let bare = commit(format!("tree {TREE}\n").as_bytes()).unwrap();
        assert_eq!((bare.time, bare.message.as_str()), (0, ""));
        let binary = [
            format!("tree {TREE}\ncommitter \n\n").as_bytes(),
            b"\xff\xfe",
        ]
        .concat();
        assert_eq!(commit(&binary).unwrap().message, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_signed_tag_is_split_at_the_last_signature() {
        let tag = format!(
            "object {TREE}\ntype commit\ntag v1\ntagger T <t@x> 1 +0000\n\nquotes\n-----BEGIN SSH \
             SIGNATURE-----\nold\n"
        );
        let real = "-----BEGIN SSH SIGNATURE-----\nnew\n-----END SSH SIGNATURE-----\n";
        let signed = tag_signature(format!("{tag}{real}").as_bytes()).unwrap();
        assert_eq!(signed.signature, real);
        assert_eq!(signed.payload, tag.as_bytes());
        assert!(tag_signature(b"object x\n\nplain\n").is_none());
    }
}
