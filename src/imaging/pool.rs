//! The bounded pool all pixel work runs on.

use crate::imaging::error::ImagingError;

/// A rayon pool of its own with a bound on the bytes in flight; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {}

impl Pool {
    /// A pool of `threads` threads that admits work of `max_bytes` at once.
    pub fn new(threads: usize, max_bytes: u64) -> Result<Self, ImagingError> {
        todo!("{threads} {max_bytes}")
    }

    /// Runs `work` on the pool once `bytes` are admitted; a dropped future drops work not begun.
    pub async fn run<T, F>(&self, bytes: u64, work: F) -> Result<T, ImagingError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, ImagingError> + Send + 'static,
    {
        let _ = (bytes, work);
        todo!()
    }
}
