//! The artifact file server: every file below one folder, with directory listings, as Flux's.
//!
//! The folder is opened once as a directory handle and files only below it, so neither `..` nor a
//! symbolic link leads out. Files are never changed in place (they are renamed into place), so a
//! running download keeps the file it began with.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use jiff::Timestamp;
use tokio_util::io::ReaderStream;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// The server's routes. Fails when the folder cannot be opened.
pub fn files(root: &Path) -> io::Result<Router> {
    let root = Arc::new(Dir::open_ambient_dir(root, ambient_authority())?);
    Ok(Router::new().fallback(serve).with_state(root))
}

/// What a path leads to.
enum Found {
    File {
        file: std::fs::File,
        size: u64,
        modified: Option<SystemTime>,
    },
    /// Names, directories with a slash at their end.
    Directory(Vec<String>),
}

async fn serve(State(root): State<Arc<Dir>>, request: Request) -> Response {
    let is_head = match *request.method() {
        Method::GET => false,
        Method::HEAD => true,
        _ => return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
    };
    let url_path = request.uri().path().to_owned();
    let Some(path) = relative(&url_path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let found = tokio::task::spawn_blocking(move || find(&root, &path)).await;
    match found.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(Found::File {
            file,
            size,
            modified,
        }) => send(file, size, modified, request.headers(), is_head),
        Ok(Found::Directory(names)) if url_path.ends_with('/') => {
            let text = listing(&names);
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
        }
        Ok(Found::Directory(_)) => {
            // Relative links of the listing need the slash.
            let name = url_path.rsplit('/').next().unwrap_or_default();
            (
                StatusCode::MOVED_PERMANENTLY,
                [(LOCATION, format!("{name}/"))],
            )
                .into_response()
        }
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StatusCode::NOT_FOUND,
            // Also what leads out of the folder.
            io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
            _ => {
                tracing::error!(error = %error, path = url_path, "failed to serve a file");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
        .into_response(),
    }
}

/// The path of a URL below the root, decoded; `None` where no file can be. The root is `.`.
fn relative(url_path: &str) -> Option<String> {
    let decoded = percent_decode(url_path)?;
    let mut parts = Vec::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part if part.contains('\0') => return None,
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.extend(byte);
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn find(root: &Dir, path: &str) -> io::Result<Found> {
    let metadata = root.metadata(path)?;
    if metadata.is_dir() {
        let mut names = Vec::new();
        for entry in root.read_dir(path)? {
            let entry = entry?;
            let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
            names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
        }
        names.sort();
        return Ok(Found::Directory(names));
    }
    let file = root.open(path)?.into_std();
    // Of the open file: another one may have taken its name meanwhile.
    let metadata = file.metadata()?;
    Ok(Found::File {
        file,
        size: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

fn send(
    file: std::fs::File,
    size: u64,
    modified: Option<SystemTime>,
    request: &HeaderMap,
    is_head: bool,
) -> Response {
    let mut headers = HeaderMap::new();
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    if let Some(since) = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()) {
        let tag = format!("\"{:x}-{size:x}\"", since.as_nanos());
        if let Ok(time) = Timestamp::from_second(since.as_secs() as i64) {
            put(
                LAST_MODIFIED,
                &time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            );
        }
        put(ETAG, &tag);
        let asked = request
            .get(IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        if asked.is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag)) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
    }
    put(CONTENT_LENGTH, &size.to_string());
    put(CONTENT_TYPE, "application/octet-stream");
    let body = if is_head {
        Body::empty()
    } else {
        let file = tokio::fs::File::from_std(file);
        Body::from_stream(ReaderStream::with_capacity(file, CHUNK))
    };
    (headers, body).into_response()
}

fn listing(names: &[String]) -> String {
    let mut text = "<!doctype html>\n<meta charset=\"utf-8\">\n<pre>\n".to_owned();
    for name in names {
        let mut link = String::new();
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    link.push(byte as char);
                }
                byte => {
                    let _ = write!(link, "%{byte:02X}");
                }
            }
        }
        let shown = name
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let _ = writeln!(text, "<a href=\"./{link}\">{shown}</a>");
    }
    text.push_str("</pre>\n");
    text
}

#[cfg(test)]
mod tests;
