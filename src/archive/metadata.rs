//! Metadata as DICOM JSON: precomputed once a series is quiet, else written from header ranges.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::model::path::Scope;

/// Metadata of a study, series or instance: one JSON array.
pub enum Metadata {
    /// Precomputed, gzip-compressed.
    Gzipped(Bytes),
    /// Written now, plain JSON, in pieces; an error ends it, and whoever passes it on must abort.
    Plain(ByteStream),
}

impl Archive {
    /// Strong validator (without quotes) of a scope's metadata; changes when any instance of it
    /// comes, goes or changes, and with the base URL.
    pub async fn metadata_etag(
        &self,
        permit: &Permit,
        scope: &Scope,
        base: &str,
    ) -> Result<String, ArchiveError> {
        todo!("{permit:?} {scope:?} {base}")
    }

    /// Metadata of a scope, every BulkDataURI below `base` (`http://host/dicom-web`).
    pub async fn metadata(
        &self,
        permit: &Permit,
        scope: &Scope,
        base: &str,
    ) -> Result<Metadata, ArchiveError> {
        todo!("{permit:?} {scope:?} {base}")
    }
}
