//! What can go wrong on the way from a chart to manifests. Texts are Helm's.

/// A chart that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An option makes no sense.
    #[error("{0}")]
    Options(String),
    /// The chart cannot be loaded, or is not one to install.
    #[error("{0}")]
    Chart(String),
    /// The values that the user gives cannot be read.
    #[error("{0}")]
    Values(String),
    /// Values and charts do not go together: types, schemas.
    #[error("{0}")]
    Coalesce(String),
    /// Rendering began, and did not end: templates, manifests, the version of Kubernetes.
    #[error("{0}")]
    Render(String),
}

impl Error {
    /// The text as the command line prints it after `Error: `: Helm adds a hint once it has begun
    /// to render.
    pub fn command_line_text(&self) -> String {
        match self {
            Self::Render(text) => {
                format!("{text}\n\nUse --debug flag to render out invalid YAML")
            }
            other => other.to_string(),
        }
    }
}
