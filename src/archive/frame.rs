//! Fetching frames: one index row, then one ranged read a frame.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytes::BytesMut;
use futures::TryStreamExt;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::layout_of;
use crate::dicom::frames::FramePlace;
use crate::dicom::frames::FrameTable;
use crate::dicom::layout::Layout;
use crate::imaging::decode::check_syntax;
use crate::imaging::error::ImagingError;
use crate::imaging::render::StoredFrame;
use crate::index::port::Located;
use crate::model::path::InstancePath;

/// The longest frame answered whole from memory; a longer one is refused.
const MAX_FRAME_BYTES: u64 = 1 << 30;

/// Frames found and planned; nothing read yet.
#[derive(Debug, Clone)]
pub struct FramePlan {
    /// The instance.
    pub located: Located,
    /// How its bytes lie.
    pub layout: Arc<Layout>,
    /// Frame numbers asked for, each known to exist; from 1.
    pub frames: Vec<u32>,
}

impl Archive {
    /// Plans the frames of an instance. `Imaging(NoPixels | NoSuchFrame)` when they are not there.
    pub async fn frames(
        &self,
        permit: &Permit,
        path: &InstancePath,
        frames: &[u32],
    ) -> Result<FramePlan, ArchiveError> {
        let located = self.locate(permit, path).await?;
        let layout = layout_of(&located)?;
        for frame in frames {
            place_of(&located, &layout, *frame)?;
        }
        Ok(FramePlan { located, layout: Arc::new(layout), frames: frames.to_vec() })
    }

    /// Plans the frames of a located instance; `Imaging(NoPixels)` when it has none.
    pub fn plan(&self, permit: &Permit, located: &Located) -> Result<FramePlan, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let layout = layout_of(located)?;
        if layout.pixels.is_none() {
            return Err(ImagingError::NoPixels.into());
        }
        Ok(FramePlan { located: located.clone(), layout: Arc::new(layout), frames: Vec::new() })
    }

    /// The stored bytes of one planned frame: encapsulated frames joined from their fragments,
    /// bit-packed frames shifted to begin at a byte, big endian words turned where a frame begins or
    /// ends inside one.
    pub async fn frame_bytes(&self, plan: &FramePlan, frame: u32) -> Result<Bytes, ArchiveError> {
        Ok(self.stored_frame(&plan.located, &plan.layout, frame).await?.bytes)
    }

    /// Bytes of a planned frame as it is stored; nothing is read for it.
    pub fn frame_length(&self, plan: &FramePlan, frame: u32) -> Result<u64, ArchiveError> {
        let place = place_of(&plan.located, &plan.layout, frame)?;
        Ok(place.bits.map_or_else(|| length_of(&place), |bits| bits.div_ceil(8)))
    }

    /// Part of a planned frame's stored bytes. Only of a frame that begins inside a byte, or is
    /// deflated, more is read than the part.
    pub async fn frame_part(
        &self,
        plan: &FramePlan,
        frame: u32,
        part: Range<u64>,
    ) -> Result<Bytes, ArchiveError> {
        let (located, layout) = (&plan.located, &plan.layout);
        let place = place_of(located, layout, frame)?;
        let aligned = |bits: u64| place.bit_offset == 0 && !place.turned && bits.is_multiple_of(8);
        if layout.deflated || place.bits.is_some_and(|bits| !aligned(bits)) {
            let whole = self.frame_bytes(plan, frame).await?;
            let place =
                |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
            return Ok(whole.slice(place(part.start)..place(part.end)));
        }
        check_length(&place)?;
        let ranges: Vec<_> =
            cut(&place.ranges, &part).into_iter().map(|range| layout.blob_range(&range)).collect();
        Ok(join(self.inner.blobs.read_ranges(&located.blob_key, &ranges).await?))
    }

    /// Reads one frame, which counts from 1, to be decoded.
    pub(in crate::archive) async fn stored_frame(
        &self,
        located: &Located,
        layout: &Layout,
        frame: u32,
    ) -> Result<StoredFrame, ArchiveError> {
        let place = place_of(located, layout, frame)?;
        check_length(&place)?;
        let joined = if layout.deflated {
            self.inflated(located, layout, &place).await?
        } else {
            let ranges: Vec<_> =
                place.ranges.iter().map(|range| layout.blob_range(range)).collect();
            join(self.inner.blobs.read_ranges(&located.blob_key, &ranges).await?)
        };
        Ok(stored(located, &place, frame, joined))
    }

    async fn inflated(
        &self,
        located: &Located,
        layout: &Layout,
        place: &FramePlace,
    ) -> Result<Bytes, ArchiveError> {
        let mut joined = BytesMut::new();
        for range in &place.ranges {
            let mut pieces = self.data_set_stream(located, layout, range.clone());
            while let Some(piece) = pieces.try_next().await? {
                joined.extend_from_slice(&piece);
            }
        }
        Ok(joined.freeze())
    }
}

