//! `Chart.yaml` (helm/helm pkg/chart/metadata.go, dependency.go).

mod draft;
mod validation;

pub(crate) use draft::{Draft, dependency};
pub use validation::ValidationError;

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

#[cfg(test)]
mod tests;
