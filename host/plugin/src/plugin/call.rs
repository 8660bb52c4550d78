//! Typed calls: a fresh instance each, on a blocking thread, ended at its deadline or when nobody
//! waits for it any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Instance;
use wasmtime::{Store, UpdateDeadline};

use super::outcome::outcome;
use super::{Export, Info, Plugin, checked};
use crate::guest::{
    ArtifactHandle, CallHandle, Emitter, Journal, MAX_HANDLES, State, TargetHandle,
};
use crate::runtime::meter::{MAX_TRANSFER, Meter};
use crate::schema::Problem;
use crate::{
    ArtifactSink, Call, CallError, Failure, Limits, LoadError, RenderOutput, Revision, Target,
    Trace, World,
};

/// Wall time of `describe` and `check-settings`, which only compute.
const ABOUT_TIME: Duration = Duration::from_secs(10);

/// A call that ended, well or not.
#[derive(Debug)]
pub struct Called<T> {
    /// What the plugin returned, or how it ended otherwise.
    pub result: Result<T, CallError>,
    /// What it asked.
    pub trace: Trace,
    /// Log lines beyond [`Limits::log_lines`].
    pub log_dropped: u64,
    /// Bytes of linear memory at most.
    pub memory_peak: u64,
    /// From instantiation to the end.
    pub duration: Duration,
}

impl<T> Called<T> {
    /// A call that was never made.
    fn refused(error: CallError) -> Self {
        Self {
            result: Err(error),
            trace: Trace::default(),
            log_dropped: 0,
            memory_peak: 0,
            duration: Duration::ZERO,
        }
    }

    /// `ok`, or [`CallError::outcome`].
    pub const fn outcome(&self) -> &'static str {
        match &self.result {
            Ok(_) => "ok",
            Err(error) => error.outcome(),
        }
    }
}

/// What a call brings besides its context.
#[derive(Default)]
struct Extras {
    target: Option<Arc<dyn Target>>,
    sink: Option<Arc<Mutex<dyn ArtifactSink>>>,
}

