//! gix's blocking HTTP transport on the host's asynchronous client.
//!
//! The capability advertisement of protocol version 2 says nothing about references, so it is
//! kept for a while: a poll is then one request (`ls-refs`), and so is a fetch.

use std::any::Any;
use std::collections::HashMap;
use std::io::{self, BufRead, Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Response, Url};
use weir_plugin::Reference;

use crate::endpoint::Endpoint;
use crate::error::{Error, one_line};
use crate::http::{self, Clients};
use crate::operation::Operation;

/// How long an advertisement is believed. Bounds for how long a redirect that was taken back is
/// still followed; a changed server answers with an error and is asked again at once.
const ADVERTISEMENT_AGE: Duration = Duration::from_mins(5);
/// Bytes of an advertisement that is kept; real ones have a few hundred.
const KEPT_ADVERTISEMENT: usize = 64 << 10;
/// Annotated tags that are kept of one remote.
const KEPT_TAGS: usize = 50_000;
/// Bytes read after the end of an answer to give its connection back to the pool.
const DRAIN: usize = 64 << 10;

/// What a server said about itself.
#[derive(Clone, Debug)]
pub(crate) struct Advertisement {
    base: Url,
    body: Bytes,
    at: Instant,
}

/// Remembered of a remote between operations.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    advertisement: Mutex<Option<Advertisement>>,
    /// As they were listed last, for the objects behind annotated tags.
    tags: Mutex<HashMap<String, Reference>>,
}

impl Remembered {
    /// A tag as it was listed last.
    pub(crate) fn tag(&self, name: &str) -> Option<Reference> {
        self.tags.lock().get(name).cloned()
    }

    /// Keeps the annotated tags of a listing.
    pub(crate) fn note_tags(&self, listed: &[Reference]) {
        let mut annotated = listed
            .iter()
            .filter(|reference| reference.peeled.is_some())
            .peekable();
        if annotated.peek().is_some() {
            let mut tags = self.tags.lock();
            tags.clear();
            let kept = annotated.take(KEPT_TAGS);
            tags.extend(kept.map(|tag| (tag.name.clone(), tag.clone())));
        }
    }

    fn advertisement(&self) -> Option<Advertisement> {
        let known = self.advertisement.lock().clone()?;
        (known.at.elapsed() < ADVERTISEMENT_AGE).then_some(known)
    }

    /// Asks the server anew next time.
    pub(crate) fn forget(&self) {
        *self.advertisement.lock() = None;
    }
}

/// One conversation with a server.
pub(crate) struct Peer {
    pub(crate) operation: Arc<Operation>,
    pub(crate) endpoint: Arc<Endpoint>,
    clients: Arc<Clients>,
    remembered: Arc<Remembered>,
    limit: Mutex<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where the repository is, after redirects.
    base: Option<Url>,
    /// Collected until the answer is asked for.
    request: Option<Request>,
    /// Read chunk by chunk.
    response: Option<Response>,
    /// The cause of what gix reports in its own words.
    failure: Option<Error>,
    from_memory: bool,
}

struct Request {
    tail: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(
        operation: &Arc<Operation>,
        endpoint: &Arc<Endpoint>,
        clients: &Arc<Clients>,
        remembered: &Arc<Remembered>,
    ) -> Arc<Self> {
        Arc::new(Self {
            operation: Arc::clone(operation),
            endpoint: Arc::clone(endpoint),
            clients: Arc::clone(clients),
            remembered: Arc::clone(remembered),
            limit: Mutex::new(u64::MAX),
            state: Mutex::default(),
        })
    }

    /// Bytes that the following answers may have, each.
    pub(crate) fn limit(&self, bytes: u64) {
        *self.limit.lock() = bytes;
    }

    /// Whether the handshake was answered from memory.
    pub(crate) fn was_remembered(&self) -> bool {
        self.state.lock().from_memory
    }

