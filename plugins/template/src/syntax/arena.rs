//! Where the pieces of a tree are kept: those of a kind side by side, lists of them in one piece, and
//! none in an allocation of its own.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A piece in an [`Arena`].
pub(crate) struct Id<T> {
    at: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

/// A list of pieces in an [`Arena`].
pub(crate) struct Run<T> {
    start: u32,
    end: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Run<T> {}

impl<T> Default for Run<T> {
    fn default() -> Self {
        Self {
            start: 0,
            end: 0,
            of: PhantomData,
        }
    }
}

impl<T> Run<T> {
    /// How many there are.
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Where a list begins that is being read.
pub(crate) struct Open(usize);

/// Pieces of one kind.
pub(crate) struct Arena<T> {
    items: Vec<T>,
    /// Of lists that are being read, the innermost last: what an item consists of is complete before
    /// the next item, so lists come into one piece only at their end.
    open: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            open: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    /// Adds a piece that is in no list.
    pub(crate) fn add(&mut self, item: T) -> Id<T> {
        let at = self.items.len() as u32;
        self.items.push(item);
        Id {
            at,
            of: PhantomData,
        }
    }

    /// Begins a list.
    pub(crate) fn begin(&self) -> Open {
        Open(self.open.len())
    }

    /// Adds to the list that was begun last and has not ended.
    pub(crate) fn push(&mut self, item: T) {
        self.open.push(item);
    }

    /// Ends the list that was begun last.
    pub(crate) fn end(&mut self, list: Open) -> Run<T> {
        let start = self.items.len() as u32;
        // Most lists are of one item, or of none.
        match self.open.len() - list.0 {
            0 => {}
            1 => self.items.extend(self.open.pop()),
            _ => self.items.extend(self.open.drain(list.0..)),
        }
        Run {
            start,
            end: self.items.len() as u32,
            of: PhantomData,
        }
    }

    /// Takes everything out into an arena that is as large as it need be. What is left is empty, but
    /// has the room for the next tree.
    pub(crate) fn take(&mut self) -> Self {
        self.open.clear();
        Self {
            items: self.items.drain(..).collect(),
            open: Vec::new(),
        }
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    fn index(&self, id: Id<T>) -> &T {
        &self.items[id.at as usize]
    }
}

impl<T> Index<Run<T>> for Arena<T> {
    type Output = [T];

    fn index(&self, run: Run<T>) -> &[T] {
        &self.items[run.start as usize..run.end as usize]
    }
}

impl<T> IndexMut<Run<T>> for Arena<T> {
    fn index_mut(&mut self, run: Run<T>) -> &mut [T] {
        &mut self.items[run.start as usize..run.end as usize]
    }
}
