//! A receiver of webhooks: records what it is sent, and lets a test wait for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http::{Incoming, Outgoing, Server};

/// What was sent.
pub type WebhookRequest = Incoming;

/// A running receiver on a loopback port. It answers 200 until told otherwise.
#[derive(Debug)]
pub struct Webhook {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    received: Mutex<Vec<Incoming>>,
    more: Condvar,
    answer: Mutex<Outgoing>,
}

impl Webhook {
    /// Starts a receiver.
    pub fn start() -> Result<Self> {
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            more: Condvar::new(),
            answer: Mutex::new(Outgoing::text(200, "ok")),
        });
        let server = Server::start(None, {
            let shared = Arc::clone(&shared);
            Arc::new(move |request: &Incoming| {
                lock(&shared.received).push(request.clone());
                shared.more.notify_all();
                lock(&shared.answer).clone()
            })
        })?;
        Ok(Self { server, shared })
    }

    /// `http://127.0.0.1:PORT`, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// What it answers from now on.
    pub fn set_answer(&self, answer: Outgoing) {
        *lock(&self.shared.answer) = answer;
    }

    /// All it was sent so far.
    pub fn received(&self) -> Vec<WebhookRequest> {
        lock(&self.shared.received).clone()
    }

    /// Waits for a request that `wanted` accepts, counting those that came before.
    pub fn wait_for(
        &self,
        timeout: Duration,
        wanted: impl Fn(&WebhookRequest) -> bool,
    ) -> Result<WebhookRequest> {
        let deadline = Instant::now() + timeout;
        let mut received = lock(&self.shared.received);
        loop {
            if let Some(request) = received.iter().find(|request| wanted(request)) {
                return Ok(request.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "no such webhook within {} s; {} others came",
                    timeout.as_secs(),
                    received.len()
                );
            }
            (received, _) = self
                .shared
                .more
                .wait_timeout(received, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
