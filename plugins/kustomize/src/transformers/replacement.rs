//! Copies values between objects (`replacements`).

use weir_yaml::{Arena, Kind, Node, NodeId, Value};

use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::filters::field_spec;
use crate::loader::Loader;
use crate::resid::ResId;
use crate::resmap::ResMap;
use crate::resource::Handle;
use crate::rnode;
use crate::selector::{LabelSelector, SelectorPatterns};
use crate::transformers::structured::{self, PathMatcher};
use crate::types::decode::{self, Mode, decode_struct};
use crate::types::{
    FieldOptions, Replacement, ReplacementField, Selector, SourceSelector, TargetSelector,
};

const DEFAULT_FIELD: &str = "metadata.name";

/// Replacements in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplacementTransformer {
    fields: Vec<ReplacementField>,
    /// With the entry of the field that each comes from.
    replacements: Vec<(usize, Replacement)>,
}

decode_struct!(
    ReplacementTransformer,
    "ReplacementTransformerPlugin",
    "builtins.ReplacementTransformerPlugin",
    { "replacements" => fields }
);

impl ReplacementTransformer {
    pub(super) fn configure(loader: &Loader<'_>, config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)?;
        Self::load(loader, made.fields)
    }

    /// Reads the files that hold replacements.
    pub(crate) fn load(loader: &Loader<'_>, fields: Vec<ReplacementField>) -> Result<Self> {
        let mut replacements = Vec::new();
        for (entry, field) in fields.into_iter().enumerate() {
            let made = Self::read(loader, field).map_err(|err| err.of_entry(entry))?;
            replacements.extend(made.into_iter().map(|made| (entry, made)));
        }
        Ok(Self {
            fields: Vec::new(),
            replacements,
        })
    }

    fn read(loader: &Loader<'_>, field: ReplacementField) -> Result<Vec<Replacement>> {
        let Replacement {
            source, targets, ..
        } = &field.replacement;
        if field.path.is_empty() {
            return Ok(vec![field.replacement]);
        }
        if source.is_some() || targets.as_ref().is_some_and(|targets| !targets.is_empty()) {
            return Err(Error::new(
                "cannot specify both path and inline replacement",
            ));
        }
        let content = loader.load(&field.path)?;
        let read = || -> Result<Vec<Replacement>> {
            let text = weir_yaml::parse::decode_text(&content)?;
            let value = weir_yaml::from_yaml(&text).context("error converting YAML to JSON")?;
            match &value {
                Value::Array(_) => decode::decode(&value, Mode::Lenient),
                Value::Object(_) => Ok(vec![decode::decode(&value, Mode::Lenient)?]),
                other => {
                    let found = match other {
                        Value::Null => "invalid",
                        Value::String(_) => "string",
                        Value::Bool(_) => "bool",
                        _ => "float64",
                    };
                    Err(Error::new(format!(
                        "unsupported replacement type encountered within replacement path: \
                             {found}"
                    )))
                }
            }
        };
        read().map_err(|err| err.at_file(&loader.relative(&field.path)))
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &mut ResMap) -> Result<()> {
        for (entry, replacement) in &self.replacements {
            replace(cx, map, replacement).map_err(|err| err.of_entry(*entry))?;
        }
        map.drop_empties(cx);
        Ok(())
    }
}

fn replace(cx: &mut Context, map: &ResMap, replacement: &Replacement) -> Result<()> {
    let Replacement {
        source,
        targets,
        source_value,
    } = replacement;
    let Some(targets) = targets
        .as_ref()
        .filter(|_| source.is_some() || source_value.is_some())
    else {
        return Err(Error::new(
            "replacements must specify a source and at least one target",
        ));
    };
    let value = match (source, source_value) {
        (Some(_), Some(_)) => {
            return Err(Error::new(
                "value and resource selectors are mutually exclusive",
            ));
        }
        (None, value) => cx
            .arena
            .add(Node::scalar(value.clone().unwrap_or_default())),
        (Some(source), None) => source_node(cx, map, source)?,
    };
    for target in targets {
        apply(cx, map, value, target)?;
    }
    Ok(())
}

/// Identities of an object, the current one first.
fn ids(cx: &Context, node: NodeId) -> Result<Vec<ResId>> {
    let mut ids = vec![field_spec::identity(&cx.arena, node)];
    ids.extend(cx.prev_ids_of(node).context("error getting node IDs")?);
    Ok(ids)
}

fn source_node(cx: &mut Context, map: &ResMap, source: &SourceSelector) -> Result<NodeId> {
    let mut found = None;
    for handle in super::present(cx, map) {
        let Some(node) = cx.node(handle) else {
            continue;
        };
        if ids(cx, node)?
            .iter()
            .any(|id| id.is_selected_by(&source.id))
        {
            if found.is_some() {
                return Err(Error::new(format!(
                    "multiple matches for selector {source}"
                )));
            }
            found = Some(node);
        }
    }
    let Some(object) = found else {
        return Err(Error::new(format!("nothing selected by {source}")));
    };
    let path = if source.field_path.is_empty() {
        DEFAULT_FIELD
    } else {
        source.field_path.as_str()
    };
    let value = rnode::lookup(&mut cx.arena, object, &rnode::split_path_smart(path))
        .context("error looking up replacement source")?
        .filter(|value| !cx.arena[*value].is_nil_or_empty());
    let Some(value) = value else {
        return Err(Error::new(format!(
            "fieldPath `{path}` is missing for replacement source {}",
            source.id
        )));
    };
    part_of(&mut cx.arena, value, source.options.as_ref())
}

