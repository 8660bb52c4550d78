//! What `--keep` prints before it waits.

use std::io::BufRead;
use std::time::Duration;

use crate::rig::Rig;

/// Says how to look around, and waits for Enter.
pub(crate) fn look_around(rig: &Rig) {
    println!(
        "\nStill running. In another terminal:\n
  export KUBECONFIG={}
  {} get gitrepositories,kustomizations,plugins -A
  {} get events -n flux-system
  {} get all -n podinfo

The repository: {}
A working copy: {} (commit and `git push` there)
Its alerts go to {}, components come from {}.
Enter or Ctrl-C ends it.",
        rig.kubeconfig().display(),
        rig.kubectl_path().display(),
        rig.kubectl_path().display(),
        rig.kubectl_path().display(),
        rig.repo.url(),
        rig.work.display(),
        rig.webhook.url(),
        rig.registry.host(),
    );
    let mut line = String::new();
    // Without a terminal there is no Enter: only a signal ends it.
    while matches!(std::io::stdin().lock().read_line(&mut line), Ok(0) | Err(_)) {
        std::thread::sleep(Duration::from_hours(1));
    }
}
