//! All objects by kind. Pure state: the watches and the engine feed it, and it answers with
//! events. Bounded by the number of objects that carry our labels or were applied by us.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::inventory::ObjectId;

use super::events::Event;
use super::meta::{Managers, Meta, Uid};
use super::slot::{Applied, GroupKind, Key, Live, OwnerId, Slot, View, key};
use crate::kstatus::{State, Status};
use crate::owner::Owner;

/// Without a drift for this long, an object counts as quiet again.
const QUIET: Duration = Duration::from_mins(5);

struct Kind {
    /// Shared by whatever refers to objects of the kind.
    name: Arc<GroupKind>,
    slots: HashMap<Key, Slot>,
    /// The objects of the current listing are complete.
    synced: bool,
    /// Whole objects are watched, so that health is known.
    full: bool,
    epoch: u32,
}

impl Kind {
    fn new(name: &GroupKind) -> Self {
        Self {
            name: Arc::new(name.clone()),
            slots: HashMap::new(),
            synced: false,
            full: false,
            epoch: 0,
        }
    }
}

struct OwnerEntry {
    owner: Owner,
    /// What was applied for it.
    objects: HashSet<(Arc<GroupKind>, Key)>,
}

pub(crate) struct Table {
    managers: Managers,
    /// The group whose labels name the owner.
    group: String,
    kinds: HashMap<GroupKind, Kind>,
    owners: Vec<OwnerEntry>,
    owner_ids: HashMap<Owner, OwnerId>,
    restless: HashMap<(Arc<GroupKind>, Key), (u32, Instant)>,
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
        self.owners.push(OwnerEntry {
            owner: owner.clone(),
            objects: HashSet::new(),
        });
        self.owner_ids.insert(owner.clone(), id);
        id
    }

    pub(crate) fn owner(&self, id: OwnerId) -> Option<&Owner> {
        self.owners.get(id.0 as usize).map(|entry| &entry.owner)
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

    fn slot(&mut self, kind: &GroupKind, key: &str) -> Option<&mut Slot> {
        self.kinds.get_mut(kind)?.slots.get_mut(key)
    }

    fn kind_mut(&mut self, kind: &GroupKind) -> &mut Kind {
        self.kinds
            .entry(kind.clone())
            .or_insert_with(|| Kind::new(kind))
    }

    /// The only place where `applied` changes, so that the owners' sets stay true.
    fn set_applied(&mut self, kind: &GroupKind, key: &Key, applied: Option<Applied>) {
        let Some(table) = self.kinds.get_mut(kind) else {
            return;
        };
        // The key of the map itself, so that it is held once.
        let Some(key) = table.slots.get_key_value(key).map(|(key, _)| key.clone()) else {
            return;
        };
        let Some(slot) = table.slots.get_mut(&key) else {
            return;
        };
        let new = applied.as_ref().map(|applied| applied.owner);
        let old = std::mem::replace(&mut slot.applied, applied).map(|applied| applied.owner);
        if slot.is_empty() {
            table.slots.remove(&key);
        }
        if old == new {
            return;
        }
        let entry = (table.name.clone(), key);
        if let Some(owner) = old.and_then(|id| self.owners.get_mut(id.0 as usize)) {
            owner.objects.remove(&entry);
        }
        if let Some(owner) = new.and_then(|id| self.owners.get_mut(id.0 as usize)) {
            owner.objects.insert(entry);
        }
    }

    // --- what watches say ---

    /// A listing begins.
    pub(crate) fn listing(&mut self, kind: &GroupKind) {
        let table = self.kind_mut(kind);
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
        let unseen: Vec<Key> = table
            .slots
            .iter_mut()
            .filter(|(_, slot)| slot.in_flight == 0)
            .filter(|(_, slot)| slot.live.as_ref().is_none_or(|live| live.epoch != epoch))
            .map(|(key, slot)| {
                slot.live = None;
                key.clone()
            })
            .collect();
        unseen
            .iter()
            .filter_map(|key| self.judge(kind, key))
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
        let key = key(&meta.namespace, &meta.name);
        let health = self.put(kind, &key, live);
        health.into_iter().chain(self.judge(kind, &key)).collect()
    }

    /// Notes what the server has, unless something newer is known.
    fn put(&mut self, kind: &GroupKind, key: &Key, mut live: Live) -> Option<Event> {
        let table = self.kind_mut(kind);
        live.epoch = table.epoch;
        let slot = table.slots.entry(key.clone()).or_default();
        let known_health = slot.live.as_ref().and_then(|known| known.health.clone());
        if let Some(known) = &mut slot.live {
            if live.version != 0 && known.version > live.version {
                // An answer to a write of ours has told us more already.
                known.epoch = live.epoch;
                return None;
            }
            if live.health.is_none() && known.version == live.version {
                // Metadata does not take away what is known of the very same state. Of another
                // state nothing is known until the watch tells: old health would be a lie.
                live.health = known.health.take();
            }
        }
        let status = live.health.clone().filter(|_| live.health != known_health);
        let owner = slot
            .applied
            .as_ref()
            .map(|applied| applied.owner)
            .or(live.owner);
        slot.live = Some(live);
        let owner = self.owner(owner?)?.clone();
        Some(Event::HealthChanged {
            owner,
            id: kind.id(key),
            status: *status?,
        })
    }

    /// An object was deleted, or its owner labels were removed.
    pub(crate) fn removed(&mut self, kind: &GroupKind, meta: &Meta) -> Vec<Event> {
        let key = key(&meta.namespace, &meta.name);
        let Some(slot) = self.slot(kind, &key) else {
            return Vec::new();
        };
        if let Some(live) = &slot.live {
            let version = meta.resource_version.parse().unwrap_or(0);
            let is_late =
                live.uid != Uid::parse(&meta.uid) || (version != 0 && live.version > version);
            if is_late {
                return Vec::new();
            }
        }
        slot.live = None;
        self.judge(kind, &key).into_iter().collect()
    }

    /// Concludes from what the server has and what we applied; drops a slot that holds nothing.
    fn judge(&mut self, kind: &GroupKind, key: &Key) -> Option<Event> {
        let slot = self.slot(kind, key)?;
        if slot.in_flight > 0 {
            return None;
        }
        if slot.is_empty() {
            self.kinds.get_mut(kind)?.slots.remove(key);
            return None;
        }
        if slot.has_moved() {
            // Another owner has taken the object over: it is no longer ours to repair.
            self.set_applied(kind, key, None);
            return None;
        }
        let (drifted, missing) = (slot.has_drifted(), slot.is_missing());
        if !drifted && !missing {
            return None;
        }
        let owner = slot.applied.as_ref().map(|applied| applied.owner)?;
        let owner = self.owner(owner)?.clone();
        let (id, times) = (kind.id(key), self.restlessness(kind, key));
        Some(if drifted {
            Event::Drifted { owner, id, times }
        } else {
            Event::Deleted { owner, id, times }
        })
    }

    fn restlessness(&mut self, kind: &GroupKind, key: &Key) -> u32 {
        let now = Instant::now();
        self.restless
            .retain(|_, (_, last)| now.duration_since(*last) < QUIET);
        let object = (self.kind_mut(kind).name.clone(), key.clone());
        let entry = self.restless.entry(object).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
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
        let table = self.kind_mut(&GroupKind::of(id));
        let slot = table.slots.entry(key(&id.namespace, &id.name)).or_default();
        slot.in_flight = slot.in_flight.saturating_add(1);
    }

    /// A write ended. `written` is what it left, unless it failed.
    pub(crate) fn end_write(
        &mut self,
        id: &ObjectId,
        written: Option<(Live, Applied)>,
    ) -> Vec<Event> {
        let (kind, key) = (GroupKind::of(id), key(&id.namespace, &id.name));
        let mut events = Vec::new();
        if let Some((live, applied)) = written {
            self.set_applied(&kind, &key, Some(applied));
            events.extend(self.put(&kind, &key, live));
        }
        if let Some(slot) = self.slot(&kind, &key) {
            slot.in_flight = slot.in_flight.saturating_sub(1);
        }
        events.extend(self.judge(&kind, &key));
        events
    }

    /// The owner no longer wants the object as it was applied: its end is no event.
    pub(crate) fn disown(&mut self, owner: &Owner, id: &ObjectId) {
        let (kind, key) = (GroupKind::of(id), key(&id.namespace, &id.name));
        let Some(owner) = self.owner_ids.get(owner).copied() else {
            return;
        };
        let applied = self
            .slot(&kind, &key)
            .and_then(|slot| slot.applied.as_ref());
        if applied.is_some_and(|applied| applied.owner == owner) {
            self.set_applied(&kind, &key, None);
        }
    }

    /// Everything that was applied for an owner.
    pub(crate) fn applied_by(&self, owner: &Owner) -> Vec<(ObjectId, Applied)> {
        let entry = self
            .owner_ids
            .get(owner)
            .and_then(|id| self.owners.get(id.0 as usize));
        entry
            .into_iter()
            .flat_map(|entry| &entry.objects)
            .filter_map(|(kind, key)| {
                let slot = self.kinds.get(kind)?.slots.get(key)?;
                Some((kind.id(key), slot.applied.clone()?))
            })
            .collect()
    }

    /// Takes over what an earlier process had applied. What is known already is newer and stays.
    pub(crate) fn adopt(&mut self, id: &ObjectId, applied: Applied) {
        let (kind, key) = (GroupKind::of(id), key(&id.namespace, &id.name));
        let table = self.kind_mut(&kind);
        if table
            .slots
            .entry(key.clone())
            .or_default()
            .applied
            .is_none()
        {
            self.set_applied(&kind, &key, Some(applied));
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
