//! Fetching instances and bulk values as they are stored.

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::index::port::Located;
use crate::model::path::{InstancePath, Scope};

/// Bytes as they come from the store; an error ends them, and whoever passes them on must abort.
pub type ByteStream = BoxStream<'static, Result<Bytes, ArchiveError>>;

/// Instances in order; an error ends them, and whoever passes them on must abort.
pub type InstanceStream = BoxStream<'static, Result<Located, ArchiveError>>;

/// A bulk value.
pub struct Bulk {
    /// Its bytes' number.
    pub bytes: u64,
    /// Strong validator (without quotes).
    pub etag: String,
    /// Its value representation's two letters.
    pub vr: String,
    /// Where it lies; for `Archive::read_bulk`.
    pub place: BulkPlace,
}

/// Where a bulk value lies.
#[derive(Debug, Clone)]
pub struct BulkPlace {
    /// The blob.
    pub blob_key: String,
    /// Ranges of the blob, to be read one after the other.
    pub ranges: Vec<std::ops::Range<u64>>,
}

impl Archive {
    /// The instances of a study, series, or one instance, in series and instance number order.
    /// `Unknown` when there is none, `Ambiguous` when the study UID is kept under several patients
    /// and the scope names neither series nor patient.
    pub async fn instances(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<InstanceStream, ArchiveError> {
        todo!("{permit:?} {scope:?}")
    }

    /// The Part 10 file of an instance, exactly `located.blob_bytes` long, as stored.
    pub fn file(&self, permit: &Permit, located: &Located) -> Result<ByteStream, ArchiveError> {
        todo!("{permit:?} {located:?}")
    }

    /// Finds a bulk value by its path below the instance (`7FE00010`, `54000100/1/54001010`: tags
    /// and 1-based item numbers).
    pub async fn bulk(
        &self,
        permit: &Permit,
        path: &InstancePath,
        value: &str,
    ) -> Result<Bulk, ArchiveError> {
        todo!("{permit:?} {path:?} {value}")
    }

    /// Streams part of a bulk value: bytes `from..to` of it (0-based, end excluded).
    pub fn read_bulk(
        &self,
        permit: &Permit,
        place: &BulkPlace,
        from: u64,
        to: u64,
    ) -> Result<ByteStream, ArchiveError> {
        todo!("{permit:?} {place:?} {from} {to}")
    }
}
