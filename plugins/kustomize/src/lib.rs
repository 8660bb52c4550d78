//! plugin-kustomize
