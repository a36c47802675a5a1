//! Instances in another transfer syntax, streamed frame by frame.
//!
//! Data set bytes that need not change are copied from the blob. Of native pixel data the length is
//! known beforehand and frames go out as they are decoded; encapsulated pixel data of several
//! frames is made as a whole first (see `fragments`). Lossless re-encoding keeps the SOP Instance UID
//! (PS3.3 §C.12.4.1.4, PS3.18 §8.7.3.4).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use dicom_core::Tag;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::file_pixels::NewPixels;
use crate::archive::frame::FramePlan;
use crate::archive::retrieve::ByteStream;
use crate::archive::retrieve::layout_of;
use crate::archive::turned::turned;
use crate::dicom::deidentify::Deidentifier;
use crate::dicom::deidentify::UidKey;
use crate::dicom::deidentify::statements;
use crate::dicom::layout::Layout;
use crate::dicom::layout::Piece;
use crate::dicom::native::parse_tag;
use crate::dicom::part10::MetaFields;
use crate::dicom::part10::write_prefix;
use crate::dicom::rewrite::Change;
use crate::dicom::rewrite::Changes;
use crate::dicom::rewrite::Rewriter;
use crate::dicom::rewrite::Segment;
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicom::syntax::Encoding;
use crate::dicom::uid::Uid;
use crate::imaging::error::ImagingError;
use crate::imaging::transcode::Target;
use crate::index::port::Located;

/// A Part 10 file made of a stored one.
pub struct FileAs {
    /// Its transfer syntax.
    pub transfer_syntax: &'static str,
    /// Its length.
    pub bytes: u64,
    /// Its bytes; an error ends them, and whoever passes them on must abort.
    pub body: ByteStream,
}

impl std::fmt::Debug for FileAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileAs")
            .field("transfer_syntax", &self.transfer_syntax)
            .finish_non_exhaustive()
    }
}

