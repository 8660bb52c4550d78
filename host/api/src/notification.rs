//! `notification.toolkit.fluxcd.io`.

pub mod v1beta3;
