//! Nodes of a template: text, actions and control.

use std::rc::Rc;

use super::{At, Call, Frame, Reflected};
use crate::error::CallError;
use crate::fmt;
use crate::syntax::{Branch, Id, Invocation, Node, Pipe, Run, quote};
use crate::value::{Value, View};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl Call<'_> {
    pub(super) fn walk(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Reflected,
        nodes: Run<Node>,
    ) -> Result<Flow, CallError> {
        self.charge(nodes.len())?;
        self.nesting += 1;
        let flow = self.walk_each(frame, dot, nodes)?;
        self.nesting -= 1;
        Ok(flow)
    }

    fn walk_each(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Reflected,
        nodes: Run<Node>,
    ) -> Result<Flow, CallError> {
        let ast = frame.ast();
        for node in &ast.nodes[nodes] {
            let flow = match *node {
                Node::Text(text) => {
                    self.write(frame.text(text).as_bytes())?;
                    Flow::Next
                }
                Node::Action(pipe) => {
                    self.action(frame, dot, pipe)?;
                    Flow::Next
                }
                Node::If(branch) => self.branch(frame, dot, &ast.branches[branch], false)?,
                Node::With(branch) => self.branch(frame, dot, &ast.branches[branch], true)?,
                Node::Range(branch) => self.range(frame, dot, &ast.branches[branch])?,
                Node::Template(invocation) => {
                    self.template(frame, dot, &ast.invocations[invocation])?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn action(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Reflected,
        pipe: Id<Pipe>,
    ) -> Result<(), CallError> {
        frame.at = At::Action(pipe);
        let result = self.pipeline(frame, dot, pipe)?;
        if !frame.ast().pipes[pipe].variables.is_empty() {
            return Ok(());
        }
        frame.at = At::Action(pipe);
        match &result.value {
            Value::String(text) => self.write(text.as_bytes()),
            Value::Nil => self.write(fmt::NO_VALUE),
            value => {
                let start = self.out.len();
                let addressable = match value {
                    Value::Object(object) => object.text_if_addressable(),
                    _ => None,
                };
                match addressable {
                    Some(text) => self.out.extend_from_slice(text.as_bytes()),
                    None => fmt::print(&mut self.out, value),
                }
                self.wrote(self.out.len() - start)
            }
        }
    }

    fn branch<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        branch: &'t Branch,
        sets_dot: bool,
    ) -> Result<Flow, CallError> {
        let mark = self.variables.len();
        let condition = self.pipeline(frame, dot, branch.pipe)?;
        let flow = if condition.value.is_true() {
            let inner = if sets_dot { &condition } else { dot };
            self.walk(frame, inner, branch.list)?
        } else {
            self.walk(frame, dot, branch.otherwise)?
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn template<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        invocation: &'t Invocation,
    ) -> Result<(), CallError> {
        frame.at = At::Template(invocation);
        let name = &invocation.name;
        let Some(tree) = self.templates.find(name).cloned() else {
            return Err(frame.error(format!("template {} not defined", quote(name))));
        };
        if self.is_too_deep() {
            let limit = self.options.limits.depth;
            return Err(frame.error(format!("exceeded maximum template depth ({limit})")));
        }
        let dot = match invocation.pipe {
            Some(pipe) => self.pipeline(frame, dot, pipe)?,
            None => Reflected::plain(Value::Nil),
        };
        self.depth += 1;
        let result = self.run(&tree, dot);
        self.depth -= 1;
        result
    }

    fn range<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        branch: &'t Branch,
    ) -> Result<Flow, CallError> {
        let mark = self.variables.len();
        let over = self.pipeline(frame, dot, branch.pipe)?;
        let value = match &over.value {
            Value::Object(object) => match object.view() {
                View::List(list) => Value::List(list),
                View::Map(map) => Value::Map(map),
                _ => over.value,
            },
            _ => over.value,
        };
        let mut ran = false;
        let mut each = |index: Value, item: Reflected| -> Result<bool, CallError> {
            ran = true;
            self.iterate(frame, branch, index, item)
        };
        match &value {
            Value::Nil => {}
            Value::List(list) => {
                let boxed = list.list_type().holds_interfaces();
                for (i, item) in list.iter().enumerate() {
                    let value = item.clone();
                    if !each(Value::int(i as i64), Reflected { value, boxed })? {
                        break;
                    }
                }
            }
            Value::Bytes(bytes) => {
                for (i, byte) in bytes.iter().enumerate() {
                    let item = Reflected::plain((*byte).into());
                    if !each(Value::int(i as i64), item)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let boxed = map.map_type().holds_interfaces();
                // A copy, as in Go: the body may change the map.
                for (key, value) in map.entries() {
                    if !each(Value::String(Rc::clone(&key)), Reflected { value, boxed })? {
                        break;
                    }
                }
            }
            value => {
                let shown = fmt::text_of(value);
                return Err(frame.error(format!("range can't iterate over {shown}")));
            }
        }
        let flow = if ran {
            Flow::Next
        } else {
            self.walk(frame, dot, branch.otherwise)?
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// One round; false to leave the loop.
    fn iterate<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        index: Value,
        item: Reflected,
    ) -> Result<bool, CallError> {
        let ast = frame.ast();
        let pipe = &ast.pipes[branch.pipe];
        match &ast.variables[pipe.variables] {
            [] => {}
            [only] => self.set(frame, pipe, only, item.clone())?,
            [first, second, ..] => {
                self.set(frame, pipe, first, Reflected::plain(index))?;
                self.set(frame, pipe, second, item.clone())?;
            }
        }
        let mark = self.variables.len();
        let flow = self.walk(frame, &item, branch.list)?;
        self.variables.truncate(mark);
        Ok(flow != Flow::Break)
    }
}
