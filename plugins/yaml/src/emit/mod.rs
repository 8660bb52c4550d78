//! Writing YAML exactly as go-yaml does.

mod node;
pub(crate) mod scalar;
mod value;

pub use node::to_string as node_to_string;
pub use node::to_string_indented as node_to_string_indented;
pub(crate) use node::{Presented, present};
pub use value::to_string as value_to_string;
