//! `weir build kustomize`: what `kustomize build` prints, or what a Flux Kustomization applies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;
use weir_plugin::{DirTree, Limits};

use crate::builtin;
use crate::cli::Error;
use crate::cli::component::{self, LocalRender};

/// Build a kustomization and print its objects, as `kustomize build` does.
#[derive(Debug, Args)]
pub(super) struct KustomizeArgs {
    /// Directory of the kustomization
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Build as a Flux Kustomization does: files may be anywhere below --root, and where there is
    /// no kustomization file one is made of all manifests
    #[arg(long)]
    flux: bool,
    /// Directory above which nothing is read; without it / for kustomize, and with --flux the Git
    /// work tree
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Which files a kustomization may load
    #[arg(long, value_enum, value_name = "RULE")]
    load_restrictor: Option<LoadRestrictor>,
    /// Order of the objects
    #[arg(long, value_enum, value_name = "ORDER")]
    reorder: Option<Reorder>,
    /// How long it may take, such as 60s
    #[arg(long, value_name = "TIME", default_value = "60s")]
    timeout: weir_api::Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LoadRestrictor {
    /// Only those in or below the directory of the kustomization
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// Any
    #[value(name = "LoadRestrictionsNone")]
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reorder {
    /// By kind: Namespaces first, webhooks last
    Legacy,
    /// As the files name them
    None,
}

pub(super) async fn build(args: KustomizeArgs) -> Result<(), Error> {
    let (root, path) = place(&args)?;
    let runtime = component::runtime(false)?;
    let plugin = builtin::load(&runtime, "kustomize").await?;
    let tree = DirTree::open(&root)
        .with_context(|| format!("failed to open the directory {}", root.display()))?;
    let render = LocalRender {
        tree: Arc::new(tree),
        path,
        namespace: None,
        settings: settings(&args),
        limits: Limits {
            time: args.timeout.get(),
            ..Limits::default()
        },
    };
    let (output, _) = render.run(&plugin).await?;
    component::print(&output)
}

/// Settings of the component; the defaults are those of `kustomize build`, or Flux's.
fn settings(args: &KustomizeArgs) -> String {
    let defaults = if args.flux {
        (LoadRestrictor::None, Reorder::None)
    } else {
        (LoadRestrictor::RootOnly, Reorder::Legacy)
    };
    let restrictor = match args.load_restrictor.unwrap_or(defaults.0) {
        LoadRestrictor::RootOnly => "rootOnly",
        LoadRestrictor::None => "none",
    };
    let reorder = match args.reorder.unwrap_or(defaults.1) {
        Reorder::Legacy => "legacy",
        Reorder::None => "none",
    };
    json!({ "strict": !args.flux, "loadRestrictor": restrictor, "reorder": reorder }).to_string()
}

/// The root of the tree, and the directory relative to it.
fn place(args: &KustomizeArgs) -> Result<(PathBuf, String), Error> {
    let real = |path: &Path| {
        path.canonicalize()
            .with_context(|| format!("failed to open the directory {}", path.display()))
    };
    let directory = real(&args.directory)?;
    if !directory.is_dir() {
        return Err(Error::failed(format!(
            "{} is no directory",
            directory.display()
        )));
    }
    let root = match &args.root {
        Some(root) => real(root)?,
        None if args.flux => work_tree(&directory).unwrap_or(&directory).to_owned(),
        None => PathBuf::from("/"),
    };
    let Ok(below) = directory.strip_prefix(&root) else {
        let (directory, root) = (directory.display(), root.display());
        return Err(Error::failed(format!(
            "{directory} is not below --root {root}"
        )));
    };
    let path = below
        .to_str()
        .ok_or_else(|| Error::failed(format!("{} is not UTF-8", below.display())))?
        .to_owned();
    Ok((root, path))
}

/// The nearest directory upwards that holds a Git repository.
fn work_tree(directory: &Path) -> Option<&Path> {
    directory
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: KustomizeArgs,
    }

    fn args(flags: &[&str]) -> KustomizeArgs {
        Only::try_parse_from(["build"].iter().chain(flags))
            .unwrap()
            .args
    }

    #[test]
    fn defaults_are_those_of_the_tool_that_is_asked_for() {
        assert_eq!(
            settings(&args(&[])),
            r#"{"strict":true,"loadRestrictor":"rootOnly","reorder":"legacy"}"#
        );
        assert_eq!(
            settings(&args(&["--flux"])),
            r#"{"strict":false,"loadRestrictor":"none","reorder":"none"}"#
        );
        let flags = [
            "--load-restrictor",
            "LoadRestrictionsNone",
            "--reorder",
            "none",
        ];
        assert_eq!(
            settings(&args(&flags)),
            r#"{"strict":true,"loadRestrictor":"none","reorder":"none"}"#
        );
    }

    #[test]
    fn a_flux_build_sees_the_work_tree_and_nothing_above() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let overlay = top.join("repo/apps/demo");
        std::fs::create_dir_all(&overlay).unwrap();
        std::fs::create_dir(top.join("repo/.git")).unwrap();
        let overlay = overlay.to_str().unwrap();
        let at = |flags: &[&str]| {
            let flags: Vec<&str> = [overlay].iter().chain(flags).copied().collect();
            place(&args(&flags))
        };
        assert_eq!(
            at(&["--flux"]).unwrap(),
            (top.join("repo"), "apps/demo".to_owned())
        );
        let (root, path) = at(&[]).unwrap();
        assert_eq!(
            (root, format!("/{path}")),
            (PathBuf::from("/"), overlay.to_owned())
        );
        let root = top.join("repo/apps");
        assert_eq!(at(&["--root", root.to_str().unwrap()]).unwrap().1, "demo");
        assert!(at(&["--root", root.join("demo").to_str().unwrap()]).is_ok());
        std::fs::create_dir(top.join("other")).unwrap();
        assert!(at(&["--root", top.join("other").to_str().unwrap()]).is_err());
        assert!(place(&args(&["/nowhere/at/all"])).is_err());
    }
}
