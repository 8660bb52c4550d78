//! Ends child processes and removes temporary folders when this process dies without doing so
//! itself: a test that was killed, a value in a `static`, Ctrl-C.
//!
//! A shell holds the reading end of a pipe and a list of what there is. The pipe closes when this
//! process is gone, however it went; then the shell ends what is left on its list. Unlike a
//! parent-death signal this does not depend on the thread that started the child.

use std::io::Write;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids=' ' dirs=
while read -r op what; do
  case "$op" in
    add) pids="$pids$what " ;;
    del) case "$pids" in *" $what "*) pids="${pids%% $what *} ${pids#* $what }" ;; esac ;;
    dir) dirs="$dirs
$what" ;;
  esac
done
[ "$pids" = ' ' ] || { kill -TERM $pids; sleep 2; kill -KILL $pids; }
printf '%s\n' "$dirs" | while read -r dir; do [ -z "$dir" ] || rm -rf -- "$dir"; done
"#;

struct Reaper {
    input: ChildStdin,
    // Kept only so that the shell is not waited for: it must outlive this process.
    _shell: Child,
}

static REAPER: Mutex<Option<Reaper>> = Mutex::new(None);

/// Puts a process on the list.
pub(crate) fn add(pid: u32) {
    tell(&format!("add {pid}\n"));
}

/// Takes an ended process off the list.
pub(crate) fn remove(pid: u32) {
    tell(&format!("del {pid}\n"));
}

/// Has a temporary folder removed at the end of this process, if it is still there then.
pub fn remove_folder(folder: &Path) {
    tell(&format!("dir {}\n", folder.display()));
}

/// Failures are ignored: the watchdog is a second line of defence.
fn tell(line: &str) {
    let mut reaper = REAPER.lock().unwrap_or_else(PoisonError::into_inner);
    if reaper.is_none() {
        *reaper = start();
    }
    if let Some(reaper) = reaper.as_mut() {
        let _ = reaper.input.write_all(line.as_bytes());
    }
}

fn start() -> Option<Reaper> {
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT, "weir-tests-reaper"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Of its own, so that what kills this process's group does not kill it as well.
        .process_group(0)
        .spawn()
        .ok()?;
    Some(Reaper {
        input: shell.stdin.take()?,
        _shell: shell,
    })
}
