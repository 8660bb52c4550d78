//! A real HTTP server on the loopback interface with canned answers, which keeps what it was sent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::{Router, serve};
use tokio::sync::oneshot;

/// Bodies beyond this are a mistake of the test.
const MAX_BODY: usize = 256 << 20;

/// An HTTP server. Ends when it is dropped.
///
/// ```
/// use weir_sdk_testing::{Answer, Peer};
///
/// let peer = Peer::start().on("POST", "/hook", Answer::status(204));
/// assert!(peer.url("/hook").starts_with("http://127.0.0.1:"));
/// assert!(peer.requests().is_empty());
/// ```
#[derive(Debug)]
pub struct Peer {
    origin: String,
    state: Arc<Mutex<Script>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Script {
    answers: HashMap<(String, String), VecDeque<Answer>>,
    received: Vec<Received>,
}

/// What the server answers.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Status 200 with a body.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::status(200)
        }
    }

    /// Status 200 with a value as JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::body(value.to_string()).header("Content-Type", "application/json")
    }

    /// Changes the status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
            let value = HeaderValue::from_str(value).expect("the value of a header");
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// A request that the server was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

impl Received {
    /// The first value of a header; case does not count.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("no JSON: {error}: {}", String::from_utf8_lossy(&self.body))
        })
    }
}

impl Peer {
    /// Starts a server that answers everything with 404.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(Script::default()));
        let (stop, stopped) = oneshot::channel();
        let app = Router::new().fallback(answer).with_state(state.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                tokio::select! {
                    _ = async { serve(listener, app).await } => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            origin,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Answers a method and path (with its query). Several answers for the same are given one
    /// after another; the last stays.
    pub fn on(self, method: &str, path: &str, answer: Answer) -> Self {
        let key = (method.to_owned(), path.to_owned());
        self.script()
            .answers
            .entry(key)
            .or_default()
            .push_back(answer);
        self
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What the server was sent so far.
    pub fn requests(&self) -> Vec<Received> {
        self.script().received.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed already.
            let _ = thread.join();
        }
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default().to_vec();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let method = parts.method.to_string();
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    let received = Received {
        method: method.clone(),
        path: path.clone(),
        headers,
        body,
    };
    script.received.push(received);
    let answer = script.answers.get_mut(&(method, path)).and_then(|answers| {
        if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        }
    });
    answer.unwrap_or_else(|| Answer::status(404)).response()
}