impl Archive {
    /// The Part 10 file of an instance in another transfer syntax; an object without pixel data in
    /// Explicit VR Little Endian, whatever is asked. `Imaging(Unsupported)` when it cannot be given
    /// so, `Imaging(Damaged)` when any of its frames does not decode: known before the first byte.
    pub async fn file_as(
        &self,
        permit: &Permit,
        located: &Located,
        target: Target,
    ) -> Result<FileAs, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let made = self.file_made(located, target, None).await;
        self.note_outcome(located, target, made.as_ref().err());
        made?.ok_or(ArchiveError::Denied)
    }

    /// The same without what identifies its patient, under UIDs of its own (PS3.15 §E.2); `None`
    /// when its pixels show who it is.
    pub async fn deidentified(
        &self,
        permit: &Permit,
        located: &Located,
        target: Target,
    ) -> Result<Option<FileAs>, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let key = self.uid_key().await?;
        self.file_made(located, target, Some(key)).await
    }

    /// What UIDs of de-identified objects are made with: one secret for the whole archive, so that
    /// what belonged together still does.
    async fn uid_key(&self) -> Result<UidKey, ArchiveError> {
        let mut proposed = [0; 32];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut proposed)
            .map_err(|_| ImagingError::Unsupported("the system gives no randomness".to_owned()))?;
        Ok(UidKey::new(&self.inner.index.secret("deidentify", &proposed).await?))
    }

    async fn file_made(
        &self,
        located: &Located,
        target: Target,
        key: Option<UidKey>,
    ) -> Result<Option<FileAs>, ArchiveError> {
        let layout = Arc::new(layout_of(located)?);
        let plan = FramePlan { located: located.clone(), layout, frames: Vec::new() };
        let plan = Arc::new(plan);
        // Of a deflated data set nothing can be read but all of it.
        let pieces = if plan.layout.deflated {
            Vec::new()
        } else {
            self.header_pieces(&plan.located, &plan.layout).await?
        };
        let pixels = self.new_pixels(&plan, Some(pieces.clone()), target).await?;
        let mut changes = Changes { elements: BTreeMap::new(), pixels: None };
        self.leave_out_icons(&plan, &mut changes).await?;
        pixels.describe(&mut changes)?;
        let segments = match &key {
            None => self.segments(&plan, &pieces, changes).await?,
            Some(key) => match self.segments_without(&plan, &pieces, changes, key).await? {
                Some(segments) => segments,
                None => return Ok(None),
            },
        };
        let transfer_syntax =
            if plan.layout.pixels.is_some() { target.uid() } else { EXPLICIT_LITTLE };
        let prefix = prefix(located, transfer_syntax, key.as_ref())?;
        let length = |segment: &Segment| match segment {
            Segment::Bytes(bytes) => bytes.len() as u64,
            Segment::Source { range, .. } => range.end.saturating_sub(range.start),
            Segment::Pixels => pixels.bytes(),
        };
        let bytes = segments.iter().map(length).fold(prefix.len() as u64, u64::saturating_add);
        let body = self.body(&plan, pieces, segments, pixels);
        let body = stream::iter([Ok(prefix)]).chain(body).boxed();
        Ok(Some(FileAs { transfer_syntax, bytes, body }))
    }

    /// Of what the new data set is made when nothing in it may identify its patient; `None` when
    /// its pixels do.
    async fn segments_without(
        &self,
        plan: &Arc<FramePlan>,
        pieces: &[Piece],
        mut changes: Changes,
        key: &UidKey,
    ) -> Result<Option<Vec<Segment>>, ArchiveError> {
        for (tag, vr, value) in statements() {
            changes.elements.insert(tag, Change::Set(vr, value));
        }
        let encoding = Encoding::of(&plan.located.transfer_syntax);
        let rewriter = Deidentifier::new(Rewriter::new(encoding, changes, true), key.clone());
        let heard = self.heard(plan, Some(pieces.to_vec()), rewriter).await?;
        let Some(rewriter) = heard.finish() else { return Ok(None) };
        let segments = rewriter.finish(plan.layout.inflated_bytes);
        segments.map(Some).map_err(|error| ImagingError::Unsupported(error.to_string()).into())
    }

    /// Of what the new data set is made. A data set that turns out to be in implicit VR, against
    /// its transfer syntax, is written anew.
    async fn segments(
        &self,
        plan: &Arc<FramePlan>,
        pieces: &[Piece],
        changes: Changes,
    ) -> Result<Vec<Segment>, ArchiveError> {
        let encoding = Encoding::of(&plan.located.transfer_syntax);
        let end = plan.layout.inflated_bytes;
        let rewriter = Rewriter::new(encoding, changes.clone(), false);
        let rewriter = self.heard(plan, Some(pieces.to_vec()), rewriter).await?;
        if let Ok(segments) = rewriter.finish(end) {
            return Ok(segments);
        }
        let rewriter = Rewriter::new(encoding, changes, true);
        let rewriter = self.heard(plan, Some(pieces.to_vec()), rewriter).await?;
        rewriter.finish(end).map_err(|error| ImagingError::Unsupported(error.to_string()).into())
    }

    /// Leaves out sequences with encapsulated pixel data in them (icons): it would have to be of
    /// the same transfer syntax as the data set (PS3.5 §A.4).
    async fn leave_out_icons(
        &self,
        plan: &Arc<FramePlan>,
        changes: &mut Changes,
    ) -> Result<(), ArchiveError> {
        let inner = |path: &str| path.contains('/') && path.ends_with("/7FE00010");
        for bulk in plan.layout.bulk.iter().filter(|bulk| inner(&bulk.path)).take(MAX_ICONS) {
            let head = bulk.value.start..bulk.value.end.min(bulk.value.start.saturating_add(4));
            let mut head = self.data_set_stream(&plan.located, &plan.layout, head);
            let head = head.try_next().await?.unwrap_or_default();
            if head.starts_with(&[0xFE, 0xFF, 0x00, 0xE0])
                && let Some(tag) = tag_of(&bulk.path)
            {
                changes.elements.insert(tag, Change::Remove);
            }
        }
        Ok(())
    }

    /// The new data set's bytes.
    fn body(
        &self,
        plan: &Arc<FramePlan>,
        pieces: Vec<Piece>,
        segments: Vec<Segment>,
        pixels: NewPixels,
    ) -> ByteStream {
        let (archive, plan) = (self.clone(), Arc::clone(plan));
        let mut pixels = Some(pixels);
        let mut source = Source::new(&archive, &plan, pieces);
        stream::iter(segments)
            .map(move |segment| match segment {
                Segment::Bytes(bytes) => stream::iter([Ok(Bytes::from(bytes))]).boxed(),
                Segment::Source { range, word } => turned(source.read(range), word),
                Segment::Pixels => match pixels.take() {
                    Some(pixels) => pixels.stream(&archive, &plan),
                    None => stream::empty().boxed(),
                },
            })
            .flatten()
            .boxed()
    }
}

