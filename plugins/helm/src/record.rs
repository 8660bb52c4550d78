//! What a release record holds beside manifests (helm/helm pkg/release, pkg/chart/chart.go), as
//! JSON: the chart with its files in base64 and without subcharts, the hooks, the values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use weir_yaml::{Object, Value as Plain, json};

use crate::chart::Lock;
use crate::error::Error;
use crate::metadata::{Dependency, Import, Metadata};
use crate::plain::plain_map;
use crate::release::Release;
use crate::values::coalesce_alone;

impl Release {
    /// The field `chart` of the release record.
    pub fn chart_record(&self) -> Result<String, Error> {
        let chart = &self.chart;
        let schema = chart.schema.as_deref();
        let templates = chart.templates.iter();
        let templates = templates.map(|template| (&*template.name, template.data()));
        let others = chart.files.iter();
        let others = others.map(|file| (&*file.name, &*file.data));
        let record = object([
            ("metadata", metadata(&self.metadata)),
            ("lock", chart.lock.as_ref().map_or(Plain::Null, lock)),
            ("templates", files(templates)),
            ("values", Plain::Object(plain_map(&self.chart_values))),
            ("schema", schema.map_or(Plain::Null, base64)),
            ("files", files(others)),
        ]);
        text(&record)
    }
}

impl Release {
    /// The field `hooks` of the release record, without their documents.
    pub fn hooks_record(&self) -> Result<String, Error> {
        let strings = |items: Vec<&str>| Plain::Array(items.into_iter().map(Plain::from).collect());
        let hooks = self.hooks.iter().map(|hook| {
            let mut record = Object::new();
            add(
                &mut record,
                &[
                    ("name", &hook.name),
                    ("kind", &hook.kind),
                    ("path", &hook.path),
                ],
            );
            let events = hook.events.iter().map(|event| event.name());
            record.set("events", strings(events.collect()));
            if hook.weight != 0 {
                record.set("weight", Plain::Int(hook.weight));
            }
            if !hook.delete_policies.is_empty() {
                let policies = hook.delete_policies.iter().map(String::as_str);
                record.set("delete_policies", strings(policies.collect()));
            }
            Plain::Object(record)
        });
        text(&Plain::Array(hooks.collect()))
    }

    /// What `helm get values --all` shows: the values of the user and of the chart, as they stand in
    /// the record. Subcharts are not there, so what they bring is not, either.
    pub fn values_record(&self) -> Result<String, Error> {
        let values = coalesce_alone(&self.chart_values, &self.config);
        text(&Plain::Object(plain_map(&values)))
    }
}

fn text(record: &Plain) -> Result<String, Error> {
    json::to_string(record).map_err(|err| Error::Values(err.to_string()))
}

fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Plain)>) -> Plain {
    let entries = entries.into_iter();
    Plain::Object(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn base64(bytes: &[u8]) -> Plain {
    Plain::String(BASE64.encode(bytes))
}

/// Files by name.
fn files<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Plain {
    let files: Vec<Plain> = files
        .map(|(name, data)| object([("name", Plain::from(name)), ("data", base64(data))]))
        .collect();
    if files.is_empty() {
        Plain::Null
    } else {
        Plain::Array(files)
    }
}

/// Adds fields that say something.
fn add(into: &mut Object, fields: &[(&str, &str)]) {
    for (name, text) in fields.iter().filter(|(_, text)| !text.is_empty()) {
        into.set(*name, Plain::from(*text));
    }
}

fn strings(into: &mut Object, name: &str, items: &[String]) {
    if !items.is_empty() {
        let items = items.iter().map(|item| Plain::from(item.as_str()));
        into.set(name, Plain::Array(items.collect()));
    }
}

fn metadata(metadata: &Metadata) -> Plain {
    let mut record = Object::new();
    add(
        &mut record,
        &[
            ("name", &metadata.name),
            ("home", &metadata.home),
            ("version", &metadata.version),
            ("description", &metadata.description),
            ("icon", &metadata.icon),
            ("apiVersion", &metadata.api_version),
            ("condition", &metadata.condition),
            ("tags", &metadata.tags),
            ("appVersion", &metadata.app_version),
            ("kubeVersion", &metadata.kube_version),
            ("type", &metadata.chart_type),
        ],
    );
    strings(&mut record, "sources", &metadata.sources);
    strings(&mut record, "keywords", &metadata.keywords);
    if metadata.deprecated {
        record.set("deprecated", Plain::Bool(true));
    }
    let maintainers = metadata.maintainers.iter().map(|maintainer| {
        let mut record = Object::new();
        add(
            &mut record,
            &[
                ("name", &maintainer.name),
                ("email", &maintainer.email),
                ("url", &maintainer.url),
            ],
        );
        Plain::Object(record)
    });
    list(&mut record, "maintainers", maintainers.collect());
    let annotations = metadata.annotations.iter().flatten();
    let annotations: Object = annotations
        .map(|(key, value)| (key.clone(), Plain::from(value.as_str())))
        .collect();
    if !annotations.is_empty() {
        record.set("annotations", Plain::Object(annotations));
    }
    let dependencies = metadata.dependencies.iter().flatten().map(dependency);
    list(&mut record, "dependencies", dependencies.collect());
    Plain::Object(record)
}

fn list(into: &mut Object, name: &str, items: Vec<Plain>) {
    if !items.is_empty() {
        into.set(name, Plain::Array(items));
    }
}

fn dependency(dependency: &Dependency) -> Plain {
    let mut record = Object::new();
    // Written even where they are empty.
    record.set("name", Plain::from(dependency.name.as_str()));
    record.set("repository", Plain::from(dependency.repository.as_str()));
    add(
        &mut record,
        &[
            ("version", &dependency.version),
            ("condition", &dependency.condition),
            ("alias", &dependency.alias),
        ],
    );
    strings(&mut record, "tags", &dependency.tags);
    if dependency.enabled {
        record.set("enabled", Plain::Bool(true));
    }
    let imports = dependency.import_values.iter().map(|import| match import {
        Import::Export(name) => Plain::from(name.as_str()),
        Import::Table { child, parent } | Import::Done { child, parent } => object([
            ("child", Plain::from(child.as_str())),
            ("parent", Plain::from(parent.as_str())),
        ]),
        Import::Other | Import::Malformed => Plain::Null,
    });
    list(&mut record, "import-values", imports.collect());
    Plain::Object(record)
}

fn lock(lock: &Lock) -> Plain {
    let dependencies = lock.dependencies.iter().map(dependency);
    object([
        ("generated", Plain::from(lock.generated.as_str())),
        ("digest", Plain::from(lock.digest.as_str())),
        ("dependencies", Plain::Array(dependencies.collect())),
    ])
}
