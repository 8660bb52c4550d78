//! Charts from directories and archives (helm/helm pkg/chart/loader).

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_template::{Map, MapType, Value};
use weir_yaml::Value as Plain;

use crate::archive;
use crate::chart::{Chart, File, Lock, Template};
use crate::decode::{self, DecodeError, Place};
use crate::error::Error;
use crate::fs::{EntryKind, FileSystem, join};
use crate::ignore::{self, Rules};
use crate::metadata::{self, Draft};

/// Charts within charts within charts; each level of packed ones is held in memory.
const MAX_NESTING: usize = 32;

/// A file on its way into a chart.
pub(crate) struct BufferedFile {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
}

impl BufferedFile {
    /// A byte order mark is not part of the file.
    pub(crate) fn new(name: String, mut data: Vec<u8>) -> Self {
        if data.starts_with(b"\xef\xbb\xbf") {
            data.drain(..3);
        }
        Self { name, data }
    }
}

/// Loads the chart that stands at `path`: a directory or an archive. `shown` is how messages name
/// it.
pub fn load(tree: &dyn FileSystem, path: &str, shown: &str) -> Result<Chart, Error> {
    match tree.kind(path) {
        Some(EntryKind::Directory) => load_files(directory(tree, path)?, 0).map_err(Error::Chart),
        Some(EntryKind::File) => {
            let bytes = tree.read(path).unwrap_or_default();
            load_archive(&bytes, shown).map_err(Error::Chart)
        }
        None => Err(Error::Chart(format!("path {shown:?} not found"))),
    }
}

fn load_archive(bytes: &[u8], shown: &str) -> Result<Chart, String> {
    if !archive::is_gzip(bytes) {
        if matches!(extension(shown), "yml" | "yaml") {
            return Err(format!(
                "file '{shown}' seems to be a YAML file, but expected a gzipped archive"
            ));
        }
        // Helm looks at 512 bytes; where there are fewer, at zeros behind them.
        let binary = |b: &u8| matches!(b, 0..=8 | 0xb | 0xe..=0x1a | 0x1c..=0x1f);
        let start = bytes.get(..512);
        let content = if start.is_none_or(|start| start.iter().any(binary)) {
            "application/octet-stream"
        } else {
            "text/plain; charset=utf-8"
        };
        return Err(format!(
            "file '{shown}' does not appear to be a gzipped archive; got '{content}'"
        ));
    }
    let files = archive::read(bytes).map_err(|err| err.to_string())?;
    load_files(files, 0)
}

/// Reads all files of a directory that its rules do not ignore, in the order of their paths.
fn directory(tree: &dyn FileSystem, root: &str) -> Result<Vec<BufferedFile>, Error> {
    let rules = tree
        .read(&join(root, ignore::FILE_NAME))
        .unwrap_or_default();
    let rules = Rules::parse(&String::from_utf8_lossy(&rules))
        .map_err(|err| Error::Chart(err.to_string()))?;
    let mut names = Vec::new();
    walk(tree, root, "", &rules, &mut names);
    let paths: Vec<String> = names.iter().map(|name| join(root, name)).collect();
    let contents = tree
        .read_many(&paths)
        .map_err(|path| Error::Chart(format!("error reading {path}")))?;
    let mut files = Vec::with_capacity(names.len());
    for (name, data) in names.into_iter().zip(contents) {
        if data.len() as u64 > archive::MAX_FILE_BYTES {
            let name = name.rsplit('/').next().unwrap_or(&name);
            return Err(Error::Chart(format!(
                "chart file {name:?} is larger than the maximum file size {}",
                archive::MAX_FILE_BYTES
            )));
        }
        files.push(BufferedFile::new(name, data));
    }
    Ok(files)
}

fn walk(tree: &dyn FileSystem, root: &str, below: &str, rules: &Rules, names: &mut Vec<String>) {
    for (name, kind) in tree.list(join(root, below).trim_end_matches('/')) {
        let path = join(below, &name);
        if rules.ignores(&path, kind) {
            continue;
        }
        match kind {
            EntryKind::Directory => walk(tree, root, &path, rules, names),
            EntryKind::File => names.push(path),
        }
    }
}

/// Makes a chart of its files (`LoadFiles`).
fn load_files(files: Vec<BufferedFile>, nesting: usize) -> Result<Chart, String> {
    if nesting > MAX_NESTING {
        return Err("charts are nested too deeply".to_owned());
    }
    let mut parts = Parts::default();
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        let draft = parts.draft.get_or_insert_default();
        draft
            .read(&file.data)
            .map_err(wrapped("cannot load Chart.yaml"))?;
        if draft.metadata.api_version.is_empty() {
            // Charts of Helm 2 need not say it.
            "v1".clone_into(&mut draft.metadata.api_version);
        }
    }
    for file in files {
        parts.add(file)?;
    }
    let Some(draft) = parts.draft else {
        return Err("Chart.yaml file is missing".to_owned());
    };
    let metadata = draft.validate().map_err(|err| err.to_string())?;
    let mut dependencies = Vec::new();
    for (name, files) in parts.subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = load_subchart(&metadata.name, &name, files, nesting + 1);
        dependencies.push(Rc::new(subchart?));
    }
    Ok(Chart {
        metadata,
        lock: parts.lock,
        templates: parts.templates,
        values: parts.values,
        schema: parts.schema,
        files: parts.files,
        dependencies,
    })
}

