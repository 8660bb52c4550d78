//! Attempts to reach what was not granted, by the standard library as it comes for WASI.

use std::fmt::Debug;
use std::fs;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use crate::{Attack, emit};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("resolve-names", |scene| {
        emit(
            scene,
            format!("{:?}", ("localhost", 80).to_socket_addrs()).as_bytes(),
        )
    }),
    ("reach-out", |scene| {
        let attempts: [(&str, bool); 15] = [
            ("connect", went(TcpStream::connect("127.0.0.1:80"))),
            (
                "connect to metadata",
                went(TcpStream::connect("169.254.169.254:80")),
            ),
            ("listen", went(TcpListener::bind("0.0.0.0:0"))),
            ("bind", went(UdpSocket::bind("0.0.0.0:0"))),
            ("read a file", went(fs::read("/etc/passwd"))),
            (
                "read a relative file",
                went(fs::read("../../../etc/passwd")),
            ),
            ("read the process", went(fs::read("/proc/self/environ"))),
            (
                "read a token",
                went(fs::read(
                    "/var/run/secrets/kubernetes.io/serviceaccount/token",
                )),
            ),
            ("write", went(fs::write("/tmp/hostile", "x"))),
            ("list", went(fs::read_dir("/"))),
            ("make a folder", went(fs::create_dir("/tmp/hostile.d"))),
            ("remove", went(fs::remove_file("/tmp/x"))),
            ("link", went(fs::hard_link("/etc/passwd", "x"))),
            ("run", went(std::process::Command::new("sh").spawn())),
            (
                "start a thread",
                went(std::thread::Builder::new().spawn(|| ())),
            ),
        ];
        for (what, went) in attempts {
            emit(scene, format!("{what}: {went}").as_bytes())?;
        }
        let surroundings = (
            std::env::vars().count(),
            std::env::args().count(),
            std::env::home_dir(),
            std::env::current_dir()
                .ok()
                .filter(|path| path.as_os_str() != "/"),
        );
        emit(scene, format!("{surroundings:?}").as_bytes())
    }),
];

fn went<T: Debug>(attempt: std::io::Result<T>) -> bool {
    attempt.is_ok()
}
