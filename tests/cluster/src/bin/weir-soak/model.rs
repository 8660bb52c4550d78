//! What the repositories say.

use std::collections::BTreeMap;

/// A ConfigMap's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) repo: usize,
    pub(crate) folder: usize,
    pub(crate) file: usize,
}

impl Place {
    pub(crate) fn path(self) -> String {
        format!("{}/{}.yaml", self.folder, self.file)
    }

    /// Of the ConfigMap.
    pub(crate) fn name(self) -> String {
        format!("c-{}-{}", self.folder, self.file)
    }
}

/// The value of each ConfigMap.
#[derive(Debug, Default)]
pub(crate) struct Model(BTreeMap<Place, String>);

impl Model {
    pub(crate) fn get(&self, place: Place) -> Option<&String> {
        self.0.get(&place)
    }

    pub(crate) fn set(&mut self, place: Place, value: String) {
        self.0.insert(place, value);
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.0.remove(&place);
    }

    pub(crate) fn objects(&self) -> usize {
        self.0.len()
    }

    /// Folders of a repository.
    pub(crate) fn folders(&self, repo: usize) -> usize {
        let folders = self.0.keys().filter(|place| place.repo == repo);
        folders.map(|place| place.folder + 1).max().unwrap_or(1)
    }

    /// Name and data of each ConfigMap of a repository, as the API server lists them.
    pub(crate) fn of(&self, repo: usize) -> Vec<(String, String)> {
        let of_repo = self.0.iter().filter(|(place, _)| place.repo == repo);
        let mut all: Vec<(String, String)> = of_repo
            .map(|(place, value)| (place.name(), format!("{{\"key\":\"{value}\"}}")))
            .collect();
        all.sort();
        all
    }
}

/// A reproducible sequence.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`; 0 for 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize).checked_rem(bound).unwrap_or(0)
    }
}
