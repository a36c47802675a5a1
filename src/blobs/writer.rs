//! Writing one blob: bounded memory, durable when finished, no trace when dropped.

use bytes::Bytes;

use crate::blobs::disk_writer::DiskWriter;
use crate::blobs::error::BlobError;
use crate::blobs::stats::InFlight;
use crate::blobs::upload::Upload;

/// A blob on its way in. Dropped unfinished, it leaves nothing that the sweep will not remove.
///
/// A call that is cancelled half-way leaves it unknown how much was taken: drop the writer then.
#[derive(Debug)]
#[must_use = "a writer dropped unfinished stores nothing"]
pub struct BlobWriter {
    key: String,
    way: Way,
    _in_flight: InFlight,
}

/// Where to.
#[derive(Debug)]
pub(crate) enum Way {
    Disk(DiskWriter),
    Upload(Upload),
}

impl BlobWriter {
    pub(crate) fn new(key: String, way: Way, in_flight: InFlight) -> Self {
        Self { key, way, _in_flight: in_flight }
    }

    /// The key the blob will have.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Takes the next bytes; waits while the store is behind. After an error only [`Self::abort`]
    /// or dropping makes sense: every later call fails the same way.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        match &mut self.way {
            Way::Disk(writer) => writer.write(bytes).await,
            Way::Upload(upload) => upload.write(bytes).await,
        }
    }

    /// Makes the blob durable under its key; returns its length. On an error, or when cancelled,
    /// the blob is not there, or is an orphan that the sweep removes.
    pub async fn finish(self) -> Result<u64, BlobError> {
        match self.way {
            Way::Disk(writer) => writer.finish().await,
            Way::Upload(upload) => upload.finish().await,
        }
    }

    /// Gives up and removes what was written; done when it is gone.
    pub async fn abort(self) {
        match self.way {
            Way::Disk(writer) => writer.abort().await,
            Way::Upload(upload) => upload.abort().await,
        }
    }
}
