//! Files that values come from (helm/helm pkg/cli/values). They may be anywhere, so they are read
//! here and handed to the component by their names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};

use super::args::ValueArgs;
use crate::cli::Error;

/// Contents by name; `None`: not there.
pub(super) type Files = BTreeMap<String, Option<String>>;

/// Reads every file that the flags name.
pub(super) fn read(args: &ValueArgs) -> Result<Files, Error> {
    let mut files = Files::new();
    for name in &args.files {
        add(&mut files, name).map_err(Error::failed)?;
    }
    for name in args.set_file.iter().flat_map(|line| names(line)) {
        add(&mut files, &name)
            .map_err(|error| Error::failed(format!("failed parsing --set-file data: {error}")))?;
    }
    Ok(files)
}

/// Adds a file. That one is not there is for the component to say, if it comes to that.
fn add(files: &mut Files, name: &str) -> Result<(), String> {
    if files.contains_key(name) {
        return Ok(());
    }
    if name.contains("://") {
        return Err(format!("{name} would have to be fetched: weir reads files"));
    }
    let content = if name.trim() == "-" {
        let mut content = Vec::new();
        io::stdin().read_to_end(&mut content).map(|_| content)
    } else {
        fs::read(name)
    };
    let content = match content {
        Ok(content) => Some(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            return Err(format!("read {name}: is a directory"));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(format!("open {name}: permission denied"));
        }
        Err(error) => return Err(format!("open {name}: {error}")),
    };
    let text = content
        .map(String::from_utf8)
        .transpose()
        .map_err(|_| format!("{name} is not UTF-8"))?;
    files.insert(name.to_owned(), text);
    Ok(())
}

/// The files that a line of `--set-file` may name: `a=path,b[0]=path,c={path,path}`. A name too
/// many does no harm.
fn names(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    // The name that is being read, once its `=` was.
    let mut name: Option<String> = None;
    let mut in_list = false;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, &mut name) {
            ('\\', Some(name)) => name.extend(characters.next()),
            ('\\', None) => {
                characters.next();
            }
            ('=', None) => name = Some(String::new()),
            ('{', Some(name)) if name.is_empty() => in_list = true,
            ('}', Some(_)) if in_list => in_list = false,
            (',', Some(_)) => {
                names.extend(name.take());
                if in_list {
                    name = Some(String::new());
                }
            }
            (c, Some(name)) => name.push(c),
            (_, None) => {}
        }
    }
    names.extend(name);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_their_files() {
        let rows: &[(&str, &[&str])] = &[
            ("a=x.txt", &["x.txt"]),
            ("a.b=x.txt,c[0]=dir/y", &["x.txt", "dir/y"]),
            ("a={x,y},b=z", &["x", "y", "z"]),
            ("a\\=b=c\\,d=e", &["c,d=e"]),
            ("a", &[]),
            ("", &[]),
        ];
        for (line, expected) in rows {
            assert_eq!(names(line), *expected, "{line}");
        }
    }

    #[test]
    fn a_missing_file_is_told_later_and_an_unreadable_one_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("there"), "a: 1").unwrap();
        let args = ValueArgs {
            files: vec![path("there"), path("gone")],
            set_file: vec![format!("a={}", path("there"))],
            ..ValueArgs::default()
        };
        let files = read(&args).unwrap();
        assert_eq!(files[&path("there")].as_deref(), Some("a: 1"));
        assert_eq!(files[&path("gone")], None);
        for name in [folder.path().to_str().unwrap(), "https://example.com/v"] {
            let args = ValueArgs {
                files: vec![name.to_owned()],
                ..ValueArgs::default()
            };
            assert!(read(&args).is_err(), "{name}");
        }
    }
}
