//! Packed charts: gzipped tar archives (helm/helm pkg/chart/loader/archive.go).

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use crate::loader::BufferedFile;

/// What the files of a chart may hold together.
const MAX_CHART_BYTES: u64 = 100 << 20;
/// What one file may hold.
pub(crate) const MAX_FILE_BYTES: u64 = 5 << 20;

/// An archive that is no chart; the texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("{0}")]
    Read(String),
    #[error("chart illegally contains absolute paths")]
    Absolute,
    #[error("chart illegally contains content outside the base directory: {0:?}")]
    OutsideBase(String),
    #[error("chart illegally references parent directory")]
    Parent,
    #[error("chart contains illegally named files")]
    Drive,
    #[error("chart yaml not in base directory")]
    NotInBase,
    #[error("decompressed chart is larger than the maximum file size {MAX_CHART_BYTES}")]
    ChartTooLarge,
    #[error("decompressed chart file {0:?} is larger than the maximum file size {MAX_FILE_BYTES}")]
    FileTooLarge(String),
    #[error("no files in chart archive")]
    Empty,
}

/// Whether the bytes begin as gzip does.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 0x08])
}

/// Reads the files of a packed chart; its base directory, whatever its name, is taken off.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<BufferedFile>, ArchiveError> {
    if !is_gzip(bytes) {
        let text = if bytes.is_empty() {
            "EOF"
        } else {
            "gzip: invalid header"
        };
        return Err(ArchiveError::Read(text.to_owned()));
    }
    // A bomb is stopped by the size of what comes out, not by what its headers claim.
    let unzipped = MultiGzDecoder::new(bytes).take(MAX_CHART_BYTES * 2);
    let mut archive = Archive::new(unzipped);
    let mut files = Vec::new();
    let mut remaining = MAX_CHART_BYTES;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind == EntryType::Directory
            || name.ends_with('/')
            || matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader)
        {
            continue;
        }
        let path = path_in_chart(&name)?;
        let size = entry.size();
        if size > remaining {
            return Err(ArchiveError::ChartTooLarge);
        }
        if size > MAX_FILE_BYTES {
            return Err(ArchiveError::FileTooLarge(name));
        }
        remaining -= size;
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        entry.read_to_end(&mut data).map_err(damaged)?;
        files.push(BufferedFile::new(path, data));
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

fn damaged(err: io::Error) -> ArchiveError {
    ArchiveError::Read(match err.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        _ => format!("archive/tar: {err}"),
    })
}

/// The path below the base directory; archives made on Windows may have backslashes.
fn path_in_chart(name: &str) -> Result<String, ArchiveError> {
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let (base, rest) = name.split_once(delimiter).unwrap_or((name, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err(ArchiveError::Absolute);
    }
    let path = clean(&rest);
    if path == "." {
        return Err(ArchiveError::OutsideBase(name.to_owned()));
    }
    if path.starts_with("..") {
        return Err(ArchiveError::Parent);
    }
    let bytes = path.as_bytes();
    if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/" {
        return Err(ArchiveError::Drive);
    }
    if base == "Chart.yaml" {
        return Err(ArchiveError::NotInBase);
    }
    Ok(path)
}

/// A relative path without `.`, `..` in the middle, and doubled slashes (Go's `path.Clean`).
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, data) in files {
            let mut header = tar::Header::new_gnu();
            // Written by hand: the builder would refuse what a hostile archive holds.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, *data).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn error_of(name: &str) -> String {
        read(&packed(&[(name, b"x")])).err().unwrap().to_string()
    }

    #[test]
    fn reads_files_below_the_base_directory() {
        let bytes = packed(&[
            ("web/Chart.yaml", b"name: web"),
            ("web/templates/./a.yaml", b"a"),
            ("web\\templates\\b.yaml", b"b"),
        ]);
        let files = read(&bytes).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            ["Chart.yaml", "templates/a.yaml", "templates/b.yaml"]
        );
        assert_eq!(files[1].data, b"a");
    }

    #[test]
    fn refuses_what_helm_refuses() {
        let rows = [
            ("web//etc/passwd", "chart illegally contains absolute paths"),
            ("web/../../x", "chart illegally references parent directory"),
            ("web/c:/x", "chart contains illegally named files"),
            ("Chart.yaml/x", "chart yaml not in base directory"),
            (
                "web",
                "chart illegally contains content outside the base directory: \"web\"",
            ),
        ];
        for (name, expected) in rows {
            assert_eq!(error_of(name), expected);
        }
        assert_eq!(read(b"").err().unwrap().to_string(), "EOF");
        assert_eq!(
            read(b"name: x").err().unwrap().to_string(),
            "gzip: invalid header"
        );
        assert_eq!(
            read(&packed(&[])).err().unwrap().to_string(),
            "no files in chart archive"
        );
    }

    #[test]
    fn stops_at_a_damaged_or_endless_archive() {
        let mut bytes = packed(&[("web/Chart.yaml", &[b'x'; 4000])]);
        bytes.truncate(bytes.len() / 2);
        assert!(read(&bytes).is_err());
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.set_path("web/big").unwrap();
        header.set_size(MAX_FILE_BYTES + 1);
        header.set_cksum();
        bomb.write_all(header.as_bytes()).unwrap();
        let text = read(&bomb.finish().unwrap()).err().unwrap().to_string();
        assert_eq!(
            text,
            "decompressed chart file \"web/big\" is larger than the maximum file size 5242880"
        );
    }
}
