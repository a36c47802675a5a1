//! The blob store: what the rooms above may ask of bytes.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKind;
use crate::blobs::writer::BlobWriter;

/// Blobs under immutable keys; cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {}

/// A blob as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Key.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// Last written, µs since 1970.
    pub modified_us: i64,
}

impl Blobs {
    /// Begins a blob under a new key.
    pub fn begin(&self, kind: BlobKind) -> BlobWriter {
        todo!("{kind:?}")
    }

    /// Writes a small blob durably; returns its key.
    pub async fn put(&self, kind: BlobKind, bytes: Bytes) -> Result<String, BlobError> {
        todo!("{kind:?} {bytes:?}")
    }

    /// Reads a range whole. Identical concurrent reads share one.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes, BlobError> {
        todo!("{key} {range:?}")
    }

    /// Reads ranges, neighbours merged into one request; the answers in the order asked.
    pub async fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, BlobError> {
        todo!("{key} {ranges:?}")
    }

    /// Streams a range in bounded pieces; ends in an error, never short.
    pub fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, BlobError>> {
        todo!("{key} {range:?}")
    }

    /// Removes a blob; removing one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        todo!("{key}")
    }

    /// All blobs, in no order, page after page.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, BlobError>> {
        todo!()
    }

    /// `NoRoom` when less is free than the reserve set aside.
    pub async fn check_room(&self) -> Result<(), BlobError> {
        todo!()
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), BlobError> {
        todo!()
    }
}
