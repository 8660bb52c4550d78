//! From bytes to resources (kyaml `kio.ByteReader`, kustomize `resource.Factory`).

use weir_yaml::resolve::Dialect;
use weir_yaml::{Arena, Kind, NodeId, Tag, construct, decode, parse};

use crate::context::Context;
use crate::deanchor::deanchor;
use crate::error::{Context as _, Error, Result};
use crate::resource::Handle;
use crate::rnode;

/// The documents of a file. Documents are split before they are parsed, at lines that begin with
/// `---`.
fn split_documents(text: &str) -> Result<Vec<(String, usize)>> {
    let mut documents = Vec::new();
    if text.is_empty() {
        return Ok(documents);
    }
    let mut start = 0;
    let mut from = 0;
    let mut line = 0;
    let mut counted = 0;
    let mut line_of = |at: usize| {
        line += text[counted..at].matches('\n').count();
        counted = at;
        line
    };
    while let Some(found) = text[from..].find("\n---") {
        let at = from + found;
        let Some(length) = text[at + 1..].find('\n') else {
            break;
        };
        let separator = &text[at..=at + 1 + length];
        let behind = separator[4..].trim();
        if !behind.is_empty() && !behind.starts_with('#') {
            return Err(Error::new(format!(
                "invalid document separator: {}",
                separator.trim()
            )));
        }
        documents.push((format!("{}\n", &text[start..at]), line_of(start)));
        start = at + 2 + length;
        // The line break that ends one separator may not begin the next.
        from = start;
    }
    documents.push((text[start..].to_owned(), line_of(start)));
    Ok(documents)
}

impl Context {
    /// The resources in a file, a patch or an inline configuration.
    pub(crate) fn resources_from_bytes(&mut self, bytes: &[u8]) -> Result<Vec<Handle>> {
        let nodes = self.nodes_from_bytes(bytes)?;
        Ok(nodes
            .into_iter()
            .map(|node| self.add_resource(node))
            .collect())
    }

    fn nodes_from_bytes(&mut self, bytes: &[u8]) -> Result<Vec<NodeId>> {
        let nodes = self.read_documents(bytes)?;
        let nodes = self.drop_bad_nodes(nodes)?;
        self.inline_lists(nodes)
    }

    /// The objects of all documents, with the line before the document of each.
    fn read_documents(&mut self, bytes: &[u8]) -> Result<Vec<(NodeId, usize)>> {
        let text = parse::decode_text(bytes).context("MalformedYAMLError")?;
        let unix;
        let text = if text.contains("\r\n") {
            unix = text.replace("\r\n", "\n");
            &unix
        } else {
            &*text
        };
        let documents = split_documents(text)?;
        let single = documents.len() == 1;
        let mut output = Vec::new();
        for (document, first_line) in documents {
            let parsed = parse::parse(&mut self.arena, &document, Dialect::V3);
            let root = match parsed {
                Ok(Some(root)) => root,
                Ok(None) => continue,
                Err(err) => {
                    let mut err = Error::from(err);
                    err.shift_lines(first_line);
                    return Err(err.context("MalformedYAMLError"));
                }
            };
            if self.arena[root].tag == Tag::Null {
                continue;
            }
            let kind = rnode::top_text(&self.arena, root, "kind");
            let items = self.arena.field(root, "items");
            let wraps = items.is_some() || self.arena.field(root, "functionConfig").is_some();
            if single && (kind == "ResourceList" || kind == "List") && wraps {
                if let Some(items) = items {
                    let items = self.arena[items].content.iter();
                    output.extend(items.map(|item| (*item, first_line)));
                }
                continue;
            }
            output.push((root, first_line));
        }
        for (node, _) in &output {
            deanchor(&mut self.arena, *node)?;
        }
        Ok(output)
    }

