//! The kinds that commands know, and what their tables show.

use kube::api::{ApiResource, DynamicObject};
use serde_json::Value;
use weir_api::meta;

use super::Error;
use super::exit::Exit;

/// A kind.
#[derive(Debug)]
pub(super) struct Kind {
    /// As in manifests.
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    /// What people call it besides singular and plural.
    aliases: &'static [&'static str],
    pub(super) namespaced: bool,
    /// No status: what it says is always true.
    pub(super) is_static: bool,
    columns: &'static [Column],
}

/// A column of a kind's table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// JSON pointer, or what needs more than one.
    from: From,
    /// Only with `-o wide`.
    wide: bool,
}

#[derive(Debug)]
enum From {
    At(&'static str),
    Revision(&'static str),
    Suspended,
    Ready,
    Message,
    Source,
}

const fn column(title: &'static str, from: From) -> Column {
    Column {
        title,
        from,
        wide: false,
    }
}

const fn wide(title: &'static str, from: From) -> Column {
    Column {
        title,
        from,
        wide: true,
    }
}

const SUSPENDED: Column = column("SUSPENDED", From::Suspended);
const READY: Column = column("READY", From::Ready);
const MESSAGE: Column = column("MESSAGE", From::Message);

/// All of them, in the order of `get all`.
pub(super) static KINDS: [Kind; 5] = [
    Kind {
        name: "GitRepository",
        group: meta::SOURCE_GROUP,
        version: "v1",
        plural: "gitrepositories",
        aliases: &["gitrepo", "git"],
        namespaced: true,
        is_static: false,
        columns: &[
            column("REVISION", From::Revision("/status/artifact/revision")),
            SUSPENDED,
            READY,
            MESSAGE,
            wide("URL", From::At("/spec/url")),
            wide("INTERVAL", From::At("/spec/interval")),
        ],
    },
    Kind {
        name: "Kustomization",
        group: meta::KUSTOMIZE_GROUP,
        version: "v1",
        plural: "kustomizations",
        aliases: &["ks"],
        namespaced: true,
        is_static: false,
        columns: &[
            column("REVISION", From::Revision("/status/lastAppliedRevision")),
            SUSPENDED,
            READY,
            MESSAGE,
            wide("SOURCE", From::Source),
            wide("PATH", From::At("/spec/path")),
        ],
    },
    Kind {
        name: "Provider",
        group: meta::NOTIFICATION_GROUP,
        version: "v1beta3",
        plural: "providers",
        aliases: &["alert-provider"],
        namespaced: true,
        is_static: true,
        columns: &[
            READY,
            MESSAGE,
            wide("TYPE", From::At("/spec/type")),
            wide("ADDRESS", From::At("/spec/address")),
        ],
    },
    Kind {
        name: "Alert",
        group: meta::NOTIFICATION_GROUP,
        version: "v1beta3",
        plural: "alerts",
        aliases: &[],
        namespaced: true,
        is_static: true,
        columns: &[
            SUSPENDED,
            READY,
            MESSAGE,
            wide("PROVIDER", From::At("/spec/providerRef/name")),
            wide("SEVERITY", From::At("/spec/eventSeverity")),
        ],
    },
    Kind {
        name: "Plugin",
        group: meta::WEIR_GROUP,
        version: "v1alpha1",
        plural: "plugins",
        aliases: &[],
        namespaced: false,
        is_static: false,
        columns: &[
            column("WORLD", From::At("/status/world")),
            column("VERSION", From::At("/status/description/version")),
            SUSPENDED,
            READY,
            MESSAGE,
            wide("IMAGE", From::At("/spec/image")),
            wide("DIGEST", From::Revision("/status/digest")),
        ],
    },
];

impl Kind {
    /// The kind that people call this.
    pub(super) fn named(name: &str) -> Result<&'static Self, Error> {
        let name = name.to_ascii_lowercase();
        KINDS
            .iter()
            .find(|kind| kind.answers_to(&name))
            .ok_or_else(|| {
                let known: Vec<String> = KINDS.iter().map(Self::singular).collect();
                let message = format!("unknown kind `{name}`; known are {}", known.join(", "));
                Error::new(Exit::Usage, message)
            })
    }

    fn answers_to(&self, name: &str) -> bool {
        name == self.plural
            || name == self.singular()
            || self.aliases.contains(&name)
            || name == format!("{}.{}", self.plural, self.group)
    }

    pub(super) fn singular(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    pub(super) fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: format!("{}/{}", self.group, self.version),
            kind: self.name.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    pub(super) fn columns(&self, is_wide: bool) -> impl Iterator<Item = &'static Column> {
        self.columns
            .iter()
            .filter(move |column| is_wide || !column.wide)
    }
}

impl Column {
    /// What the object's row says here.
    pub(super) fn cell(&self, kind: &Kind, object: &DynamicObject) -> String {
        let data = &object.data;
        match self.from {
            From::At(pointer) => text(data, pointer),
            From::Revision(pointer) => shorten(&text(data, pointer)),
            From::Suspended => {
                let suspended = data.pointer("/spec/suspend").and_then(Value::as_bool);
                if suspended == Some(true) {
                    "True"
                } else {
                    "False"
                }
                .to_owned()
            }
            From::Ready => ready(kind, object).0,
            // A row is a line.
            From::Message => {
                let message = ready(kind, object).1;
                shorten(&message.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            From::Source => {
                let part = |name: &str| text(data, &format!("/spec/sourceRef/{name}"));
                format!("{}/{}", part("kind"), part("name"))
            }
        }
    }
}

/// Status and message of the Ready condition, as the flux CLI words them.
pub(super) fn ready(kind: &Kind, object: &DynamicObject) -> (String, String) {
    if kind.is_static {
        return ("True".to_owned(), format!("{} is Ready", kind.name));
    }
    condition(object, meta::condition::READY).map_or(
        ("False".to_owned(), "waiting to be reconciled".to_owned()),
        |ready| (text(ready, "/status"), text(ready, "/message")),
    )
}

/// A condition of the object's status.
pub(super) fn condition<'o>(object: &'o DynamicObject, type_: &str) -> Option<&'o Value> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == type_)
}

/// The text at a JSON pointer; empty when there is none.
pub(super) fn text(data: &Value, pointer: &str) -> String {
    data.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A revision, or a text with revisions, with hashes cut to 8 digits: `main@sha1:0d7f3c5e`.
fn shorten(text: &str) -> String {
    let mut parts = text.split(':');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        // What is longer than a date or a version can only be a hash.
        let kept = if digits >= HASH { 8 } else { digits };
        short.push(':');
        short.push_str(&part[..kept]);
        short.push_str(&part[digits..]);
    }
    short
}

/// Hex digits of the shortest hash that revisions have, SHA-1.
const HASH: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_what_people_call_them() {
        for (name, expected) in [
            ("gitrepository", "GitRepository"),
            ("GitRepositories", "GitRepository"),
            ("git", "GitRepository"),
            ("ks", "Kustomization"),
            (
                "kustomizations.kustomize.toolkit.fluxcd.io",
                "Kustomization",
            ),
            ("alert-provider", "Provider"),
        ] {
            assert_eq!(Kind::named(name).unwrap().name, expected, "{name}");
        }
        let error = Kind::named("pods").unwrap_err();
        assert_eq!(error.code(), Exit::Usage);
    }

