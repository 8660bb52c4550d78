//! The work queue of one kind: which objects are due, when, and how many run at once.
//!
//! A key is in the queue at most once and is handled by at most one worker at a time; what
//! arrives while it runs makes it run once more. Requests carry no data: a reconcile reads the
//! world, so a lost hint costs nothing and a restart needs no second code path.
//!
//! A worker may put a key off: it comes back when nothing else is ready. After a commit to a
//! repository that a thousand objects read, the one that changed is applied before the others
//! only report the revision.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug)]
struct Slot {
    queued: bool,
    /// Queued behind all that is ready.
    put_off: bool,
    running: bool,
    /// Asked for while it ran.
    again: bool,
    /// When it is due next, if nothing asks for it sooner.
    due: Option<Instant>,
    /// Failures in a row, for the backoff.
    failures: u32,
}

#[derive(Debug)]
struct State<K> {
    slots: HashMap<K, Slot>,
    ready: VecDeque<(K, Instant)>,
    /// What was put off. An entry whose slot is not `put_off` any more is a leftover: the key was
    /// asked for meanwhile.
    put_off: VecDeque<(K, Instant)>,
    timers: BinaryHeap<Reverse<(Instant, u64)>>,
    timer_keys: HashMap<u64, K>,
    next_timer: u64,
    closed: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Queue<K> {
    state: Mutex<State<K>>,
    wake: Notify,
}

/// A key that a worker has in hand. Give it back with [`Queue::done`] or [`Queue::put_off`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<K> {
    /// Which.
    pub key: K,
    /// How long it waited for a worker.
    pub waited: Duration,
    /// Whether it was put off before, and nothing else was ready.
    pub was_put_off: bool,
}

