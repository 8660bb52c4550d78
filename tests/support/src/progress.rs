//! Says what is being done and how far it is: numbered steps with the time they took, and a line
//! now and then while a long one runs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How often a long step says that it is still running.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `1.2 s`, `45 s` or `6 m 02 s`.
pub fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole >= 60 {
        format!("{} m {:02} s", whole / 60, whole % 60)
    } else if whole >= 10 {
        format!("{whole} s")
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

/// Waits for `child`, printing `label`, the time since `started`, and how long its log is and what
/// it says last, now and then.
pub fn wait_with_heartbeat(
    child: &mut Child,
    label: &str,
    log: &Path,
    started: Instant,
) -> std::io::Result<ExitStatus> {
    let mut said = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if said.elapsed() >= HEARTBEAT {
            said = Instant::now();
            eprintln!("{label}: {}{}", seconds(started.elapsed()), far(log));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The last `lines` lines of a text file, of its last 64 KiB at most.
pub fn tail(file: &Path, lines: usize) -> String {
    let Ok(mut file) = File::open(file) else {
        return String::new();
    };
    let length = file.metadata().map_or(0, |meta| meta.len());
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(length.saturating_sub(64 * 1024)))
        .and_then(|_| file.read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn far(log: &Path) -> String {
    let last = tail(log, 1).chars().take(70).collect::<String>();
    let lines = std::fs::read(log).map_or(0, |text| text.split(|byte| *byte == b'\n').count());
    if last.is_empty() {
        String::new()
    } else {
        format!(", at line {} of its log: {last}", lines.saturating_sub(1))
    }
}
