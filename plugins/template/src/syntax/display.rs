//! How errors show a piece of a template (golang/go `src/text/template/parse/node.go`).

use super::ast::{Command, Expr, Operand, Pipe};

impl Pipe {
    /// Shows it; the source is that of its tree.
    pub(crate) fn show(&self, source: &str) -> String {
        let mut out = String::new();
        self.write(source, &mut out);
        out
    }

    fn write(&self, source: &str, out: &mut String) {
        for (i, variable) in self.variables.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(variable.name.of(source));
        }
        if !self.variables.is_empty() {
            out.push_str(if self.assigns { " = " } else { " := " });
        }
        for (i, command) in self.commands.iter().enumerate() {
            if i > 0 {
                out.push_str(" | ");
            }
            command.write(source, out);
        }
    }
}

impl Command {
    /// Shows it.
    pub(crate) fn show(&self, source: &str) -> String {
        let mut out = String::new();
        self.write(source, &mut out);
        out
    }

    fn write(&self, source: &str, out: &mut String) {
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            operand.write_within(source, out);
        }
    }
}

impl Operand {
    /// Shows it.
    pub(crate) fn show(&self, source: &str) -> String {
        let mut out = String::new();
        self.write(source, &mut out);
        out
    }

    /// With parentheses if it is a pipeline.
    fn write_within(&self, source: &str, out: &mut String) {
        if matches!(self.expr, Expr::Pipe(_)) {
            out.push('(');
            self.write(source, out);
            out.push(')');
        } else {
            self.write(source, out);
        }
    }

    fn write(&self, source: &str, out: &mut String) {
        let fields = match &self.expr {
            Expr::Bool(value) => return out.push_str(if *value { "true" } else { "false" }),
            Expr::Dot => return out.push('.'),
            Expr::Nil => return out.push_str("nil"),
            Expr::Number(number) => return out.push_str(&number.text),
            Expr::Text { quoted: span, .. } | Expr::Function { name: span, .. } => {
                return out.push_str(span.of(source));
            }
            Expr::Pipe(pipe) => return pipe.write(source, out),
            Expr::Field(fields) => fields,
            Expr::Variable(variable, fields) => {
                out.push_str(variable.name.of(source));
                fields
            }
            Expr::Chain(operand, fields) => {
                operand.write_within(source, out);
                fields
            }
        };
        for field in fields {
            out.push('.');
            out.push_str(field.of(source));
        }
    }
}
