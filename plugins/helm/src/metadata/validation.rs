//! What Helm demands of metadata.

use weir_version::Version;

use super::draft::{Draft, Nullable};
use super::{Dependency, Metadata};

/// Metadata that Helm refuses; the texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("validation: {0}")]
pub struct ValidationError(String);

impl Draft {
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
