//! Frames in another transfer syntax: one ranged read, one frame re-encoded, once however many ask.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::flights::Flights;
use crate::archive::fragments::Fragments;
use crate::archive::frame::FramePlan;
use crate::archive::frame::check_length;
use crate::archive::frame::join;
use crate::archive::frame::place_of;
use crate::archive::frame::stored;
use crate::archive::kept::Kept;
use crate::archive::prove::Outcome;
use crate::archive::retrieve::hex;
use crate::dicom::layout::Piece;
use crate::dicom::scan::Visit;
use crate::dicom::syntax::Encoding;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::Photometric;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::pixels::PixelCollector;
use crate::imaging::render::StoredFrame;
use crate::imaging::transcode::Form;
use crate::imaging::transcode::Target;
use crate::imaging::transcode::transcode;
use crate::imaging::transcode::transcoding_cost;

/// Bytes of re-encoded frames kept in memory.
pub(in crate::archive) const FRAMES_KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of pixel attributes kept, a few hundred each.
const ATTRIBUTES_KEPT_BYTES: u64 = 2 * 1024 * 1024;
/// Headers up to so many bytes are scanned on the async thread: well under 0.5 ms.
const INLINE_HEADER_BYTES: usize = 64 * 1024;

/// Re-encoded frames and files, being made and made before.
#[derive(Debug)]
pub(in crate::archive) struct Transcoding {
    frames: Kept<CodedFrame>,
    attributes: Kept<Arc<PixelAttributes>>,
    frame_flights: Flights<CodedFrame>,
    /// What is known of whole instances.
    pub(in crate::archive) outcomes: Kept<Outcome>,
    /// Values of whole instances.
    pub(in crate::archive) fragments: Kept<Arc<Fragments>>,
    /// The same, being made.
    pub(in crate::archive) fragment_flights: Flights<Arc<Fragments>>,
}

impl Default for Transcoding {
    fn default() -> Self {
        Self {
            frames: Kept::new(FRAMES_KEPT_BYTES).told_by("lastra_frame_cache_bytes"),
            attributes: Kept::new(ATTRIBUTES_KEPT_BYTES)
                .told_by("lastra_pixel_attribute_cache_bytes"),
            frame_flights: Flights::default(),
            outcomes: Kept::new(Outcome::KEPT_BYTES).told_by("lastra_proof_cache_bytes"),
            fragments: Kept::new(Fragments::KEPT_BYTES).told_by("lastra_fragment_cache_bytes"),
            fragment_flights: Flights::default(),
        }
    }
}

/// A frame in another transfer syntax.
#[derive(Debug, Clone)]
pub(in crate::archive) struct CodedFrame {
    /// Its bytes, unpadded.
    pub(in crate::archive) bytes: Bytes,
    /// What they are.
    pub(in crate::archive) form: Form,
}

impl Archive {
    /// A planned frame, from 1, in another transfer syntax. `Imaging(Unsupported)` when it cannot
    /// be given so, `Imaging(Damaged)` when it does not decode.
    pub async fn frame_as(
        &self,
        plan: &Arc<FramePlan>,
        frame: u32,
        target: Target,
    ) -> Result<Bytes, ArchiveError> {
        Ok(self.coded_frame(plan, frame, target, true).await?.bytes)
    }

    /// Photometric Interpretation of a planned frame's data set and of its decoded samples, where the
    /// two differ, as they may (PS3.18 §10.4.1.1.2).
    pub async fn decoded_as(
        &self,
        plan: &Arc<FramePlan>,
        frame: u32,
    ) -> Result<Option<(Photometric, Photometric)>, ArchiveError> {
        let said = self.pixel_attributes(plan, None).await?.photometric.clone();
        let of_streams = matches!(
            said,
            Photometric::YbrFull422
                | Photometric::YbrPartial422
                | Photometric::YbrPartial420
                | Photometric::YbrIct
                | Photometric::YbrRct
                | Photometric::Xyb
        );
        if !of_streams {
            return Ok(None);
        }
        let is = self.coded_frame(plan, frame, Target::Native, true).await?.form.photometric;
        Ok((said != is).then_some((said, is)))
    }

    /// A planned frame in another transfer syntax, with what it is; `keep`: for the next who asks, which those of whole files need not
    /// be.
    pub(in crate::archive) async fn coded_frame(
        &self,
        plan: &Arc<FramePlan>,
        frame: u32,
        target: Target,
        keep: bool,
    ) -> Result<CodedFrame, ArchiveError> {
        let transcoding = &self.inner.transcoding;
        let name = format!("{}-{frame}-{}", plan.content(), target.uid());
        if let Some(kept) = transcoding.frames.get(&name) {
            return Ok(kept);
        }
        let (archive, plan) = (self.clone(), Arc::clone(plan));
        let key = name.clone();
        let work = || {
            let work = async move {
                let coded = archive.code_frame(&plan, frame, target).await?;
                if keep {
                    let bytes = coded.bytes.len() as u64;
                    archive.inner.transcoding.frames.put(key, coded.clone(), bytes);
                }
                Ok::<_, ArchiveError>(coded)
            };
            work.boxed()
        };
        transcoding.frame_flights.join(&name, work).await
    }

