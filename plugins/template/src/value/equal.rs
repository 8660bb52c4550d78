//! `reflect.DeepEqual`.

use std::rc::Rc;

use super::{List, Map, Value, View};

/// Values within values that are compared; a map may hold itself.
const MAX_DEPTH: usize = 200;

/// Whether two values are of the same type and equal, through and through.
pub(crate) fn deep_equal(left: &Value, right: &Value) -> bool {
    equal(left, right, 0)
}

fn equal(left: &Value, right: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return true;
    }
    match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(kind, a), Value::Int(other, b)) => kind == other && a == b,
        (Value::Uint(kind, a), Value::Uint(other, b)) => kind == other && a == b,
        #[expect(clippy::float_cmp, reason = "as Go compares")]
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Raw(a), Value::Raw(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => lists(a, b, depth),
        (Value::Map(a), Value::Map(b)) => maps(a, b, depth),
        (Value::Object(a), Value::Object(b)) => {
            if Rc::ptr_eq(a, b) {
                return true;
            }
            a.type_name() == b.type_name()
                && match (a.view(), b.view()) {
                    (View::Struct(a), View::Struct(b)) => {
                        a.len() == b.len()
                            && a.iter()
                                .zip(&b)
                                .all(|((_, a), (_, b))| equal(a, b, depth + 1))
                    }
                    (View::Map(a), View::Map(b)) => maps(&a, &b, depth),
                    (View::List(a), View::List(b)) => lists(&a, &b, depth),
                    (View::Int(a), View::Int(b)) => a == b,
                    _ => false,
                }
        }
        _ => false,
    }
}

fn lists(left: &List, right: &List, depth: usize) -> bool {
    left.list_type() == right.list_type()
        && left.is_nil() == right.is_nil()
        && left.len() == right.len()
        && left
            .iter()
            .zip(right.iter())
            .all(|(a, b)| equal(a, b, depth + 1))
}

fn maps(left: &Map, right: &Map, depth: usize) -> bool {
    if left.map_type() != right.map_type() {
        return false;
    }
    left.is_same(right)
        || left.len() == right.len()
            && left.entries().iter().all(|(key, value)| {
                right
                    .get(key)
                    .is_some_and(|other| equal(value, &other, depth + 1))
            })
}
