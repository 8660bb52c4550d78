//! A small blocking HTTP/1.1 server: a thread per connection, bodies in memory.
//!
//! Enough for Git's smart protocol and for receiving webhooks from a test; bodies are bounded by
//! [`MAX_BODY`].

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The largest request body that is read.
pub const MAX_BODY: usize = 256 << 20;

/// A request as received; chunked bodies are joined, compressed ones are left as they are.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// `GET` and the like.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What follows `?`, or nothing.
    pub query: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Incoming {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a handler answers.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// An HTTP response.
    Reply {
        /// Status code.
        status: u16,
        /// Headers besides `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// No answer at all; the connection stays open until the client or the server goes.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

impl Outgoing {
    /// A plain-text reply.
    pub fn text(status: u16, body: &str) -> Self {
        Self::Reply {
            status,
            headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }
}

/// Answers requests; called from many threads.
pub type Handler = dyn Fn(&Incoming) -> Outgoing + Send + Sync;

/// A running server; dropping it closes its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Serves on a free loopback port, over TLS if `tls` is given.
    pub fn start(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to bind a port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, tls.as_ref(), &handler, &shared)
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accept call.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in self.shared.lock().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    handler: &Arc<Handler>,
    shared: &Arc<Shared>,
) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        if let Ok(copy) = stream.try_clone() {
            let mut open = shared.lock();
            // Connections that ended leave handles behind; a peer address is gone with them.
            open.retain(|stream| stream.peer_addr().is_ok());
            open.push(copy);
        }
        let handler = Arc::clone(handler);
        let tls = tls.cloned();
        // Not joined: it ends with its connection, which Drop closes.
        std::thread::spawn(move || {
            let socket = stream.try_clone();
            // A client that goes away in the middle is no failure of the server.
            let _ = match tls {
                None => converse(stream, &handler),
                Some(config) => ServerConnection::new(config)
                    .map_err(io::Error::other)
                    .and_then(|tls| converse(StreamOwned::new(tls, stream), &handler)),
            };
            if let Ok(socket) = socket {
                let _ = socket.shutdown(Shutdown::Both);
            }
        });
    }
}

/// Answers the requests of one connection.
fn converse(stream: impl Read + Write, handler: &Arc<Handler>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream)? {
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        match handler(&request) {
            Outgoing::Close => return Ok(()),
            Outgoing::Hang => {
                // Ends when the client closes, or when the server shuts the socket down.
                io::copy(&mut stream, &mut io::sink())?;
                return Ok(());
            }
            Outgoing::Reply {
                status,
                headers,
                body,
            } => write_reply(stream.get_mut(), &request, status, &headers, &body)?,
        }
        if last {
            return Ok(());
        }
    }
    Ok(())
}

fn write_reply(
    stream: &mut impl Write,
    request: &Incoming,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    let mut reply = head.into_bytes();
    if request.method != "HEAD" {
        reply.extend_from_slice(body);
    }
    stream.write_all(&reply)?;
    stream.flush()
}

pub(crate) fn read_request<S: Read + Write>(
    stream: &mut BufReader<S>,
) -> io::Result<Option<Incoming>> {
    let line = read_line(stream)?;
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Incoming {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..Incoming::default()
    };
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if request.header("expect").is_some() {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    let chunked = request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    if chunked {
        request.body = read_chunks(stream)?;
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().map_err(io::Error::other)?;
        request.body = read_exactly(stream, length)?;
    }
    Ok(Some(request))
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            // Trailers, up to the empty line.
            while !read_line(stream)?.is_empty() {}
            return Ok(body);
        }
        if body.len() + size > MAX_BODY {
            return Err(io::Error::other("request body too large"));
        }
        body.extend(read_exactly(stream, size)?);
        read_line(stream)?;
    }
}

fn read_exactly(stream: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    if length > MAX_BODY {
        return Err(io::Error::other("request body too large"));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// One line without its end, at most 64 KiB.
fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(64 << 10).read_until(b'\n', &mut line)?;
    while line
        .last()
        .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
    {
        line.pop();
    }
    String::from_utf8(line).map_err(io::Error::other)
}
