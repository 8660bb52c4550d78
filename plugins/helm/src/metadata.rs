//! `Chart.yaml` (helm/helm pkg/chart/metadata.go, dependency.go).

use weir_version::Version;
use weir_yaml::Value as Plain;

use crate::decode::{self, DecodeError, Place};

/// Metadata that Helm refuses; the texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("validation: {0}")]
pub struct ValidationError(String);

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maintainer {
    /// Name of the person or organisation.
    pub name: String,
    /// Address.
    pub email: String,
    /// Page.
    pub url: String,
}

/// A chart that another one needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dependency {
    /// The name in the dependency's own `Chart.yaml`; once processed, the alias.
    pub name: String,
    /// Versions that will do.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values, separated by commas; the first that is a boolean decides.
    pub condition: String,
    /// Groups that values switch on and off.
    pub tags: Vec<String>,
    /// Whether it is rendered.
    pub enabled: bool,
    /// What of its values the parent takes over.
    pub import_values: Vec<Import>,
    /// The name to use it under.
    pub alias: String,
}

/// An entry of `import-values`.
#[derive(Debug, Clone, PartialEq)]
pub enum Import {
    /// The name of a table below the dependency's `exports`.
    Export(String),
    /// A table of the dependency, and where it goes.
    Table {
        /// The path in the dependency's values.
        child: String,
        /// The path in the parent's.
        parent: String,
    },
    /// One that was processed: Helm writes its result back, and does not recognise it again.
    Done {
        /// As in `Table`.
        child: String,
        /// As in `Table`.
        parent: String,
    },
    /// Anything else; Helm passes over it.
    Other,
    /// A map without the two paths, at which Helm itself panics.
    Malformed,
}

/// What a chart says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// The name.
    pub name: String,
    /// The project's page.
    pub home: String,
    /// Pages of its source.
    pub sources: Vec<String>,
    /// A semantic version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who looks after it.
    pub maintainers: Vec<Maintainer>,
    /// An image.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Unused by Helm.
    pub condition: String,
    /// Unused by Helm.
    pub tags: String,
    /// The version of what it installs.
    pub app_version: String,
    /// Whether people should stop using it.
    pub deprecated: bool,
    /// Anything else.
    pub annotations: Option<Vec<(String, String)>>,
    /// Versions of Kubernetes that will do.
    pub kube_version: String,
    /// Charts that it needs; no list at all differs from an empty one.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application` or `library`.
    pub chart_type: String,
}

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
type Nullable<T> = Vec<Option<T>>;

/// Metadata as read; [`Draft::validate`] makes it metadata.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) metadata: Metadata,
    maintainers: Nullable<Maintainer>,
    dependencies: Option<Nullable<Dependency>>,
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

    /// Checks and cleans as `Metadata.Validate` does.
    pub(crate) fn validate(self) -> Result<Metadata, ValidationError> {
        let mut metadata = self.metadata;
        for text in [
            &mut metadata.name,
            &mut metadata.description,
            &mut metadata.home,
            &mut metadata.icon,
            &mut metadata.condition,
            &mut metadata.tags,
            &mut metadata.app_version,
            &mut metadata.kube_version,
        ] {
            sanitize(text);
        }
        metadata.sources.iter_mut().for_each(sanitize);
        metadata.keywords.iter_mut().for_each(sanitize);
        let invalid = |text: String| Err(ValidationError(text));
        if metadata.api_version.is_empty() {
            return invalid("chart.metadata.apiVersion is required".to_owned());
        }
        if metadata.name.is_empty() {
            return invalid("chart.metadata.name is required".to_owned());
        }
        if !is_base_name(&metadata.name) {
            return invalid(format!(
                "chart.metadata.name {:?} is invalid",
                metadata.name
            ));
        }
        if metadata.version.is_empty() {
            return invalid("chart.metadata.version is required".to_owned());
        }
        if Version::parse_short(&metadata.version).is_err() {
            let version = &metadata.version;
            return invalid(format!("chart.metadata.version {version:?} is invalid"));
        }
        if !matches!(metadata.chart_type.as_str(), "" | "application" | "library") {
            return invalid("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in self.maintainers {
            let Some(mut maintainer) = maintainer else {
                return invalid("maintainers must not contain empty or null nodes".to_owned());
            };
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
            metadata.maintainers.push(maintainer);
        }
        metadata.dependencies = self.dependencies.map(validate_dependencies).transpose()?;
        Ok(metadata)
    }
}

