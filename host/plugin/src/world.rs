//! What a component is: its world, its contract version, what it imports. All of it is read from
//! the component's type, without running anything.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::LoadError;

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Where revisions come from.
    Source,
    /// Trees in, manifests out.
    Renderer,
    /// Picks one tag.
    ImagePolicy,
    /// Delivers an event.
    Notifier,
    /// Judges rendered objects.
    Validator,
    /// Encrypted data to plain text.
    Decryptor,
    /// Status of kinds that kstatus does not know.
    Health,
    /// Parameters to objects.
    Generator,
}

/// Every world, with the interfaces that it imports.
const WORLDS: [(World, &[&str]); 8] = [
    (
        World::Source,
        &["artifacts", "http", "git", "oci", "secrets", "clock"],
    ),
    (
        World::Renderer,
        &[
            "rendering",
            "output",
            "clock",
            "random",
            "cluster",
            "remote",
        ],
    ),
    (World::ImagePolicy, &[]),
    (World::Notifier, &["http", "tcp", "secrets", "clock"]),
    (World::Validator, &["review", "cluster"]),
    (World::Decryptor, &["http", "secrets"]),
    (World::Health, &[]),
    (World::Generator, &["output", "http", "cluster"]),
];

/// What every world imports.
const COMMON: [&str; 4] = ["types", "files", "context", "log"];

/// The contract version that this host speaks; a guest of the same minor version fits.
pub(crate) const CONTRACT: semver::Version = semver::Version::new(0, 1, 0);

impl World {
    /// Its name, which is its exported interface's: `renderer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Renderer => "renderer",
            Self::ImagePolicy => "image-policy",
            Self::Notifier => "notifier",
            Self::Validator => "validator",
            Self::Decryptor => "decryptor",
            Self::Health => "health",
            Self::Generator => "generator",
        }
    }

    /// The world of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        WORLDS
            .into_iter()
            .map(|(world, _)| world)
            .find(|world| world.name() == name)
    }

    /// Interfaces of the contract that it may import, without package.
    pub(crate) fn interfaces(self) -> impl Iterator<Item = &'static str> {
        let own = WORLDS
            .into_iter()
            .find(|(world, _)| *world == self)
            .map_or(&[][..], |(_, own)| own);
        COMMON.into_iter().chain(own.iter().copied())
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An interface of the contract: `weir:plugin/files@0.1.0` is `files` in `0.1.0`.
fn contract(name: &str) -> Option<(&str, semver::Version)> {
    let (interface, version) = name.strip_prefix("weir:plugin/")?.split_once('@')?;
    Some((interface, version.parse().ok()?))
}

/// Finds the world and the contract version from the names of a component's exports.
pub(crate) fn world<'a>(
    exports: impl IntoIterator<Item = &'a str>,
) -> Result<(World, semver::Version), LoadError> {
    let mut worlds = Vec::new();
    let mut describes = false;
    for (interface, version) in exports.into_iter().filter_map(contract) {
        if (version.major, version.minor) != (CONTRACT.major, CONTRACT.minor) {
            return Err(LoadError::UnsupportedContract {
                found: version.to_string(),
            });
        }
        describes |= interface == "about";
        worlds.extend(World::from_name(interface).map(|world| (world, version)));
    }
    match worlds.as_slice() {
        [(world, version)] if describes => Ok((*world, version.clone())),
        [] | [_] => Err(LoadError::NotAPlugin),
        several => Err(LoadError::SeveralWorlds {
            worlds: several
                .iter()
                .map(|(world, _)| world.name())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Refuses an import that is neither the world's nor inert WASI.
pub(crate) fn check_import(world: World, import: &str) -> Result<(), LoadError> {
    let belongs = contract(import).is_some_and(|(interface, version)| {
        (version.major, version.minor) == (CONTRACT.major, CONTRACT.minor)
            && world.interfaces().any(|own| own == interface)
    });
    if belongs || crate::guest::is_inert(import) {
        Ok(())
    } else {
        Err(LoadError::ForbiddenImport {
            import: import.to_owned(),
            world,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_follows_from_the_exports() {
        let found = world(["weir:plugin/about@0.1.0", "weir:plugin/renderer@0.1.3"]).unwrap();
        assert_eq!(found, (World::Renderer, semver::Version::new(0, 1, 3)));
        assert!(matches!(
            world(["wasi:cli/run@0.2.0"]),
            Err(LoadError::NotAPlugin)
        ));
        assert!(matches!(
            world(["weir:plugin/renderer@0.1.0"]),
            Err(LoadError::NotAPlugin)
        ));
        assert!(matches!(
            world(["weir:plugin/about@0.2.0", "weir:plugin/renderer@0.2.0"]),
            Err(LoadError::UnsupportedContract { found }) if found == "0.2.0"
        ));
        assert!(matches!(
            world([
                "weir:plugin/about@0.1.0",
                "weir:plugin/source@0.1.0",
                "weir:plugin/health@0.1.0"
            ]),
            Err(LoadError::SeveralWorlds { .. })
        ));
    }

    #[test]
    fn imports_are_the_worlds_or_inert() {
        let check = |import| check_import(World::Renderer, import).is_ok();
        assert!(check("weir:plugin/files@0.1.0") && check("weir:plugin/output@0.1.7"));
        assert!(check("wasi:io/streams@0.2.6") && check("wasi:sockets/tcp@0.2.0"));
        assert!(
            !check("weir:plugin/http@0.1.0"),
            "a renderer has no network"
        );
        assert!(!check("weir:plugin/files@0.2.0"));
        assert!(!check("wasi:http/outgoing-handler@0.2.0"));
        assert!(!check("wasi:io/streams@0.3.0"));
        assert!(!check("env"));
    }
}
