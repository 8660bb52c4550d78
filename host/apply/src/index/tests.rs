//! The table against a model of a server: what it concludes from watches and answers, in every
//! order in which they may come.

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_api::inventory::ObjectId;

use super::events::Event;
use super::meta::{Managers, Meta};
use super::slot::{Applied, GroupKind};
use super::table::Table;
use crate::fingerprint::Fingerprint;
use crate::kstatus::{State, Status};
use crate::object::{Object, TOOLKIT};
use crate::owner::Owner;
use crate::plan::{Decision, decide};

const MANAGER: &str = "kustomize-controller";

fn owner(name: &str) -> Owner {
    Owner::new(TOOLKIT, "flux-system", name)
}

fn managers() -> Managers {
    Managers {
        own: MANAGER.into(),
        overrides: Vec::new(),
    }
}

fn kind() -> GroupKind {
    GroupKind {
        group: String::new(),
        kind: "ConfigMap".into(),
    }
}

fn id(name: &str) -> ObjectId {
    ObjectId::new("ns", name, "", "ConfigMap")
}

/// Metadata of an object as a server has it: `stamp` stands for time and fields of our entry.
fn meta(name: &str, uid: &str, version: u64, owner: &str, stamp: &str) -> Meta {
    serde_json::from_value(json!({
        "name": name, "namespace": "ns", "uid": uid, "resourceVersion": version.to_string(),
        "labels": {
            "kustomize.toolkit.fluxcd.io/name": owner,
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system"
        },
        "managedFields": [
            { "manager": MANAGER, "operation": "Apply", "time": stamp, "fieldsV1": { "f:data": {} } }
        ]
    }))
    .unwrap()
}

fn desired(text: &str) -> Fingerprint {
    Fingerprint::of(&json!(text))
}

struct Rig(Table);

impl Rig {
    fn new() -> Self {
        let mut table = Table::new(TOOLKIT, managers());
        table.listing(&kind());
        assert!(table.listed(&kind(), false).is_empty());
        Self(table)
    }

    /// A write of ours, from begin to end.
    fn write(&mut self, meta: &Meta, owner: &Owner, want: &str) -> Vec<Event> {
        self.0.begin_write(&id(&meta.name));
        self.answer(meta, owner, want)
    }

    fn answer(&mut self, meta: &Meta, owner: &Owner, want: &str) -> Vec<Event> {
        let live = self.0.live(meta, None);
        let applied = Applied {
            owner: self.0.owner_id(owner),
            desired: desired(want),
            uid: live.uid.clone(),
            version: live.version,
            owned: live.owned,
            expires: false,
        };
        self.0.end_write(&id(&meta.name), Some((live, applied)))
    }

    fn see(&mut self, meta: &Meta) -> Vec<Event> {
        self.0.observe(&kind(), meta, None)
    }

    fn decide(&mut self, name: &str, owner: &Owner, want: &str) -> Decision {
        let owner = self.0.owner_id(owner);
        let object = Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": "ns" }
        }))
        .unwrap();
        decide(&object, desired(want), owner, &self.0.view(&id(name)))
    }
}

fn drifted(events: &[Event]) -> bool {
    matches!(events, [Event::Drifted { .. }])
}

fn deleted(events: &[Event]) -> bool {
    matches!(events, [Event::Deleted { .. }])
}

#[test]
fn our_own_write_is_no_drift_in_either_order() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    // The answer first.
    assert!(
        rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x")
            .is_empty()
    );
    assert!(rig.see(&meta("a", "u1", 1, "apps", "t1")).is_empty());
    // The event first.
    rig.0.begin_write(&id("a"));
    assert!(rig.see(&meta("a", "u1", 2, "apps", "t2")).is_empty());
    assert!(
        rig.answer(&meta("a", "u1", 2, "apps", "t2"), &apps, "y")
            .is_empty()
    );
    assert_eq!(rig.decide("a", &apps, "y"), Decision::Unchanged);
    assert_eq!(
        rig.decide("a", &apps, "x"),
        Decision::Apply { exists: true }
    );
}

