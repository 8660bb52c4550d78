//! Entry points of the fuzz targets (`tests/fuzz`): what reads bytes from outside and is not
//! public.

pub use crate::event::fuzzing::payload;
pub use crate::reconcile::kustomization::fuzzing::manifests;
pub use crate::render::fuzzing::kept_output;
