//! plugin-semver