    #[test]
    fn every_kind_is_one_that_we_install() {
        let installed = weir_api::crds();
        for kind in &KINDS {
            let crd = installed
                .iter()
                .find(|crd| crd.spec.names.kind == kind.name && crd.spec.group == kind.group)
                .unwrap();
            assert_eq!(crd.spec.names.plural, kind.plural);
            assert_eq!(crd.spec.scope == "Namespaced", kind.namespaced);
            assert!(
                crd.spec
                    .versions
                    .iter()
                    .any(|version| version.name == kind.version)
            );
        }
    }

    #[test]
    fn hashes_are_cut_and_nothing_else() {
        for (revision, expected) in [
            (
                "main@sha1:0d7f3c5e1b2a3948576a6b7c8d9e0f1a2b3c4d5e",
                "main@sha1:0d7f3c5e",
            ),
            (
                "sha1:0d7f3c5e1b2a3948576a6b7c8d9e0f1a2b3c4d5e",
                "sha1:0d7f3c5e",
            ),
            (
                "Applied revision: main@sha1:0d7f3c5e1b2a3948576a6b7c8d9e0f1a2b3c4d5e.",
                "Applied revision: main@sha1:0d7f3c5e.",
            ),
            ("6.5.4", "6.5.4"),
            ("feature:not-a-hash-at-all", "feature:not-a-hash-at-all"),
            ("", ""),
        ] {
            assert_eq!(shorten(revision), expected);
        }
    }
}
