//! A control plane to try things on by hand: starts it, says how to use it, and ends it on Enter
//! or Ctrl-C.
//!
//! `cargo run -p weir-tests-support --example cluster`

use std::io::BufRead;
use std::time::Duration;

use weir_tests_support::Cluster;

fn main() -> anyhow::Result<()> {
    let cluster = Cluster::start()?;
    println!("export KUBECONFIG={}", cluster.kubeconfig().display());
    println!("{} get namespaces", cluster.kubectl_path().display());
    let mut line = String::new();
    // Without a terminal there is no Enter: only a signal ends it.
    while std::io::stdin().lock().read_line(&mut line)? == 0 {
        std::thread::sleep(Duration::from_hours(1));
    }
    Ok(())
}
