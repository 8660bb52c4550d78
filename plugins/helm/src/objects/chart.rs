//! `.Chart` (helm/helm pkg/engine `recAllTpls`, pkg/chart/metadata.go).

use std::rc::Rc;

use weir_template::{List, ListType, Map, MapType, Value};

use super::record::JsonName::{Always, UnlessEmpty};
use super::record::Record;
use crate::metadata::{Dependency, Import, Maintainer, Metadata};
use crate::tree::{ChartId, ChartTree};

/// The metadata of a chart at its place in the tree.
pub(crate) fn chart(tree: &ChartTree, id: ChartId) -> Value {
    let node = &tree[id];
    let requirements = node.requirements.iter().flatten();
    let dependencies = requirements.map(|id| dependency(tree.requirement(*id)));
    let metadata = Rc::new(metadata(
        &node.name,
        &node.chart.metadata,
        list("[]*chart.Dependency", dependencies.collect()),
    ));
    let is_root = Value::Bool(node.parent.is_none());
    let mut json = metadata.json.clone().unwrap_or_default();
    json.push(("IsRoot", is_root.clone()));
    let embedded: Rc<dyn weir_template::Object> = Rc::clone(&metadata) as _;
    let mut record = Record::new(
        "struct { chart.Metadata; IsRoot bool }",
        vec![("Metadata", Value::Object(embedded)), ("IsRoot", is_root)],
    );
    record.embedded = Some(metadata);
    record.json = Some(json);
    record.value()
}

fn metadata(name: &str, metadata: &Metadata, dependencies: Value) -> Record {
    let text = |text: &str| Value::from(text);
    let maintainers = metadata.maintainers.iter().map(maintainer).collect();
    Record::new(
        "chart.Metadata",
        vec![
            ("Name", text(name)),
            ("Home", text(&metadata.home)),
            ("Sources", strings(&metadata.sources)),
            ("Version", text(&metadata.version)),
            ("Description", text(&metadata.description)),
            ("Keywords", strings(&metadata.keywords)),
            ("Maintainers", list("[]*chart.Maintainer", maintainers)),
            ("Icon", text(&metadata.icon)),
            ("APIVersion", text(&metadata.api_version)),
            ("Condition", text(&metadata.condition)),
            ("Tags", text(&metadata.tags)),
            ("AppVersion", text(&metadata.app_version)),
            ("Deprecated", Value::Bool(metadata.deprecated)),
            ("Annotations", annotations(metadata)),
            ("KubeVersion", text(&metadata.kube_version)),
            ("Dependencies", dependencies),
            ("Type", text(&metadata.chart_type)),
        ],
    )
    .with_json(&[
        UnlessEmpty("name"),
        UnlessEmpty("home"),
        UnlessEmpty("sources"),
        UnlessEmpty("version"),
        UnlessEmpty("description"),
        UnlessEmpty("keywords"),
        UnlessEmpty("maintainers"),
        UnlessEmpty("icon"),
        UnlessEmpty("apiVersion"),
        UnlessEmpty("condition"),
        UnlessEmpty("tags"),
        UnlessEmpty("appVersion"),
        UnlessEmpty("deprecated"),
        UnlessEmpty("annotations"),
        UnlessEmpty("kubeVersion"),
        UnlessEmpty("dependencies"),
        UnlessEmpty("type"),
    ])
}

fn annotations(metadata: &Metadata) -> Value {
    let entries = metadata.annotations.iter().flatten();
    let entries = entries.map(|(key, value)| (key.as_str(), Value::from(value.as_str())));
    Value::Map(Rc::new(Map::new(MapType::Strings, entries)))
}

fn maintainer(maintainer: &Maintainer) -> Value {
    Record::new(
        "*chart.Maintainer",
        vec![
            ("Name", Value::from(maintainer.name.as_str())),
            ("Email", Value::from(maintainer.email.as_str())),
            ("URL", Value::from(maintainer.url.as_str())),
        ],
    )
    .pointer()
    .with_json(&[
        UnlessEmpty("name"),
        UnlessEmpty("email"),
        UnlessEmpty("url"),
    ])
    .value()
}

fn dependency(dependency: &Dependency) -> Value {
    let text = |text: &str| Value::from(text);
    Record::new(
        "*chart.Dependency",
        vec![
            ("Name", text(&dependency.name)),
            ("Version", text(&dependency.version)),
            ("Repository", text(&dependency.repository)),
            ("Condition", text(&dependency.condition)),
            ("Tags", strings(&dependency.tags)),
            ("Enabled", Value::Bool(dependency.enabled)),
            ("ImportValues", imports(&dependency.import_values)),
            ("Alias", text(&dependency.alias)),
        ],
    )
    .pointer()
    .with_json(&[
        Always("name"),
        UnlessEmpty("version"),
        Always("repository"),
        UnlessEmpty("condition"),
        UnlessEmpty("tags"),
        UnlessEmpty("enabled"),
        UnlessEmpty("import-values"),
        UnlessEmpty("alias"),
    ])
    .value()
}

fn imports(imports: &[Import]) -> Value {
    let entries = |child: &str, parent: &str| {
        [
            ("child", Value::from(child)),
            ("parent", Value::from(parent)),
        ]
    };
    let items = imports.iter().map(|import| match import {
        Import::Export(name) => Value::from(name.as_str()),
        Import::Table { child, parent } => Value::map(entries(child, parent)),
        Import::Done { child, parent } => {
            Value::Map(Rc::new(Map::new(MapType::Strings, entries(child, parent))))
        }
        Import::Other | Import::Malformed => Value::Nil,
    });
    nilable(ListType::Any, items.collect())
}

fn strings(items: &[String]) -> Value {
    let items = items.iter().map(|item| Value::from(item.as_str()));
    nilable(ListType::Strings, items.collect())
}

fn list(type_name: &'static str, items: Vec<Value>) -> Value {
    nilable(ListType::Named(type_name), items)
}

/// A slice that was never made has no items.
fn nilable(list_type: ListType, items: Vec<Value>) -> Value {
    Value::List(Rc::new(if items.is_empty() {
        List::nil(list_type)
    } else {
        List::new(list_type, items)
    }))
}
