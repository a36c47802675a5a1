//! The index's face for checks of what is kept beside the copies that are served.

use async_trait::async_trait;

use crate::index::error::IndexError;

/// A blob with the hash it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBlob {
    /// Row id; pages follow it.
    pub id: i64,
    /// Key of the blob.
    pub blob_key: String,
    /// Bytes of the blob.
    pub blob_bytes: u64,
    /// Bytes at its beginning that the hash leaves out.
    pub before: u64,
    /// SHA-256 of the rest.
    pub sha256: [u8; 32],
}

/// What kind of thing keeps a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptKind {
    /// A document.
    Document,
    /// A file sent to the national gateway.
    Sent,
    /// A copy in the bin.
    Binned,
}

impl KeptKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Document, Self::Sent, Self::Binned];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Sent => "sent file",
            Self::Binned => "binned copy",
        }
    }
}

/// Blobs with their hashes.
#[async_trait]
pub trait KeptRows: Send + Sync {
    /// Blobs of a kind after row id `after`, at most `limit`.
    async fn kept(
        &self,
        kind: KeptKind,
        after: i64,
        limit: u32,
    ) -> Result<Vec<KeptBlob>, IndexError>;
}
