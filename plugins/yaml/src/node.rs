//! The node tree: what a document looks like before its scalars get a meaning.
//!
//! Nodes live in an [`Arena`] and point at each other by [`NodeId`], because the tools we follow
//! (kustomize's kyaml over go-yaml v3) share nodes between several places of a tree on purpose and
//! by accident, and a later write shows in all of them. An arena lives as long as one build.

use std::rc::Rc;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Made, but not yet given a kind. Written as null.
    #[default]
    Zero,
    /// A leaf.
    Scalar,
    /// Keys and values, one after the other in `content`.
    Mapping,
    /// Items in `content`.
    Sequence,
    /// Points at an anchored node by `alias`.
    Alias,
}

/// How a node was or is to be written. A set of flags, as in go-yaml v3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style(u8);

impl Style {
    /// Nothing said.
    pub const PLAIN: Self = Self(0);
    /// The tag was written out.
    pub const TAGGED: Self = Self(1);
    /// `"…"`
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'…'`
    pub const SINGLE_QUOTED: Self = Self(4);
    /// `|`
    pub const LITERAL: Self = Self(8);
    /// `>`
    pub const FOLDED: Self = Self(16);
    /// `{…}` and `[…]`
    pub const FLOW: Self = Self(32);
    /// Any style that makes a scalar a string.
    pub const STRING: Self = Self(2 | 4 | 8 | 16);

    /// True if one of `other`'s flags is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags as go-yaml v3 numbers them.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// A tag in its short form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tag {
    /// None: a plain scalar means what it looks like.
    #[default]
    Empty,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!timestamp`
    Timestamp,
    /// `!!seq`
    Seq,
    /// `!!map`
    Map,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
    /// Any other.
    Other(Rc<str>),
}

const LONG_PREFIX: &str = "tag:yaml.org,2002:";

impl Tag {
    /// From a tag as the parser gives it, long or short.
    pub fn from_name(name: &str) -> Self {
        let short = name
            .strip_prefix(LONG_PREFIX)
            .or_else(|| name.strip_prefix("!!"));
        match short {
            Some("null") => Self::Null,
            Some("bool") => Self::Bool,
            Some("str") => Self::Str,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("timestamp") => Self::Timestamp,
            Some("seq") => Self::Seq,
            Some("map") => Self::Map,
            Some("binary") => Self::Binary,
            Some("merge") => Self::Merge,
            Some(other) => Self::Other(format!("!!{other}").into()),
            None if name.is_empty() => Self::Empty,
            None => Self::Other(name.into()),
        }
    }

    /// The short form, empty for none.
    pub fn name(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Null => "!!null",
            Self::Bool => "!!bool",
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Seq => "!!seq",
            Self::Map => "!!map",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Other(name) => name,
        }
    }
}

/// Names a node of one [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// How it is written.
    pub style: Style,
    /// Its tag, resolved for what was parsed.
    pub tag: Tag,
    /// A scalar's text; an alias' anchor.
    pub value: String,
    /// Children.
    pub content: Vec<NodeId>,
    /// Its anchor.
    pub anchor: Option<Rc<str>>,
    /// What an alias points at.
    pub alias: Option<NodeId>,
    /// Line in its file, from 1; 0 for a node that was made.
    pub line: u32,
    /// Column, from 1; 0 for a node that was made.
    pub column: u32,
    /// Comments at it.
    pub comments: Option<Rc<Comments>>,
}

/// Comments at a node, with their `#`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments {
    /// On the lines before.
    pub head: String,
    /// Behind it, on its line.
    pub line: String,
    /// On the lines after.
    pub foot: String,
}

impl Node {
    /// A scalar of the given text without tag and style.
    pub fn scalar(value: impl Into<String>) -> Self {
        Self {
            kind: Kind::Scalar,
            value: value.into(),
            ..Self::default()
        }
    }

    /// A scalar with a tag.
    pub fn tagged(value: impl Into<String>, tag: Tag) -> Self {
        Self {
            kind: Kind::Scalar,
            value: value.into(),
            tag,
            ..Self::default()
        }
    }

    /// An empty node of the kind, without tag.
    pub fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// True for a scalar that is a string or has no tag (kyaml `IsYNodeString`).
    pub fn is_string(&self) -> bool {
        self.kind == Kind::Scalar && matches!(self.tag, Tag::Str | Tag::Empty)
    }

    /// True if nothing at all is set.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// True for null, an empty list or map, and the zero node (kyaml `IsYNodeNilOrEmpty`).
    pub fn is_nil_or_empty(&self) -> bool {
        self.tag == Tag::Null
            || (matches!(self.kind, Kind::Mapping | Kind::Sequence) && self.content.is_empty())
            || self.is_zero()
    }
}

/// All nodes of one build.
#[derive(Debug, Default)]
pub struct Arena {
    nodes: Vec<Node>,
}

impl Arena {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of nodes ever made.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a node.
    pub fn add(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        id
    }

    /// A copy of everything below and at `id` (kyaml `CopyYNode`). What aliases point at is shared.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        let mut node = self[id].clone();
        for child in &mut node.content {
            *child = self.copy(*child);
        }
        self.add(node)
    }

    /// Makes `target` what `source` is, in place. The children become shared.
    pub fn assign(&mut self, target: NodeId, source: NodeId) {
        if target != source {
            self[target] = self[source].clone();
        }
    }

    /// Keys and values of a mapping; nothing for other kinds.
    pub fn fields(&self, id: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let node = &self[id];
        let content: &[NodeId] = if node.kind == Kind::Mapping {
            &node.content
        } else {
            &[]
        };
        content.chunks_exact(2).filter_map(|pair| match pair {
            [key, value] => Some((*key, *value)),
            _ => None,
        })
    }

    /// Value of a mapping's field; the first if there are several.
    pub fn field(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.fields(id)
            .find(|(key, _)| self[*key].value == name)
            .map(|(_, value)| value)
    }

    /// True for null.
    pub fn is_null(&self, id: NodeId) -> bool {
        self[id].tag == Tag::Null
    }

    /// A scalar's text; empty for null (kyaml `GetValue`).
    pub fn text(&self, id: NodeId) -> &str {
        let node = &self[id];
        if node.tag == Tag::Null {
            ""
        } else {
            &node.value
        }
    }
}

impl std::ops::Index<NodeId> for Arena {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

impl std::ops::IndexMut<NodeId> for Arena {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }
}
