//! weir-tests-support
