//! Why the fascicolo could not do what it was asked; each door translates it once.

use crate::access::permit::Denied;
use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::index::error::IndexError;

/// A failure, by what the caller can do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FascicoloError {
    /// No such person, document, study or link, or none this caller may know of.
    #[error("{0} is not here")]
    Unknown(&'static str),
    /// What was asked cannot be done as things stand.
    #[error("{0}")]
    Refused(&'static str),
    /// The document is longer than is kept.
    #[error("the document is longer than {0} bytes")]
    TooLong(usize),
    /// The permit does not cover it.
    #[error("access denied")]
    Denied,
    /// The archive could not answer.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    /// The index could not answer; the same request may succeed later.
    #[error("{0}")]
    Index(#[from] IndexError),
    /// The blob store could not answer.
    #[error("{0}")]
    Blobs(#[from] BlobError),
}

impl From<Denied> for FascicoloError {
    fn from(_: Denied) -> Self {
        Self::Denied
    }
}
