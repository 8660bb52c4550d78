//! weir-sdk-testing
