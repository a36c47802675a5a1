//! Writing one blob: bounded memory, durable when finished, no trace when dropped.

use bytes::Bytes;

use crate::blobs::error::BlobError;

/// A blob on its way in. Dropped unfinished, it leaves nothing that the sweep will not remove.
#[derive(Debug)]
pub struct BlobWriter {}

impl BlobWriter {
    /// The key the blob will have.
    pub fn key(&self) -> &str {
        todo!()
    }

    /// Takes the next bytes; waits while the store is behind.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        todo!("{bytes:?}")
    }

    /// Makes the blob durable under its key; returns its length.
    pub async fn finish(self) -> Result<u64, BlobError> {
        todo!()
    }

    /// Gives up and removes what was written.
    pub async fn abort(self) {
        todo!()
    }
}
