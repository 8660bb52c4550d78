//! Remarks that end nothing: what Helm logs while it works.

use std::cell::RefCell;

/// Remarks so far. The same one is kept once: Helm coalesces the same values several times.
#[derive(Debug, Default)]
pub struct Warnings {
    texts: RefCell<Vec<String>>,
}

impl Warnings {
    /// Adds a remark.
    pub(crate) fn add(&self, text: impl Into<String>) {
        let text = text.into();
        let mut texts = self.texts.borrow_mut();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }

    /// All of them, in order.
    pub fn texts(&self) -> Vec<String> {
        self.texts.borrow().clone()
    }
}
