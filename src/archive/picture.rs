//! Pictures for looking at: rendered frames and thumbnails.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::imaging::render::RenderRequest;
use crate::model::path::Scope;

/// A picture, encoded.
#[derive(Debug, Clone)]
pub struct Picture {
    /// `image/jpeg` or `image/png`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
    /// Strong validator, without quotes.
    pub etag: String,
}

impl Archive {
    /// Draws a frame: of the instance named, else of the middle instance of the series or study;
    /// `frame` counts from 1, `None` means the middle one.
    pub async fn rendered(
        &self,
        permit: &Permit,
        scope: &Scope,
        frame: Option<u32>,
        request: &RenderRequest,
    ) -> Result<Picture, ArchiveError> {
        todo!("{permit:?} {scope:?} {frame:?} {request:?}")
    }

    /// The thumbnail of a study (its first series'), series, instance or frame: JPEG, without
    /// identifying annotation.
    pub async fn thumbnail(
        &self,
        permit: &Permit,
        scope: &Scope,
        frame: Option<u32>,
    ) -> Result<Picture, ArchiveError> {
        todo!("{permit:?} {scope:?} {frame:?}")
    }
}
