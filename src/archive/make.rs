//! Makes an instance of metadata and bulk data that came apart, and stores it (PS3.18 §10.5.2).
//!
//! The archive is the source of what it makes: Explicit VR Little Endian around native pixels, the
//! compressed syntax of compressed ones. What the metadata may leave out, the description of the
//! pixels and of a document, is filled in from them. The same request makes the same bytes.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::ingest::{Envelope, Receipt, Receiving};
use crate::archive::make_document::describe_document;
use crate::archive::make_pixels::{Pixels, make_pixels};
use crate::archive::spool::{Spooled, Spooling};
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicom::uid::Uid;
use crate::dicom::write::{
    DataSet, Hole, Piece, SEQUENCE_DELIMITER, element_header, encapsulated_header, item_header,
};

/// An instance to make.
#[derive(Debug)]
pub struct Making {
    /// Its metadata.
    pub data_set: DataSet,
    /// The bulk data its holes refer to, by `BulkDataURI`. Several of one are frames, in order.
    pub bulk: HashMap<String, Vec<BulkPart>>,
}

/// Bulk data as it came.
#[derive(Debug, Clone)]
pub struct BulkPart {
    /// Its media type, in lower case.
    pub media: String,
    /// Its transfer syntax, where the sender said.
    pub transfer_syntax: Option<String>,
    /// Its bytes.
    pub bytes: Spooled,
}

/// Bytes of a spool.
pub(in crate::archive) type Stretch = (Spooled, Range<u64>);

/// What goes into a hole.
#[derive(Debug)]
pub(in crate::archive) enum Filling {
    /// A value of so many bytes.
    Native(Vec<Stretch>),
    /// Encapsulated pixels, each stretch a frame.
    Frames(Vec<Stretch>),
    /// Encapsulated pixels, one stream for all frames.
    Video(Stretch),
}

/// The longest fragment of a video that is cut into several.
const FRAGMENT_BYTES: u64 = 1 << 30;
/// The longest fragment there may be (PS3.5 §A.4): even, and not the undefined length.
pub(in crate::archive) const MAX_FRAGMENT_BYTES: u64 = 0xFFFF_FFFE;

impl Archive {
    /// Begins to keep bulk data of instances to make.
    pub fn spool(&self) -> Spooling {
        self.inner.spools.begin()
    }

    /// Makes an instance and stores it as if it had been received. Refused when it is not of
    /// `study`, where one is given.
    pub async fn make(
        &self,
        permit: &Permit,
        making: Making,
        study: Option<Uid>,
        source: String,
    ) -> Result<Receipt, ArchiveError> {
        let Making { mut data_set, bulk } = making;
        check_discarded(&data_set)?;
        check_bulk(&data_set, &bulk)?;
        describe_document(&mut data_set, &bulk);
        let Pixels { transfer_syntax, filling } = make_pixels(self, &mut data_set, &bulk).await?;
        let uid = |tag: Tag| data_set.text(tag).and_then(|text| Uid::parse(text).ok());
        let envelope = Envelope {
            transfer_syntax: Uid::parse(transfer_syntax.as_deref().unwrap_or(EXPLICIT_LITTLE))
                .map_err(|error| ArchiveError::Unidentified(error.to_string()))?,
            sop_class: uid(tags::SOP_CLASS_UID),
            sop_instance: uid(tags::SOP_INSTANCE_UID),
            ae_title: None,
            source,
            prefix: None,
        };
        let receiving = self.receive(permit, envelope)?;
        let mut receiving = match study {
            Some(study) => receiving.of_study(study),
            None => receiving,
        };
        let mut filling = filling;
        for piece in data_set.pieces() {
            match piece {
                Piece::Bytes(bytes) => receiving.write(bytes).await?,
                Piece::Hole(hole) if is_pixels(&hole) && filling.is_some() => {
                    if let Some(filling) = filling.take() {
                        fill(&mut receiving, &hole, filling).await?;
                    }
                }
                Piece::Hole(hole) => {
                    let parts = bulk.get(&hole.uri).map_or(&[][..], Vec::as_slice);
                    let whole =
                        parts.iter().map(|part| (part.bytes.clone(), 0..part.bytes.bytes()));
                    fill(&mut receiving, &hole, Filling::Native(whole.collect())).await?;
                }
            }
        }
        receiving.finish().await
    }
}

/// Whether a hole is the instance's own pixels, not an icon's.
fn is_pixels(hole: &Hole) -> bool {
    hole.depth == 0 && hole.tag == tags::PIXEL_DATA
}

