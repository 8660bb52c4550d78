//! The steps of a reconcile at which a test lets the host die, as a lost machine would.
//!
//! The variable `WEIR_FAILPOINT` names one: `status`, or `object:3` for its third time. Builds
//! without debug assertions, so every release, hold none of it. `tests/cluster` walks
//! [`Step::ALL`]: a new step is covered by being named here and hit somewhere.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $step:ident = $name:literal,)+) => {
        /// A step, named by what has just been done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step {
            $($(#[doc = $doc])+ $step,)+
        }

        impl Step {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$step,)+];

            /// Its name in `WEIR_FAILPOINT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$step => $name,)+
                }
            }
        }
    };
}

steps! {
    /// A source's tree is here, not yet on disk.
    Fetch = "fetch",
    /// Archive and pack are on disk, and no record names them.
    Store = "store",
    /// The record names the artifact, and no status does.
    Record = "record",
    /// A source's status is written.
    SourceStatus = "source-status",
    /// Manifests are rendered, and nothing remembers them.
    Render = "render",
    /// The inventory names what is about to be created.
    Intent = "intent",
    /// All objects of a stage have passed their dry run.
    DryRun = "dry-run",
    /// An object is written.
    Object = "object",
    /// All objects of a stage are written.
    Stage = "stage",
    /// Everything is applied, and nothing is pruned.
    Apply = "apply",
    /// Objects that Git no longer has are deleted, and the inventory still names them.
    Prune = "prune",
    /// What was applied is kept on disk.
    Ledger = "ledger",
    /// Health is waited for.
    HealthWait = "health-wait",
    /// The status of a Kustomization is written.
    Status = "status",
    /// An Event is written.
    Event = "event",
    /// A component is downloaded.
    Download = "plugin-download",
    /// A component is compiled, and nothing keeps it.
    Compile = "plugin-compile",
    /// A compiled component is in the cache.
    CacheWrite = "plugin-cache-write",
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Says that a step is done. The process may end here.
#[inline]
pub fn hit(step: Step) {
    if cfg!(debug_assertions) {
        die_if_asked(step);
    }
}

fn die_if_asked(step: Step) {
    static ASKED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let asked = ASKED.get_or_init(|| parse(&std::env::var("WEIR_FAILPOINT").ok()?));
    let Some((name, time)) = asked else { return };
    if name == step.name() && TIMES.fetch_add(1, Ordering::Relaxed) + 1 == *time {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal ends all threads; this one must not go on until it does.
        loop {
            std::thread::park();
        }
    }
}

/// `name` or `name:time`.
fn parse(text: &str) -> Option<(String, u32)> {
    let (name, time) = text.split_once(':').unwrap_or((text, "1"));
    Some((name.to_owned(), time.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_asked_for_by_name_and_time() {
        for (text, expected) in [
            ("status", Some(("status", 1))),
            ("object:3", Some(("object", 3))),
            ("object:x", None),
        ] {
            let expected = expected.map(|(name, time)| (name.to_owned(), time));
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_unique() {
        for (index, step) in Step::ALL.iter().enumerate() {
            let others = &Step::ALL[index + 1..];
            assert!(
                others.iter().all(|other| other.name() != step.name()),
                "{step}"
            );
        }
    }
}
