//! A bare repository and the commits that a test puts into it, made by the real Git.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// One change of a commit. Paths are relative to the root, with `/` between their parts.
#[derive(Clone, Debug)]
pub enum Change {
    /// A file with this content.
    File(String, Vec<u8>),
    /// An executable file.
    Executable(String, Vec<u8>),
    /// A symbolic link and what it points to.
    Symlink(String, String),
    /// A submodule at a commit.
    Submodule(String, String),
    /// The path is removed, with all that is below it.
    Remove(String),
}

impl Change {
    /// A text file.
    pub fn text(path: &str, content: &str) -> Self {
        Self::File(path.to_owned(), content.as_bytes().to_vec())
    }
}

/// A bare repository behind a [`GitServer`](crate::GitServer).
#[derive(Clone, Debug)]
pub struct Repo {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
}

impl Repo {
    /// Makes a bare repository whose branch is `main`, and that takes pushes.
    pub(crate) fn create(root: &Path, name: &str, server: &str) -> Result<Self> {
        let repo = Self {
            name: name.to_owned(),
            folder: root.join(format!("{name}.git")),
            url: format!("{server}/{name}.git"),
        };
        fs::create_dir_all(&repo.folder)?;
        repo.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."])?;
        for (key, value) in [
            ("http.receivepack", "true"),
            ("uploadpack.allowFilter", "true"),
            ("uploadpack.allowReachableSHA1InWant", "true"),
            // A background collection would outlive the test.
            ("gc.auto", "0"),
            ("receive.autogc", "false"),
        ] {
            repo.git(&["config", key, value])?;
        }
        Ok(repo)
    }

    /// The name it was created with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the server keeps it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its address on the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Commits to `main`: each path gets its content, or is removed where there is none.
    /// Returns the commit's id.
    pub fn commit(&self, files: &[(&str, Option<&str>)], message: &str) -> Result<String> {
        let changes: Vec<Change> = files
            .iter()
            .map(|(path, content)| match content {
                Some(content) => Change::text(path, content),
                None => Change::Remove((*path).to_owned()),
            })
            .collect();
        self.commit_on("main", &changes, message)
    }

    /// Commits to a branch, which is made if there is none of that name (without a parent).
    pub fn commit_on(&self, branch: &str, changes: &[Change], message: &str) -> Result<String> {
        self.import(branch, changes, message, "")
    }

    /// Makes the branch `main` hold exactly the files of `folder` (`.git` aside), in one commit.
    pub fn push_dir(&self, folder: &Path, message: &str) -> Result<String> {
        let mut changes = Vec::new();
        collect(folder, "", &mut changes)?;
        self.import("main", &changes, message, "deleteall\n")
    }

    /// A lightweight tag at the tip of `main`.
    pub fn tag(&self, name: &str) -> Result<()> {
        self.git(&["tag", "--force", name, "main"]).map(drop)
    }

    /// An annotated tag at the tip of `main`.
    pub fn annotated_tag(&self, name: &str, message: &str) -> Result<()> {
        self.git(&["tag", "--force", "-a", "-m", message, name, "main"])
            .map(drop)
    }

    /// Makes or moves a branch to a commit.
    pub fn branch(&self, name: &str, commit: &str) -> Result<()> {
        self.git(&["branch", "--force", name, commit]).map(drop)
    }

    /// The commit that a revision names.
    pub fn resolve(&self, revision: &str) -> Result<String> {
        self.git(&["rev-parse", &format!("{revision}^{{commit}}")])
    }

    /// Runs Git in the repository and returns what it printed, trimmed.
    pub fn git(&self, args: &[&str]) -> Result<String> {
        run(&self.folder, args, b"")
    }

    fn import(
        &self,
        branch: &str,
        changes: &[Change],
        message: &str,
        first: &str,
    ) -> Result<String> {
        let reference = format!("refs/heads/{branch}");
        let parent = self.git(&["rev-parse", "--verify", "--quiet", &reference]);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_secs();
        let mut stream = format!(
            "commit {reference}\ncommitter Test <test@example.com> {now} +0000\ndata {}\n{message}\n",
            message.len()
        );
        if let Ok(parent) = parent {
            let _ = writeln!(stream, "from {parent}");
        }
        stream.push_str(first);
        let mut stream = stream.into_bytes();
        for change in changes {
            append(&mut stream, change)?;
        }
        run(
            &self.folder,
            &["fast-import", "--quiet", "--date-format=raw"],
            &stream,
        )?;
        self.resolve(&reference)
    }
}

/// One change in the language of `git fast-import`.
fn append(stream: &mut Vec<u8>, change: &Change) -> Result<()> {
    let mut inline = |mode: &str, path: &str, content: &[u8]| -> Result<()> {
        writeln!(stream, "M {mode} inline {}", quoted(path))?;
        writeln!(stream, "data {}", content.len())?;
        stream.extend_from_slice(content);
        stream.push(b'\n');
        Ok(())
    };
    match change {
        Change::File(path, content) => inline("100644", path, content),
        Change::Executable(path, content) => inline("100755", path, content),
        Change::Symlink(path, target) => inline("120000", path, target.as_bytes()),
        Change::Submodule(path, commit) => {
            Ok(writeln!(stream, "M 160000 {commit} {}", quoted(path))?)
        }
        Change::Remove(path) => Ok(writeln!(stream, "D {}", quoted(path))?),
    }
}

fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn collect(folder: &Path, prefix: &str, changes: &mut Vec<Change>) -> Result<()> {
    let mut entries = fs::read_dir(folder)
        .with_context(|| format!("failed to read {}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name != ".git" {
                collect(&entry.path(), &format!("{path}/"), changes)?;
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            changes.push(Change::Symlink(path, target.display().to_string()));
        } else {
            let content = fs::read(entry.path())?;
            let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
            changes.push(if executable {
                Change::Executable(path, content)
            } else {
                Change::File(path, content)
            });
        }
    }
    Ok(())
}

/// Git, with an identity of its own and without the user's configuration.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.com")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.com");
    // Set by a hook that runs the tests, the first three would name that repository; the last
    // would override the authority that a test trusts.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_SSL_CAINFO",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs Git in any folder (a clone, say) as [`Repo::git`] does, with `input` on standard input.
pub fn run(folder: &Path, args: &[&str], input: &[u8]) -> Result<String> {
    let mut child = command(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start git")?;
    if let Some(mut stdin) = child.stdin.take() {
        // Git may end before it has read all; its status tells.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "git {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
