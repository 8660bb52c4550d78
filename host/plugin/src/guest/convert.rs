//! Between the contract's generated types and ours.

use super::{State, Stop};
use crate::bindings::weir::plugin::types as wire;
use crate::{Failure, FailureClass, Position};

impl wire::Host for State {
    fn convert_failure(&mut self, stop: Stop) -> wasmtime::Result<wire::Failure> {
        match stop {
            Stop::Failure(failure) => Ok(failure.into()),
            Stop::Trap(error) => Err(error),
        }
    }
}

impl From<wire::FailureClass> for FailureClass {
    fn from(class: wire::FailureClass) -> Self {
        match class {
            wire::FailureClass::InvalidSettings => Self::InvalidSettings,
            wire::FailureClass::InvalidInput => Self::InvalidInput,
            wire::FailureClass::NotFound => Self::NotFound,
            wire::FailureClass::Unauthorized => Self::Unauthorized,
            wire::FailureClass::Denied => Self::Denied,
            wire::FailureClass::Unavailable => Self::Unavailable,
            wire::FailureClass::Unsupported => Self::Unsupported,
            wire::FailureClass::Internal => Self::Internal,
        }
    }
}

impl From<FailureClass> for wire::FailureClass {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::InvalidSettings => Self::InvalidSettings,
            FailureClass::InvalidInput => Self::InvalidInput,
            FailureClass::NotFound => Self::NotFound,
            FailureClass::Unauthorized => Self::Unauthorized,
            FailureClass::Denied => Self::Denied,
            FailureClass::Unavailable => Self::Unavailable,
            FailureClass::Unsupported => Self::Unsupported,
            FailureClass::Internal => Self::Internal,
        }
    }
}

impl From<wire::Failure> for Failure {
    fn from(failure: wire::Failure) -> Self {
        Self {
            class: failure.class.into(),
            code: failure.code,
            message: failure.message,
            retry_after: failure.retry_after,
            positions: failure
                .positions
                .into_iter()
                .map(|p| Position {
                    path: p.path,
                    line: p.line,
                    column: p.column,
                })
                .collect(),
            detail: failure.detail,
        }
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            class: failure.class.into(),
            code: failure.code,
            message: failure.message,
            retry_after: failure.retry_after,
            positions: failure
                .positions
                .into_iter()
                .map(|p| wire::Position {
                    path: p.path,
                    line: p.line,
                    column: p.column,
                })
                .collect(),
            detail: failure.detail,
        }
    }
}
