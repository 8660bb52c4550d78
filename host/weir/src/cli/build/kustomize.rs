//! `weir build kustomize`: what `kustomize build` prints, or what a Flux Kustomization applies.

mod output;
mod programs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use weir_plugin::{DirTree, Limits};

use self::programs::ProgramArgs;
use crate::builtin;
use crate::cli::Error;
use crate::cli::component::{self, LocalRender};

/// Build a kustomization and print its objects, as `kustomize build` does.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct KustomizeArgs {
    /// Directory of the kustomization; the current one if left out
    #[arg(value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Build as a Flux Kustomization does: files may be anywhere below --root, and where there is
    /// no kustomization file one is made of all manifests
    #[arg(long)]
    flux: bool,
    /// Directory above which nothing is read; without it / for kustomize, and with --flux the Git
    /// work tree
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Which files a kustomization may load: LoadRestrictionsRootOnly, those in or below its
    /// directory, or LoadRestrictionsNone
    #[arg(long, value_name = "RULE")]
    load_restrictor: Option<String>,
    /// Write to this file, or, if it is a directory, each object to a file of its own there
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Order of the objects, legacy (by kind) or none (as the files name them); deprecated by
    /// `sortOptions` of the kustomization
    #[arg(long, value_name = "ORDER")]
    reorder: Option<String>,
    /// Label every object as managed by kustomize; deprecated by `buildMetadata` of the
    /// kustomization
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    enable_managedby_label: Option<bool>,
    /// How long it may take, such as 60s
    #[arg(long, value_name = "TIME", default_value = "60s")]
    timeout: weir_api::Duration,
    #[command(flatten)]
    programs: ProgramArgs,
}

pub(super) async fn build(args: KustomizeArgs) -> Result<(), Error> {
    args.programs.check()?;
    let settings = settings(&args)?;
    let (root, path) = place(&args)?;
    let runtime = component::runtime()?;
    let plugin = builtin::load(&runtime, "kustomize").await?;
    let tree = DirTree::open(&root)
        .with_context(|| format!("failed to open the directory {}", root.display()))?;
    let render = LocalRender {
        tree: Arc::new(tree),
        path,
        namespace: None,
        settings,
        limits: Limits {
            time: args.timeout.get(),
            ..Limits::default()
        },
        cluster: None,
    };
    let (output, _) = render.run_in(&plugin, &root).await?;
    match &args.output {
        None => component::print(&output),
        Some(path) => output::write(&output, path),
    }
}

/// Settings of the component; the defaults are those of `kustomize build`, or Flux's.
fn settings(args: &KustomizeArgs) -> Result<String, Error> {
    let restrictor = match args.load_restrictor.as_deref() {
        None if args.flux => "none",
        None | Some("LoadRestrictionsRootOnly" | "") => "rootOnly",
        Some("LoadRestrictionsNone") => "none",
        Some(other) => {
            return Err(Error::failed(format!(
                "illegal flag value --load-restrictor {other}; legal values: \
                 [LoadRestrictionsRootOnly LoadRestrictionsNone]"
            )));
        }
    };
    if args.reorder.is_some() {
        eprintln!("warning: --reorder is deprecated: use the field `sortOptions`");
    }
    let managed = args.enable_managedby_label == Some(true);
    if managed {
        eprintln!(
            "warning: --enable-managedby-label is deprecated: use `managedByLabel` in the field \
             `buildMetadata`"
        );
    }
    let reorder = match args.reorder.as_deref() {
        None if args.flux => "none",
        None => "legacy",
        Some(order @ ("legacy" | "none")) => order,
        Some(other) => {
            return Err(Error::failed(format!(
                "illegal flag value --reorder {other}; legal values: [legacy none]"
            )));
        }
    };
    let settings = json!({
        "strict": !args.flux,
        "loadRestrictor": restrictor,
        "reorder": reorder,
        "managedByLabel": managed,
        "individualFiles": args.output.as_deref().is_some_and(Path::is_dir),
    });
    Ok(settings.to_string())
}

/// The root of the tree, and the directory relative to it.
fn place(args: &KustomizeArgs) -> Result<(PathBuf, String), Error> {
    let real = |path: &Path| {
        path.canonicalize()
            .with_context(|| format!("failed to open the directory {}", path.display()))
    };
    let directory = match args.directories.as_slice() {
        [] => Path::new("."),
        [directory] => directory,
        [..] => return Err(Error::failed("specify one path to kustomization.yaml")),
    };
    if is_remote(directory) {
        return Err(Error::failed(format!(
            "{} is not on this machine: clone it, and name the directory in the clone",
            directory.display()
        )));
    }
    let directory = real(directory)?;
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

/// True for what kustomize would clone, unless there is a directory of that name.
fn is_remote(directory: &Path) -> bool {
    let text = directory.to_string_lossy();
    let remote = ["git@", "git::", "gh:", "github.com/", "github.com:"];
    let named = text.contains("://") || remote.iter().any(|prefix| text.starts_with(prefix));
    named && !directory.exists()
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
    use crate::cli::Exit;

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

    fn settings_of(flags: &[&str]) -> serde_json::Value {
        serde_json::from_str(&settings(&args(flags)).unwrap()).unwrap()
    }

    #[test]
    fn defaults_are_those_of_the_tool_that_is_asked_for() {
        let given = |strict, restrictor, reorder| {
            json!({
                "strict": strict,
                "loadRestrictor": restrictor,
                "reorder": reorder,
                "managedByLabel": false,
                "individualFiles": false,
            })
        };
        assert_eq!(settings_of(&[]), given(true, "rootOnly", "legacy"));
        assert_eq!(settings_of(&["--flux"]), given(false, "none", "none"));
        let none = "--load-restrictor=LoadRestrictionsNone";
        assert_eq!(
            settings_of(&[none, "--reorder", "legacy", "--reorder", "none"]),
            given(true, "none", "none")
        );
        assert_eq!(settings_of(&["--load-restrictor="]), settings_of(&[]));
        for wrong in ["--load-restrictor=none", "--reorder=kind"] {
            let error = settings(&args(&[wrong])).unwrap_err();
            assert_eq!(error.code(), Exit::Failed, "{wrong}");
        }
    }

    #[test]
    fn flags_of_kustomize_are_switched_as_there() {
        let on = |flags: &[&str]| settings_of(flags)["managedByLabel"] == true;
        assert!(on(&["--enable-managedby-label"]));
        assert!(on(&["--enable-managedby-label", "dir"]));
        assert!(!on(&["--enable-managedby-label=false"]));
    }

    #[test]
    fn one_local_directory_is_built() {
        for wrong in [
            &["a", "b"][..],
            &["https://github.com/org/repo//dir?ref=v1"],
            &["git@github.com:org/repo"],
        ] {
            assert!(place(&args(wrong)).is_err(), "{wrong:?}");
        }
        assert!(place(&args(&[])).is_ok());
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
