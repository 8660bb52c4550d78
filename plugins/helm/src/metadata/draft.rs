//! Reading `Chart.yaml` and `requirements.yaml`.

use weir_yaml::Value as Plain;

use super::{Dependency, Import, Maintainer, Metadata};
use crate::decode::{self, DecodeError, Place};

const FIELDS: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];
const DEPENDENCY_FIELDS: &[&str] = &[
    "name",
    "version",
    "repository",
    "condition",
    "tags",
    "enabled",
    "import-values",
    "alias",
];

/// A list whose items may be null, until validation refuses them.
pub(super) type Nullable<T> = Vec<Option<T>>;

/// Metadata as read; [`Draft::validate`] makes it metadata.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) metadata: Metadata,
    pub(super) maintainers: Nullable<Maintainer>,
    pub(super) dependencies: Option<Nullable<Dependency>>,
}

impl Draft {
    /// Reads a file over what was read before: `Chart.yaml`, then `requirements.yaml`.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let document = decode::yaml(bytes)?;
        let root = Place { name: "", path: "" };
        let draft = self;
        decode::fields(&document, root, "chart.Metadata", FIELDS, |name, value| {
            draft.field(name, value)
        })
    }

    fn field(&mut self, name: &'static str, value: &Plain) -> Result<(), DecodeError> {
        let place = Place {
            name: "Metadata",
            path: name,
        };
        let metadata = &mut self.metadata;
        match name {
            "name" => decode::string(value, place, &mut metadata.name)?,
            "home" => decode::string(value, place, &mut metadata.home)?,
            "sources" => metadata.sources = decode::strings(value, place)?,
            "version" => decode::string(value, place, &mut metadata.version)?,
            "description" => decode::string(value, place, &mut metadata.description)?,
            "keywords" => metadata.keywords = decode::strings(value, place)?,
            "icon" => decode::string(value, place, &mut metadata.icon)?,
            "apiVersion" => decode::string(value, place, &mut metadata.api_version)?,
            "condition" => decode::string(value, place, &mut metadata.condition)?,
            "tags" => decode::string(value, place, &mut metadata.tags)?,
            "appVersion" => decode::string(value, place, &mut metadata.app_version)?,
            "deprecated" => decode::boolean(value, place, &mut metadata.deprecated)?,
            "annotations" => metadata.annotations = decode::string_map(value, place)?,
            "kubeVersion" => decode::string(value, place, &mut metadata.kube_version)?,
            "type" => decode::string(value, place, &mut metadata.chart_type)?,
            "maintainers" => {
                let items = decode::list(value, place, "[]*chart.Maintainer", maintainer)?;
                self.maintainers = items.unwrap_or_default();
            }
            "dependencies" => {
                self.dependencies = decode::list(value, place, "[]*chart.Dependency", dependency)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn maintainer(value: &Plain) -> Result<Option<Maintainer>, DecodeError> {
    if value.is_null() {
        return Ok(None);
    }
    let mut maintainer = Maintainer::default();
    let place = |path| Place {
        name: "Maintainer",
        path,
    };
    let names = &["name", "email", "url"];
    let outer = Place {
        name: "Metadata",
        path: "maintainers",
    };
    decode::fields(value, outer, "chart.Maintainer", names, |name, value| {
        let (path, into) = match name {
            "name" => ("maintainers.name", &mut maintainer.name),
            "email" => ("maintainers.email", &mut maintainer.email),
            _ => ("maintainers.url", &mut maintainer.url),
        };
        decode::string(value, place(path), into)
    })?;
    Ok(Some(maintainer))
}

/// Reads a dependency; nothing for null.
pub(crate) fn dependency(value: &Plain) -> Result<Option<Dependency>, DecodeError> {
    if value.is_null() {
        return Ok(None);
    }
    let mut dependency = Dependency::default();
    let outer = Place {
        name: "Metadata",
        path: "dependencies",
    };
    decode::fields(
        value,
        outer,
        "chart.Dependency",
        DEPENDENCY_FIELDS,
        |name, value| {
            let path = format!("dependencies.{name}");
            let place = Place {
                name: "Dependency",
                path: &path,
            };
            match name {
                "name" => decode::string(value, place, &mut dependency.name),
                "version" => decode::string(value, place, &mut dependency.version),
                "repository" => decode::string(value, place, &mut dependency.repository),
                "condition" => decode::string(value, place, &mut dependency.condition),
                "alias" => decode::string(value, place, &mut dependency.alias),
                "enabled" => decode::boolean(value, place, &mut dependency.enabled),
                "tags" => {
                    dependency.tags = decode::strings(value, place)?;
                    Ok(())
                }
                _ => {
                    let items =
                        decode::list(value, place, "[]interface {}", |item| Ok(import(item)))?;
                    dependency.import_values = items.unwrap_or_default();
                    Ok(())
                }
            }
        },
    )?;
    Ok(Some(dependency))
}

fn import(value: &Plain) -> Import {
    match value {
        Plain::String(name) => Import::Export(name.clone()),
        Plain::Object(object) => {
            let text = |key| object.get(key).and_then(Plain::as_str);
            match (text("child"), text("parent")) {
                (Some(child), Some(parent)) => Import::Table {
                    child: child.to_owned(),
                    parent: parent.to_owned(),
                },
                _ => Import::Malformed,
            }
        }
        _ => Import::Other,
    }
}
