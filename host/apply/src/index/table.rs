//! What is known of every object: what the server has ([`Live`]) and what we applied last
//! ([`Applied`]). Pure state; the watches and the engine feed it, and it answers with events.
//!
//! Memory counts: a host may have tens of thousands of objects. Per object it keeps about 200
//! bytes and no part of the manifest.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use weir_api::inventory::ObjectId;

use super::events::Event;
use super::meta::{Flags, Managers, Meta, Uid};
use crate::fingerprint::Fingerprint;
use crate::kstatus::{State, Status};
use crate::owner::Owner;

/// Without a drift for this long, an object counts as quiet again.
const QUIET: Duration = Duration::from_secs(300);

/// Group and kind: versions of a kind are views of the same objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKind {
    pub(crate) group: String,
    pub(crate) kind: String,
}

impl GroupKind {
    pub(crate) fn of(id: &ObjectId) -> Self {
        Self {
            group: id.group.clone(),
            kind: id.kind.clone(),
        }
    }

    fn id(&self, key: &str) -> ObjectId {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        ObjectId::new(namespace, name, &self.group, &self.kind)
    }
}

fn key(namespace: &str, name: &str) -> Box<str> {
    format!("{namespace}/{name}").into()
}

/// Number of an [`Owner`] in [`Table::owners`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OwnerId(u32);

/// What the server has.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) uid: Uid,
    /// Resource versions of one kind are ordered; 0 if this one is no number.
    pub(crate) version: u64,
    pub(crate) owner: Option<OwnerId>,
    pub(crate) owned: Fingerprint,
    pub(crate) flags: Flags,
    pub(crate) needs_cleanup: bool,
    /// Only of kinds whose health is watched.
    pub(crate) health: Option<Box<Status>>,
    /// Which listing it was seen in; what a listing has not seen is gone.
    epoch: u32,
}

/// What we applied last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) owner: OwnerId,
    pub(crate) desired: Fingerprint,
    pub(crate) uid: Uid,
    pub(crate) version: u64,
    pub(crate) owned: Fingerprint,
    /// It may vanish by itself: a Job with `ttlSecondsAfterFinished`.
    pub(crate) expires: bool,
}

#[derive(Default)]
struct Slot {
    live: Option<Live>,
    applied: Option<Applied>,
    /// Writes of ours that have not been answered; drift is not judged meanwhile.
    in_flight: u16,
}

impl Slot {
    fn is_empty(&self) -> bool {
        self.live.is_none() && self.applied.is_none() && self.in_flight == 0
    }

    fn has_drifted(&self) -> bool {
        match (&self.live, &self.applied) {
            (Some(live), Some(applied)) => {
                !live.flags.deleting && (live.uid != applied.uid || live.owned != applied.owned)
            }
            _ => false,
        }
    }
}

#[derive(Default)]
struct Kind {
    slots: HashMap<Box<str>, Slot>,
    /// The objects of the current listing are complete.
    synced: bool,
    /// Whole objects are watched, so that health is known.
    full: bool,
    epoch: u32,
}

/// What the engine looks at when it plans.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Whether an absent `live` means that no object carries our labels.
    pub(crate) synced: bool,
    pub(crate) live: Option<Live>,
    pub(crate) applied: Option<Applied>,
}

pub(crate) struct Table {
    managers: Managers,
    /// The group whose labels name the owner.
    group: String,
    kinds: HashMap<GroupKind, Kind>,
    owners: Vec<Owner>,
    owner_ids: HashMap<Owner, OwnerId>,
    restless: HashMap<(GroupKind, Box<str>), (u32, Instant)>,
}

impl Table {
    pub(crate) fn new(group: impl Into<String>, managers: Managers) -> Self {
        Self {
            managers,
            group: group.into(),
            kinds: HashMap::new(),
            owners: Vec::new(),
            owner_ids: HashMap::new(),
            restless: HashMap::new(),
        }
    }

