//! Fetching instances and bulk values as they are stored.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use futures::stream::BoxStream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::inflate;
use crate::archive::scope::unknown;
use crate::dicom::layout::Layout;
use crate::index::error::IndexError;
use crate::index::port::Located;
use crate::model::path::InstancePath;
use crate::model::path::Scope;

/// Bytes as they come from the store; an error ends them, and whoever passes them on must abort.
pub type ByteStream = BoxStream<'static, Result<Bytes, ArchiveError>>;

/// Instances in order; an error ends them, and whoever passes them on must abort.
pub type InstanceStream = BoxStream<'static, Result<Located, ArchiveError>>;

/// Rows fetched at a time while a study streams.
const PAGE: u32 = 200;

/// A bulk value.
#[derive(Debug, Clone)]
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
    pub(in crate::archive) located: Located,
    pub(in crate::archive) value: Range<u64>,
    pub(in crate::archive) layout: Layout,
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
        let scope = self.resolve(permit, scope).await?;
        let first = self.inner.index.list(&scope, None, PAGE).await?;
        if first.is_empty() {
            return Err(unknown(&scope));
        }
        let pages = Pages { archive: self.clone(), scope, last: first.len(), page: first.into() };
        Ok(stream::try_unfold(pages, Pages::next).boxed())
    }

    /// The Part 10 file of an instance, exactly `located.blob_bytes` long, as stored.
    pub fn file(&self, permit: &Permit, located: &Located) -> Result<ByteStream, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        Ok(self.blob_stream(&located.blob_key, 0..located.blob_bytes))
    }

    /// Finds a bulk value by its path below the instance (`7FE00010`, `54000100/1/54001010`: tags
    /// and 1-based item numbers).
    pub async fn bulk(
        &self,
        permit: &Permit,
        path: &InstancePath,
        value: &str,
    ) -> Result<Bulk, ArchiveError> {
        let located = self.locate(permit, path).await?;
        let layout = layout_of(&located)?;
        let found = layout
            .bulk(value)
            .ok_or_else(|| ArchiveError::Unknown("this bulk value".to_owned()))?;
        let (range, vr) = (found.value.clone(), found.vr.to_string().to_owned());
        Ok(Bulk {
            bytes: range.end.saturating_sub(range.start),
            etag: format!("{}-{}", hex(&located.data_set_sha256), range.start),
            vr,
            place: BulkPlace { located, value: range, layout },
        })
    }

    /// Streams part of a bulk value: bytes `from..to` of it (0-based, end excluded).
    pub fn read_bulk(
        &self,
        permit: &Permit,
        place: &BulkPlace,
        from: u64,
        to: u64,
    ) -> Result<ByteStream, ArchiveError> {
        if !permit.covers_study(&place.located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let start = place.value.start.saturating_add(from);
        let end = place.value.start.saturating_add(to).min(place.value.end);
        Ok(self.data_set_stream(&place.located, &place.layout, start..end.max(start)))
    }

    /// Part of a data set: read by range, or inflated from the start when the syntax deflates.
    pub(in crate::archive) fn data_set_stream(
        &self,
        located: &Located,
        layout: &Layout,
        range: Range<u64>,
    ) -> ByteStream {
        if !layout.deflated {
            return self.blob_stream(&located.blob_key, layout.blob_range(&range));
        }
        let whole = layout.data_set_start..layout.data_set_start + layout.data_set_bytes;
        inflate::part(self.blob_stream(&located.blob_key, whole), range)
    }

    pub(in crate::archive) fn blob_stream(&self, key: &str, range: Range<u64>) -> ByteStream {
        self.inner.blobs.stream(key, range).map_err(ArchiveError::from).boxed()
    }
}

/// The layout kept with an index row.
pub(in crate::archive) fn layout_of(located: &Located) -> Result<Layout, ArchiveError> {
    Layout::from_bytes(&located.layout).map_err(|error| {
        IndexError::Inconsistent(format!("layout of instance row {}: {error}", located.id)).into()
    })
}

/// Lower case hexadecimal.
pub(in crate::archive) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Walks the rows of a scope page by page.
struct Pages {
    archive: Archive,
    scope: Scope,
    /// Rows of the page fetched last.
    last: usize,
    page: VecDeque<Located>,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(Located, Self)>, ArchiveError> {
        let Some(located) = self.page.pop_front() else { return Ok(None) };
        if self.page.is_empty() && self.last == PAGE as usize {
            let rows = self.archive.inner.index.list(&self.scope, Some(located.id), PAGE).await?;
            self.last = rows.len();
            self.page = rows.into();
        }
        Ok(Some((located, self)))
    }
}
