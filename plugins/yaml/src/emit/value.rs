//! Plain data as go-yaml v2 prints it (`sigs.k8s.io/yaml`): block style, sorted keys, lists not
//! indented below their key, long lines folded.

use crate::emit::scalar::{Form, INDENT, Place, Writer, analyze, select};
use crate::key_order;
use crate::number;
use crate::resolve::{self, Dialect, Scalar};
use crate::value::{Object, Value};

/// One document, ending in a line break.
pub fn to_string(value: &Value) -> String {
    let mut writer = Writer::new(Dialect::V2);
    node(&mut writer, value, Context::default());
    writer.write_indent();
    writer.out
}

#[derive(Clone, Copy, Default)]
struct Context {
    /// The node is the value of a mapping.
    mapping: bool,
    key: bool,
}

fn node(writer: &mut Writer, value: &Value, context: Context) {
    match value {
        Value::Null => scalar(writer, "null", Form::Plain, context),
        Value::Bool(value) => scalar(
            writer,
            if *value { "true" } else { "false" },
            Form::Plain,
            context,
        ),
        Value::Int(value) => scalar(writer, &value.to_string(), Form::Plain, context),
        Value::Uint(value) => scalar(writer, &value.to_string(), Form::Plain, context),
        Value::Float(value) => {
            let text = match number::format_float(*value).as_str() {
                "+Inf" => ".inf".to_owned(),
                "-Inf" => "-.inf".to_owned(),
                "NaN" => ".nan".to_owned(),
                text => text.to_owned(),
            };
            scalar(writer, &text, Form::Plain, context);
        }
        Value::String(text) => scalar(writer, text, form_of(text), context),
        Value::Array(items) => sequence(writer, items, context),
        Value::Object(object) => mapping(writer, object),
    }
}

fn form_of(text: &str) -> Form {
    if text.contains('\n') {
        Form::Literal
    } else if resolve::plain(Dialect::V2, text) == Scalar::Str && !resolve::is_base60(text) {
        Form::Plain
    } else {
        Form::DoubleQuoted
    }
}

fn scalar(writer: &mut Writer, text: &str, form: Form, context: Context) {
    let place = Place {
        flow: false,
        key: context.key,
    };
    let form = select(form, analyze(Dialect::V2, text), text.is_empty(), place);
    let outer = writer.indent;
    writer.indent = if outer < 0 { INDENT } else { outer + INDENT };
    writer.scalar(text, form, context.key);
    writer.indent = outer;
}

fn sequence(writer: &mut Writer, items: &[Value], context: Context) {
    if items.is_empty() {
        writer.indicator("[", true, true, false);
        writer.indicator("]", false, false, false);
        return;
    }
    let outer = writer.indent;
    let flush_with_key = context.mapping && !writer.indention;
    if outer < 0 {
        writer.indent = 0;
    } else if !flush_with_key {
        writer.indent += INDENT;
    }
    for item in items {
        writer.write_indent();
        writer.indicator("-", true, false, true);
        node(writer, item, Context::default());
    }
    writer.indent = outer;
}

fn mapping(writer: &mut Writer, object: &Object) {
    if object.is_empty() {
        writer.indicator("{", true, true, false);
        writer.indicator("}", false, false, false);
        return;
    }
    let entries = key_order::sort(Dialect::V2, object.iter().collect());
    let outer = writer.indent;
    writer.indent = if outer < 0 { 0 } else { outer + INDENT };
    for (key, value) in entries {
        writer.write_indent();
        let simple = key.len() <= 128 && !analyze(Dialect::V2, key).multiline;
        let key_context = Context {
            mapping: true,
            key: simple,
        };
        if simple {
            scalar(writer, key, form_of(key), key_context);
            writer.indicator(":", false, false, false);
        } else {
            writer.indicator("?", true, false, true);
            scalar(writer, key, form_of(key), key_context);
            writer.write_indent();
            writer.indicator(":", true, false, true);
        }
        node(
            writer,
            value,
            Context {
                mapping: true,
                key: false,
            },
        );
    }
    writer.indent = outer;
}
