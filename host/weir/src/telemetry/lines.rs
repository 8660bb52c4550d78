//! Log lines as Flux's controllers write them: one flat JSON object each.
//!
//! Fields of the enclosing spans come first, then the event's own; an inner one wins. A line of
//! a reconcile also has the object under its kind, `"Kustomization": {"name": …}`, as
//! controller-runtime writes it.

use std::fmt::Debug;
use std::io::Write as _;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::field;

/// The layer.
pub(super) struct JsonLines<W> {
    writer: W,
}

impl<W> JsonLines<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self { writer }
    }
}

/// Fields of a span or event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let name = match field.name() {
            "message" => field::MESSAGE,
            // Added by the bridge from the `log` crate.
            name if name.starts_with("log.") => return,
            // The line has its own.
            "level" => "fields.level",
            "ts" => "fields.ts",
            name => name.trim_start_matches("r#"),
        };
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, super::chain(value).to_string());
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut line = Map::new();
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        line.insert("level".into(), level.into());
        line.insert("ts".into(), timestamp().into());
        line.insert(
            field::MESSAGE.into(),
            own.0
                .remove(field::MESSAGE)
                .unwrap_or_else(|| Value::String(String::new())),
        );
        for span in context
            .event_scope(event)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(
                    fields
                        .0
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
            }
        }
        line.append(&mut own.0);
        put_object(&mut line);
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // One write, so that lines of several threads do not mix. Nobody to tell if it fails.
        let _ = self
            .writer
            .make_writer_for(event.metadata())
            .write_all(text.as_bytes());
    }
}

fn put_object(line: &mut Map<String, Value>) {
    let text = |name: &str| line.get(name).and_then(Value::as_str);
    if let (Some(kind), Some(name), Some(namespace)) = (
        text(field::CONTROLLER_KIND),
        text(field::NAME),
        text(field::NAMESPACE),
    ) {
        let object = serde_json::json!({ "name": name, "namespace": namespace });
        line.insert(kind.to_owned(), object);
    }
}

/// RFC 3339 in UTC with milliseconds, as zap writes it.
fn timestamp() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(body: impl FnOnce()) -> Vec<Map<String, Value>> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = JsonLines::new(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), body);
        let text = String::from_utf8(buffer.0.lock().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_flat_and_names_the_object_as_flux_does() {
        let written = lines(|| {
            let span = tracing::info_span!(
                "reconcile",
                controller = "kustomization",
                controllerKind = "Kustomization",
                namespace = %"apps",
                name = %"web",
                revision = tracing::field::Empty,
            );
            let _entered = span.enter();
            span.record("revision", "main@sha1:1");
            let error = io::Error::other("no route");
            let error = super::super::chain(&error);
            tracing::error!(%error, attempts = 3, level = "own", "failed to apply");
        });
        let [line] = written.as_slice() else {
            panic!("{written:?}")
        };
        let text = |name: &str| line[name].as_str().unwrap();
        assert_eq!(text("level"), "error");
        assert_eq!(text("fields.level"), "own");
        assert_eq!(text("msg"), "failed to apply");
        assert_eq!(text("controllerKind"), "Kustomization");
        assert_eq!(text("name"), "web");
        assert_eq!(text("revision"), "main@sha1:1");
        assert_eq!(text("error"), "no route");
        assert_eq!(line["attempts"], 3);
        assert_eq!(line["Kustomization"]["namespace"], "apps");
        assert!(text("ts").parse::<jiff::Timestamp>().is_ok());
        assert_eq!(text("ts").len(), "2026-01-01T00:00:00.000Z".len());
    }

    #[test]
    fn an_inner_field_wins() {
        let written = lines(|| {
            let outer = tracing::info_span!("a", name = "outer");
            let _outer = outer.enter();
            let inner = tracing::info_span!("b", name = "inner");
            let _inner = inner.enter();
            tracing::info!("one");
            tracing::info!(name = "own", "two");
        });
        assert_eq!(written[0]["name"], "inner");
        assert_eq!(written[1]["name"], "own");
    }
}
