//! Which subcharts are rendered, under which names, and what of their values the parent takes
//! (helm/helm pkg/chartutil/dependencies.go).

use std::rc::Rc;

use weir_template::{Map, Value};
use weir_version::{Range, Version};

use crate::error::Error;
use crate::metadata::Import;
use crate::tree::{ChartId, ChartTree, RequirementId};
use crate::values::{
    Mode, coalesce_values, deep_copy_map, empty_map, merge_tables, path_value, table,
};
use crate::warnings::Warnings;

/// Whether a version satisfies a constraint; what cannot be read does not.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (constraint.parse::<Range>(), Version::parse_short(version)) {
        (Ok(range), Ok(version)) => range.contains_each(&version),
        _ => false,
    }
}

/// Every dependency that is listed has to be there (`action.CheckDependencies`).
pub(crate) fn check(tree: &ChartTree) -> Result<(), Error> {
    let root = &tree[ChartTree::ROOT];
    let listed = root.requirements.iter().flatten();
    let missing: Vec<&str> = listed
        .map(|id| tree.requirement(*id).name.as_str())
        .filter(|name| {
            let mut carried = root.dependencies.iter();
            !carried.any(|id| tree[*id].name == *name)
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Chart(format!(
        "An error occurred while checking for chart dependencies. You may need to run `helm \
         dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in \
         charts/ directory: {}",
        missing.join(", ")
    )))
}

/// Names, switches and imports, for the whole tree (`ProcessDependenciesWithMerge`).
pub(crate) fn process(
    tree: &mut ChartTree,
    values: &Rc<Map>,
    warnings: &Warnings,
) -> Result<(), Error> {
    Processor { tree, warnings }.enable(ChartTree::ROOT, values, "")?;
    Processor { tree, warnings }.import(ChartTree::ROOT)
}

struct Processor<'a> {
    tree: &'a mut ChartTree,
    warnings: &'a Warnings,
}

