//! Why a blob could not be read or written, by what the caller can do next.

/// A blob store's failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// No blob has this key: whoever named it is wrong, or the blob was lost.
    #[error("no blob {0}")]
    Missing(String),
    /// The key exists already; keys are never written twice.
    #[error("blob {0} exists")]
    Exists(String),
    /// No room, or less than the reserve set aside: nothing was stored; later may work.
    #[error("no room in the blob store")]
    NoRoom,
    /// The blob is shorter than its index row says.
    #[error("blob {key} ends before byte {end}")]
    Short {
        /// The blob.
        key: String,
        /// The byte that should have been there.
        end: u64,
    },
    /// The store could not answer now; the same request may succeed later.
    #[error("blob store: {0}")]
    Unavailable(String),
}
