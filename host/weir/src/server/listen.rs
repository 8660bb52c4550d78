//! Addresses to listen on, and a server's life on one.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What running requests get after the token: a download of an artifact takes less.
const GRACE: Duration = Duration::from_secs(5);

/// Host and port to listen on, `:9090` for all addresses of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Empty: all addresses.
    host: String,
    /// 0: any free one.
    port: u16,
}

/// The text is no such address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address like `:9090` or `127.0.0.1:9090`")]
pub struct InvalidListen(String);

impl Listen {
    /// From its parts.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Starts to listen.
    pub async fn bind(&self) -> io::Result<Bound> {
        let listener = if self.host.is_empty() {
            match TcpListener::bind(("::", self.port)).await {
                // No IPv6 on this machine.
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    TcpListener::bind(("0.0.0.0", self.port)).await?
                }
                bound => bound?,
            }
        } else {
            TcpListener::bind((self.host.as_str(), self.port)).await?
        };
        Ok(Bound {
            address: listener.local_addr()?,
            listener,
        })
    }
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| InvalidListen(text.to_owned()))?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest
                .strip_suffix(']')
                .ok_or_else(|| InvalidListen(text.to_owned()))?,
            None if host.contains(':') => return Err(InvalidListen(text.to_owned())),
            None => host,
        };
        let port = port.parse().map_err(|_| InvalidListen(text.to_owned()))?;
        Ok(Self::new(host, port))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Where it listens, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, then gives running requests a few seconds.
    pub async fn serve(self, router: Router, stop: CancellationToken) -> io::Result<()> {
        let stopped = stop.clone();
        let server = axum::serve(self.listener, router)
            .with_graceful_shutdown(async move { stopped.cancelled().await });
        tokio::select! {
            ended = server => ended,
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    #[test]
    fn addresses_are_written_as_go_writes_them() {
        for (text, expected) in [
            (":9090", Some(Listen::new("", 9090))),
            ("127.0.0.1:0", Some(Listen::new("127.0.0.1", 0))),
            ("localhost:80", Some(Listen::new("localhost", 80))),
            ("[::1]:80", Some(Listen::new("::1", 80))),
            ("9090", None),
            ("::1:80", None),
            ("[::1:80", None),
            (":http", None),
            (":70000", None),
        ] {
            let parsed = text.parse::<Listen>().ok();
            assert_eq!(parsed, expected, "{text}");
            if let Some(listen) = parsed {
                assert_eq!(listen.to_string(), text);
            }
        }
    }

    #[tokio::test]
    async fn port_zero_gives_a_free_port_and_the_token_ends_the_server() {
        let bound = Listen::new("127.0.0.1", 0).bind().await.unwrap();
        let address = bound.address();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let server = tokio::spawn(bound.serve(router, stop.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"),
            "{answer}"
        );
        stop.cancel();
        server.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