#[test]
fn a_change_of_what_we_own_is_drift_and_another_is_not() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x");
    // A status update, a label of somebody else: another version, the same entry of ours.
    assert!(rig.see(&meta("a", "u1", 5, "apps", "t1")).is_empty());
    assert_eq!(rig.decide("a", &apps, "x"), Decision::Unchanged);
    let events = rig.see(&meta("a", "u1", 6, "apps", "t2"));
    assert!(drifted(&events), "{events:?}");
    assert_eq!(
        rig.decide("a", &apps, "x"),
        Decision::Apply { exists: true }
    );
    // Repaired.
    assert!(
        rig.write(&meta("a", "u1", 7, "apps", "t3"), &apps, "x")
            .is_empty()
    );
    assert_eq!(rig.decide("a", &apps, "x"), Decision::Unchanged);
}

#[test]
fn a_fight_is_counted() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    let mut counts = Vec::new();
    for round in 0..3_u64 {
        rig.write(&meta("a", "u1", round * 10 + 1, "apps", "ours"), &apps, "x");
        for event in rig.see(&meta("a", "u1", round * 10 + 2, "apps", "theirs")) {
            if let Event::Drifted { times, .. } = event {
                counts.push(times);
            }
        }
    }
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn drift_during_a_write_is_told_when_the_write_ends() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x");
    rig.0.begin_write(&id("a"));
    // Our write is version 2; somebody else's 3 is seen before our answer is.
    assert!(rig.see(&meta("a", "u1", 3, "apps", "theirs")).is_empty());
    let events = rig.answer(&meta("a", "u1", 2, "apps", "t2"), &apps, "y");
    assert!(drifted(&events), "{events:?}");
}

#[test]
fn old_news_does_not_undo_what_an_answer_has_told() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 5, "apps", "t5"), &apps, "x");
    assert!(rig.see(&meta("a", "u1", 4, "apps", "t4")).is_empty());
    assert_eq!(rig.decide("a", &apps, "x"), Decision::Unchanged);
}

#[test]
fn a_deletion_is_told_once_and_ours_is_not() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x");
    let events = rig.0.removed(&kind(), &meta("a", "u1", 2, "apps", "t1"));
    assert!(deleted(&events), "{events:?}");
    assert_eq!(
        rig.decide("a", &apps, "x"),
        Decision::Apply { exists: false }
    );
    // Created anew; late news of the first one.
    rig.write(&meta("a", "u2", 3, "apps", "t3"), &apps, "x");
    assert!(
        rig.0
            .removed(&kind(), &meta("a", "u1", 2, "apps", "t1"))
            .is_empty()
    );
    assert_eq!(rig.decide("a", &apps, "x"), Decision::Unchanged);
    // Pruned by us.
    rig.0.disown(&apps, &id("a"));
    assert!(
        rig.0
            .removed(&kind(), &meta("a", "u2", 4, "apps", "t3"))
            .is_empty()
    );
    assert_eq!(rig.0.counts(), (0, 0));
}

#[test]
fn an_expired_job_is_not_made_again_at_once() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    let seen = meta("a", "u1", 1, "apps", "t1");
    rig.0.begin_write(&id("a"));
    let live = rig.0.live(&seen, None);
    let applied = Applied {
        owner: rig.0.owner_id(&apps),
        desired: desired("x"),
        uid: live.uid.clone(),
        version: 1,
        owned: live.owned,
        expires: true,
    };
    rig.0.end_write(&id("a"), Some((live, applied)));
    assert!(
        rig.0
            .removed(&kind(), &meta("a", "u1", 2, "apps", "t1"))
            .is_empty()
    );
    assert_eq!(rig.0.health(&id("a"), true).state, State::Current);
    assert_eq!(
        rig.decide("a", &apps, "x"),
        Decision::Apply { exists: false }
    );
}

#[test]
fn an_object_taken_over_by_another_owner_is_left_to_it() {
    let (apps, infra) = (owner("apps"), owner("infra"));
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x");
    assert!(rig.see(&meta("a", "u1", 2, "infra", "t2")).is_empty());
    assert!(rig.0.applied_by(&apps).is_empty());
    assert_eq!(
        rig.decide("a", &infra, "x"),
        Decision::Apply { exists: true }
    );
}