fn validate_dependencies(
    dependencies: Nullable<Dependency>,
) -> Result<Vec<Dependency>, ValidationError> {
    let mut valid: Vec<Dependency> = Vec::new();
    for dependency in dependencies {
        let Some(mut dependency) = dependency else {
            let text = "dependencies must not contain empty or null nodes";
            return Err(ValidationError(text.to_owned()));
        };
        sanitize(&mut dependency.name);
        sanitize(&mut dependency.version);
        sanitize(&mut dependency.repository);
        sanitize(&mut dependency.condition);
        dependency.tags.iter_mut().for_each(sanitize);
        let alias_char = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !dependency.alias.chars().all(alias_char) {
            return Err(ValidationError(format!(
                "dependency {:?} has disallowed characters in the alias",
                dependency.name
            )));
        }
        if valid.iter().any(|other| other.key() == dependency.key()) {
            return Err(ValidationError(format!(
                "more than one dependency with name or alias {:?}",
                dependency.key()
            )));
        }
        valid.push(dependency);
    }
    Ok(valid)
}

impl Dependency {
    /// The name it goes by in the parent.
    fn key(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
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

/// White space becomes spaces; what cannot be printed goes (`sanitizeString`).
fn sanitize(text: &mut String) {
    let odd = |c: char| c.is_control() || (c.is_whitespace() && c != ' ') || is_unprintable(c);
    if text.contains(odd) {
        *text = text
            .chars()
            .filter_map(|c| match c {
                c if c.is_whitespace() => Some(' '),
                c if odd(c) => None,
                c => Some(c),
            })
            .collect();
    }
}

/// Characters that are neither letters, marks, numbers, punctuation nor symbols, beyond controls:
/// format characters, private use, and what is not a character.
fn is_unprintable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Whether a name is its own last path element (`filepath.Base`).
fn is_base_name(name: &str) -> bool {
    name == "/" || !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Metadata, String> {
        let mut draft = Draft::default();
        draft.read(text.as_bytes()).map_err(|err| err.to_string())?;
        draft.validate().map_err(|err| err.to_string())
    }

    const HEAD: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

    #[test]
    fn numbers_and_truths_become_text() {
        let text = format!("{HEAD}AppVersion: 1.10\nkeywords: [a, 1, yes]\nannotations: {{a: 2}}");
        let metadata = read(&text).unwrap();
        assert_eq!(metadata.app_version, "1.1");
        assert_eq!(metadata.keywords, ["a", "1", "true"]);
        assert_eq!(
            metadata.annotations,
            Some(vec![("a".to_owned(), "2".to_owned())])
        );
        assert_eq!(metadata.dependencies, None);
    }

    #[test]
    fn refuses_what_helm_refuses() {
        let rows = [
            (
                "name: a",
                "validation: chart.metadata.apiVersion is required",
            ),
            (
                "apiVersion: v2",
                "validation: chart.metadata.name is required",
            ),
            (
                "apiVersion: v2\nname: a/b",
                "validation: chart.metadata.name \"a/b\" is invalid",
            ),
            (
                "apiVersion: v2\nname: a",
                "validation: chart.metadata.version is required",
            ),
            (
                "apiVersion: v2\nname: a\nversion: x",
                "validation: chart.metadata.version \"x\" is invalid",
            ),
            (
                "apiVersion: v2\nname: a\nversion: 1\ntype: x",
                "validation: chart.metadata.type must be application or library",
            ),
            (
                "apiVersion: v2\nname: a\nversion: 1\ndependencies: [null]",
                "validation: dependencies must not contain empty or null nodes",
            ),
            (
                "apiVersion: v2\nname: a\nversion: 1\ndependencies: [{name: b, alias: 'x y'}]",
                "validation: dependency \"b\" has disallowed characters in the alias",
            ),
            (
                "apiVersion: v2\nname: a\nversion: 1\ndependencies: [{name: b}, {name: b}]",
                "validation: more than one dependency with name or alias \"b\"",
            ),
            (
                "name: [a]",
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into \
                 Go struct field Metadata.name of type string",
            ),
            (
                "[a]",
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into \
                 Go value of type chart.Metadata",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text).err().as_deref(), Some(expected), "{text}");
        }
    }
}
