//! Statuses: what a peer is told became of its request (PS3.7 §C, PS3.4 Table B.2-1).

use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::index::error::IndexError;

/// The longest Error Comment (0000,0902): VR LO (PS3.5 §6.2).
const COMMENT_CHARS: usize = 64;

/// A status with the words that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Status (0000,0900).
    pub code: u16,
    /// Error Comment (0000,0902).
    pub comment: Option<String>,
}

/// Success.
pub const SUCCESS: u16 = 0x0000;
/// Refused: SOP class not supported (PS3.7 §C.5.6).
pub const SOP_CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// Refused: not authorized (PS3.7 §C.5.10).
pub const NOT_AUTHORIZED: u16 = 0x0124;
/// Unrecognized operation (PS3.7 §C.5.19).
pub const UNRECOGNIZED_OPERATION: u16 = 0x0211;
/// Refused: out of resources (PS3.4 Table B.2-1): the sender may try again later.
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Error: data set does not match SOP class (PS3.4 Table B.2-1), or its own command.
pub const DOES_NOT_MATCH: u16 = 0xA900;
/// Error: cannot understand (PS3.4 Table B.2-1).
pub const CANNOT_UNDERSTAND: u16 = 0xC000;

impl Status {
    /// Success.
    pub fn success() -> Self {
        Self { code: SUCCESS, comment: None }
    }

    /// A status with its comment, cut to what fits.
    pub fn new(code: u16, comment: &str) -> Self {
        Self { code, comment: Some(fitting(comment)) }
    }
}

/// What a sender is told became of its instance. A7xx invites it to send again later, A9xx and Cxxx
/// do not.
pub fn of_store(error: &ArchiveError) -> Status {
    let code = match error {
        ArchiveError::Blobs(
            BlobError::NoRoom
            | BlobError::Missing(_)
            | BlobError::Exists(_)
            | BlobError::Short { .. }
            | BlobError::Unavailable(_),
        )
        | ArchiveError::Index(
            IndexError::Unavailable(_) | IndexError::NoRoom | IndexError::Inconsistent(_),
        )
        | ArchiveError::Stopping => OUT_OF_RESOURCES,
        ArchiveError::Unidentified(_) | ArchiveError::Mismatch(_) => DOES_NOT_MATCH,
        ArchiveError::Malformed(_)
        | ArchiveError::Imaging(_)
        | ArchiveError::Unknown(_)
        | ArchiveError::Ambiguous { .. } => CANNOT_UNDERSTAND,
        ArchiveError::Denied => NOT_AUTHORIZED,
    };
    let comment = match error {
        // The stores' own words may name our hosts and paths.
        ArchiveError::Blobs(BlobError::NoRoom) | ArchiveError::Index(IndexError::NoRoom) => {
            "no room in the archive".to_owned()
        }
        ArchiveError::Blobs(_) | ArchiveError::Index(_) => {
            "the archive cannot store now".to_owned()
        }
        // "element … is longer than what holds it at byte 1234": the place must not be cut off.
        ArchiveError::Malformed(scan) => format!("byte {}: {}", scan.offset, scan.problem),
        ArchiveError::Unidentified(what) | ArchiveError::Mismatch(what) => what.clone(),
        error => error.to_string(),
    };
    Status::new(code, &comment)
}

/// Text that fits an LO value: 64 characters of the default repertoire, no backslash.
fn fitting(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() && c != '\\' || c == ' ' { c } else { '?' })
        .take(COMMENT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ArchiveError, BlobError, CANNOT_UNDERSTAND, of_store};
    use crate::dicom::scan::{Problem, ScanError};

    #[test]
    fn a_refusal_says_what_was_wrong_and_where_in_what_fits() {
        let scan = ScanError { offset: 123_456, problem: Problem::TooDeep(64) };
        let status = of_store(&ArchiveError::Malformed(scan));
        assert_eq!(status.code, CANNOT_UNDERSTAND);
        assert_eq!(
            status.comment.as_deref(),
            Some("byte 123456: sequences are nested more than 64 deep")
        );

        let mismatch = ArchiveError::Mismatch(
            "SOP Instance UID (0008,0018) differs from the command's".into(),
        );
        let status = of_store(&mismatch);
        assert_eq!(status.code, 0xA900);
        assert!(
            status
                .comment
                .is_some_and(|comment| comment.len() <= 64 && comment.contains("SOP Instance UID"))
        );
        assert_eq!(of_store(&ArchiveError::Blobs(BlobError::NoRoom)).code, 0xA700);
    }
}
