//! Templates that functions run: Helm's `include` and `tpl`
//! (helm/helm `pkg/engine/engine.go`).

use std::rc::Rc;

use super::{Call, Reflected};
use crate::engine::Templates;
use crate::error::CallError;
use crate::fmt::NO_VALUE;
use crate::syntax::{self, Ast, quote};
use crate::value::Value;

/// The name of Helm's own template, which `tpl` gives to what it reads.
const TPL: &str = "gotpl";
/// How often a template may be included within itself.
const MAX_INCLUDES: usize = 1000;

impl Call<'_> {
    /// Runs a template by name and returns what it wrote.
    pub fn include(&mut self, name: &str, dot: Value) -> Result<Value, CallError> {
        let tree = self.templates.find(name).cloned();
        let key = tree
            .as_ref()
            .map_or_else(|| name.into(), |tree| Rc::clone(&tree.name));
        let too_deep = self.is_too_deep();
        let count = self.included.entry(Rc::clone(&key)).or_default();
        // Beyond the bound of this run is as beyond that of Helm: the template never ends.
        if *count > MAX_INCLUDES || too_deep {
            return Err(CallError::text(format!(
                "rendering template has a nested reference name: {name}: unable to execute template"
            )));
        }
        *count += 1;
        let written = self.captured(|call| {
            let Some(tree) = tree else {
                let name = quote(name);
                return Err(CallError::text(format!(
                    "template: no template {name} associated with template \"{TPL}\""
                )));
            };
            call.run(&tree, Reflected::plain(dot))
        });
        if let Some(count) = self.included.get_mut(&key) {
            *count -= 1;
        }
        written.map(Value::string_from_bytes)
    }

    /// Runs a text as a template that knows the others.
    pub fn tpl(&mut self, source: &Rc<str>, dot: Value) -> Result<Value, CallError> {
        let trees = self.read(source)?;
        let mut templates = Templates::extending(Rc::clone(&self.templates));
        for tree in trees.iter() {
            templates.add(Rc::clone(tree));
        }
        if self.is_too_deep() {
            return Err(CallError::text("tpl is nested too deeply"));
        }
        let outer = std::mem::replace(&mut self.templates, Rc::new(templates));
        let written = self.captured(|call| match trees.last() {
            Some(tree) => call.run(tree, Reflected::plain(dot)),
            None => Ok(()),
        });
        self.templates = outer;
        match written {
            Ok(bytes) => Ok(Value::string_from_bytes(without_no_value(bytes))),
            Err(CallError::Text(text)) => Err(CallError::text(format!(
                "error during tpl function execution for {}: {text}",
                quote(source)
            ))),
            Err(limit) => Err(limit),
        }
    }

    /// Charts run the same texts again and again.
    fn read(&mut self, source: &Rc<str>) -> Result<Rc<[Rc<syntax::Tree>]>, CallError> {
        if let Some(trees) = self.read.get(source) {
            return Ok(Rc::clone(trees));
        }
        let trees =
            syntax::parse(TPL, source, self.functions, &mut Ast::default()).map_err(|error| {
                CallError::text(format!("cannot parse template {}: {error}", quote(source)))
            })?;
        let trees: Rc<[_]> = trees.into_iter().map(Rc::new).collect();
        self.read.insert(Rc::clone(source), Rc::clone(&trees));
        Ok(trees)
    }

    /// What is written meanwhile.
    fn captured(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), CallError>,
    ) -> Result<Vec<u8>, CallError> {
        let start = self.out.len();
        let variables = self.variables.len();
        self.depth += 1;
        let result = write(self);
        self.depth -= 1;
        self.variables.truncate(variables);
        let written = self.out.split_off(start);
        result.map(|()| written)
    }
}

/// Takes out what Go prints for absent values, as Helm does with all that it renders.
pub(crate) fn without_no_value(bytes: Vec<u8>) -> Vec<u8> {
    let first = |bytes: &[u8]| {
        bytes
            .windows(NO_VALUE.len())
            .position(|window| window == NO_VALUE)
    };
    let Some(mut at) = first(&bytes) else {
        return bytes;
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    loop {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + NO_VALUE.len()..];
        match first(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    out
}
