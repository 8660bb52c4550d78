//! Read access to the cluster. Each kind needs a grant (`cluster: ["v1/Secret"]`), and a result
//! that looked here is not cached. Objects are JSON texts.

use crate::Result;
use crate::bindings::imports::weir::plugin::cluster;

/// One object; `None`: there is no such object, or no such kind. `namespace` is `None` for objects
/// of the cluster.
///
/// # Errors
/// `denied` with code `NotGranted` without the grant, with code `Forbidden` without the right;
/// `unavailable` when the API server does not answer; `unsupported` where there is no cluster.
pub fn get(
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<String>> {
    Ok(cluster::get(api_version, kind, namespace, name)?)
}

/// Every object of the kind in the namespace, or in all of them, that the label selector
/// (`a=b,c in (d)`) matches.
///
/// # Errors
/// As [`get`].
pub fn list(
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<String>> {
    Ok(cluster::list_objects(
        api_version,
        kind,
        namespace,
        selector,
    )?)
}