    pub(crate) fn owner_id(&mut self, owner: &Owner) -> OwnerId {
        if let Some(id) = self.owner_ids.get(owner) {
            return *id;
        }
        let id = OwnerId(self.owners.len() as u32);
        self.owners.push(owner.clone());
        self.owner_ids.insert(owner.clone(), id);
        id
    }

    pub(crate) fn owner(&self, id: OwnerId) -> Option<&Owner> {
        self.owners.get(id.0 as usize)
    }

    /// Reads what the server sent.
    pub(crate) fn live(&mut self, meta: &Meta, health: Option<Status>) -> Live {
        let owner = meta.owner(&self.group).map(|owner| self.owner_id(&owner));
        Live {
            uid: Uid::parse(&meta.uid),
            version: meta.resource_version.parse().unwrap_or(0),
            owner,
            owned: meta.owned(&self.managers),
            flags: meta.flags(),
            needs_cleanup: meta.needs_cleanup(&self.managers),
            health: health.map(Box::new),
            epoch: 0,
        }
    }

    // --- what watches say ---

    /// A listing begins.
    pub(crate) fn listing(&mut self, kind: &GroupKind) {
        let table = self.kinds.entry(kind.clone()).or_default();
        table.epoch = table.epoch.wrapping_add(1);
    }