/// Icons looked at.
const MAX_ICONS: usize = 64;

/// The tag a bulk path begins with.
fn tag_of(path: &str) -> Option<Tag> {
    parse_tag(path.get(..8)?)
}

fn prefix(
    located: &Located,
    transfer_syntax: &str,
    key: Option<&UidKey>,
) -> Result<Bytes, ArchiveError> {
    let unusable = |_| ArchiveError::Unidentified("a UID is unusable".to_owned());
    let instance = located.path.instance.as_str();
    let instance = key.map_or_else(|| instance.to_owned(), |key| key.replace(instance));
    let fields = MetaFields {
        sop_class: &Uid::parse(&located.sop_class).map_err(unusable)?,
        sop_instance: &Uid::parse(&instance).map_err(unusable)?,
        transfer_syntax: &Uid::parse(transfer_syntax).map_err(unusable)?,
        source_ae: None,
    };
    Ok(write_prefix(&fields).into())
}

/// Where source bytes are read from: the header's pieces, which are here, or the store.
struct Source {
    archive: Archive,
    plan: Arc<FramePlan>,
    pieces: Vec<Piece>,
}

impl Source {
    fn new(archive: &Archive, plan: &Arc<FramePlan>, pieces: Vec<Piece>) -> Self {
        Self { archive: archive.clone(), plan: Arc::clone(plan), pieces }
    }

    /// Bytes of the data set. What lies in several pieces, with bulk values between them, is read
    /// from the store where it is not here.
    fn read(&mut self, range: Range<u64>) -> ByteStream {
        let layout: &Layout = &self.plan.layout;
        if layout.deflated {
            return self.archive.data_set_stream(&self.plan.located, layout, range);
        }
        let wanted = layout.blob_range(&range);
        let mut streams = Vec::new();
        let mut place = wanted.start;
        for piece in &self.pieces {
            let end = piece.start.saturating_add(piece.bytes.len() as u64);
            if end <= place || piece.start >= wanted.end {
                continue;
            }
            if place < piece.start {
                streams.push(self.stored(place..piece.start));
                place = piece.start;
            }
            let to = end.min(wanted.end);
            if let Some(bytes) = cut(piece, place..to) {
                streams.push(stream::iter([Ok(bytes)]).boxed());
                place = to;
            }
        }
        if place < wanted.end {
            streams.push(self.stored(place..wanted.end));
        }
        stream::iter(streams).flatten().boxed()
    }

    fn stored(&self, range: Range<u64>) -> ByteStream {
        // Opened when it is its turn: not all at once.
        let (archive, key) = (self.archive.clone(), self.plan.located.blob_key.clone());
        stream::once(async move { archive.blob_stream(&key, range) }).flatten().boxed()
    }
}

fn cut(piece: &Piece, range: Range<u64>) -> Option<Bytes> {
    let from = usize::try_from(range.start.checked_sub(piece.start)?).ok()?;
    let to = usize::try_from(range.end.checked_sub(piece.start)?).ok()?;
    (from <= to && to <= piece.bytes.len()).then(|| piece.bytes.slice(from..to))
}
