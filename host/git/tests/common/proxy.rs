//! Stands between a client and a Git server and makes it another server: one without protocol
//! version 2, one whose answers end early.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use weir_tests_support::GitServer;

/// What is done to what passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// Answers to `fetch` end after that many bytes, headers included.
    pub cut: Option<usize>,
    /// The wish for a protocol version does not reach the server, which then speaks version 0.
    pub old: bool,
}

/// Address of the proxy, which serves until the process ends.
pub fn start(server: &GitServer, way: Way) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = server.url().replace("http://", "");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let upstream = upstream.clone();
            std::thread::spawn(move || pass(stream, &upstream, way));
        }
    });
    format!("http://{address}")
}

/// One request and its answer; the connection ends with it.
fn pass(mut client: TcpStream, upstream: &str, way: Way) -> Option<()> {
    let request = read(&mut client)?;
    let end = request
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let mut server = TcpStream::connect(upstream).ok()?;
    for line in head.split("\r\n") {
        if !(way.old && line.to_ascii_lowercase().starts_with("git-protocol:")) {
            server.write_all(line.as_bytes()).ok()?;
            server.write_all(b"\r\n").ok()?;
        }
    }
    server.write_all(b"connection: close\r\n\r\n").ok()?;
    server.write_all(&request[end + 4..]).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let is_fetch = request.windows(13).any(|window| window == b"command=fetch");
    if let Some(cut) = way.cut.filter(|_| is_fetch) {
        answer.truncate(cut);
    }
    client.write_all(&answer).ok()
}

/// Head and body of a request.
fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text[..end]
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let body = length.map_or(0, |value| value.trim().parse().unwrap_or(0));
            if request.len() >= end + 4 + body {
                return Some(request);
            }
        }
    }
}