    /// A listing is complete: what it has not shown is gone. `full` says whether it showed whole
    /// objects.
    pub(crate) fn listed(&mut self, kind: &GroupKind, full: bool) -> Vec<Event> {
        let Some(table) = self.kinds.get_mut(kind) else {
            return Vec::new();
        };
        table.synced = true;
        table.full = full;
        let epoch = table.epoch;
        let gone: Vec<Box<str>> = table
            .slots
            .iter()
            .filter(|(_, slot)| {
                slot.in_flight == 0 && slot.live.as_ref().is_some_and(|live| live.epoch != epoch)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let absent: Vec<Box<str>> = table
            .slots
            .iter()
            .filter(|(_, slot)| {
                slot.in_flight == 0 && slot.live.is_none() && slot.applied.is_some()
            })
            .map(|(key, _)| key.clone())
            .collect();
        gone.into_iter()
            .chain(absent)
            .filter_map(|key| self.vanish(kind, &key, None))
            .collect()
    }

    /// The watch of a kind is broken; its absence of objects means nothing until it is back.
    pub(crate) fn broken(&mut self, kind: &GroupKind) {
        if let Some(table) = self.kinds.get_mut(kind) {
            table.synced = false;
        }
    }

    /// The watch of a kind goes on where it was.
    pub(crate) fn resumed(&mut self, kind: &GroupKind) {
        if let Some(table) = self.kinds.get_mut(kind) {
            table.synced = true;
        }
    }

    /// An object is as given.
    pub(crate) fn observe(
        &mut self,
        kind: &GroupKind,
        meta: &Meta,
        health: Option<Status>,
    ) -> Vec<Event> {
        let live = self.live(meta, health);
        self.put(kind, key(&meta.namespace, &meta.name), live)
    }

    fn put(&mut self, kind: &GroupKind, key: Box<str>, mut live: Live) -> Vec<Event> {
        let table = self.kinds.entry(kind.clone()).or_default();
        live.epoch = table.epoch;
        let slot = table.slots.entry(key.clone()).or_default();
        let mut health_changed = None;
        if let Some(known) = &mut slot.live {
            if live.version != 0 && known.version > live.version {
                // An answer to a write of ours has told us more already.
                known.epoch = live.epoch;
                return Vec::new();
            }
            if live.health.is_none() && known.version == live.version {
                // Metadata does not take away what is known of the very same state. Of another
                // state nothing is known until the watch tells: old health would be a lie.
                live.health = known.health.take();
            } else if live.health != known.health {
                health_changed = live.health.clone();
            }
        } else {
            health_changed = live.health.clone();
        }
        // Another owner has taken the object over: it is no longer ours to repair.
        if let (Some(applied), Some(owner)) = (&slot.applied, live.owner)
            && applied.owner != owner
            && slot.in_flight == 0
        {
            slot.applied = None;
        }
        let owner = slot
            .applied
            .as_ref()
            .map(|applied| applied.owner)
            .or(live.owner);
        slot.live = Some(live);
        let drifted = slot.in_flight == 0 && slot.has_drifted();
        let mut events = Vec::new();
        if let (Some(status), Some(owner)) = (health_changed, owner.and_then(|id| self.owner(id))) {
            events.push(Event::HealthChanged {
                owner: owner.clone(),
                id: kind.id(&key),
                status: *status,
            });
        }
        if drifted {
            events.extend(self.drift(kind, &key));
        }
        events
    }

    /// An object was deleted, or its owner labels were removed.
    pub(crate) fn removed(&mut self, kind: &GroupKind, meta: &Meta) -> Vec<Event> {
        let key = key(&meta.namespace, &meta.name);
        let uid = Uid::parse(&meta.uid);
        self.vanish(kind, &key, Some(&uid)).into_iter().collect()
    }

    fn vanish(&mut self, kind: &GroupKind, key: &str, uid: Option<&Uid>) -> Option<Event> {
        let table = self.kinds.get_mut(kind)?;
        let slot = table.slots.get_mut(key)?;
        if let (Some(live), Some(uid)) = (&slot.live, uid)
            && live.uid != *uid
        {
            // Late news of a former object of that name.
            return None;
        }
        slot.live = None;
        if slot.is_empty() {
            table.slots.remove(key);
            return None;
        }
        let applied = slot.applied.as_ref()?;
        // A Job that expires is made again by the next run, as Flux does, and not at once:
        // that would run it for ever.
        if slot.in_flight > 0 || applied.expires {
            return None;
        }
        let owner = self.owners.get(applied.owner.0 as usize)?.clone();
        let times = self.restlessness(kind, key);
        Some(Event::Deleted {
            owner,
            id: kind.id(key),
            times,
        })
    }

    fn drift(&mut self, kind: &GroupKind, key: &str) -> Option<Event> {
        let applied = self.kinds.get(kind)?.slots.get(key)?.applied.as_ref()?;
        let owner = self.owners.get(applied.owner.0 as usize)?.clone();
        let times = self.restlessness(kind, key);
        Some(Event::Drifted {
            owner,
            id: kind.id(key),
            times,
        })
    }

    fn restlessness(&mut self, kind: &GroupKind, key: &str) -> u32 {
        let now = Instant::now();
        self.restless
            .retain(|_, (_, last)| now.duration_since(*last) < QUIET);
        let entry = self
            .restless
            .entry((kind.clone(), key.into()))
            .or_insert((0, now));
        entry.0 = entry.0.saturating_add(1);
        entry.1 = now;
        entry.0
    }

    // --- what the engine does ---

    pub(crate) fn view(&self, id: &ObjectId) -> View {
        let Some(table) = self.kinds.get(&GroupKind::of(id)) else {
            return View::default();
        };
        let slot = table.slots.get(&key(&id.namespace, &id.name));
        View {
            synced: table.synced,
            live: slot.and_then(|slot| slot.live.clone()),
            applied: slot.and_then(|slot| slot.applied.clone()),
        }
    }

    /// A write begins: until it ends, what watches say is noted but not judged, because the
    /// event of our own write may come before its answer.
    pub(crate) fn begin_write(&mut self, id: &ObjectId) {
        let table = self.kinds.entry(GroupKind::of(id)).or_default();
        let slot = table.slots.entry(key(&id.namespace, &id.name)).or_default();
        slot.in_flight = slot.in_flight.saturating_add(1);
    }

    /// A write ended. `written` is what it left, unless it failed.
    pub(crate) fn end_write(
        &mut self,
        id: &ObjectId,
        written: Option<(Live, Applied)>,
    ) -> Vec<Event> {
        let kind = GroupKind::of(id);
        let key = key(&id.namespace, &id.name);
        let mut events = Vec::new();
        if let Some((live, applied)) = written {
            if let Some(slot) = self.slot(&kind, &key) {
                slot.applied = Some(applied);
            }
            events = self.put(&kind, key.clone(), live);
        }
        let Some(slot) = self.slot(&kind, &key) else {
            return events;
        };
        slot.in_flight = slot.in_flight.saturating_sub(1);
        let (drifted, gone) = (
            slot.in_flight == 0 && slot.has_drifted(),
            slot.in_flight == 0 && slot.live.is_none() && slot.applied.is_some(),
        );
        if slot.is_empty()
            && let Some(table) = self.kinds.get_mut(&kind)
        {
            table.slots.remove(&key);
        }
        if drifted {
            events.extend(self.drift(&kind, &key));
        } else if gone {
            events.extend(self.vanish(&kind, &key, None));
        }
        events
    }

    fn slot(&mut self, kind: &GroupKind, key: &str) -> Option<&mut Slot> {
        self.kinds.get_mut(kind)?.slots.get_mut(key)
    }

    /// We no longer want the object as it was applied: its end is no event.
    pub(crate) fn disown(&mut self, id: &ObjectId) {
        let (kind, key) = (GroupKind::of(id), key(&id.namespace, &id.name));
        if let Some(slot) = self.slot(&kind, &key) {
            slot.applied = None;
            if slot.is_empty()
                && let Some(table) = self.kinds.get_mut(&kind)
            {
                table.slots.remove(&key);
            }
        }
    }

    /// Everything that was applied for an owner.
    pub(crate) fn applied_by(&self, owner: &Owner) -> Vec<(ObjectId, Applied)> {
        let Some(owner) = self.owner_ids.get(owner) else {
            return Vec::new();
        };
        self.kinds
            .iter()
            .flat_map(|(kind, table)| table.slots.iter().map(move |entry| (kind, entry)))
            .filter_map(|(kind, (key, slot))| {
                let applied = slot
                    .applied
                    .as_ref()
                    .filter(|applied| applied.owner == *owner)?;
                Some((kind.id(key), applied.clone()))
            })
            .collect()
    }

    /// Takes over what an earlier process had applied. What is known already is newer and stays.
    pub(crate) fn adopt(&mut self, id: &ObjectId, applied: Applied) {
        let table = self.kinds.entry(GroupKind::of(id)).or_default();
        let slot = table.slots.entry(key(&id.namespace, &id.name)).or_default();
        if slot.applied.is_none() {
            slot.applied = Some(applied);
        }
    }

    pub(crate) fn is_synced(&self, kind: &GroupKind, full: bool) -> bool {
        self.kinds
            .get(kind)
            .is_some_and(|table| table.synced && (table.full || !full))
    }

    /// Whether anything of a kind is worth watching.
    pub(crate) fn has_objects(&self, kind: &GroupKind) -> bool {
        self.kinds
            .get(kind)
            .is_some_and(|table| !table.slots.is_empty())
    }

    /// Health of an object as far as it is known; `watched` says whether the status of this kind
    /// moves by itself.
    pub(crate) fn health(&self, id: &ObjectId, watched: bool) -> Status {
        let table = self.kinds.get(&GroupKind::of(id));
        let slot = table.and_then(|table| table.slots.get(&key(&id.namespace, &id.name)));
        let expires = slot
            .and_then(|slot| slot.applied.as_ref())
            .is_some_and(|a| a.expires);
        match slot.and_then(|slot| slot.live.as_ref()) {
            Some(live) if live.flags.deleting => {
                Status::new(State::Terminating, "resource scheduled for deletion")
            }
            Some(live) if watched => match &live.health {
                Some(health) => (**health).clone(),
                None => Status::in_progress("status is not known yet"),
            },
            Some(_) => Status::current("resource is current"),
            None if expires => Status::current("job has expired"),
            None if table.is_some_and(|table| table.synced) => {
                Status::new(State::NotFound, "resource not found")
            }
            None => Status::new(State::Unknown, "resource is not watched yet"),
        }
    }

    /// Objects known, and of these applied by us.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let slots = || self.kinds.values().flat_map(|table| table.slots.values());
        (
            slots().filter(|slot| slot.live.is_some()).count(),
            slots().filter(|slot| slot.applied.is_some()).count(),
        )
    }
}
