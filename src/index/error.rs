//! Why the index could not answer, by what the caller can do next.

/// An index failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// Could not answer now (connection, lock, disk); the same request may succeed later.
    #[error("index unavailable: {0}")]
    Unavailable(String),
    /// The database's disk is full.
    #[error("no room in the index")]
    NoRoom,
    /// The search looks through more rows than it may take time for: a narrower one may succeed.
    #[error("the search is too broad")]
    TooBroad,
    /// Rows contradict each other or the schema; an operator must look.
    #[error("index inconsistent: {0}")]
    Inconsistent(String),
}
