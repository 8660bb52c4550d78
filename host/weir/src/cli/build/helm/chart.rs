//! Where the chart is (helm/helm pkg/action/install.go, `LocateChart`).

use std::path::Path;

use anyhow::Context as _;

use crate::cli::Error;

/// The chart's full path. Charts are taken from where they are; what would have to be fetched is
/// refused.
pub(super) fn locate(given: &str) -> Result<String, Error> {
    let name = given.trim();
    if !Path::new(name).exists() {
        return Err(Error::failed(not_found(name)));
    }
    let path = Path::new(name)
        .canonicalize()
        .with_context(|| format!("failed to find {name}"))?;
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::failed(format!("{} is not UTF-8", path.display())))
}

fn not_found(name: &str) -> String {
    if Path::new(name).is_absolute() || name.starts_with('.') {
        return format!("path {name:?} not found");
    }
    if name.contains("://") {
        return format!(
            "{name} would have to be fetched: weir renders charts from directories and archives"
        );
    }
    match name.split_once('/') {
        Some((repository, _)) => format!("repo {repository} not found"),
        None => {
            format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_as_helm_tells_it() {
        let rows = [
            ("./nope", "path \"./nope\" not found"),
            ("/nope", "path \"/nope\" not found"),
            ("foo/bar", "repo foo not found"),
            (
                "nope",
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: nope",
            ),
            (
                "oci://example.com/web",
                "oci://example.com/web would have to be fetched: weir renders charts from \
                 directories and archives",
            ),
        ];
        for (name, expected) in rows {
            assert_eq!(not_found(name), expected);
        }
    }

    #[test]
    fn paths_are_made_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("web");
        std::fs::create_dir(&chart).unwrap();
        let given = chart.join("../web");
        let located = locate(given.to_str().unwrap()).unwrap();
        assert_eq!(located, chart.canonicalize().unwrap().to_str().unwrap());
    }
}