    /// What really happened, once gix has failed.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.state.lock().failure.take()
    }

    fn note(&self, error: Error) -> io::Error {
        let text = error.to_string();
        self.state.lock().failure = Some(error);
        io::Error::other(text)
    }

    fn advertise(&self, tail: &str, headers: &HeaderMap) -> Result<Bytes, Error> {
        if let Some(known) = self.remembered.advertisement() {
            let mut state = self.state.lock();
            state.base = Some(known.base);
            state.from_memory = true;
            return Ok(known.body);
        }
        self.operation.phase("connecting");
        let limit = *self.limit.lock();
        let (url, body) = self.operation.wait(async {
            let answer = self.clients.get(&self.endpoint, tail, headers).await?;
            let kind = http::content_type(&answer.response);
            if kind != ADVERTISEMENT {
                return Err(Error::unavailable(format!(
                    "the server answered with '{kind}' instead of a Git reference listing; is \
                     there a repository at this address?"
                )));
            }
            Ok((answer.url, http::read_all(answer.response, limit).await?))
        })??;
        let base = base_of(&url, tail)?;
        if body.len() <= KEPT_ADVERTISEMENT && speaks_version_2(&body) {
            *self.remembered.advertisement.lock() = Some(Advertisement {
                base: base.clone(),
                body: body.clone(),
                at: Instant::now(),
            });
        }
        self.state.lock().base = Some(base);
        Ok(body)
    }

    /// Sends what was collected, if it was not sent yet.
    fn exchange(&self) -> Result<(), Error> {
        let Some(request) = self.state.lock().request.take() else {
            return Ok(());
        };
        let base = self
            .state
            .lock()
            .base
            .clone()
            .unwrap_or_else(|| self.endpoint.base.clone());
        let answer = self.operation.wait(self.clients.post(
            &self.endpoint,
            &base,
            &request.tail,
            &request.headers,
            request.body.into(),
        ))??;
        let kind = http::content_type(&answer.response);
        if kind != RESULT {
            return Err(Error::unavailable(format!(
                "the server answered with '{kind}' instead of Git data"
            )));
        }
        self.operation.received.store(0, Ordering::Relaxed);
        self.state.lock().response = Some(answer.response);
        Ok(())
    }

    fn chunk(&self) -> Result<Bytes, Error> {
        self.exchange()?;
        let Some(mut response) = self.state.lock().response.take() else {
            return Ok(Bytes::new());
        };
        let received = self.operation.received.load(Ordering::Relaxed);
        let chunk = self
            .operation
            .wait(response.chunk())?
            .map_err(|error| http::broken_off(&error, received as usize))?;
        let Some(chunk) = chunk else {
            return Ok(Bytes::new());
        };
        if received == 0
            && let Some(said) = refusal(&chunk)
        {
            return Err(Error::Refused(format!("the server refused: {said}")));
        }
        let limit = *self.limit.lock();
        let received = received + chunk.len() as u64;
        if received > limit {
            return Err(Error::Content(format!(
                "the server sends more than {limit} bytes"
            )));
        }
        self.operation.received.store(received, Ordering::Relaxed);
        self.state.lock().response = Some(response);
        Ok(chunk)
    }

    /// Reads what is left of an answer that was understood to its end (the last chunk's mark), so
    /// that the connection can be used again.
    pub(crate) fn drain(&self) {
        let mut read = 0;
        while read < DRAIN {
            match self.chunk() {
                Ok(chunk) if chunk.is_empty() => return,
                Ok(chunk) => read += chunk.len(),
                Err(_) => break,
            }
        }
        self.state.lock().response = None;
    }
}

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
const RESULT: &str = "application/x-git-upload-pack-result";

fn speaks_version_2(body: &[u8]) -> bool {
    // The packet line, behind an announcement of the service that some servers send first.
    const LINE: &[u8] = b"000eversion 2\n";
    let head = &body[..body.len().min(64)];
    head.windows(LINE.len()).any(|window| window == LINE)
}

/// What an answer says that is an error instead: one packet line that starts with `ERR`. gix
/// reports it where it happens to stumble over it.
fn refusal(answer: &[u8]) -> Option<String> {
    let length = std::str::from_utf8(answer.get(..4)?).ok()?;
    let length = usize::from_str_radix(length, 16).ok()?;
    let line = answer.get(4..length.min(answer.len()))?;
    let said = line.strip_prefix(b"ERR ")?;
    Some(one_line(&String::from_utf8_lossy(said)))
}

fn base_of(url: &Url, tail: &str) -> Result<Url, Error> {
    let text = url.as_str();
    let base = text
        .strip_suffix(tail)
        .map_or(text, |base| base.trim_end_matches('/'));
    Url::parse(base).map_err(|error| Error::Url(format!("'{base}': {error}")))
}

/// The end that gix talks to.
pub(crate) struct Backend(pub(crate) Arc<Peer>);