#[test]
fn a_listing_tells_what_has_gone_meanwhile() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    for (name, uid) in [("a", "u1"), ("b", "u2"), ("c", "u3")] {
        rig.write(&meta(name, uid, 1, "apps", "t1"), &apps, "x");
    }
    rig.0.broken(&kind());
    // Nothing is concluded from a watch that is broken.
    assert_eq!(
        rig.decide("a", &apps, "x"),
        Decision::Apply { exists: true }
    );
    rig.0.listing(&kind());
    rig.see(&meta("a", "u1", 1, "apps", "t1"));
    // Written while the list was being read, and not in it.
    rig.write(&meta("c", "u3", 9, "apps", "t9"), &apps, "y");
    let events = rig.0.listed(&kind(), false);
    assert!(deleted(&events) && events[0].id().name == "b", "{events:?}");
    assert_eq!(rig.decide("a", &apps, "x"), Decision::Unchanged);
    assert_eq!(rig.decide("c", &apps, "y"), Decision::Unchanged);
}

#[test]
fn what_an_earlier_process_applied_is_compared_with_what_is_found() {
    let apps = owner("apps");
    let mut before = Rig::new();
    before.write(&meta("same", "u1", 1, "apps", "t1"), &apps, "x");
    before.write(&meta("drifted", "u2", 1, "apps", "t1"), &apps, "x");
    before.write(&meta("gone", "u3", 1, "apps", "t1"), &apps, "x");
    let mut table = Table::new(TOOLKIT, managers());
    let owner_id = table.owner_id(&apps);
    for (id, applied) in before.0.applied_by(&apps) {
        table.adopt(
            &id,
            Applied {
                owner: owner_id,
                ..applied
            },
        );
    }
    table.listing(&kind());
    assert!(
        table
            .observe(&kind(), &meta("same", "u1", 4, "apps", "t1"), None)
            .is_empty()
    );
    let events = table.observe(&kind(), &meta("drifted", "u2", 4, "apps", "t2"), None);
    assert!(drifted(&events), "{events:?}");
    let events = table.listed(&kind(), false);
    assert!(
        deleted(&events) && events[0].id().name == "gone",
        "{events:?}"
    );
    let mut rig = Rig(table);
    assert_eq!(rig.decide("same", &apps, "x"), Decision::Unchanged);
    assert_eq!(
        rig.decide("drifted", &apps, "x"),
        Decision::Apply { exists: true }
    );
    assert_eq!(
        rig.decide("gone", &apps, "x"),
        Decision::Apply { exists: false }
    );
}

#[test]
fn health_follows_the_watch_and_is_forgotten_with_a_write() {
    let apps = owner("apps");
    let mut rig = Rig::new();
    rig.write(&meta("a", "u1", 1, "apps", "t1"), &apps, "x");
    assert_eq!(rig.0.health(&id("a"), false).state, State::Current);
    assert_eq!(rig.0.health(&id("a"), true).state, State::InProgress);
    let current = Status::current("");
    let events = rig.0.observe(
        &kind(),
        &meta("a", "u1", 2, "apps", "t1"),
        Some(current.clone()),
    );
    assert!(matches!(&events[..], [Event::HealthChanged { status, .. }] if *status == current));
    assert!(
        rig.0
            .observe(&kind(), &meta("a", "u1", 3, "apps", "t1"), Some(current))
            .is_empty(),
        "the same health is no event"
    );
    // Old health says nothing about what was just written.
    rig.write(&meta("a", "u1", 4, "apps", "t4"), &apps, "y");
    assert_eq!(rig.0.health(&id("a"), true).state, State::InProgress);
    assert_eq!(rig.0.health(&id("other"), true).state, State::NotFound);
}

/// A server, as far as it matters here: versions, stamps, and the log that a watch reads.
#[derive(Default)]
struct Server {
    version: u64,
    objects: std::collections::BTreeMap<String, (u64, String, String)>,
    log: Vec<(bool, Meta)>,
}

impl Server {
    fn meta(&self, name: &str) -> Meta {
        let (uid, _, stamp) = &self.objects[name];
        meta(name, &format!("u{uid}"), self.version, "apps", stamp)
    }

