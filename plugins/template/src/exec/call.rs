//! Calling functions and methods.

use std::rc::Rc;

use smallvec::SmallVec;

use super::{At, Call, Frame, Reflected};
use crate::error::{CallError, Limit};
use crate::function::{Function, Type};
use crate::syntax::Operand;
use crate::value::{Object, Value};

/// What is called.
pub(super) enum Callee {
    Function(Function),
    Method(Rc<dyn Object>, &'static [Type]),
}

impl Callee {
    fn params(&self) -> &'static [Type] {
        match self {
            Self::Function(function) => function.params,
            Self::Method(_, params) => params,
        }
    }

    fn is_variadic(&self) -> bool {
        matches!(self, Self::Function(function) if function.variadic)
    }
}

impl Call<'_> {
    /// Calls with the arguments given, behind which stands the result of the command before
    /// (`evalCall`).
    #[expect(
        clippy::too_many_arguments,
        reason = "Go's evalCall, whose order they have"
    )]
    pub(super) fn call<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        callee: Callee,
        at: At<'t>,
        name: &str,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, CallError> {
        let params = callee.params();
        let given = arguments.len() + usize::from(last.is_some());
        let fixed = if callee.is_variadic() {
            params.len() - 1
        } else {
            params.len()
        };
        if callee.is_variadic() {
            if given < fixed {
                // Go leaves the piped argument out of this count.
                let got = arguments.len();
                let text =
                    format!("wrong number of args for {name}: want at least {fixed} got {got}");
                return Err(frame.error(text));
            }
        } else if given != fixed {
            let text = format!("wrong number of args for {name}: want {fixed} got {given}");
            return Err(frame.error(text));
        }
        if let Callee::Function(function) = &callee {
            match function.name {
                "and" => return self.short_circuit(frame, dot, arguments, last, false),
                "or" => return self.short_circuit(frame, dot, arguments, last, true),
                _ => {}
            }
        }
        let mut values = SmallVec::<[Value; 6]>::new();
        let mut boxed = false;
        for (i, operand) in arguments.iter().enumerate() {
            let param = params[i.min(params.len() - 1)];
            let value = self.argument(frame, dot, param, operand)?;
            boxed = value.boxed;
            values.push(value.value);
        }
        if let Some(last) = last {
            let param = params[(given - 1).min(params.len() - 1)];
            let value = self.validate(frame, last, param)?;
            values.push(value.value);
        }
        let result = match &callee {
            Callee::Function(function) => match function.name {
                "len" if boxed && values[0].is_nil() => Err("len of nil pointer".into()),
                "call" => Err(call_of(frame, arguments, &values)),
                _ => (function.body)(self, &values),
            },
            Callee::Method(object, _) => object.call(name, &values),
        };
        match result {
            Ok(value) => {
                let bytes = value.string_bytes().map_or(0, <[u8]>::len);
                // What grows a little with each call is stopped, whichever function it is.
                if bytes > self.options.limits.value {
                    return Err(Limit::Value.into());
                }
                Ok(Reflected::plain(value))
            }
            Err(CallError::Text(text)) => {
                frame.at = at;
                Err(frame.error(format!("error calling {name}: {text}")))
            }
            Err(limit) => Err(limit),
        }
    }

    /// `and` and `or` do not look further than they must.
    fn short_circuit<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        arguments: &'t [Operand],
        last: Option<Reflected>,
        ends_on: bool,
    ) -> Result<Reflected, CallError> {
        let mut result = Reflected::plain(Value::Nil);
        for operand in arguments {
            result = self.argument(frame, dot, Type::Reflect, operand)?;
            if result.value.is_true() == ends_on {
                return Ok(result);
            }
        }
        match last {
            Some(last) => self.validate(frame, last, Type::Reflect),
            None => Ok(result),
        }
    }
}

/// No value that a template can get hold of is a function.
fn call_of(frame: &Frame<'_>, arguments: &[Operand], values: &[Value]) -> CallError {
    let Some(callee) = values.first().filter(|value| !value.is_nil()) else {
        return "call of nil".into();
    };
    let name = arguments.first();
    let name = name.map(|operand| frame.source().show_operand(operand));
    let name = name.unwrap_or_else(|| crate::fmt::text_of(callee));
    CallError::text(format!(
        "non-function {name} of type {}",
        callee.type_name()
    ))
}