/// Header lines of an answer. Reading them sends the request.
pub(crate) struct Headers {
    peer: Option<Arc<Peer>>,
    line: Cursor<Vec<u8>>,
}

/// Body of an answer.
pub(crate) enum Body {
    Whole(Cursor<Bytes>),
    Live { peer: Arc<Peer>, chunk: Bytes },
}

/// Body of a request, collected in memory: it holds a few ids.
pub(crate) struct PostBody(Arc<Peer>);

impl Http for Backend {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix_error::Result<GetResponse<Headers, Body>> {
        let body = self
            .0
            .advertise(tail(url, base_url), &header_map(headers))
            .map_err(|error| gix_error::Error::from_error(self.0.note(error)))?;
        Ok(GetResponse {
            headers: Headers::ready(ADVERTISEMENT),
            body: Body::Whole(Cursor::new(body)),
        })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix_error::Result<PostResponse<Headers, Body, PostBody>> {
        let request = Request {
            tail: tail(url, base_url).to_owned(),
            headers: header_map(headers),
            body: Vec::new(),
        };
        {
            let mut state = self.0.state.lock();
            state.request = Some(request);
            state.response = None;
        }
        Ok(PostResponse {
            post_body: PostBody(Arc::clone(&self.0)),
            headers: Headers {
                peer: Some(Arc::clone(&self.0)),
                ..Headers::ready(RESULT)
            },
            body: Body::Live {
                peer: Arc::clone(&self.0),
                chunk: Bytes::new(),
            },
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix_error::Result {
        Ok(())
    }
}

/// gix knows the address as it was named; what counts is what it appends.
fn tail<'a>(url: &'a str, base_url: &str) -> &'a str {
    url.strip_prefix(base_url)
        .unwrap_or(url)
        .trim_start_matches('/')
}

fn header_map(headers: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in headers {
        if let Some((name, value)) = line.as_ref().split_once(':')
            && let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes())
            && let Ok(value) = HeaderValue::from_str(value.trim())
            // The client has its own.
            && name != USER_AGENT
        {
            map.append(name, value);
        }
    }
    map
}

impl Headers {
    /// The content type was checked before gix does, for a better message.
    fn ready(content_type: &str) -> Self {
        let line = format!("content-type: {content_type}\n").into_bytes();
        Self {
            peer: None,
            line: Cursor::new(line),
        }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(peer) = self.peer.take() {
            peer.exchange().map_err(|error| peer.note(error))?;
        }
        self.line.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.line.consume(amount);
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Whole(cursor) => cursor.fill_buf(),
            Self::Live { peer, chunk } => {
                if chunk.is_empty() {
                    *chunk = peer.chunk().map_err(|error| peer.note(error))?;
                }
                Ok(chunk)
            }
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Whole(cursor) => cursor.consume(amount),
            Self::Live { chunk, .. } => chunk.advance(amount.min(chunk.len())),
        }
    }
}

impl Write for PostBody {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if let Some(request) = &mut self.0.state.lock().request {
            request.body.extend_from_slice(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_is_seen_with_and_without_the_announcement() {
        assert!(speaks_version_2(
            b"001e# service=git-upload-pack\n0000000eversion 2\n0015agent"
        ));
        assert!(speaks_version_2(b"000eversion 2\n0015agent=git/2.43.0"));
        assert!(!speaks_version_2(
            b"001e# service=git-upload-pack\n0000015547c4e2 HEAD\0multi_ack"
        ));
    }

    #[test]
    fn an_error_line_is_what_the_server_says() {
        let said = refusal(b"0025ERR upload-pack: not our ref 12\n");
        assert_eq!(said.as_deref(), Some("upload-pack: not our ref 12"));
        assert_eq!(
            refusal(b"0025ERR upload-pack").as_deref(),
            Some("upload-pack")
        );
        for other in [
            &b"000dpackfile\n"[..],
            b"0000",
            b"00",
            b"zzzzERR x",
            b"\xff\xff\xff\xff",
        ] {
            assert_eq!(refusal(other), None);
        }
    }

    #[test]
    fn the_base_follows_a_redirect() {
        let tail = "info/refs?service=git-upload-pack";
        let url = Url::parse(&format!("https://b.example/x/y.git/{tail}")).unwrap();
        assert_eq!(
            base_of(&url, tail).unwrap().as_str(),
            "https://b.example/x/y.git"
        );
    }
}
