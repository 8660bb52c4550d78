//! weir-git