    async fn code_frame(
        &self,
        plan: &Arc<FramePlan>,
        frame: u32,
        target: Target,
    ) -> Result<CodedFrame, ArchiveError> {
        let (attributes, stored) = self.attributes_and_frame(plan, frame).await?;
        let cost = transcoding_cost(&attributes, &stored);
        let work = move || transcode(&attributes, &stored, target);
        let coded = self.inner.pool.run(cost, work).await?;
        metrics::counter!("lastra_imaging_transcoded_total", "syntax" => target.uid()).increment(1);
        Ok(CodedFrame { bytes: coded.bytes.into(), form: coded.form })
    }

    /// What a frame decodes by, and its stored bytes; in one request to the store where the header
    /// has not been read before and lies beside the frame.
    async fn attributes_and_frame(
        &self,
        plan: &Arc<FramePlan>,
        frame: u32,
    ) -> Result<(Arc<PixelAttributes>, StoredFrame), ArchiveError> {
        let (located, layout) = (&plan.located, &plan.layout);
        if layout.deflated {
            let attributes = self.pixel_attributes(plan, None).await?;
            return Ok((attributes, self.stored_frame(located, layout, frame).await?));
        }
        if let Some(kept) = self.inner.transcoding.attributes.get(&plan.content()) {
            return Ok((kept, self.stored_frame(located, layout, frame).await?));
        }
        let place = place_of(located, layout, frame)?;
        check_length(&place)?;
        let mut ranges = layout.header_ranges();
        let headers = ranges.len();
        ranges.extend(place.ranges.iter().map(|range| layout.blob_range(range)));
        let mut read = self.inner.blobs.read_ranges(&located.blob_key, &ranges).await?;
        let joined = join(read.split_off(headers.min(read.len())));
        let frame = stored(located, &place, frame, joined);
        let pieces = ranges.into_iter().zip(read);
        let pieces = pieces.map(|(range, bytes)| Piece { start: range.start, bytes }).collect();
        Ok((self.pixel_attributes(plan, Some(pieces)).await?, frame))
    }

    /// What an instance's frames decode by: kept, or heard from its header, which is read when it
    /// is not given.
    pub(in crate::archive) async fn pixel_attributes(
        &self,
        plan: &Arc<FramePlan>,
        pieces: Option<Vec<Piece>>,
    ) -> Result<Arc<PixelAttributes>, ArchiveError> {
        let content = plan.content();
        if let Some(kept) = self.inner.transcoding.attributes.get(&content) {
            return Ok(kept);
        }
        let collector = PixelCollector::new(Encoding::of(&plan.located.transfer_syntax));
        let heard = self.heard(plan, pieces, collector).await?.finish();
        let attributes = Arc::new(heard.of_samples());
        self.inner.transcoding.attributes.put(content, Arc::clone(&attributes), 512);
        Ok(attributes)
    }

    /// Tells a visitor of an instance's header; reads it when its pieces are not given. A deflated
    /// one is read and inflated as a whole, a piece at a time.
    pub(in crate::archive) async fn heard<V: Visit + Send + 'static>(
        &self,
        plan: &Arc<FramePlan>,
        pieces: Option<Vec<Piece>>,
        mut visitor: V,
    ) -> Result<V, ArchiveError> {
        let encoding = Encoding::of(&plan.located.transfer_syntax);
        let limits = self.inner.settings.limits();
        if plan.layout.deflated {
            return self.heard_deflated(plan, visitor).await;
        }
        let pieces = match pieces {
            Some(pieces) => pieces,
            None => self.header_pieces(&plan.located, &plan.layout).await?,
        };
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        if bytes <= INLINE_HEADER_BYTES {
            plan.layout.scan_header(encoding, limits, &pieces, &mut visitor)?;
            return Ok(visitor);
        }
        let layout = Arc::clone(&plan.layout);
        let work = move || {
            let scanned = layout.scan_header(encoding, limits, &pieces, &mut visitor);
            Ok::<_, ImagingError>(scanned.map(|()| visitor))
        };
        Ok(self.inner.pool.run(bytes as u64, work).await??)
    }

    async fn heard_deflated<V: Visit + Send + 'static>(
        &self,
        plan: &Arc<FramePlan>,
        mut visitor: V,
    ) -> Result<V, ArchiveError> {
        use futures::TryStreamExt;
        let layout = &plan.layout;
        let encoding = Encoding::of(&plan.located.transfer_syntax);
        let mut scanner = layout.scanner(encoding, self.inner.settings.limits());
        let end = layout.data_set_start.saturating_add(layout.data_set_bytes);
        let mut pieces = self.blob_stream(&plan.located.blob_key, layout.data_set_start..end);
        while let Some(piece) = pieces.try_next().await? {
            let bytes = piece.len() as u64;
            let work = move || {
                let scanned = scanner.push(&piece, &mut visitor);
                Ok::<_, ImagingError>(scanned.map(|()| (scanner, visitor)))
            };
            (scanner, visitor) = self.inner.pool.run(bytes, work).await??;
        }
        scanner.finish(&mut visitor)?;
        Ok(visitor)
    }
}

impl FramePlan {
    /// The instance's content, by a name.
    pub(in crate::archive) fn content(&self) -> String {
        hex(&self.located.data_set_sha256)
    }
}
