use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;

use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::files;
use crate::server::Listen;

struct Server {
    address: SocketAddr,
    _stop: DropGuard,
    _folder: TempDir,
}

/// A folder `served` with files, and a secret beside it.
async fn start() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("served");
    std::fs::create_dir_all(root.join("gitrepository/apps/web")).unwrap();
    std::fs::write(root.join("gitrepository/apps/web/1.tar.gz"), "archive").unwrap();
    std::fs::write(root.join("a <b>.txt"), "odd name").unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    symlink(
        "1.tar.gz",
        root.join("gitrepository/apps/web/latest.tar.gz"),
    )
    .unwrap();
    symlink("../secret", root.join("relative")).unwrap();
    symlink(folder.path().join("secret"), root.join("absolute")).unwrap();
    symlink("..", root.join("up")).unwrap();

    let bound = Listen::new("127.0.0.1", 0).bind().await.unwrap();
    let address = bound.address();
    let stop = CancellationToken::new();
    tokio::spawn(bound.serve(files(&root).unwrap(), stop.clone()));
    Server {
        address,
        _stop: stop.drop_guard(),
        _folder: folder,
    }
}

/// Sends the path as it is: an HTTP client would resolve `..` by itself.
async fn raw(server: &Server, method: &str, path: &str, headers: &str) -> String {
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    let address = server.address;
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_with_their_length() {
    let server = start().await;
    for path in [
        "/gitrepository/apps/web/1.tar.gz",
        "/gitrepository/apps/web/latest.tar.gz",
    ] {
        let answer = raw(&server, "GET", path, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-length: 7\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\narchive"), "{answer}");

        let head = raw(&server, "HEAD", path, "").await;
        assert!(head.contains("content-length: 7\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
    }
    assert!(
        raw(&server, "GET", "/none", "")
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        raw(&server, "POST", "/", "")
            .await
            .starts_with("HTTP/1.1 405")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leads_out_of_the_folder() {
    let server = start().await;
    for path in [
        "/../secret",
        "/gitrepository/../../secret",
        "/%2e%2e/secret",
        "/%2e%2e%2fsecret",
        "/..%2fsecret",
        "/gitrepository/apps/web/..%2f..%2f..%2f..%2fsecret",
        "/relative",
        "/absolute",
        "/up/secret",
        "/up/",
        "//etc/hostname",
        "/%2fetc/hostname",
        "/secret%00",
        "/%zz",
        "/%ff",
    ] {
        let answer = raw(&server, "GET", path, "").await;
        assert!(
            answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 403"),
            "{path}: {answer}"
        );
        assert!(!answer.contains("secret"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_are_listed() {
    let server = start().await;
    let root = raw(&server, "GET", "/", "").await;
    assert!(
        root.contains("<a href=\"./gitrepository/\">gitrepository/</a>"),
        "{root}"
    );
    assert!(
        root.contains("<a href=\"./a%20%3Cb%3E.txt\">a &lt;b&gt;.txt</a>"),
        "{root}"
    );
    assert!(
        raw(&server, "GET", "/a%20%3Cb%3E.txt", "")
            .await
            .ends_with("odd name")
    );

    let moved = raw(&server, "GET", "/gitrepository", "").await;
    assert!(moved.starts_with("HTTP/1.1 301"), "{moved}");
    assert!(moved.contains("location: gitrepository/\r\n"), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_file_is_not_sent_again() {
    let server = start().await;
    let path = "/gitrepository/apps/web/1.tar.gz";
    let first = raw(&server, "GET", path, "").await;
    let tag = first
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let again = raw(
        &server,
        "GET",
        path,
        &format!("If-None-Match: \"x\", {tag}\r\n"),
    )
    .await;
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    assert!(!again.contains("archive"));
}
