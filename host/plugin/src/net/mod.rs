//! Outbound HTTP on behalf of plugins: what may be reached, by which client, and how a request is
//! carried through redirects.

mod address;
mod client;
mod exchange;

pub(crate) use client::{Clients, Trust};
pub(crate) use exchange::{Answer, Budget, Outgoing, exchange};