    fn drop_bad_nodes(&self, nodes: Vec<(NodeId, usize)>) -> Result<Vec<NodeId>> {
        let mut kept = Vec::with_capacity(nodes.len());
        for (node, first_line) in nodes {
            if self.arena[node].is_nil_or_empty() {
                continue;
            }
            validate_metadata(&self.arena, node).map_err(|err| {
                let line = Some(self.arena[node].line).filter(|line| *line > 0);
                err.in_line(line.map(|line| line + first_line as u32))
            })?;
            kept.push(node);
        }
        Ok(kept)
    }

    /// Replaces lists of objects by their items, which go to the end.
    fn inline_lists(&mut self, nodes: Vec<NodeId>) -> Result<Vec<NodeId>> {
        let mut result = Vec::new();
        let mut queue: std::collections::VecDeque<NodeId> = nodes.into();
        while let Some(node) = queue.pop_front() {
            let kind = rnode::top_text(&self.arena, node, "kind").to_owned();
            if !kind.ends_with("List") {
                result.push(node);
                continue;
            }
            let Some(items) = self.arena.field(node, "items") else {
                result.push(node);
                continue;
            };
            let found = match self.arena[items].kind {
                Kind::Sequence => self.arena[items].content.clone(),
                _ if self.arena.is_null(items) => continue,
                other => {
                    let go_type = match (other, &self.arena[items].tag) {
                        (Kind::Mapping, _) => "map[string]interface {}",
                        (_, Tag::Int) => "int",
                        (_, Tag::Bool) => "bool",
                        (_, Tag::Float) => "float64",
                        _ => "string",
                    };
                    return Err(Error::new(format!(
                        "expected array in {kind}/items, but found {go_type}"
                    )));
                }
            };
            for item in found {
                // Items go through JSON, which loses styles and the order of keys.
                let value = decode::marshal_json(&self.arena, item)?;
                if value.is_null() {
                    continue;
                }
                let made = construct::from_value(&mut self.arena, &value);
                let kept = self.drop_bad_nodes(vec![(made, 0)])?;
                queue.extend(kept);
            }
        }
        Ok(result)
    }
}

/// What an object must have: a kind, and a name unless it is a list.
pub(crate) fn validate_metadata(arena: &Arena, node: NodeId) -> Result<()> {
    let text = |name: &str| {
        arena
            .field(node, name)
            .filter(|value| !arena[*value].is_nil_or_empty())
            .map(|value| arena.text(value))
    };
    let api_version = text("apiVersion");
    let kind = text("kind");
    let meta = rnode::metadata(arena, node);
    let in_meta = |name: &str| {
        meta.and_then(|meta| arena.field(meta, name))
            .filter(|value| !arena[*value].is_nil_or_empty())
    };
    let nothing = api_version.is_none()
        && kind.is_none()
        && ["name", "namespace", "labels", "annotations"]
            .iter()
            .all(|name| in_meta(name).is_none());
    if nothing && !arena.is_null(node) {
        return Err(Error::new("missing Resource metadata"));
    }
    let kind = kind.unwrap_or_default();
    if !kind.is_empty() && kind.ends_with("List") {
        return Ok(());
    }
    let name = in_meta("name").map_or("", |name| &arena[name].value);
    if kind.is_empty() || name.is_empty() {
        // The object as Go prints kyaml's metadata struct.
        let namespace = in_meta("namespace").map_or("", |value| arena.text(value));
        let map = |name: &str| {
            let entries = rnode::meta_map(arena, node, name);
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}:{value}"))
                .collect();
            format!("map[{}]", entries.join(" "))
        };
        let shown = format!(
            "{{{{{} {kind}}} {{{{{name} {namespace}}} {} {}}}}}",
            api_version.unwrap_or_default(),
            map("labels"),
            map("annotations"),
        );
        let missing = if kind.is_empty() {
            "kind"
        } else {
            "metadata.name"
        };
        return Err(Error::new(format!("missing {missing} in object {shown}")));
    }
    Ok(())
}
