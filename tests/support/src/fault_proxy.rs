//! A way to a real server on which faults can be made: plain HTTP towards the client, plain or TLS
//! towards the server, a connection for each request, answers passed on as they come.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustls::ClientConfig;

use crate::Cluster;
use crate::http::{Incoming, read_request};
use crate::{net, tls};

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The server answers.
    Pass,
    /// The server answers after a while.
    Delay(Duration),
    /// The proxy answers in the server's stead, with a status and a body of JSON.
    Answer {
        /// Status code.
        status: u16,
        /// Headers besides the body's.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The server answers, and after a while the connection ends in the middle: a watch cut off.
    Cut(Duration),
    /// The server answers, and the connection ends after so many bytes of it, head included.
    Truncate(usize),
    /// Nobody answers; the connection stays open.
    Hang,
    /// The connection ends without an answer.
    Close,
}

impl Verdict {
    /// A refusal as the API server words it.
    pub fn refusal(status: u16, reason: &str, message: &str) -> Self {
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": status,
        });
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    /// This for a request that is meant, and nothing for any other.
    #[must_use]
    pub fn only_if(self, is_meant: bool) -> Self {
        if is_meant { self } else { Self::Pass }
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// A watch whose history has expired, told within the stream as the API server does it.
    pub fn expired() -> Self {
        let event = serde_json::json!({"type": "ERROR", "object": {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "too old resource version", "reason": "Expired", "code": 410,
        }});
        Self::Answer {
            status: 200,
            headers: Vec::new(),
            body: format!("{event}\n"),
        }
    }
}

/// Decides on each request; called from many threads.
pub type Rule = dyn Fn(&Incoming) -> Verdict + Send + Sync;