/// The part of a value that options ask for.
fn part_of(arena: &mut Arena, value: NodeId, options: Option<&FieldOptions>) -> Result<NodeId> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(value);
    };
    if arena[value].kind != Kind::Scalar {
        return Err(Error::new(
            "delimiter option can only be used with scalar nodes",
        ));
    }
    let text = arena.text(value).to_owned();
    let parts: Vec<&str> = text.split(&options.delimiter).collect();
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| parts.get(index));
    let Some(part) = part else {
        return Err(Error::new(format!(
            "options.index {} is out of bounds for value {text}",
            options.index
        )));
    };
    let copy = arena.copy(value);
    (*part).clone_into(&mut arena[copy].value);
    Ok(copy)
}

/// A target with its patterns and selectors compiled.
struct Target<'a> {
    select: SelectorPatterns,
    reject: Vec<(&'a Selector, SelectorPatterns)>,
}

fn apply(cx: &mut Context, map: &ResMap, value: NodeId, target: &TargetSelector) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Error::new("target must specify resources to select"));
    };
    let compile =
        |selector| SelectorPatterns::new(selector).context("error creating target selector");
    let compiled = Target {
        select: compile(select)?,
        reject: target
            .reject
            .iter()
            .map(|reject| Ok((reject, compile(reject)?)))
            .collect::<Result<_>>()?,
    };
    for handle in super::present(cx, map) {
        let Some(node) = cx.node(handle) else {
            continue;
        };
        if !selected_by_labels(cx, handle, select, &target.reject)? {
            continue;
        }
        let ids = ids(cx, node)?;
        let matches = |patterns: &SelectorPatterns| {
            ids.iter().any(|id| {
                patterns.match_gvk(&id.gvk)
                    && patterns.match_name(&id.name)
                    && patterns.match_namespace(&id.namespace)
            })
        };
        let rejected = compiled
            .reject
            .iter()
            .any(|(selector, patterns)| !selector.id.is_empty() && matches(patterns));
        if !rejected && matches(&compiled.select) {
            copy_value(&mut cx.arena, node, value, target)?;
        }
    }
    Ok(())
}

fn selected_by_labels(
    cx: &Context,
    handle: Handle,
    select: &Selector,
    rejects: &[Selector],
) -> Result<bool> {
    let matches = |selector: &Selector| -> Result<bool> {
        let annotations = LabelSelector::parse(&selector.annotation_selector)?;
        let labels = LabelSelector::parse(&selector.label_selector)?;
        Ok(
            (annotations.is_empty() || annotations.matches(&cx.annotations(handle)))
                && (labels.is_empty() || labels.matches(&cx.labels(handle))),
        )
    };
    if !matches(select)? {
        return Ok(false);
    }
    for reject in rejects {
        let says_something =
            !reject.annotation_selector.is_empty() || !reject.label_selector.is_empty();
        if says_something && matches(reject)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn copy_value(
    arena: &mut Arena,
    object: NodeId,
    value: NodeId,
    target: &TargetSelector,
) -> Result<()> {
    let default = [DEFAULT_FIELD.to_owned()];
    let paths = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths[..]
    };
    let create = target
        .options
        .as_ref()
        .filter(|options| options.create)
        .map(|_| arena[value].kind);
    for path in paths {
        let parts = rnode::split_path_smart(path);
        if structured::set_inside_scalar(arena, object, value, &parts, create).is_ok() {
            continue;
        }
        let missing = || {
            let verb = if create.is_some() {
                "find or create"
            } else {
                "find"
            };
            format!("unable to {verb} field {path:?} in replacement target")
        };
        let fields = PathMatcher::new(create)
            .matches(arena, object, &parts)
            .map_err(|err| err.context(missing()))?;
        if fields.is_empty() {
            return Err(Error::new(missing()));
        }
        for field in fields {
            set_field(arena, field, value, target.options.as_ref())?;
        }
    }
    Ok(())
}

fn set_field(
    arena: &mut Arena,
    field: NodeId,
    value: NodeId,
    options: Option<&FieldOptions>,
) -> Result<()> {
    let value = arena.copy(value);
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        if arena[field].kind != Kind::Scalar {
            return Err(Error::new(
                "delimiter option can only be used with scalar nodes",
            ));
        }
        let current = arena[field].value.clone();
        let part = arena.text(value).to_owned();
        let mut parts: Vec<&str> = current.split(&options.delimiter).collect();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &part),
            Ok(index) if index >= parts.len() => parts.push(&part),
            Ok(index) => parts[index] = &part,
        }
        arena[value].value = parts.join(&options.delimiter);
    }
    if arena[field].kind == Kind::Scalar {
        let text = arena[value].value.clone();
        arena[field].value = text;
    } else {
        arena.assign(field, value);
    }
    Ok(())
}
