//! Why a blob could not be read or written, by what the caller can do next.

use std::io;
use std::io::ErrorKind;

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

impl BlobError {
    /// What an error of the local disk means for whoever writes: a folder that is not there is
    /// the disk's trouble, not a blob's.
    pub(crate) fn of_write(key: &str, error: &io::Error) -> Self {
        match Self::of_disk(key, error) {
            Self::Missing(_) => Self::Unavailable(format!("{key}: {error}")),
            error => error,
        }
    }

    /// What an error of the local disk means for whoever reads.
    pub(crate) fn of_disk(key: &str, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing(key.to_owned()),
            ErrorKind::AlreadyExists => Self::Exists(key.to_owned()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Unavailable(format!("{key}: {error}")),
        }
    }

    /// What an error of an object store means for the caller. `secrets` never reach the text:
    /// servers repeat parts of the request, the access key among them, when they refuse it.
    pub(crate) fn of_store(key: &str, error: &object_store::Error, secrets: &[String]) -> Self {
        match error {
            object_store::Error::NotFound { .. } if !names_no_bucket(error) => {
                Self::Missing(key.to_owned())
            }
            object_store::Error::AlreadyExists { .. } => Self::Exists(key.to_owned()),
            _ => Self::Unavailable(format!("{key}: {}", plain(&error.to_string(), secrets))),
        }
    }
}

/// Whether "not found" speaks of the whole bucket: then the blob is not known to be missing.
fn names_no_bucket(error: &object_store::Error) -> bool {
    error.to_string().contains("NoSuchBucket")
}

/// One short line without secrets.
pub(crate) fn plain(text: &str, secrets: &[String]) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "***");
    }
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => {
            text.truncate(end);
            text + "…"
        }
        None => text,
    }
}

/// Servers answer with whole pages; a log line needs the beginning.
const MOST_CHARACTERS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_room_and_nothing_else_is() {
        for (kind, expected) in [
            (ErrorKind::StorageFull, "no room in the blob store"),
            (ErrorKind::QuotaExceeded, "no room in the blob store"),
            (ErrorKind::NotFound, "no blob k"),
            (ErrorKind::AlreadyExists, "blob k exists"),
            (ErrorKind::PermissionDenied, "blob store: k: permission denied"),
        ] {
            assert_eq!(BlobError::of_disk("k", &kind.into()).to_string(), expected);
        }
    }

    #[test]
    fn secrets_and_pages_of_text_stay_out_of_errors() {
        let page = format!("<AccessKey>\n  AKIA123 {}", "x".repeat(1000));
        let text = plain(&page, &["AKIA123".to_owned(), String::new()]);
        assert!(text.starts_with("<AccessKey> *** xxx"), "{text}");
        assert!(text.chars().count() <= 301);
    }
}
