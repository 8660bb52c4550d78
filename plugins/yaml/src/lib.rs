//! weir-yaml