impl<K: Clone + Eq + Hash + Ord + Debug> Queue<K> {
    /// An empty queue.
    pub fn new() -> Arc<Self> {
        let state = State {
            slots: HashMap::new(),
            ready: VecDeque::new(),
            put_off: VecDeque::new(),
            timers: BinaryHeap::new(),
            timer_keys: HashMap::new(),
            next_timer: 0,
            closed: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            wake: Notify::new(),
        })
    }

    /// Asks for `key` now.
    pub fn add(&self, key: K) {
        let mut state = self.state.lock();
        let slot = state.slot(&key);
        if slot.running {
            slot.again = true;
        } else if !slot.queued || slot.put_off {
            slot.queued = true;
            slot.put_off = false;
            slot.due = None;
            state.ready.push_back((key, Instant::now()));
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Asks for `key` in `delay`, unless something asks sooner. Replaces an earlier delay.
    pub fn add_after(&self, key: K, delay: Duration) {
        // A clock cannot count a century; nobody waits for it either.
        let delay = delay.min(Duration::from_hours(24 * 365));
        let due = Instant::now() + delay;
        let mut state = self.state.lock();
        state.slot(&key).due = Some(due);
        let number = state.next_timer;
        state.next_timer += 1;
        state.timers.push(Reverse((due, number)));
        state.timer_keys.insert(number, key);
        drop(state);
        self.wake.notify_one();
    }

    /// Forgets a deleted object, unless it is being handled (then once that ends).
    pub fn forget(&self, key: &K) {
        let mut state = self.state.lock();
        if let Some(slot) = state.slots.get_mut(key) {
            slot.due = None;
            slot.again = false;
            slot.failures = 0;
            if !slot.running && !slot.queued {
                state.slots.remove(key);
            }
        }
    }

    /// The next key that is due; `None` once the queue is closed.
    pub async fn next(&self) -> Option<Turn<K>> {
        loop {
            let notified = self.wake.notified();
            let wait = {
                let mut state = self.state.lock();
                if state.closed {
                    return None;
                }
                state.fire_timers(Instant::now());
                if let Some(turn) = state.take() {
                    if !state.ready.is_empty() || !state.put_off.is_empty() {
                        self.wake.notify_one();
                    }
                    return Some(turn);
                }
                state.timers.peek().map(|Reverse((due, _))| *due)
            };
            match wait {
                Some(due) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        () = notified => {}
                    }
                }
                None => notified.await,
            }
        }
    }

    /// Ends the handling of `key`. `failed` counts for the backoff; success resets it.
    pub fn done(&self, key: &K, failed: bool) -> u32 {
        let mut state = self.state.lock();
        let slot = state.slot(key);
        slot.running = false;
        slot.failures = if failed {
            slot.failures.saturating_add(1)
        } else {
            0
        };
        let failures = slot.failures;
        if std::mem::take(&mut slot.again) {
            slot.queued = true;
            slot.due = None;
            state.ready.push_back((key.clone(), Instant::now()));
            drop(state);
            self.wake.notify_one();
        }
        failures
    }

    /// Ends a turn that did nothing: the key comes back once nothing else is ready.
    pub fn put_off(&self, key: &K) {
        let mut state = self.state.lock();
        let slot = state.slot(key);
        slot.running = false;
        slot.queued = true;
        slot.due = None;
        if std::mem::take(&mut slot.again) {
            state.ready.push_back((key.clone(), Instant::now()));
        } else {
            slot.put_off = true;
            state.put_off.push_back((key.clone(), Instant::now()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// How many keys wait for a worker.
    pub fn depth(&self) -> usize {
        let state = self.state.lock();
        state.ready.len() + state.put_off.len()
    }

    /// Ends every `next`, now and from now on.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Whether [`close`](Queue::close) was called.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }
}

impl<K: Clone + Eq + Hash + Ord> State<K> {
    fn slot(&mut self, key: &K) -> &mut Slot {
        self.slots.entry(key.clone()).or_insert(Slot {
            queued: false,
            put_off: false,
            running: false,
            again: false,
            due: None,
            failures: 0,
        })
    }

    /// The first that is ready, else the first that was put off.
    fn take(&mut self) -> Option<Turn<K>> {
        loop {
            let (was_put_off, (key, since)) = match self.ready.pop_front() {
                Some(entry) => (false, entry),
                None => (true, self.put_off.pop_front()?),
            };
            let slot = self.slot(&key);
            if was_put_off && !slot.put_off {
                continue;
            }
            slot.queued = false;
            slot.put_off = false;
            slot.running = true;
            let waited = since.elapsed();
            return Some(Turn {
                key,
                waited,
                was_put_off,
            });
        }
    }

    /// Moves what is due to `ready`. A timer that was replaced or overtaken finds another due
    /// time in its slot and does nothing.
    fn fire_timers(&mut self, now: Instant) {
        while let Some(Reverse((due, number))) = self.timers.peek().copied() {
            if due > now {
                break;
            }
            self.timers.pop();
            let Some(key) = self.timer_keys.remove(&number) else {
                continue;
            };
            let Some(slot) = self.slots.get_mut(&key) else {
                continue;
            };
            if slot.due != Some(due) {
                continue;
            }
            slot.due = None;
            if slot.running {
                slot.again = true;
            } else if !slot.queued {
                slot.queued = true;
                self.ready.push_back((key, now));
            }
        }
    }
}

/// The delay after `failures` failures in a row: doubled from `min` up to `max`, less up to a
/// tenth so that many objects that fail together do not come back together.
pub fn backoff(failures: u32, min: Duration, max: Duration) -> Duration {
    let delay = min
        .saturating_mul(1 << failures.saturating_sub(1).min(20))
        .min(max);
    delay.mul_f64(1.0 - 0.1 * rand::random::<f64>())
}

/// `interval` varied by `percent` either way, as Flux's `--interval-jitter-percentage`.
pub fn jitter(interval: Duration, percent: u8) -> Duration {
    let share = f64::from(percent) / 100.0;
    interval.mul_f64(1.0 + share * (2.0 * rand::random::<f64>() - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next<K: Clone + Eq + Hash + Ord + Debug>(queue: &Queue<K>) -> Option<K> {
        let next = tokio::time::timeout(Duration::from_hours(1), queue.next());
        next.await.ok().flatten().map(|turn| turn.key)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_asked_for_twice_runs_once() {
        let queue = Queue::new();
        queue.add("a");
        queue.add("a");
        assert_eq!(next(&queue).await, Some("a"));
        queue.done(&"a", false);
        assert_eq!(
            next(&queue).await,
            None,
            "nothing else is due within the hour"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrives_while_a_key_runs_makes_it_run_once_more() {
        let queue = Queue::new();
        queue.add("a");
        assert_eq!(next(&queue).await, Some("a"));
        queue.add("a");
        queue.add("a");
        queue.add("b");
        assert_eq!(next(&queue).await, Some("b"), "a is not handed out twice");
        queue.done(&"a", false);
        assert_eq!(next(&queue).await, Some("a"));
        queue.done(&"a", false);
        assert_eq!(next(&queue).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_comes_after_all_that_is_ready() {
        let queue = Queue::new();
        for key in ["a", "b", "c"] {
            queue.add(key);
        }
        assert_eq!(next(&queue).await, Some("a"));
        queue.put_off(&"a");
        assert_eq!(next(&queue).await, Some("b"));
        queue.put_off(&"b");
        queue.add("b");
        assert_eq!(next(&queue).await, Some("c"));
        queue.done(&"c", false);
        let turn = queue.next().await.unwrap();
        assert_eq!((turn.key, turn.was_put_off), ("b", false), "asked for anew");
        queue.done(&"b", false);
        let turn = queue.next().await.unwrap();
        assert_eq!((turn.key, turn.was_put_off), ("a", true));
        queue.done(&"a", false);
        assert_eq!(next(&queue).await, None, "b left nothing behind");
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_is_replaced_by_a_later_one_and_overtaken_by_now() {
        let queue = Queue::new();
        let start = Instant::now();
        queue.add_after("a", Duration::from_secs(10));
        queue.add_after("a", Duration::from_secs(20));
        assert_eq!(next(&queue).await, Some("a"));
        assert_eq!(start.elapsed().as_secs(), 20);
        queue.done(&"a", false);

        queue.add_after("a", Duration::from_secs(10));
        queue.add("a");
        assert_eq!(next(&queue).await, Some("a"));
        assert_eq!(start.elapsed().as_secs(), 20, "now overtakes");
        queue.done(&"a", false);
        assert_eq!(
            next(&queue).await,
            None,
            "the overtaken delay does not fire"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_forgotten_key_does_not_come_back() {
        let queue = Queue::new();
        queue.add_after("a", Duration::from_secs(1));
        queue.forget(&"a");
        assert_eq!(next(&queue).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_those_who_wait() {
        let queue = Queue::<&str>::new();
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.close();
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[test]
    fn the_backoff_doubles_up_to_its_maximum() {
        let (min, max) = (Duration::from_millis(750), Duration::from_mins(15));
        for (failures, expected) in [(1, 0.75), (2, 1.5), (5, 12.0), (30, 900.0)] {
            let delay = backoff(failures, min, max).as_secs_f64();
            assert!(
                delay <= expected && delay >= expected * 0.9,
                "{failures}: {delay}"
            );
        }
    }
}
