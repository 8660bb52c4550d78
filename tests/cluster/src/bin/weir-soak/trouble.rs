//! Faults that come and go: of the API server and of the Git server, one of each at a time.

use std::time::{Duration, Instant};

use weir_tests_support::http::Incoming;
use weir_tests_support::{FaultProxy, Verdict};

use crate::model::Random;

/// How long one lasts, at most; at least a second.
const LONGEST: usize = 8;

pub(crate) struct Trouble {
    api: FaultProxy,
    git: FaultProxy,
    api_until: Option<Instant>,
    git_until: Option<Instant>,
}

/// One request in four.
fn sometimes(request: &Incoming, verdict: Verdict) -> Verdict {
    let sum: usize = request
        .path
        .bytes()
        .chain(request.body.iter().copied().take(64))
        .map(usize::from)
        .sum();
    verdict.only_if(sum.is_multiple_of(4))
}

fn is_watch(request: &Incoming) -> bool {
    request.query.contains("watch=")
}

const API: [fn(&Incoming) -> Verdict; 7] = [
    |_| Verdict::Close,
    |request| sometimes(request, Verdict::refusal(500, "InternalError", "soak")),
    |request| {
        let refusal = Verdict::refusal(429, "TooManyRequests", "soak");
        sometimes(request, refusal.with_header("Retry-After", "1"))
    },
    |request| {
        sometimes(
            request,
            Verdict::refusal(409, "Conflict", "the object has been modified"),
        )
        .only_if(request.method == "PATCH")
    },
    |request| Verdict::Cut(Duration::from_millis(300)).only_if(is_watch(request)),
    |request| Verdict::expired().only_if(is_watch(request)),
    |request| Verdict::Delay(Duration::from_secs(1)).only_if(!is_watch(request)),
];

const GIT: [fn(&Incoming) -> Verdict; 4] = [
    |_| Verdict::Close,
    |_| Verdict::refusal(503, "Unavailable", "soak"),
    |_| Verdict::Truncate(300),
    |_| Verdict::Hang,
];

impl Trouble {
    pub(crate) fn new(api: FaultProxy, git: FaultProxy) -> Self {
        let (api_until, git_until) = (None, None);
        Self {
            api,
            git,
            api_until,
            git_until,
        }
    }

    /// Another fault, of either server.
    pub(crate) fn begin(&mut self, random: &mut Random) {
        let until = Instant::now() + Duration::from_secs(1 + random.below(LONGEST) as u64);
        let which = random.below(API.len() + GIT.len());
        if let Some(rule) = API.get(which) {
            self.api.set(rule);
            self.api_until = Some(until);
        } else if let Some(rule) = GIT.get(which - API.len()) {
            self.git.set(rule);
            self.git_until = Some(until);
        }
    }

    /// Ends the faults whose time is over.
    pub(crate) fn pass(&mut self) {
        let now = Instant::now();
        if self.api_until.is_some_and(|until| until <= now) {
            self.api.heal();
            self.api_until = None;
        }
        if self.git_until.is_some_and(|until| until <= now) {
            self.git.heal();
            self.git_until = None;
        }
    }

    /// Ends all faults.
    pub(crate) fn end(&mut self) {
        self.api.heal();
        self.git.heal();
    }
}
