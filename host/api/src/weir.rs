//! `weir.dev`: what weir adds to Flux's kinds.

pub mod v1alpha1;