impl Processor<'_> {
    /// Leaves the charts that are switched on. `path` is where the chart's values stand in those
    /// of the root, with a dot behind it.
    fn enable(&mut self, chart: ChartId, values: &Rc<Map>, path: &str) -> Result<(), Error> {
        let Some(requirements) = self.tree[chart].requirements.clone() else {
            return Ok(());
        };
        let dependencies = self.under_their_names(chart, &requirements);
        self.tree.set_dependencies(chart, dependencies);
        let values = coalesce_values(self.tree, chart, values, Mode::Coalesce, self.warnings)?;
        for id in &requirements {
            let enabled = self.enabled(*id, &values, path);
            self.tree.requirement_mut(*id).enabled = enabled;
        }
        let disabled: Vec<String> = requirements
            .iter()
            .map(|id| self.tree.requirement(*id))
            .filter(|requirement| !requirement.enabled)
            .map(|requirement| requirement.name.clone())
            .collect();
        let mut dependencies = self.tree[chart].dependencies.clone();
        dependencies.retain(|id| !disabled.contains(&self.tree[*id].name));
        for dependency in &dependencies {
            let path = format!("{path}{}.", self.tree[*dependency].name);
            self.enable(*dependency, &values, &path)?;
        }
        let mut left = requirements;
        left.retain(|id| !disabled.contains(&self.tree.requirement(*id).name));
        self.tree[chart].requirements = (!left.is_empty()).then_some(left);
        self.tree.set_dependencies(chart, dependencies);
        Ok(())
    }

    /// The charts that are carried: first those that `Chart.yaml` does not list, then a copy for
    /// each entry. The entries get the names of their aliases.
    fn under_their_names(
        &mut self,
        chart: ChartId,
        requirements: &[RequirementId],
    ) -> Vec<ChartId> {
        let carried = self.tree[chart].dependencies.clone();
        let fits = |tree: &ChartTree, id: ChartId, requirement: RequirementId| {
            let (node, requirement) = (&tree[id], tree.requirement(requirement));
            node.name == requirement.name
                && is_compatible(&requirement.version, &node.chart.metadata.version)
        };
        let mut dependencies: Vec<ChartId> = carried
            .iter()
            .copied()
            .filter(|id| {
                !requirements
                    .iter()
                    .any(|entry| fits(self.tree, *id, *entry))
            })
            .collect();
        for entry in requirements {
            let found = carried.iter().find(|id| fits(self.tree, **id, *entry));
            let alias = self.tree.requirement(*entry).alias.clone();
            if let Some(id) = found {
                dependencies.push(self.tree.copy(*id, &alias));
            }
            if !alias.is_empty() {
                self.tree.requirement_mut(*entry).name = alias;
            }
        }
        dependencies
    }

    /// Tags first; a condition that is set outweighs them.
    fn enabled(&self, id: RequirementId, values: &Rc<Map>, path: &str) -> bool {
        let requirement = self.tree.requirement(id);
        let by_tags = self.enabled_by_tags(id, values);
        for condition in requirement.condition.trim().split(',') {
            if condition.is_empty() {
                continue;
            }
            match path_value(values, &format!("{path}{condition}")) {
                Some(Value::Bool(enabled)) => return enabled,
                Some(_) => self.warnings.add(format!(
                    "Warning: Condition path '{condition}' for chart {} returned non-bool value",
                    requirement.name
                )),
                None => {}
            }
        }
        by_tags
    }

    /// One tag that is on is enough; without any that is set, a chart is on.
    fn enabled_by_tags(&self, id: RequirementId, values: &Rc<Map>) -> bool {
        let requirement = self.tree.requirement(id);
        let Ok(tags) = table(values, "tags") else {
            return true;
        };
        let (mut on, mut off) = (false, false);
        for tag in &requirement.tags {
            match tags.get(tag) {
                Some(Value::Bool(true)) => on = true,
                Some(Value::Bool(false)) => off = true,
                Some(_) => self.warnings.add(format!(
                    "Warning: Tag '{tag}' for chart {} returned non-bool value",
                    requirement.name
                )),
                None => {}
            }
        }
        on || !off
    }

    /// Takes over what `import-values` names, innermost charts first.
    fn import(&mut self, chart: ChartId) -> Result<(), Error> {
        for dependency in self.tree[chart].dependencies.clone() {
            self.import(dependency)?;
        }
        let Some(requirements) = self.tree[chart].requirements.clone() else {
            return Ok(());
        };
        let nothing = empty_map();
        let values = coalesce_values(self.tree, chart, &nothing, Mode::Merge, self.warnings)?;
        let imported = empty_map();
        for id in requirements {
            self.import_from(id, &values, &imported)?;
        }
        // What was imported may be part of the values: the copy keeps a map from holding itself.
        let values = deep_copy_map(&values);
        merge_tables(&values, &imported, self.warnings);
        self.tree[chart].values = values;
        Ok(())
    }

    fn import_from(
        &mut self,
        id: RequirementId,
        values: &Rc<Map>,
        imported: &Map,
    ) -> Result<(), Error> {
        let name = self.tree.requirement(id).name.clone();
        let imports = std::mem::take(&mut self.tree.requirement_mut(id).import_values);
        let mut done = Vec::new();
        for import in imports {
            let (child, parent) = match import {
                Import::Export(export) => (format!("exports.{export}"), ".".to_owned()),
                Import::Table { child, parent } => (child, parent),
                Import::Malformed => {
                    return Err(Error::Chart(format!(
                        "import-values of {name} need a child and a parent"
                    )));
                }
                Import::Done { .. } | Import::Other => continue,
            };
            match table(values, &format!("{name}.{child}")) {
                Ok(found) => {
                    merge_tables(imported, &at_path(&parent, found), self.warnings);
                }
                Err(key) => self.warnings.add(format!(
                    "Warning: ImportValues missing table from chart {name}: {key:?} is not a table"
                )),
            }
            done.push(Import::Done { child, parent });
        }
        self.tree.requirement_mut(id).import_values = done;
        Ok(())
    }
}

/// A table below a path of its own; the dot is no path.
fn at_path(path: &str, table: Rc<Map>) -> Rc<Map> {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |inner, name| {
        let outer = empty_map();
        outer.set(name, Value::Map(inner));
        outer
    })
}
