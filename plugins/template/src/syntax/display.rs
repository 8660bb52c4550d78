//! How errors show a piece of a template (golang/go `src/text/template/parse/node.go`).

use super::arena::Id;
use super::ast::{Command, Expr, Operand, Pipe, Source};

impl Source {
    /// Shows a pipeline.
    pub(crate) fn show_pipe(&self, pipe: Id<Pipe>) -> String {
        let mut out = String::new();
        self.write_pipe(pipe, &mut out);
        out
    }

    /// Shows a command.
    pub(crate) fn show_command(&self, command: Command) -> String {
        let mut out = String::new();
        self.write_command(command, &mut out);
        out
    }

    /// Shows an operand; one that is no more than a pipeline without its parentheses.
    pub(crate) fn show_operand(&self, operand: &Operand) -> String {
        let mut out = String::new();
        match operand.expr {
            Expr::Pipe(pipe) if !operand.has_fields() => self.write_pipe(pipe, &mut out),
            _ => self.write_operand(operand, &mut out),
        }
        out
    }

    fn write_pipe(&self, pipe: Id<Pipe>, out: &mut String) {
        let pipe = &self.ast.pipes[pipe];
        for (i, variable) in self.ast.variables[pipe.variables].iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(variable.name.of(&self.text));
        }
        if !pipe.variables.is_empty() {
            out.push_str(if pipe.assigns { " = " } else { " := " });
        }
        for (i, &command) in self.ast.commands[pipe.commands].iter().enumerate() {
            if i > 0 {
                out.push_str(" | ");
            }
            self.write_command(command, out);
        }
    }

    fn write_command(&self, command: Command, out: &mut String) {
        for (i, operand) in self.ast.operands[command.operands].iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            self.write_operand(operand, out);
        }
    }

    /// All but pipelines are shown as they are written.
    fn write_operand(&self, operand: &Operand, out: &mut String) {
        if let Expr::Pipe(pipe) = operand.expr {
            out.push('(');
            self.write_pipe(pipe, out);
            out.push(')');
        } else {
            out.push_str(operand.term().of(&self.text));
        }
        out.push_str(operand.fields().of(&self.text));
    }
}
