//! plugin-slack
