//! Fields that the schema accepts, because Flux's does, and that this version does not act on.
//! The host says so on the object; it never passes over one in silence.

/// One such field that an object sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Path of the field, `spec.postBuild`.
    pub field: &'static str,
    /// Going on without it would do something the user has forbidden or secured against (apply
    /// with other rights or to another cluster, trust unverified content, apply ciphertext):
    /// the object must stall instead.
    pub refuse: bool,
}

/// Collects the fields that are set.
pub(crate) struct Collect(Vec<Unsupported>);

impl Collect {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A field whose absence only makes the result poorer.
    pub(crate) fn note(mut self, field: &'static str, is_set: bool) -> Self {
        if is_set {
            self.0.push(Unsupported {
                field,
                refuse: false,
            });
        }
        self
    }

    /// A field that must not be passed over.
    pub(crate) fn refuse(mut self, field: &'static str, is_set: bool) -> Self {
        if is_set {
            self.0.push(Unsupported {
                field,
                refuse: true,
            });
        }
        self
    }

    pub(crate) fn finish(self) -> Vec<Unsupported> {
        self.0
    }
}