/// An attribute that cannot be left out may not be among the unusable ones.
fn check_discarded(data_set: &DataSet) -> Result<(), ArchiveError> {
    let needed = |tag: Tag| {
        let identifiers = [
            tags::SOP_CLASS_UID,
            tags::SOP_INSTANCE_UID,
            tags::STUDY_INSTANCE_UID,
            tags::SERIES_INSTANCE_UID,
            tags::PATIENT_ID,
        ];
        identifiers.contains(&tag) || matches!(tag.group(), 0x0028 | 0x7FE0)
    };
    let discarded = data_set.discarded.iter().find(|discarded| needed(discarded.top));
    discarded.map_or(Ok(()), |it| Err(ArchiveError::Unidentified(it.to_string())))
}

fn check_bulk(
    data_set: &DataSet,
    bulk: &HashMap<String, Vec<BulkPart>>,
) -> Result<(), ArchiveError> {
    let missing = data_set.holes().find(|hole| bulk.get(&hole.uri).is_none_or(Vec::is_empty));
    missing.map_or(Ok(()), |hole| {
        Err(ArchiveError::Unidentified(format!("{} has bulk data that did not come", hole.tag)))
    })
}

/// Writes an element whose value came as bulk data.
async fn fill(
    receiving: &mut Receiving,
    hole: &Hole,
    filling: Filling,
) -> Result<(), ArchiveError> {
    match filling {
        Filling::Native(stretches) => {
            let bytes: u64 = stretches.iter().map(length).sum();
            let header = element_header(hole.tag, hole.vr, bytes + bytes % 2)
                .map_err(|error| ArchiveError::Unidentified(error.to_string()))?;
            receiving.write(header.into()).await?;
            for stretch in stretches {
                write(receiving, stretch).await?;
            }
            let text = matches!(hole.vr, VR::LT | VR::ST | VR::UC | VR::UT | VR::DS | VR::IS);
            pad(receiving, bytes, if text { b" " } else { &[0] }).await
        }
        Filling::Frames(frames) => {
            receiving.write(encapsulated_header(hole.tag).into()).await?;
            receiving.write(offset_table(&frames).into()).await?;
            for frame in frames {
                fragment(receiving, frame).await?;
            }
            receiving.write(Bytes::from_static(&SEQUENCE_DELIMITER)).await
        }
        Filling::Video((video, range)) => {
            receiving.write(encapsulated_header(hole.tag).into()).await?;
            receiving.write(offset_table(&[]).into()).await?;
            let whole = range.end - range.start <= MAX_FRAGMENT_BYTES;
            let most = if whole { MAX_FRAGMENT_BYTES } else { FRAGMENT_BYTES };
            let mut start = range.start;
            while start < range.end {
                let end = range.end.min(start + most);
                fragment(receiving, (video.clone(), start..end)).await?;
                start = end;
            }
            receiving.write(Bytes::from_static(&SEQUENCE_DELIMITER)).await
        }
    }
}

fn length(stretch: &Stretch) -> u64 {
    stretch.1.end.saturating_sub(stretch.1.start)
}

async fn write(receiving: &mut Receiving, stretch: Stretch) -> Result<(), ArchiveError> {
    let (spool, mut range) = stretch;
    while let Some(piece) = spool.next(&mut range).await? {
        receiving.write(piece).await?;
    }
    Ok(())
}

async fn pad(
    receiving: &mut Receiving,
    bytes: u64,
    padding: &'static [u8],
) -> Result<(), ArchiveError> {
    if bytes % 2 == 1 { receiving.write(Bytes::from_static(padding)).await } else { Ok(()) }
}

async fn fragment(receiving: &mut Receiving, stretch: Stretch) -> Result<(), ArchiveError> {
    let bytes = length(&stretch);
    let even = u32::try_from(bytes + bytes % 2).map_err(|_| {
        ArchiveError::Unidentified("Pixel Data (7FE0,0010) has a frame over 4 GiB".to_owned())
    })?;
    receiving.write(Bytes::copy_from_slice(&item_header(even))).await?;
    write(receiving, stretch).await?;
    pad(receiving, bytes, &[0]).await
}

/// The Basic Offset Table item (PS3.5 §A.4): where each frame's item begins, or empty when there is
/// one frame or an offset does not fit.
fn offset_table(frames: &[Stretch]) -> Vec<u8> {
    let mut offsets = Vec::new();
    let mut at: u64 = 0;
    for frame in frames {
        offsets.push(at);
        let bytes = length(frame);
        at = at.saturating_add(8 + bytes + bytes % 2);
    }
    let offsets: Option<Vec<u32>> = offsets.into_iter().map(|at| u32::try_from(at).ok()).collect();
    let offsets = offsets.filter(|offsets| offsets.len() > 1).unwrap_or_default();
    let bytes = u32::try_from(offsets.len().saturating_mul(4)).unwrap_or_default();
    let mut table = item_header(bytes).to_vec();
    table.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    table
}
