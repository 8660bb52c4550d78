//! plugin-git