fn length_of(place: &FramePlace) -> u64 {
    place.ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum()
}

/// The ranges that hold bytes `part` of what `ranges` hold together.
fn cut(ranges: &[Range<u64>], part: &Range<u64>) -> Vec<Range<u64>> {
    let mut place = 0_u64;
    let mut cut = Vec::new();
    for range in ranges {
        let length = range.end.saturating_sub(range.start);
        let from = part.start.saturating_sub(place).min(length);
        let to = part.end.saturating_sub(place).min(length);
        if from < to {
            cut.push(range.start.saturating_add(from)..range.start.saturating_add(to));
        }
        place = place.saturating_add(length);
    }
    cut
}

/// A frame too long to be answered from memory is refused before it is read.
pub(in crate::archive) fn check_length(place: &FramePlace) -> Result<(), ArchiveError> {
    let bytes = length_of(place);
    if bytes > MAX_FRAME_BYTES {
        return Err(ImagingError::TooLarge { bytes }.into());
    }
    Ok(())
}

pub(in crate::archive) fn place_of(
    located: &Located,
    layout: &Layout,
    frame: u32,
) -> Result<FramePlace, ArchiveError> {
    let pixels = layout.pixels.as_ref().ok_or(ImagingError::NoPixels)?;
    if pixels.frames == FrameTable::Unknown {
        if let Err(video @ ImagingError::Video(_)) = check_syntax(&located.transfer_syntax) {
            return Err(video.into());
        }
        let reason = "where its frames begin cannot be told";
        return Err(ImagingError::Unsupported(reason.to_owned()).into());
    }
    let place = frame.checked_sub(1).and_then(|i| layout.frame(i, &located.transfer_syntax));
    Ok(place.ok_or(ImagingError::NoSuchFrame { frame, frames: located.frames })?)
}

/// A frame of what was read of it.
pub(in crate::archive) fn stored(
    located: &Located,
    place: &FramePlace,
    frame: u32,
    joined: Bytes,
) -> StoredFrame {
    let transfer_syntax = place.syntax(&located.transfer_syntax).to_owned();
    let bytes = place.taken_of(joined);
    StoredFrame { transfer_syntax, bytes, index: frame.saturating_sub(1) }
}

pub(in crate::archive) fn join(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() == 1 {
        return pieces.pop().unwrap_or_default();
    }
    pieces.concat().into()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_part_of_a_frame_is_found_in_its_fragments() {
        let fragments = [100..110, 118..120, 128..138];
        for (part, expected) in [
            (0..22, vec![100..110, 118..120, 128..138]),
            (0..10, vec![100..110]),
            (9..13, vec![109..110, 118..120, 128..129]),
            (12..99, vec![128..138]),
            (22..30, vec![]),
        ] {
            assert_eq!(cut(&fragments, &part), expected, "{part:?}");
        }
    }
}
