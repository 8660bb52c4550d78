//! Which plugin goes by which name now. A name changes hands at once; calls in flight keep the
//! plugin they began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{ComponentSource, LoadError, Plugin, Runtime};

/// Plugins by name. Built-in ones are the ground, of which each can be replaced.
#[derive(Debug)]
pub struct Catalog {
    names: ArcSwap<BTreeMap<String, Name>>,
    changes: watch::Sender<u64>,
}

/// Who goes by a name.
#[derive(Clone, Debug, Default)]
struct Name {
    built_in: Option<Arc<Plugin>>,
    replacement: Option<Arc<Plugin>>,
}

impl Name {
    fn current(&self) -> Option<&Arc<Plugin>> {
        self.replacement.as_ref().or(self.built_in.as_ref())
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            names: ArcSwap::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Catalog {
    /// A catalog without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The plugin of that name. Hold it for one call only, or a swap goes unnoticed.
    pub fn get(&self, name: &str) -> Option<Arc<Plugin>> {
        self.names.load().get(name)?.current().cloned()
    }

    /// Names, with their plugins and whether each is the built-in one.
    pub fn list(&self) -> Vec<(String, Arc<Plugin>, bool)> {
        let entry = |(name, entry): (&String, &Name)| {
            Some((
                name.clone(),
                entry.current()?.clone(),
                entry.replacement.is_none(),
            ))
        };
        self.names.load().iter().filter_map(entry).collect()
    }

    /// Whether the plugin is one that the binary carries.
    pub fn is_built_in(&self, plugin: &Plugin) -> bool {
        let names = self.names.load();
        let mut built_in = names.values().filter_map(|entry| entry.built_in.as_ref());
        built_in.any(|known| known.digest() == plugin.digest())
    }

    /// Puts a built-in plugin under its name, beneath any replacement.
    pub fn set_built_in(&self, name: &str, plugin: Arc<Plugin>) {
        self.change(name, |entry| entry.built_in = Some(plugin.clone()));
    }

    /// Gives the name to a plugin that is ready; returns who had it.
    pub fn replace(&self, name: &str, plugin: Arc<Plugin>) -> Option<Arc<Plugin>> {
        let before = self.get(name);
        self.change(name, |entry| entry.replacement = Some(plugin.clone()));
        before
    }

    /// Takes the name back: from here on it is the built-in plugin's, or nobody's.
    pub fn remove(&self, name: &str) {
        self.change(name, |entry| entry.replacement = None);
    }

    /// Loads a component, and gives it the name once it is described and ready. On an error the
    /// name stays with who has it.
    pub async fn install(
        &self,
        runtime: &Runtime,
        name: &str,
        component: impl Into<ComponentSource>,
    ) -> Result<Arc<Plugin>, LoadError> {
        let plugin = runtime.load(component).await?;
        self.replace(name, plugin.clone());
        Ok(plugin)
    }

    /// Changes when any name changes hands.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn change(&self, name: &str, change: impl Fn(&mut Name)) {
        self.names.rcu(|names| {
            let mut names = BTreeMap::clone(names);
            let entry = names.entry(name.to_owned()).or_default();
            change(entry);
            if entry.current().is_none() {
                names.remove(name);
            }
            names
        });
        self.changes.send_modify(|count| *count += 1);
    }
}
