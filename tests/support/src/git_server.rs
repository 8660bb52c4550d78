//! A Git server over smart HTTP: `git http-backend` as a CGI program behind our small server,
//! with the faults and the authentication that tests ask for.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::git::{self, Repo};
use crate::http::{Incoming, Outgoing, Server};
use crate::reaper;
use crate::tls::{self, Authority};

/// Who is let in.
#[derive(Clone, Debug, Default)]
pub enum GitAuth {
    /// Everybody.
    #[default]
    None,
    /// One user and password.
    Basic(String, String),
    /// The holder of a token.
    Bearer(String),
}

/// What the server does wrong, until told otherwise.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It answers this status.
    Status(u16),
    /// It never answers.
    Hang,
    /// It closes the connection without an answer.
    Close,
    /// It answers after a while.
    Delay(Duration),
    /// It redirects (302) to this server, the path kept.
    Redirect(String),
}

/// How a server is to be.
#[derive(Clone, Debug, Default)]
pub struct GitServerOptions {
    /// Who is let in.
    pub auth: GitAuth,
    /// Serve over TLS with a certificate of an authority made for it.
    pub tls: bool,
}

/// A running Git server, with its repositories in a temporary folder.
#[derive(Debug)]
pub struct GitServer {
    server: Server,
    root: TempDir,
    ca: Option<String>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    auth: GitAuth,
    fault: Mutex<Fault>,
    requests: Mutex<Vec<String>>,
}

impl GitServer {
    /// Starts a server that lets everybody in, without TLS.
    pub fn start() -> Result<Self> {
        Self::start_with(GitServerOptions::default())
    }

    /// Starts a server.
    pub fn start_with(options: GitServerOptions) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("weir-git-").tempdir()?;
        reaper::remove_folder(root.path());
        let state = Arc::new(State {
            auth: options.auth,
            ..State::default()
        });
        let (ca, config) = if options.tls {
            let authority = Authority::new("weir test Git authority")?;
            let issued = authority.issue(&["127.0.0.1", "localhost"])?;
            let config = tls::server_config(&issued)?;
            (Some(authority.certificate()), Some(config))
        } else {
            (None, None)
        };
        let server = Server::start(config, {
            let state = Arc::clone(&state);
            let root = root.path().to_path_buf();
            Arc::new(move |request: &Incoming| state.answer(&root, request))
        })?;
        Ok(Self {
            server,
            root,
            ca,
            state,
        })
    }

    /// `http://127.0.0.1:PORT`, or `https://`.
    pub fn url(&self) -> String {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.server.address())
    }

    /// The certificate of its authority in PEM, where it serves over TLS.
    pub fn ca(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// Makes an empty repository; its address is the server's with `/{name}.git`.
    pub fn create_repo(&self, name: &str) -> Result<Repo> {
        Repo::create(self.root.path(), name, &self.url())
    }

    /// From now on, until the next call, requests meet this fault.
    pub fn set_fault(&self, fault: Fault) {
        *lock(&self.state.fault) = fault;
    }

    /// The requests so far, each as method, path and query: `GET /a.git/info/refs?service=...`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state.requests).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&self, root: &Path, request: &Incoming) -> Outgoing {
        let target = if request.query.is_empty() {
            request.path.clone()
        } else {
            format!("{}?{}", request.path, request.query)
        };
        lock(&self.requests).push(format!("{} {target}", request.method));
        let fault = lock(&self.fault).clone();
        match fault {
            Fault::None => {}
            Fault::Status(status) => return Outgoing::text(status, "told to fail\n"),
            Fault::Hang => return Outgoing::Hang,
            Fault::Close => return Outgoing::Close,
            Fault::Delay(delay) => std::thread::sleep(delay),
            Fault::Redirect(server) => {
                return Outgoing::Reply {
                    status: 302,
                    headers: vec![("Location".to_owned(), format!("{server}{target}"))],
                    body: Vec::new(),
                };
            }
        }
        if !self.lets_in(request) {
            return Outgoing::Reply {
                status: 401,
                headers: vec![(
                    "WWW-Authenticate".to_owned(),
                    "Basic realm=\"weir tests\"".to_owned(),
                )],
                body: b"unauthorized\n".to_vec(),
            };
        }
        backend(root, request)
            .unwrap_or_else(|error| Outgoing::text(500, &format!("git http-backend: {error:#}\n")))
    }

    fn lets_in(&self, request: &Incoming) -> bool {
        let expected = match &self.auth {
            GitAuth::None => return true,
            GitAuth::Basic(user, password) => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
            }
            GitAuth::Bearer(token) => format!("Bearer {token}"),
        };
        request.header("authorization") == Some(&expected)
    }
}

/// Runs `git http-backend` as RFC 3875 has it.
fn backend(root: &Path, request: &Incoming) -> Result<Outgoing> {
    let header = |name| request.header(name).unwrap_or_default();
    let mut child = git::command(root)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        // It decompresses by itself.
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", "test")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("failed to start")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let body = request.body.clone();
    // In a thread of its own: it may answer before it has read all, and both pipes would fill.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    parse(&output.stdout).context("answered with something that is not CGI")
}

/// A CGI response: headers, an empty line, the body; `Status` is optional.
fn parse(output: &[u8]) -> Option<Outgoing> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(output.get(..end)?).ok()?;
    let mut status = 200;
    let mut headers = Vec::new();
    for line in head.lines() {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            status = value.split(' ').next()?.parse().ok()?;
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Some(Outgoing::Reply {
        status,
        headers,
        body: output.get(end + 4..)?.to_vec(),
    })
}
