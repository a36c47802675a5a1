//! Statuses of DIMSE responses, and the one place where an archive error becomes one.

use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::dicom::scan::ScanError;
use crate::index::error::IndexError;

/// How a request ended (PS3.7 §C), with words for whoever looks for the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Status (0000,0900).
    pub code: u16,
    /// Error Comment (0000,0902): at most [`MAX_COMMENT_CHARS`], never patient data.
    pub comment: Option<String>,
}

/// The longest Error Comment: a Long String (PS3.5 §6.2).
pub const MAX_COMMENT_CHARS: usize = 64;

/// Success.
pub const SUCCESS: u16 = 0x0000;
/// Refused: SOP class not supported (PS3.7 §C).
pub const SOP_CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// Refused: not authorised (PS3.7 §C).
pub const NOT_AUTHORISED: u16 = 0x0124;
/// Unrecognised operation (PS3.7 §C).
pub const UNRECOGNISED_OPERATION: u16 = 0x0211;
/// Refused: out of resources; the sender may try again later (PS3.4 Table B.2-1).
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Error: data set does not match SOP class (PS3.4 Table B.2-1).
pub const DOES_NOT_MATCH: u16 = 0xA900;
/// Error: cannot understand (PS3.4 Table B.2-1).
pub const CANNOT_UNDERSTAND: u16 = 0xC000;
/// Error of the same kind: it was rejected by a note and is not taken again.
pub const REJECTED: u16 = 0xC002;

impl Status {
    /// Success, which needs no words.
    pub fn success() -> Self {
        Self { code: SUCCESS, comment: None }
    }

    /// A status with its reason, cut to what an Error Comment holds.
    pub fn new(code: u16, reason: &str) -> Self {
        Self { code, comment: Some(comment(reason)) }
    }

    /// Whether the object was taken: success, or a warning (Bxxx).
    pub fn is_stored(&self) -> bool {
        self.code == SUCCESS || self.code & 0xF000 == 0xB000
    }
}

/// What a modality is told became of its instance (PS3.4 Table B.2-1). A7xx invites it to send
/// again later, A9xx and Cxxx do not. No `_` arm: a new error must choose its status here.
#[must_use]
pub fn of_store(error: &ArchiveError) -> Status {
    match error {
        ArchiveError::Malformed(scan) => Status::new(CANNOT_UNDERSTAND, &place_first(scan)),
        ArchiveError::Unidentified(reason) | ArchiveError::Mismatch(reason) => {
            Status::new(DOES_NOT_MATCH, reason)
        }
        // What a store says may name its files and hosts, which are no peer's business.
        ArchiveError::Blobs(BlobError::NoRoom) | ArchiveError::Index(IndexError::NoRoom) => {
            Status::new(OUT_OF_RESOURCES, "no room left in the archive")
        }
        ArchiveError::Blobs(
            BlobError::Missing(_)
            | BlobError::Exists(_)
            | BlobError::Short { .. }
            | BlobError::Unavailable(_),
        )
        | ArchiveError::Index(
            IndexError::Unavailable(_) | IndexError::TooBroad | IndexError::Inconsistent(_),
        ) => Status::new(OUT_OF_RESOURCES, "the archive cannot store now"),
        ArchiveError::Rejected(_) => Status::new(REJECTED, &error.to_string()),
        ArchiveError::Stopping => Status::new(OUT_OF_RESOURCES, "the archive is stopping"),
        ArchiveError::Denied => Status::new(NOT_AUTHORISED, "access denied"),
        ArchiveError::Unknown(_) | ArchiveError::Ambiguous { .. } | ArchiveError::Imaging(_) => {
            Status::new(CANNOT_UNDERSTAND, "the object cannot be stored")
        }
    }
}

/// The byte first: a comment that is cut must still say where.
fn place_first(error: &ScanError) -> String {
    format!("byte {}: {}", error.offset, error.problem)
}

/// Text as a Long String in the default repertoire, without what would read as several values.
fn comment(reason: &str) -> String {
    reason
        .chars()
        .map(|c| match c {
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .take(MAX_COMMENT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;

    use super::{MAX_COMMENT_CHARS, Status, of_store};
    use crate::archive::error::ArchiveError;
    use crate::dicom::scan::Problem;
    use crate::dicom::scan::ScanError;
    use crate::index::error::IndexError;
    use crate::model::rejection::Reason;

    #[test]
    fn an_error_says_what_was_wrong_and_where_in_64_characters() {
        let offset = 4_294_967_295_123;
        let problem = Problem::Truncated(Tag(0x7FE0, 0x0010));
        let status = of_store(&ArchiveError::Malformed(ScanError { offset, problem }));
        assert_eq!(status.code, 0xC000);
        let comment = status.comment.unwrap();
        assert!(comment.starts_with("byte 4294967295123: the data set ends inside"), "{comment}");
        assert!(comment.chars().count() <= MAX_COMMENT_CHARS);
    }

    #[test]
    fn later_may_work_when_a_store_fails_and_its_addresses_are_not_told() {
        let refused = "connection to postgres://db.hospital refused".to_owned();
        let status = of_store(&ArchiveError::Index(IndexError::Unavailable(refused)));
        assert_eq!(status, Status::new(0xA700, "the archive cannot store now"));
    }

    #[test]
    fn each_refusal_has_its_status() {
        let mismatch =
            ArchiveError::Mismatch("SOP Class UID differs from the command's".to_owned());
        for (error, code) in [
            (mismatch, 0xA900),
            (ArchiveError::Unidentified("no Study Instance UID".to_owned()), 0xA900),
            (ArchiveError::Denied, 0x0124),
            (ArchiveError::Rejected(Reason::PatientSafety), 0xC002),
            (ArchiveError::Stopping, 0xA700),
            (ArchiveError::Index(IndexError::NoRoom), 0xA700),
        ] {
            assert_eq!(of_store(&error).code, code, "{error:?}");
        }
    }

    #[test]
    fn comments_hold_one_value_of_plain_characters() {
        let status = Status::new(0xC000, "a\\b\ncittà");
        assert_eq!(status.comment.as_deref(), Some("a/b?citt?"));
    }
}
