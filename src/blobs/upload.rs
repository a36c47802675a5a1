//! A blob on its way to an object store.
//!
//! Smaller than a part: gathered and put with one request. Else a multipart upload, its parts all
//! of one size but the last (some stores want that) and a few in flight. Memory: one part being
//! gathered and `parts_in_flight` on their way, a writer; all writers together have at most
//! [`Remote::parts`] on their way. A crash leaves an upload that no listing shows: give the bucket
//! a lifecycle rule that ends incomplete multipart uploads.

use std::sync::Arc;

use bytes::Bytes;
use object_store::MultipartUpload;
use object_store::ObjectStoreExt;
use object_store::PutMode;
use object_store::PutPayload;
use tokio::task::JoinSet;

use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKey;
use crate::blobs::pending::Pending;
use crate::blobs::remote::Remote;
use crate::blobs::remote::path;
use crate::steps::Step;
use crate::steps::come_to;

/// Gathers parts and sends them.
#[derive(Debug)]
pub(crate) struct Upload {
    remote: Arc<Remote>,
    key: BlobKey,
    pending: Pending,
    bytes: u64,
    multipart: Option<Box<dyn MultipartUpload>>,
    parts: JoinSet<Result<(), object_store::Error>>,
    failed: Option<BlobError>,
}

impl Upload {
    /// Begins; nothing is sent before a part is full.
    pub(crate) fn new(remote: Arc<Remote>, key: BlobKey) -> Self {
        Self {
            remote,
            key,
            pending: Pending::default(),
            bytes: 0,
            multipart: None,
            parts: JoinSet::new(),
            failed: None,
        }
    }

    /// Takes bytes; waits when enough parts are in flight.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.pending.push(bytes);
        let full = self.send_full_parts().await;
        self.remember(full)
    }

    /// Sends the rest; when this answers, the store has the blob.
    pub(crate) async fn finish(mut self) -> Result<u64, BlobError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Err(error) = self.send_rest().await {
            self.abort().await;
            return Err(error);
        }
        self.multipart = None;
        self.remote.stats.written(self.bytes);
        Ok(self.bytes)
    }

    /// Ends the upload and has the store forget its parts.
    pub(crate) async fn abort(mut self) {
        self.parts.shutdown().await;
        if let Some(mut upload) = self.multipart.take()
            && let Err(error) = upload.abort().await
        {
            let error = self.remote.error(self.key.as_str(), &error);
            tracing::warn!(%error, "multipart upload not ended: its parts stay in the store");
        }
    }

    async fn send_full_parts(&mut self) -> Result<(), BlobError> {
        while self.pending.len() >= self.remote.part_bytes {
            // Room first: cancelled while waiting, nothing was taken out.
            self.wait_for_parts(self.remote.parts_in_flight).await?;
            self.send_part().await?;
        }
        Ok(())
    }

    async fn send_rest(&mut self) -> Result<(), BlobError> {
        self.send_full_parts().await?;
        if self.multipart.is_none() {
            let payload = PutPayload::from_iter(self.pending.take());
            come_to(Step::AllWritten);
            return self.remote.put(&self.key, payload).await;
        }
        if self.pending.len() > 0 {
            self.send_part().await?;
        }
        self.wait_for_parts(1).await?;
        come_to(Step::AllWritten);
        if let Some(upload) = &mut self.multipart {
            let done = upload.complete().await;
            done.map_err(|error| self.remote.error(self.key.as_str(), &error))?;
        }
        Ok(())
    }

    async fn send_part(&mut self) -> Result<(), BlobError> {
        if self.multipart.is_none() {
            let begun = self.remote.store.put_multipart(&path(&self.key)).await;
            self.multipart =
                Some(begun.map_err(|error| self.remote.error(self.key.as_str(), &error))?);
            come_to(Step::BlobBegun);
        }
        let place = self.remote.parts.place().await?;
        let payload = PutPayload::from_iter(self.pending.take_front(self.remote.part_bytes));
        if let Some(upload) = &mut self.multipart {
            let part = upload.put_part(payload);
            self.parts.spawn(async move {
                let sent = part.await;
                come_to(Step::BytesWritten);
                drop(place);
                sent
            });
        }
        Ok(())
    }

    /// Waits until fewer than `fewer_than` parts are in flight.
    async fn wait_for_parts(&mut self, fewer_than: usize) -> Result<(), BlobError> {
        while self.parts.len() >= fewer_than.max(1)
            && let Some(joined) = self.parts.join_next().await
        {
            match joined {
                Ok(sent) => sent.map_err(|error| self.remote.error(self.key.as_str(), &error))?,
                Err(_lost) => {
                    return Err(BlobError::Unavailable(format!(
                        "{}: a part was lost",
                        self.key.as_str()
                    )));
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, result: Result<(), BlobError>) -> Result<(), BlobError> {
        self.failed = result.as_ref().err().cloned();
        result
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut upload) = self.multipart.take() else { return };
        let mut parts = std::mem::take(&mut self.parts);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move {
                parts.shutdown().await;
                if upload.abort().await.is_err() {
                    tracing::warn!("multipart upload not ended: its parts stay in the store");
                }
            }));
        }
    }
}

/// How blobs may be put: stores that cannot refuse to overwrite are told not to be asked.
pub(crate) fn put_mode(conditional: bool) -> PutMode {
    if conditional { PutMode::Create } else { PutMode::Overwrite }
}
