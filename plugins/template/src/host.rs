//! What a template reaches outside of itself.

use crate::value::Value;

/// Time, randomness and the cluster, given by whoever renders.
pub trait Host {
    /// The time since the Unix epoch, in nanoseconds.
    fn now(&self) -> i128;

    /// Fills a buffer with bytes that nobody can foretell: keys are made of them.
    fn fill_random(&self, buffer: &mut [u8]);

    /// An object of the cluster, or the list of them for an empty name; an empty map if there is
    /// none or no cluster.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String>;
}