impl Plugin {
    /// Finds the revision of a source and fills `sink` with its content. `Ok(None)`: unchanged
    /// since `last`. The sink comes back in any case; what it was given counts only with
    /// `Ok(Some(_))`.
    pub async fn pull<S: ArtifactSink + 'static>(
        self: &Arc<Self>,
        call: Call,
        last: Option<String>,
        sink: S,
    ) -> (Called<Option<Revision>>, S) {
        let sink = Arc::new(Mutex::new(sink));
        let extras = Extras {
            target: None,
            sink: Some(sink.clone()),
        };
        let called = self
            .run(
                "pull",
                World::Source,
                call,
                extras,
                move |plugin, store, instance| {
                    let Export::Source(indices) = &plugin.export else {
                        return Err(mismatch());
                    };
                    let guest = indices.load(&mut *store, instance)?;
                    let context = store.data_mut().table.push(CallHandle)?;
                    let into = store.data_mut().table.push(ArtifactHandle)?;
                    let pulled = guest.call_pull(&mut *store, context, last.as_deref(), into)?;
                    Ok(pulled
                        .map_err(Failure::from)
                        .and_then(|revision| revision.map(checked::revision).transpose()))
                },
            )
            .await;
        // The call has ended and its store is dropped: this is the last handle, unless the
        // blocking thread itself was lost, and then a sink cannot be given back.
        match Arc::try_unwrap(sink) {
            Ok(sink) => (called, sink.into_inner()),
            Err(_) => unreachable!("the call's store outlives the call"),
        }
    }

    /// Renders.
    pub async fn render(
        self: &Arc<Self>,
        call: Call,
        target: Arc<dyn Target>,
    ) -> Called<RenderOutput> {
        let extras = Extras {
            target: Some(target),
            sink: None,
        };
        self.run(
            "render",
            World::Renderer,
            call,
            extras,
            |plugin, store, instance| {
                let Export::Renderer(indices) = &plugin.export else {
                    return Err(mismatch());
                };
                let guest = indices.load(&mut *store, instance)?;
                let context = store.data_mut().table.push(CallHandle)?;
                let target = store.data_mut().table.push(TargetHandle)?;
                let emitter = store.data_mut().table.push(Emitter)?;
                let rendered = guest.call_render(&mut *store, context, target, emitter)?;
                let mut output = std::mem::take(&mut store.data_mut().output);
                checked::warnings(&mut output.warnings, &store.data().mask);
                Ok(rendered.map(|()| output).map_err(Failure::from))
            },
        )
        .await
    }

    /// Picks one of the candidates by its index; `Ok(None)`: none fits.
    pub async fn select(
        self: &Arc<Self>,
        call: Call,
        candidates: Vec<String>,
    ) -> Called<Option<u32>> {
        self.run(
            "select",
            World::ImagePolicy,
            call,
            Extras::default(),
            move |plugin, store, instance| {
                let Export::ImagePolicy(indices) = &plugin.export else {
                    return Err(mismatch());
                };
                let guest = indices.load(&mut *store, instance)?;
                let context = store.data_mut().table.push(CallHandle)?;
                let selected = guest.call_select(&mut *store, context, &candidates)?;
                Ok(selected
                    .map_err(Failure::from)
                    .and_then(|index| checked::index(index, candidates.len())))
            },
        )
        .await
    }

    /// Delivers an event. `id` is stable across redeliveries; `event` is Flux's Event as JSON.
    pub async fn notify(self: &Arc<Self>, call: Call, id: String, event: String) -> Called<()> {
        self.run(
            "notify",
            World::Notifier,
            call,
            Extras::default(),
            move |plugin, store, instance| {
                let Export::Notifier(indices) = &plugin.export else {
                    return Err(mismatch());
                };
                let guest = indices.load(&mut *store, instance)?;
                let context = store.data_mut().table.push(CallHandle)?;
                let notified = guest.call_notify(&mut *store, context, &id, &event)?;
                Ok(notified.map_err(Failure::from))
            },
        )
        .await
    }

    /// The plugin's own checks beyond its schema. Validate first: a plugin may take the schema for
    /// granted.
    pub async fn check_settings(self: &Arc<Self>, settings: String) -> Called<Vec<Problem>> {
        self.spawn(
            "check-settings",
            about_limits(),
            None,
            Extras::default(),
            move |p, s, i| {
                let guest = p.about.load(&mut *s, i)?;
                let problems = guest.call_check_settings(&mut *s, &settings)?;
                Ok(Ok(checked::problems(problems)))
            },
        )
        .await
    }

    /// Asks the plugin about itself. Runs on a blocking thread.
    pub(super) fn describe(&self) -> Result<Info, LoadError> {
        let called = self.run_here(
            "describe",
            about_limits(),
            None,
            Extras::default(),
            CancellationToken::new(),
            |plugin, store, instance| {
                let guest = plugin.about.load(&mut *store, instance)?;
                Ok(Ok(guest.call_describe(&mut *store)?))
            },
        );
        let info = called
            .result
            .map_err(|source| LoadError::Describe { source })?;
        checked::info(info).map_err(|problem| LoadError::InvalidDescription { problem })
    }

    /// A call with a context, if the plugin is of the right world.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        export: &'static str,
        world: World,
        call: Call,
        extras: Extras,
        body: impl FnOnce(&Plugin, &mut Store<State>, &Instance) -> wasmtime::Result<Result<T, Failure>>
        + Send
        + 'static,
    ) -> Called<T> {
        if self.world() != world {
            let message = format!("the world of the plugin is {}, not {world}", self.world());
            return Called::refused(CallError::Host(message));
        }
        let limits = call.limits;
        self.spawn(export, limits, Some(call), extras, body).await
    }

    async fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        export: &'static str,
        limits: Limits,
        call: Option<Call>,
        extras: Extras,
        body: impl FnOnce(&Plugin, &mut Store<State>, &Instance) -> wasmtime::Result<Result<T, Failure>>
        + Send
        + 'static,
    ) -> Called<T> {
        // Waiting for a free instance does not count against the call's deadline.
        let Ok(permit) = self.shared.calls.clone().acquire_owned().await else {
            return Called::refused(CallError::Host("the host is shutting down".into()));
        };
        let cancel = CancellationToken::new();
        // Dropping this future ends the call.
        let guard = cancel.clone().drop_guard();
        let (plugin, span) = (self.clone(), tracing::Span::current());
        let joined = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            let called = plugin.run_here(export, limits, call, extras, cancel, body);
            drop(permit);
            called
        })
        .await;
        guard.disarm();
        joined.unwrap_or_else(|error| {
            Called::refused(CallError::Host(format!(
                "the call's thread was lost: {error}"
            )))
        })
    }

    /// One call on this thread.
    fn run_here<T>(
        &self,
        export: &'static str,
        limits: Limits,
        call: Option<Call>,
        extras: Extras,
        cancel: CancellationToken,
        body: impl FnOnce(&Plugin, &mut Store<State>, &Instance) -> wasmtime::Result<Result<T, Failure>>,
    ) -> Called<T> {
        let started = Instant::now();
        let object = call.as_ref().map_or_else(String::new, |call| {
            let s = &call.subject;
            format!("{}/{}/{}", s.kind, s.namespace, s.name)
        });
        let mut state = State::new(
            self.shared.environment.clone(),
            Meter::start(limits, cancel),
            Journal::new(self.labels.clone(), object, limits.log_lines),
            call,
        );
        state.target = extras.target;
        state.sink = extras.sink;

        let _running = self.shared.ticker.run();
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(MAX_TRANSFER);
        store.set_max_component_handles(MAX_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().meter.check()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let returned = self.pre.instantiate(&mut store).and_then(|instance| {
            store.data_mut().started = true;
            body(self, &mut store, &instance)
        });

        let mut state = store.into_data();
        let called = Called {
            result: outcome(&mut state, returned),
            log_dropped: state.journal.dropped(),
            memory_peak: state.meter.memory_peak(),
            trace: state.recorder.finish(),
            duration: started.elapsed(),
        };
        self.shared.observer.call(
            self,
            export,
            called.outcome(),
            called.duration,
            called.memory_peak,
        );
        called
    }
}

/// The export of a world is chosen with the world, which was checked before.
fn mismatch() -> wasmtime::Error {
    wasmtime::Error::msg("the plugin lacks the export of its world")
}

fn about_limits() -> Limits {
    Limits {
        time: ABOUT_TIME,
        ..Limits::default()
    }
}
