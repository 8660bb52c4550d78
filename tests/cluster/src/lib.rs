//! weir-tests-cluster
