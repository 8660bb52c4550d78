//! The templates of a chart and its subcharts, rendered (helm/helm pkg/engine/engine.go).

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_template::{Engine, ExecError, Host, Map, MapType, Options, Value};

use crate::archive::clean;
use crate::capabilities::Discovery;
use crate::error::Error;
use crate::objects;
use crate::tree::{ChartId, ChartTree};
use crate::values::{empty_map, table};

/// Go's name for the type of values.
const VALUES: MapType = MapType::Named("chartutil.Values");
/// What Go prints for nothing; Helm takes it out again.
const NO_VALUE: &str = "<no value>";

/// What is the same for all charts of a release.
pub(crate) struct Top<'a> {
    /// `.Release`.
    pub(crate) release: Value,
    /// `.Values` of the root.
    pub(crate) values: Rc<Map>,
    /// For `.Capabilities`.
    pub(crate) discovery: &'a Rc<dyn Discovery>,
}

/// A template before it is run.
struct Renderable {
    path: String,
    source: Rc<str>,
    /// The dot of all templates of its chart.
    dot: Rc<Map>,
    base_path: Rc<str>,
}

/// Renders all templates but partials; paths and texts.
pub(crate) fn render(
    tree: &ChartTree,
    top: &Top<'_>,
    host: &dyn Host,
    options: Options,
) -> Result<BTreeMap<String, String>, Error> {
    let templates = all_templates(tree, top);
    let mut engine = Engine::new(options);
    for template in &templates {
        engine
            .parse(&template.path, Rc::clone(&template.source))
            .map_err(|err| Error::Render(parse_error(&template.path, &err.to_string())))?;
    }
    let mut rendered = BTreeMap::new();
    for template in templates {
        let name = template.path.rsplit('/').next().unwrap_or_default();
        if name.starts_with('_') {
            continue;
        }
        let about = [
            ("Name", Value::from(template.path.as_str())),
            ("BasePath", Value::String(Rc::clone(&template.base_path))),
        ];
        let about = Value::Map(Rc::new(Map::new(VALUES, about)));
        template.dot.set("Template", about);
        let output = engine
            .execute(host, &template.path, Value::Map(Rc::clone(&template.dot)))
            .map_err(|err| Error::Render(exec_error(&template.path, &err)))?;
        rendered.insert(template.path, finished(output));
    }
    // A component ends with the call: taking the trees apart would be for nothing.
    #[cfg(target_family = "wasm")]
    std::mem::forget(engine);
    Ok(rendered)
}

fn finished(output: Vec<u8>) -> String {
    let text = String::from_utf8(output)
        .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned());
    if memchr::memmem::find(text.as_bytes(), NO_VALUE.as_bytes()).is_some() {
        text.replace(NO_VALUE, "")
    } else {
        text
    }
}

/// All templates in the order in which they are read and run: deep ones first, so that a chart may
/// replace what its subcharts define.
fn all_templates(tree: &ChartTree, top: &Top<'_>) -> Vec<Renderable> {
    let mut gathered = BTreeMap::new();
    let capabilities = objects::capabilities(top.discovery);
    let gatherer = Gatherer {
        tree,
        release: &top.release,
        capabilities: &capabilities,
    };
    gatherer.chart(ChartTree::ROOT, &top.values, &mut gathered);
    let mut templates: Vec<Renderable> = gathered.into_values().collect();
    templates.sort_by(|a, b| {
        let depth = |template: &Renderable| template.path.matches('/').count();
        depth(b).cmp(&depth(a)).then_with(|| b.path.cmp(&a.path))
    });
    templates
}

struct Gatherer<'a> {
    tree: &'a ChartTree,
    release: &'a Value,
    capabilities: &'a Value,
}

impl Gatherer<'_> {
    /// Gathers the templates of a chart and those below it; gives the dot of its templates.
    fn chart(
        &self,
        id: ChartId,
        values: &Rc<Map>,
        gathered: &mut BTreeMap<String, Renderable>,
    ) -> Rc<Map> {
        let node = &self.tree[id];
        let subcharts = empty_map();
        let dot = Rc::new(Map::new(
            VALUES,
            [
                ("Chart", objects::chart(self.tree, id)),
                ("Files", objects::files(&node.chart.files)),
                ("Release", self.release.clone()),
                ("Capabilities", self.capabilities.clone()),
                ("Values", Value::Map(Rc::new(values.with_type(VALUES)))),
                ("Subcharts", Value::Map(Rc::clone(&subcharts))),
            ],
        ));
        for subchart in &node.dependencies {
            let name = self.tree[*subchart].name.as_str();
            let values = table(values, name).unwrap_or_else(|_| empty_map());
            let inner = self.chart(*subchart, &values, gathered);
            // The same map, which templates may change, under a plainer type.
            subcharts.set(name, Value::Map(Rc::new(inner.with_type(MapType::Any))));
        }
        let chart_path = self.tree.full_path(id);
        let base_path: Rc<str> = clean(&format!("{chart_path}/templates")).into();
        for template in &node.chart.templates {
            let name = template.name.rsplit('/').next().unwrap_or_default();
            if node.chart.is_library() && !name.starts_with('_') {
                continue;
            }
            let path = clean(&format!("{chart_path}/{}", template.name));
            let renderable = Renderable {
                path: path.clone(),
                source: Rc::clone(&template.text),
                dot: Rc::clone(&dot),
                base_path: Rc::clone(&base_path),
            };
            gathered.insert(path, renderable);
        }
        dot
    }
}

/// Helm's words for a template that cannot be read (`cleanupParseError`).
fn parse_error(path: &str, text: &str) -> String {
    let mut tokens = text.split(": ");
    match (tokens.nth(1), text.rsplit(": ").next()) {
        (Some(location), Some(message)) => format!("parse error at ({location}): {message}"),
        _ => format!("parse error in ({path}): {text}"),
    }
}

/// Helm's words for a template that failed: what `fail` and `required` say stands alone
/// (`cleanupExecError`).
fn exec_error(path: &str, err: &ExecError) -> String {
    let text = err.to_string();
    if !matches!(err, ExecError::Template(_)) {
        return text;
    }
    let mut tokens = text.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next())
    else {
        return format!("execution error in ({path}): {text}");
    };
    let message = rest
        .split_once("HELM_ERR_START")
        .and_then(|(_, rest)| rest.rsplit_once("HELM_ERR_END"));
    match message {
        Some((message, _)) => format!("execution error at ({location}): {message}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_helm_does() {
        assert_eq!(
            parse_error("a", "template: a/t.yaml:3: function \"x\" not defined"),
            "parse error at (a/t.yaml:3): function \"x\" not defined"
        );
        assert_eq!(parse_error("a", "odd"), "parse error in (a): odd");
        let failed = |text: &str| exec_error("a", &ExecError::Template(text.to_owned()));
        assert_eq!(
            failed(
                "template: a:1:2: executing \"a\" at <fail>: error calling fail: \
                 HELM_ERR_STARTno: HELM_ERR_END thisHELM_ERR_END"
            ),
            "execution error at (a:1:2): no: HELM_ERR_END this"
        );
        let plain = "template: a:1:2: executing \"a\" at <x>: nil";
        assert_eq!(failed(plain), plain);
    }
}
