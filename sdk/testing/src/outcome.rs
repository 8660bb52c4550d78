//! How a call ended, and what the plugin asked on the way.

use weir_plugin::{CallError, Called, Failure, Manifest, Question, RenderOutput, Trace, Warning};

/// How a call ended.
#[derive(Debug)]
#[must_use]
pub struct Outcome<T> {
    /// What the plugin returned, or how it ended otherwise: its own error, a trap, the deadline, a
    /// limit.
    pub result: Result<T, CallError>,
    /// Every question that it asked, each once: what the host's cache key is made of.
    pub trace: Trace,
    /// Bytes of linear memory at most.
    pub memory_peak: u64,
}

impl<T> Outcome<T> {
    pub(crate) fn new<U>(called: Called<U>, map: impl FnOnce(U) -> T) -> Self {
        Self {
            result: called.result.map(map),
            trace: called.trace,
            memory_peak: called.memory_peak,
        }
    }

    pub(crate) fn refused(failure: Failure) -> Self {
        Self {
            result: Err(CallError::Failed(failure)),
            trace: Trace::default(),
            memory_peak: 0,
        }
    }

    /// What the plugin returned.
    ///
    /// # Panics
    /// It failed.
    #[track_caller]
    pub fn ok(self) -> T {
        match self.result {
            Ok(value) => value,
            Err(CallError::Failed(failure)) => panic!("the plugin failed: {failure:#?}"),
            Err(error) => panic!("the call ended badly: {error}"),
        }
    }

    /// The error that the plugin returned.
    ///
    /// # Panics
    /// It returned well, or did not return at all.
    #[track_caller]
    pub fn failure(self) -> Failure {
        match self.result {
            Ok(_) => panic!("the plugin returned well, a failure was expected"),
            Err(CallError::Failed(failure)) => failure,
            Err(error) => panic!("the call ended badly: {error}"),
        }
    }

    /// `ok`, `error`, `trap`, `deadline`, `limit` or `host`: as the host's metrics name it.
    pub fn outcome(&self) -> &'static str {
        self.result
            .as_ref()
            .map_or_else(CallError::outcome, |_| "ok")
    }

    /// The questions in the order in which they were asked.
    pub fn questions(&self) -> Vec<&Question> {
        self.trace
            .recorded
            .iter()
            .map(|recorded| &recorded.question)
            .collect()
    }

    /// The files of an input that it read.
    pub fn files_read(&self, input: &str) -> Vec<&str> {
        self.questions()
            .into_iter()
            .filter_map(|question| match question {
                Question::Read(of, path) if **of == *input => Some(path.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// What a renderer made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// In the order in which they were emitted.
    pub manifests: Vec<Manifest>,
    /// Remarks.
    pub warnings: Vec<Warning>,
    /// By-products by name.
    pub attachments: Vec<(String, Vec<u8>)>,
}

impl Rendered {
    /// All documents, separated as in one YAML file.
    ///
    /// # Panics
    /// They are not UTF-8.
    #[track_caller]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for manifest in &self.manifests {
            let body = std::str::from_utf8(&manifest.body).expect("manifests are UTF-8");
            if !text.is_empty() && !body.starts_with("---") {
                text.push_str("---\n");
            }
            text.push_str(body);
            if !body.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// All documents, parsed; empty ones are left out.
    ///
    /// # Panics
    /// One of them is no YAML.
    #[track_caller]
    pub fn objects(&self) -> Vec<serde_json::Value> {
        use serde::Deserialize as _;
        let text = self.text();
        serde_norway::Deserializer::from_str(&text)
            .map(|document| {
                serde_json::Value::deserialize(document)
                    .unwrap_or_else(|error| panic!("not YAML: {error}\n{text}"))
            })
            .filter(|object| !object.is_null())
            .collect()
    }

    /// `kind/name` of each object, in order.
    ///
    /// # Panics
    /// As [`Rendered::objects`].
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        self.objects()
            .iter()
            .map(|object| {
                format!(
                    "{}/{}",
                    text(&object["kind"]),
                    text(&object["metadata"]["name"])
                )
            })
            .collect()
    }
}

impl From<RenderOutput> for Rendered {
    fn from(output: RenderOutput) -> Self {
        let RenderOutput {
            manifests,
            attachments,
            warnings,
        } = output;
        let attachments = attachments
            .into_iter()
            .map(|(name, data)| (name, data.to_vec()))
            .collect();
        Self {
            manifests,
            warnings,
            attachments,
        }
    }
}
