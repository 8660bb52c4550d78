//! A chart and its subcharts while they are rendered: which of them are there, under which names,
//! with which values.
//!
//! Helm copies charts where an alias is given and shares them otherwise, and writes into what it
//! shares. What is shared here is shared as there: a subchart that two aliases carry is one, and
//! so are the entries of `dependencies` that two copies of a chart refer to.

use std::rc::Rc;

use weir_template::Map;

use crate::chart::Chart;
use crate::metadata::Dependency;

/// A chart in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChartId(usize);

/// An entry of a chart's `dependencies`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequirementId(usize);

/// All charts of a render; the first is the root.
pub(crate) struct ChartTree {
    nodes: Vec<Node>,
    requirements: Vec<Dependency>,
}

/// A chart at its place.
#[derive(Clone)]
pub(crate) struct Node {
    /// What was loaded.
    pub(crate) chart: Rc<Chart>,
    /// Its name or alias.
    pub(crate) name: String,
    /// Its dependencies as `Chart.yaml` lists them, if it does.
    pub(crate) requirements: Option<Vec<RequirementId>>,
    /// Its own values, with those that it imported.
    pub(crate) values: Rc<Map>,
    /// The chart that carries it.
    pub(crate) parent: Option<ChartId>,
    /// The charts that it carries.
    pub(crate) dependencies: Vec<ChartId>,
}

impl ChartTree {
    /// The tree of a chart as it was loaded.
    pub(crate) fn new(chart: &Rc<Chart>) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            requirements: Vec::new(),
        };
        tree.add(chart, None);
        tree
    }

    /// The chart that all others belong to.
    pub(crate) const ROOT: ChartId = ChartId(0);

    fn add(&mut self, chart: &Rc<Chart>, parent: Option<ChartId>) -> ChartId {
        let id = ChartId(self.nodes.len());
        let requirements = chart.metadata.dependencies.as_ref().map(|dependencies| {
            let first = self.requirements.len();
            self.requirements.extend(dependencies.iter().cloned());
            (first..self.requirements.len())
                .map(RequirementId)
                .collect()
        });
        self.nodes.push(Node {
            chart: Rc::clone(chart),
            name: chart.metadata.name.clone(),
            requirements,
            values: Rc::clone(&chart.values),
            parent,
            dependencies: Vec::new(),
        });
        for dependency in &chart.dependencies {
            let dependency = self.add(dependency, Some(id));
            self[id].dependencies.push(dependency);
        }
        id
    }

    /// Adds a copy of a chart under another name. What the chart carries stays where it is.
    pub(crate) fn copy(&mut self, id: ChartId, alias: &str) -> ChartId {
        let copy = ChartId(self.nodes.len());
        let mut node = self[id].clone();
        if !alias.is_empty() {
            alias.clone_into(&mut node.name);
        }
        self.nodes.push(node);
        copy
    }

    /// Makes a chart carry others, and those know it for their parent.
    pub(crate) fn set_dependencies(&mut self, id: ChartId, dependencies: Vec<ChartId>) {
        for dependency in &dependencies {
            self[*dependency].parent = Some(id);
        }
        self[id].dependencies = dependencies;
    }

    /// An entry of `dependencies`.
    pub(crate) fn requirement(&self, id: RequirementId) -> &Dependency {
        &self.requirements[id.0]
    }

    /// An entry of `dependencies`, to be changed.
    pub(crate) fn requirement_mut(&mut self, id: RequirementId) -> &mut Dependency {
        &mut self.requirements[id.0]
    }

    /// Where the chart stands in the root: `web/charts/db`.
    pub(crate) fn full_path(&self, id: ChartId) -> String {
        let node = &self[id];
        match node.parent {
            Some(parent) => format!("{}/charts/{}", self.full_path(parent), node.name),
            None => node.name.clone(),
        }
    }
}

impl std::ops::Index<ChartId> for ChartTree {
    type Output = Node;

    fn index(&self, id: ChartId) -> &Node {
        &self.nodes[id.0]
    }
}

impl std::ops::IndexMut<ChartId> for ChartTree {
    fn index_mut(&mut self, id: ChartId) -> &mut Node {
        &mut self.nodes[id.0]
    }
}
