//! Where in a kustomization file something stands. Looked up only when there is an error to tell.

use weir_yaml::resolve::Dialect;
use weir_yaml::{Arena, Kind, NodeId, parse};

/// The way from a node to one below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The field of a map; case does not count.
    Field(String),
    /// The entry of a list.
    Index(usize),
    /// The entry of a list that is this text.
    Item(String),
}

/// A generator, a transformer or a list entry, and what configures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A field of the kustomization, or an entry of it.
    Field(&'static str, Option<usize>),
    /// An object in a file of its own.
    File(String),
}

/// The line that the steps lead to; `None` if they lead nowhere.
pub(crate) fn line_of(text: &str, steps: &[Step]) -> Option<u32> {
    let mut arena = Arena::new();
    let mut node = parse::parse(&mut arena, text, Dialect::V2).ok()??;
    let mut line = arena[node].line;
    for step in steps {
        let (at, next) = below(&arena, arena[node].alias.unwrap_or(node), step)?;
        line = arena[at].line;
        node = next;
    }
    Some(line).filter(|line| *line > 0)
}

/// The node that tells the place, and the one to go on from.
fn below(arena: &Arena, node: NodeId, step: &Step) -> Option<(NodeId, NodeId)> {
    let items = || {
        let is_list = arena[node].kind == Kind::Sequence;
        is_list.then_some(arena[node].content.as_slice())
    };
    match step {
        Step::Field(name) => {
            let named = |wanted: fn(&str, &str) -> bool| {
                arena
                    .fields(node)
                    .find(|(key, _)| wanted(arena.text(*key), name))
            };
            named(|key, name| key == name).or_else(|| named(str::eq_ignore_ascii_case))
        }
        Step::Index(at) => items()?.get(*at).map(|item| (*item, *item)),
        Step::Item(text) => {
            let item = items()?.iter().find(|item| arena.text(**item) == text)?;
            Some((*item, *item))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_lines() {
        let text = "# head\nresources:\n- a.yaml\n- b.yaml\nPatches:\n- path: p.yaml\n  target:\n    \
                    kind: X\n";
        let field = |name: &str| Step::Field(name.to_owned());
        let check = |steps: &[Step], line| assert_eq!(line_of(text, steps), line, "{steps:?}");
        check(&[field("resources")], Some(2));
        check(&[field("resources"), Step::Index(1)], Some(4));
        check(
            &[field("resources"), Step::Item("b.yaml".to_owned())],
            Some(4),
        );
        let target = [field("patches"), Step::Index(0), field("target")];
        check(&target, Some(7));
        check(&[field("resources"), Step::Index(2)], None);
        check(&[field("resources"), field("x")], None);
        check(&[field("missing")], None);
        assert_eq!(line_of("a: [", &[field("a")]), None);
    }
}
