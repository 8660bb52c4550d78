//! How errors show a piece of a template (golang/go `src/text/template/parse/node.go`).

use std::fmt::{Display, Formatter, Result};

use super::ast::{Command, Expr, Operand, Pipe};

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, variable) in self.variables.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&variable.name)?;
        }
        if !self.variables.is_empty() {
            f.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            match &operand.expr {
                Expr::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => operand.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let fields = match &self.expr {
            Expr::Bool(value) => return value.fmt(f),
            Expr::Dot => return f.write_str("."),
            Expr::Nil => return f.write_str("nil"),
            Expr::Number(number) => return f.write_str(&number.text),
            Expr::Text { quoted, .. } => return f.write_str(quoted),
            Expr::Function { name, .. } => return f.write_str(name),
            Expr::Pipe(pipe) => return pipe.fmt(f),
            Expr::Field(fields) => fields,
            Expr::Variable(variable, fields) => {
                f.write_str(&variable.name)?;
                fields
            }
            Expr::Chain(operand, fields) => {
                match &operand.expr {
                    Expr::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => operand.fmt(f)?,
                }
                fields
            }
        };
        fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}
