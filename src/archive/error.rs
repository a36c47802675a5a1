//! Why the archive could not do what it was asked; each door translates it once.

use crate::blobs::error::BlobError;
use crate::dicom::scan::ScanError;
use crate::dicom::uid::Uid;
use crate::imaging::error::ImagingError;
use crate::index::error::IndexError;
use crate::model::rejection::Reason;
use crate::people::patient_id::PatientId;

/// An archive failure, by what the caller can do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ArchiveError {
    /// No such study, series, instance or bulk value, or none this caller may know of.
    #[error("{0} is not in the archive")]
    Unknown(String),
    /// The Study Instance UID is kept under several patients: the caller must say which.
    #[error("study {study} is kept under {} patients: name one", .patients.len())]
    Ambiguous {
        /// The study.
        study: Uid,
        /// Whose.
        patients: Vec<PatientId>,
    },
    /// The bytes broke a limit or rule of the bounded scan; nothing was stored.
    #[error("data set refused: {0}")]
    Malformed(#[from] ScanError),
    /// An attribute the archive cannot do without is absent or unusable; nothing was stored.
    #[error("data set refused: {0}")]
    Unidentified(String),
    /// What the sender announced and what the data set says differ; nothing was stored.
    #[error("data set refused: {0}")]
    Mismatch(String),
    /// A rejection note keeps it out, or in the bin.
    #[error("rejected by a note: {} {}", .0.code(), .0.meaning())]
    Rejected(Reason),
    /// A frame or picture could not be made.
    #[error("{0}")]
    Imaging(#[from] ImagingError),
    /// The blob store could not answer.
    #[error("{0}")]
    Blobs(#[from] BlobError),
    /// The index could not answer.
    #[error("{0}")]
    Index(#[from] IndexError),
    /// The permit shown does not cover what was asked.
    #[error("access denied")]
    Denied,
    /// The archive is stopping.
    #[error("the archive is stopping")]
    Stopping,
}