/// A running proxy; dropping it ends its connections.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: SocketAddr,
    /// With TLS, unless there is none.
    tls: Option<Arc<ClientConfig>>,
    rule: Mutex<Arc<Rule>>,
    /// Requests that a rule did anything to.
    hurt: AtomicU64,
    stopping: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl FaultProxy {
    /// A proxy before a server over plain HTTP. All requests pass until told otherwise.
    pub fn before(upstream: SocketAddr) -> Result<Self> {
        Self::start(upstream, None)
    }

    /// A proxy before the API server of a cluster.
    pub fn before_api(cluster: &Cluster) -> Result<Self> {
        let ca = fs::read_to_string(cluster.folder().join("ca.crt"))?;
        Self::start(cluster.address(), Some(tls::client_config(&ca)?))
    }

    fn start(upstream: SocketAddr, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to bind a port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            tls,
            rule: Mutex::new(Arc::new(|_: &Incoming| Verdict::Pass)),
            hurt: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let accepting = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
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

    /// A user's kubeconfig for the cluster, by way of this proxy.
    pub fn kubeconfig(&self, cluster: &Cluster, user: &str) -> Result<PathBuf> {
        let direct = cluster.kubeconfig_of(user);
        let mut config: serde_json::Value = serde_json::from_str(&fs::read_to_string(&direct)?)?;
        config["clusters"][0]["cluster"] =
            serde_json::json!({ "server": format!("http://{}", self.address) });
        let path = direct.with_extension(format!("by-{}.kubeconfig", self.address.port()));
        fs::write(&path, serde_json::to_string_pretty(&config)?)?;
        Ok(path)
    }

    /// From now on requests are decided on by this rule. Connections that are open end, so that
    /// watches meet it as well.
    pub fn set(&self, rule: impl Fn(&Incoming) -> Verdict + Send + Sync + 'static) {
        *lock(&self.shared.rule) = Arc::new(rule);
        self.shared.hurt.store(0, Ordering::SeqCst);
        self.disconnect();
    }

    /// From now on all requests pass; returns how many the rule before did something to.
    pub fn heal(&self) -> u64 {
        *lock(&self.shared.rule) = Arc::new(|_: &Incoming| Verdict::Pass);
        self.shared.hurt.load(Ordering::SeqCst)
    }

    /// How many requests the rule did something to so far.
    pub fn hurt(&self) -> u64 {
        self.shared.hurt.load(Ordering::SeqCst)
    }

    /// Ends every connection.
    pub fn disconnect(&self) {
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accept call.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.disconnect();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        if let Ok(copy) = stream.try_clone() {
            let mut open = lock(&shared.open);
            open.retain(|stream| stream.peer_addr().is_ok());
            open.push(copy);
        }
        let shared = Arc::clone(shared);
        // Not joined: it ends with its connection.
        std::thread::spawn(move || {
            // Either side may go away in the middle; that is what the proxy is for.
            let _ = serve(&stream, &shared);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

/// Answers the one request of a connection.
fn serve(client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let Some(request) = read_request(&mut reader)? else {
        return Ok(());
    };
    let rule = Arc::clone(&*lock(&shared.rule));
    let verdict = rule(&request);
    if !matches!(verdict, Verdict::Pass) {
        shared.hurt.fetch_add(1, Ordering::SeqCst);
    }
    match verdict {
        Verdict::Pass => forward(client, &request, shared, &End::default()),
        Verdict::Delay(delay) => {
            std::thread::sleep(delay);
            forward(client, &request, shared, &End::default())
        }
        Verdict::Cut(after) => {
            let end = End {
                after: Some(after),
                ..End::default()
            };
            forward(client, &request, shared, &end)
        }
        Verdict::Truncate(bytes) => {
            let end = End {
                bytes: Some(bytes),
                ..End::default()
            };
            forward(client, &request, shared, &end)
        }
        Verdict::Hang => {
            // Until the client gives up, or this proxy does.
            io::copy(&mut reader, &mut io::sink()).map(drop)
        }
        Verdict::Close => Ok(()),
        Verdict::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n\
                 Connection: close\r\nContent-Length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            head.push_str("\r\n");
            head.push_str(&body);
            let mut client = client;
            client.write_all(head.as_bytes())
        }
    }
}

/// Where an answer ends, besides its own end.
#[derive(Default)]
struct End {
    after: Option<Duration>,
    bytes: Option<usize>,
}

/// Passes the request on, and the answer back until it ends.
fn forward(client: &TcpStream, request: &Incoming, shared: &Shared, end: &End) -> io::Result<()> {
    let upstream = net::connect(shared.upstream).map_err(io::Error::other)?;
    // Short, to see in a quiet watch that the client is gone or the time is over.
    upstream.set_read_timeout(Some(Duration::from_millis(100)))?;
    match &shared.tls {
        None => relay(upstream, client, request, shared, end),
        Some(config) => {
            let upstream =
                tls::client(config, shared.upstream, upstream).map_err(io::Error::other)?;
            relay(upstream, client, request, shared, end)
        }
    }
}

fn relay(
    mut upstream: impl Read + Write,
    mut client: &TcpStream,
    request: &Incoming,
    shared: &Shared,
    end: &End,
) -> io::Result<()> {
    upstream.write_all(&head(request))?;
    upstream.write_all(&request.body)?;
    upstream.flush()?;
    let started = Instant::now();
    let mut left = end.bytes.unwrap_or(usize::MAX);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let late = end.after.is_some_and(|after| started.elapsed() > after);
        if late || left == 0 || shared.stopping.load(Ordering::SeqCst) {
            return Ok(());
        }
        match upstream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let count = count.min(left);
                left -= count;
                client.write_all(buffer.get(..count).unwrap_or_default())?;
            }
            Err(error) if is_timeout(&error) => {
                // A client that was disconnected: nobody waits for the rest.
                if client.peer_addr().is_err() || is_closed(client) {
                    return Ok(());
                }
            }
            // A TLS server that closes without saying so; the length of the answer tells.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// The request's head for a connection that ends with its answer; the body is passed on whole.
fn head(request: &Incoming) -> Vec<u8> {
    let mut head = format!("{} {}", request.method, request.path);
    if !request.query.is_empty() {
        let _ = write!(head, "?{}", request.query);
    }
    head.push_str(" HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in &request.headers {
        let is_ours = [
            "connection",
            "transfer-encoding",
            "content-length",
            "expect",
        ]
        .contains(&name.as_str());
        if !is_ours {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    let _ = write!(head, "content-length: {}\r\n\r\n", request.body.len());
    head.into_bytes()
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Whether the peer has closed: it sends nothing more after its one request.
fn is_closed(stream: &TcpStream) -> bool {
    let _ = stream.set_nonblocking(true);
    let closed = matches!(stream.peek(&mut [0]), Ok(0));
    let _ = stream.set_nonblocking(false);
    closed
}
