//! Documents for reading: structured reports as pages, encapsulated documents as they are.

use bytes::Bytes;
use dicom_core::Tag;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::picture::Picture;
use crate::archive::picture::short;
use crate::archive::retrieve::ByteStream;
use crate::archive::retrieve::hex;
use crate::archive::retrieve::layout_of;
use crate::dicom::layout::Layout;
use crate::documents::cda;
use crate::documents::page::Page;
use crate::documents::report;
use crate::imaging::error::ImagingError;
use crate::index::port::Located;

/// How a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// `text/html`.
    Html,
    /// `text/plain`.
    Plain,
}

/// An encapsulated document (PS3.3 §C.24.2), its bytes not read yet.
#[derive(Debug, Clone)]
pub struct Encapsulated {
    /// Its media type, lower case.
    pub media_type: String,
    /// Bytes, without the padding to an even length.
    pub bytes: u64,
    /// Strong validator, without quotes.
    pub etag: String,
    located: Located,
    layout: Layout,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Kept(Bytes),
    Bulk(std::ops::Range<u64>),
}

impl Reading {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Plain => "text/plain; charset=utf-8",
        }
    }

    /// A page, written so.
    pub fn write(self, page: &Page) -> String {
        match self {
            Self::Html => page.html(),
            Self::Plain => page.plain(),
        }
    }
}

/// Strong validator, without quotes, of a document read so.
pub fn reading_tag(located: &Located, reading: Reading) -> String {
    short(&format!("{}-{reading:?}", hex(&located.data_set_sha256)))
}

impl Archive {
    /// A structured report as a page.
    pub async fn report(
        &self,
        permit: &Permit,
        located: &Located,
        reading: Reading,
    ) -> Result<Picture, ArchiveError> {
        check_study(permit, located)?;
        let tree = self.tree_of(located, &layout_of(located)?).await?;
        let work = move || Ok(reading.write(&report::page(&tree)));
        let page = self.inner.pool.run(located.blob_bytes.min(MAX_PAGE_BYTES), work).await?;
        Ok(finished(located, reading, page))
    }

    /// The document an instance holds. `NoPixels` when it holds none.
    pub async fn encapsulated(
        &self,
        permit: &Permit,
        located: &Located,
    ) -> Result<Encapsulated, ArchiveError> {
        check_study(permit, located)?;
        let layout = layout_of(located)?;
        let tree = self.tree_of(located, &layout).await?;
        let root = tree.root();
        let place = match (root.bytes(DOCUMENT), root.bulk(DOCUMENT)) {
            (Some(bytes), _) => Place::Kept(Bytes::copy_from_slice(bytes)),
            (None, Some(range)) => Place::Bulk(range),
            (None, None) => return Err(ImagingError::NoPixels.into()),
        };
        let stored = match &place {
            Place::Kept(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Place::Bulk(range) => range.end.saturating_sub(range.start),
        };
        // Encapsulated Document Length, one less than stored when the value was padded.
        let said = root.whole(Tag(0x0042, 0x0015)).map(u64::from);
        let bytes = said.filter(|said| *said == stored || said.saturating_add(1) == stored);
        let media_type = root.text(Tag(0x0042, 0x0012)).unwrap_or_default().to_lowercase();
        Ok(Encapsulated {
            media_type: if media_type.is_empty() {
                of_class(&located.sop_class)
            } else {
                media_type
            },
            bytes: bytes.unwrap_or(stored),
            etag: short(&format!("{}-document", hex(&located.data_set_sha256))),
            located: located.clone(),
            layout,
            place,
        })
    }

    /// An encapsulated document's bytes.
    pub fn document_bytes(&self, document: &Encapsulated) -> ByteStream {
        match &document.place {
            Place::Kept(bytes) => {
                let end = usize::try_from(document.bytes).unwrap_or(usize::MAX).min(bytes.len());
                Box::pin(futures::stream::iter([Ok(bytes.slice(..end))]))
            }
            Place::Bulk(range) => {
                let end = range.start.saturating_add(document.bytes);
                self.data_set_stream(&document.located, &document.layout, range.start..end)
            }
        }
    }

    /// The narrative of an encapsulated CDA document as a page.
    pub async fn narrative(
        &self,
        document: &Encapsulated,
        reading: Reading,
    ) -> Result<Picture, ArchiveError> {
        let located = &document.located;
        let xml = match &document.place {
            Place::Kept(bytes) => bytes.clone(),
            Place::Bulk(range) => {
                self.whole_bulk(located, &document.layout, range.clone(), cda::MAX_BYTES).await?
            }
        };
        let tree = self.tree_of(located, &document.layout).await?;
        let bytes = u64::try_from(xml.len()).unwrap_or(u64::MAX).saturating_mul(6);
        let work = move || {
            let page = cda::page(&xml).map_err(|error| ImagingError::Damaged(error.to_string()))?;
            Ok(reading.write(&Page { facts: report::facts(tree.root()), ..page }))
        };
        let page = self.inner.pool.run(bytes, work).await?;
        Ok(finished(located, reading, page))
    }
}

fn check_study(permit: &Permit, located: &Located) -> Result<(), ArchiveError> {
    if permit.covers_study(&located.path.study) { Ok(()) } else { Err(ArchiveError::Denied) }
}

fn finished(located: &Located, reading: Reading, page: String) -> Picture {
    Picture {
        media_type: reading.media_type(),
        bytes: page.into(),
        etag: reading_tag(located, reading),
    }
}

/// The media type of an encapsulated document that names none.
fn of_class(sop_class: &str) -> String {
    let storage = sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.104.").unwrap_or_default();
    let media = match storage {
        "1" => "application/pdf",
        "2" => "text/xml",
        "3" => "model/stl",
        "4" => "model/obj",
        "5" => "model/mtl",
        _ => "application/octet-stream",
    };
    media.to_owned()
}

const DOCUMENT: Tag = Tag(0x0042, 0x0011);

/// What writing a page is admitted for; headers are bounded by the scan.
const MAX_PAGE_BYTES: u64 = 64 * 1024 * 1024;
