//! `weir install`: what a cluster needs to run weir, as YAML on standard output.
//!
//! Labels are Flux's, because its CLI finds definitions, Deployments and logs by them.

mod access;
mod workload;

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};
use weir_api::meta;

use super::Error;
use super::output;

/// Print the manifests that install weir: definitions, access rights, Deployment, Services.
#[derive(Debug, Args)]
#[command(after_help = "weir install | kubectl apply --server-side -f -")]
pub(super) struct InstallArgs {
    /// Print the custom resource definitions only
    #[arg(long)]
    crds_only: bool,
    /// Namespace to install into
    #[arg(short, long, value_name = "NAME", default_value = meta::DEFAULT_NAMESPACE)]
    namespace: String,
    /// Image of the host
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = concat!("ghcr.io/weir-dev/weir:v", env!("CARGO_PKG_VERSION"))
    )]
    image: String,
    /// Leave out the right to do anything: bind roles for what your Kustomizations apply instead
    #[arg(long)]
    without_cluster_admin: bool,
    /// Further arguments of `weir run`
    #[arg(last = true, value_name = "ARGUMENT")]
    run: Vec<String>,
}

pub(super) fn install(args: &InstallArgs) -> Result<(), Error> {
    let mut to = io::BufWriter::new(io::stdout().lock());
    for manifest in manifests(args)? {
        writeln!(to, "---")?;
        output::yaml(&mut to, &manifest)?;
    }
    Ok(to.flush()?)
}

fn manifests(args: &InstallArgs) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for mut crd in weir_api::crds() {
        let labels = crd.metadata.labels.get_or_insert_with(BTreeMap::new);
        labels.insert(meta::labels::INSTANCE.to_owned(), args.namespace.clone());
        all.push(serde_json::to_value(crd)?);
    }
    if args.crds_only {
        return Ok(all);
    }
    all.push(json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": args.namespace,
            "labels": with(&labels(&args.namespace), &[
                ("pod-security.kubernetes.io/warn", "restricted"),
                ("pod-security.kubernetes.io/warn-version", "latest"),
            ]),
        },
    }));
    all.extend(access::manifests(
        &args.namespace,
        !args.without_cluster_admin,
    ));
    all.extend(workload::manifests(&args.namespace, &args.image, &args.run));
    Ok(all)
}

/// Labels of everything that is installed.
fn labels(namespace: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (
            meta::labels::PART_OF.to_owned(),
            meta::labels::PART_OF_FLUX.to_owned(),
        ),
        (meta::labels::INSTANCE.to_owned(), namespace.to_owned()),
        (
            meta::labels::VERSION.to_owned(),
            meta::FLUX_VERSION.to_owned(),
        ),
    ])
}

fn with(labels: &BTreeMap<String, String>, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let more = more
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    labels.clone().into_iter().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(crds_only: bool, cluster_admin: bool) -> Vec<Value> {
        manifests(&InstallArgs {
            crds_only,
            namespace: "gitops".into(),
            image: "registry.example.com/weir:1".into(),
            without_cluster_admin: !cluster_admin,
            run: vec!["--concurrent=5".into()],
        })
        .unwrap()
    }

    fn find<'m>(manifests: &'m [Value], kind: &str, name: &str) -> Option<&'m Value> {
        manifests
            .iter()
            .find(|m| m["kind"] == kind && m["metadata"]["name"] == name)
    }

    #[test]
    fn the_flux_cli_finds_everything_by_label() {
        for manifest in installed(false, true) {
            let labels = &manifest["metadata"]["labels"];
            assert_eq!(labels["app.kubernetes.io/part-of"], "flux", "{manifest}");
            assert_eq!(labels["app.kubernetes.io/instance"], "gitops", "{manifest}");
        }
    }

    #[test]
    fn the_deployment_runs_the_image_where_services_and_logs_look_for_it() {
        let all = installed(false, true);
        let deployment = find(&all, "Deployment", "weir").unwrap();
        let template = &deployment["spec"]["template"];
        let container = &template["spec"]["containers"][0];
        assert_eq!(container["name"], "manager");
        assert_eq!(container["image"], "registry.example.com/weir:1");
        let arguments: Vec<&str> = container["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a.as_str().unwrap())
            .collect();
        assert_eq!(arguments.first(), Some(&"run"));
        assert_eq!(arguments.last(), Some(&"--concurrent=5"));
        let service = find(&all, "Service", "source-controller").unwrap();
        let selector = service["spec"]["selector"].as_object().unwrap();
        for (key, value) in selector {
            assert_eq!(&template["metadata"]["labels"][key], value);
            assert_eq!(&deployment["spec"]["selector"]["matchLabels"][key], value);
        }
        let port = &service["spec"]["ports"][0]["targetPort"];
        let ports = container["ports"].as_array().unwrap();
        assert!(
            ports
                .iter()
                .any(|p| &p["name"] == port && p["containerPort"] == 9090)
        );
    }

    #[test]
    fn rights_can_do_without_cluster_admin() {
        let is_admin = |manifests: &[Value]| {
            manifests
                .iter()
                .any(|m| m["roleRef"]["name"] == "cluster-admin")
        };
        assert!(is_admin(&installed(false, true)));
        assert!(!is_admin(&installed(false, false)));
        let all = installed(false, false);
        let role = find(&all, "ClusterRole", "weir-gitops").unwrap();
        for rule in role["rules"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                assert_ne!(verb, "*", "{rule}");
            }
        }
    }

    #[test]
    fn definitions_can_be_had_alone() {
        let all = installed(true, true);
        assert!(all.iter().all(|m| m["kind"] == "CustomResourceDefinition"));
        assert!(find(&all, "CustomResourceDefinition", "plugins.weir.dev").is_some());
    }
}
