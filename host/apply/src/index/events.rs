//! The events of the index: a queue that never loses one and never grows beyond the number of
//! objects, because an event that is already waiting is not queued twice.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;
use tokio::sync::Notify;
use weir_api::inventory::ObjectId;

use crate::kstatus::Status;
use crate::owner::Owner;

/// Something that happened to an object that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody changed what the owner had set.
    Drifted {
        /// Whose object.
        owner: Owner,
        /// The object.
        id: ObjectId,
        /// How often this object has drifted without five quiet minutes in between, from 1. Two
        /// controllers that fight show here: wait longer with each.
        times: u32,
    },
    /// It was deleted, and not by us.
    Deleted {
        /// Whose object.
        owner: Owner,
        /// The object.
        id: ObjectId,
        /// As in `Drifted`.
        times: u32,
    },
    /// Its health is another than before. Only for kinds that are watched for health.
    HealthChanged {
        /// Whose object.
        owner: Owner,
        /// The object.
        id: ObjectId,
        /// The new health.
        status: Status,
    },
}

impl Event {
    /// Whose object it happened to.
    pub fn owner(&self) -> &Owner {
        match self {
            Self::Drifted { owner, .. }
            | Self::Deleted { owner, .. }
            | Self::HealthChanged { owner, .. } => owner,
        }
    }

    /// The object.
    pub fn id(&self) -> &ObjectId {
        match self {
            Self::Drifted { id, .. }
            | Self::Deleted { id, .. }
            | Self::HealthChanged { id, .. } => id,
        }
    }

    fn key(&self) -> Key {
        let kind = match self {
            Self::Drifted { .. } => 0,
            Self::Deleted { .. } => 1,
            Self::HealthChanged { .. } => 2,
        };
        (kind, self.owner().clone(), self.id().clone())
    }
}

type Key = (u8, Owner, ObjectId);

#[derive(Default)]
struct Waiting {
    order: VecDeque<Event>,
    keys: HashSet<Key>,
}

/// The queue. One consumer.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Queue {
    pub(crate) fn push(&self, event: Event) {
        let mut waiting = self.waiting.lock();
        let key = event.key();
        if waiting.keys.insert(key.clone()) {
            waiting.order.push_back(event);
        } else if let Some(known) = waiting.order.iter_mut().find(|known| known.key() == key) {
            // The place in the queue is kept, the content is the latest.
            *known = event;
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// The next event; waits until there is one. Cancel safe.
    pub(crate) async fn next(&self) -> Event {
        loop {
            let arrived = self.arrived.notified();
            if let Some(event) = self.take() {
                return event;
            }
            arrived.await;
        }
    }

    fn take(&self) -> Option<Event> {
        let mut waiting = self.waiting.lock();
        let event = waiting.order.pop_front()?;
        waiting.keys.remove(&event.key());
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kstatus::State;

    fn drifted(name: &str, times: u32) -> Event {
        Event::Drifted {
            owner: Owner::new("g", "ns", "owner"),
            id: ObjectId::new("ns", name, "", "ConfigMap"),
            times,
        }
    }

    #[tokio::test]
    async fn waiting_events_are_not_doubled_and_keep_their_place() {
        let queue = Queue::default();
        queue.push(drifted("a", 1));
        queue.push(drifted("b", 1));
        queue.push(drifted("a", 2));
        let Event::Drifted { owner, id, .. } = drifted("a", 1) else {
            unreachable!()
        };
        let status = Status::new(State::Current, "");
        let health = Event::HealthChanged { owner, id, status };
        queue.push(health.clone());
        assert_eq!(queue.next().await, drifted("a", 2));
        assert_eq!(queue.next().await, drifted("b", 1));
        assert_eq!(queue.next().await, health);
        queue.push(drifted("a", 3));
        assert_eq!(queue.next().await, drifted("a", 3));
    }

    #[tokio::test]
    async fn a_waiting_consumer_is_woken() {
        let queue = std::sync::Arc::new(Queue::default());
        let consumer = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.push(drifted("a", 1));
        assert_eq!(consumer.await.unwrap(), drifted("a", 1));
    }
}