fn load_subchart(
    parent: &str,
    name: &str,
    files: Vec<BufferedFile>,
    nesting: usize,
) -> Result<Chart, String> {
    let loaded = if extension(name) == "tgz" {
        let Some(file) = files.first().filter(|file| file.name == name) else {
            let given = files.first().map_or("", |file| file.name.as_str());
            return Err(format!(
                "error unpacking subchart tar in {parent}: expected {name}, got {given}"
            ));
        };
        archive::read(&file.data)
            .map_err(|err| err.to_string())
            .and_then(|files| load_files(files, nesting))
    } else {
        // A file that stands in `charts/` itself belongs to no chart.
        let inner = files.into_iter().filter_map(|mut file| {
            file.name = file.name.split_once('/')?.1.to_owned();
            Some(file)
        });
        load_files(inner.collect(), nesting)
    };
    loaded.map_err(|err| format!("error unpacking subchart {name} in {parent}: {err}"))
}

/// What stands behind the last dot; its case counts.
fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn wrapped(what: &'static str) -> impl FnOnce(DecodeError) -> String {
    move |err| format!("{what}: {err}")
}

/// What the files of a chart are, before its metadata is checked.
struct Parts {
    draft: Option<Draft>,
    lock: Option<Lock>,
    templates: Vec<Template>,
    values: Rc<Map>,
    schema: Option<Rc<[u8]>>,
    files: Vec<File>,
    subcharts: BTreeMap<String, Vec<BufferedFile>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            draft: None,
            lock: None,
            templates: Vec::new(),
            values: Rc::new(Map::new::<Rc<str>>(MapType::Any, [])),
            schema: None,
            files: Vec::new(),
            subcharts: BTreeMap::new(),
        }
    }
}

impl Parts {
    fn add(&mut self, file: BufferedFile) -> Result<(), String> {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => {
                let lock = read_lock(&file.data).map_err(wrapped("cannot load Chart.lock"))?;
                self.lock = Some(lock);
            }
            "values.yaml" => {
                let values = decode::yaml(&file.data).and_then(decode::map);
                let values = values.map_err(wrapped("cannot load values.yaml"))?;
                self.values = map_of(&values);
            }
            "values.schema.json" => self.schema = Some(file.data.into()),
            "requirements.yaml" => {
                let draft = self.draft.get_or_insert_default();
                draft
                    .read(&file.data)
                    .map_err(wrapped("cannot load requirements.yaml"))?;
                self.add_legacy(file);
            }
            "requirements.lock" => {
                let lock =
                    read_lock(&file.data).map_err(wrapped("cannot load requirements.lock"))?;
                self.lock = Some(lock);
                self.add_legacy(file);
            }
            name if name.starts_with("templates/") => self.templates.push(file.into()),
            name => match name.strip_prefix("charts/") {
                Some(rest) if extension(name) != "prov" => {
                    let rest = rest.to_owned();
                    let folder = rest.split('/').next().unwrap_or(&rest).to_owned();
                    let data = file.data;
                    let file = BufferedFile { name: rest, data };
                    self.subcharts.entry(folder).or_default().push(file);
                }
                _ => self.files.push(file.into()),
            },
        }
        Ok(())
    }

    /// Files of charts of the first version; in later ones they are read but do not exist.
    fn add_legacy(&mut self, file: BufferedFile) {
        let draft = self.draft.get_or_insert_default();
        if draft.metadata.api_version == "v1" {
            self.files.push(file.into());
        }
    }
}

impl From<BufferedFile> for File {
    fn from(file: BufferedFile) -> Self {
        Self {
            name: file.name,
            data: file.data.into(),
        }
    }
}

impl From<BufferedFile> for Template {
    fn from(file: BufferedFile) -> Self {
        let (text, raw) = match String::from_utf8(file.data) {
            Ok(text) => (text.into(), None),
            Err(err) => {
                let text = String::from_utf8_lossy(err.as_bytes()).into();
                (text, Some(err.into_bytes()))
            }
        };
        Self {
            name: file.name,
            text,
            raw,
        }
    }
}

/// A map of values as templates see it.
pub(crate) fn map_of(object: &weir_yaml::Object) -> Rc<Map> {
    let entries = object.iter();
    let entries = entries.map(|(key, value)| (key, Value::from(value)));
    Rc::new(Map::new(MapType::Any, entries))
}

fn read_lock(bytes: &[u8]) -> Result<Lock, DecodeError> {
    let document: Plain = decode::yaml(bytes)?;
    let mut lock = Lock::default();
    let root = Place { name: "", path: "" };
    let names = &["generated", "digest", "dependencies"];
    decode::fields(&document, root, "chart.Lock", names, |name, value| {
        let place = Place {
            name: "Lock",
            path: name,
        };
        match name {
            "generated" => decode::string(value, place, &mut lock.generated),
            "digest" => decode::string(value, place, &mut lock.digest),
            _ => {
                let wanted = "[]*chart.Dependency";
                let items = decode::list(value, place, wanted, metadata::dependency)?;
                lock.dependencies = items.unwrap_or_default().into_iter().flatten().collect();
                Ok(())
            }
        }
    })?;
    Ok(lock)
}