    fn write(&mut self, name: &str, content: &str, by: &str) -> Meta {
        self.version += 1;
        let stamp = format!("{by}-{}", self.version);
        let uid = self
            .objects
            .get(name)
            .map_or(self.version, |(uid, ..)| *uid);
        self.objects
            .insert(name.to_owned(), (uid, content.to_owned(), stamp));
        let meta = self.meta(name);
        self.log.push((true, meta.clone()));
        meta
    }

    fn delete(&mut self, name: &str) {
        if self.objects.contains_key(name) {
            self.version += 1;
            let meta = self.meta(name);
            self.objects.remove(name);
            self.log.push((false, meta));
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Run with these contents.
    Run(Vec<Option<u8>>),
    /// Somebody edits an object.
    Edit(usize),
    /// Somebody deletes an object.
    Delete(usize),
    /// The watch delivers that many events.
    Deliver(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec(prop::option::of(0..3_u8), 4).prop_map(Step::Run),
        (0..4_usize).prop_map(Step::Edit),
        (0..4_usize).prop_map(Step::Delete),
        (1..6_usize).prop_map(Step::Deliver),
    ]
}

fn run(rig: &mut Rig, server: &mut Server, wanted: &[Option<u8>]) -> usize {
    let apps = owner("apps");
    let mut writes = 0;
    for (index, content) in wanted.iter().enumerate() {
        let name = format!("o{index}");
        let Some(content) = content.map(|content| content.to_string()) else {
            continue;
        };
        match rig.decide(&name, &apps, &content) {
            Decision::Unchanged => {}
            Decision::Apply { .. } => {
                writes += 1;
                rig.0.begin_write(&id(&name));
                let answer = server.write(&name, &content, "us");
                rig.answer(&answer, &apps, &content);
            }
            other => panic!("{other:?}"),
        }
    }
    writes
}

proptest! {
    /// Whatever happens in whatever order, once the watch has delivered everything: one more run
    /// reaches what is desired, and the run after it has nothing to do.
    #[test]
    fn a_run_reaches_what_is_desired_and_the_next_is_empty(
        steps in prop::collection::vec(step(), 1..40),
        last in prop::collection::vec(prop::option::of(0..3_u8), 4),
    ) {
        let mut rig = Rig::new();
        let mut server = Server::default();
        let mut read = 0;
        for step in steps {
            match step {
                Step::Run(wanted) => {
                    run(&mut rig, &mut server, &wanted);
                }
                Step::Edit(index) => {
                    let name = format!("o{index}");
                    if server.objects.contains_key(&name) {
                        server.write(&name, "edited", "them");
                    }
                }
                Step::Delete(index) => server.delete(&format!("o{index}")),
                Step::Deliver(count) => read = deliver(&mut rig, &server, read, count),
            }
        }
        deliver(&mut rig, &server, read, usize::MAX);
        run(&mut rig, &mut server, &last);
        for (index, content) in last.iter().enumerate() {
            if let Some(content) = content {
                let (_, live, _) = &server.objects[&format!("o{index}")];
                prop_assert_eq!(live, &content.to_string());
            }
        }
        prop_assert_eq!(run(&mut rig, &mut server, &last), 0);
        let read = server.log.len();
        deliver(&mut rig, &server, read, usize::MAX);
        prop_assert_eq!(run(&mut rig, &mut server, &last), 0, "nor after our own events");
    }
}

fn deliver(rig: &mut Rig, server: &Server, read: usize, count: usize) -> usize {
    let end = read.saturating_add(count).min(server.log.len());
    for (exists, meta) in &server.log[read..end] {
        if *exists {
            rig.see(meta);
        } else {
            rig.0.removed(&kind(), meta);
        }
    }
    end
}

#[test]
fn values_are_not_read_where_metadata_is_enough() {
    // A whole object where metadata was asked for (an aggregated API): the rest is ignored.
    let object: super::meta::MetaObject = serde_json::from_value(json!({
        "kind": "Widget", "metadata": { "name": "a" }, "spec": { "large": Value::Null }
    }))
    .unwrap();
    assert_eq!(object.metadata.name, "a");
}
