//! The pixel data of an instance in another transfer syntax: what it is, how long, its bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use dicom_core::Tag;
use dicom_core::VR;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::fragments::Fragments;
use crate::archive::fragments::check_form;
use crate::archive::fragments::item;
use crate::archive::frame::FramePlan;
use crate::archive::joined_bits::joined;
use crate::archive::retrieve::ByteStream;
use crate::archive::transcode::CodedFrame;
use crate::archive::turned::turned;
use crate::dicom::layout::Piece;
use crate::dicom::rewrite::Change;
use crate::dicom::rewrite::Changes;
use crate::dicom::rewrite::PixelChange;
use crate::dicom::rewrite::SEQUENCE_END;
use crate::dicom::syntax::DEFLATED;
use crate::dicom::syntax::EXPLICIT_BIG;
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicom::syntax::GE_PRIVATE_IMPLICIT;
use crate::dicom::syntax::IMPLICIT_LITTLE;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::pixels::PixelKind;
use crate::imaging::pixels::PixelVr;
use crate::imaging::transcode::Form;
use crate::imaging::transcode::Target;

/// The longest value of a defined length (PS3.5 §7.1.1).
const LONGEST_VALUE: u64 = 0xFFFF_FFFE;
/// The largest offset and the longest table of a Basic Offset Table (PS3.5 §A.4).
const LARGEST_OFFSET: u64 = 0xFFFF_FFFF;
/// Offsets a piece of an offset table that is worth keeping in a header takes at most.
const LONGEST_TABLE: usize = 1 << 20;

const EXTENDED_OFFSETS: Tag = Tag(0x7FE0, 0x0001);
const EXTENDED_LENGTHS: Tag = Tag(0x7FE0, 0x0002);

/// New pixel data.
#[derive(Debug)]
pub(in crate::archive) enum NewPixels {
    /// There is none.
    None,
    /// The stored value, words of so many bytes turned; 1: as it is.
    Kept { tag: Tag, word: usize },
    /// Decoded frames, the first of them here.
    Native { tag: Tag, source: Source, first: CodedFrame, frames: u32, value: Value },
    /// One encapsulated frame.
    One { tag: Tag, source: Source, form: Form, value: Bytes },
    /// Encapsulated frames.
    Many { tag: Tag, source: Source, tables: Tables, frames: Arc<Fragments> },
}

/// A value of decoded frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct Value {
    /// Bits of a frame.
    frame_bits: u64,
    /// Bytes of all, unpadded.
    bytes: u64,
}

/// What the stored pixels are.
#[derive(Debug)]
pub(in crate::archive) struct Source {
    attributes: Arc<PixelAttributes>,
    transfer_syntax: String,
    /// Bytes of the stored value.
    bytes: u64,
}

/// Where frames begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::archive) struct Tables {
    /// The Basic Offset Table's item.
    basic: Bytes,
    /// Extended Offset Table and its lengths, when the basic one cannot hold the offsets.
    extended: Option<(Vec<u8>, Vec<u8>)>,
}

impl Archive {
    /// The pixel data of a planned instance, uncompressed, little endian: its length and bytes.
    pub async fn native_pixels(
        &self,
        permit: &Permit,
        plan: &Arc<FramePlan>,
    ) -> Result<(u64, ByteStream), ArchiveError> {
        if !permit.covers_study(&plan.located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let pixels = plan.layout.pixels.as_ref().ok_or(ImagingError::NoPixels)?;
        match self.new_pixels(plan, None, Target::Native).await? {
            NewPixels::Kept { word, .. } => {
                let value = pixels.value.clone();
                let bytes = value.end.saturating_sub(value.start);
                let stored = self.data_set_stream(&plan.located, &plan.layout, value);
                Ok((bytes, turned(stored, word)))
            }
            made => Ok((made.bytes(), made.stream(self, plan))),
        }
    }

    /// The pixel data of an instance as `target` has it.
    pub(in crate::archive) async fn new_pixels(
        &self,
        plan: &Arc<FramePlan>,
        pieces: Option<Vec<Piece>>,
        target: Target,
    ) -> Result<NewPixels, ArchiveError> {
        let Some(pixels) = &plan.layout.pixels else { return Ok(NewPixels::None) };
        if target == Target::Native && is_little(&plan.located.transfer_syntax) {
            return Ok(NewPixels::Kept { tag: pixels.tag, word: 1 });
        }
        let attributes = self.pixel_attributes(plan, pieces).await?;
        let syntax = plan.located.transfer_syntax.clone();
        if target == Target::Native
            && let Some(word) = word_to_turn(&syntax, &attributes)
        {
            return Ok(NewPixels::Kept { tag: pixels.tag, word });
        }
        let unknown = || unsupported("where its frames begin cannot be told");
        let frames = pixels.frames.count().ok_or_else(unknown)?;
        let tag = pixels.tag;
        let bytes = pixels.value.end.saturating_sub(pixels.value.start);
        let source = Source { attributes, transfer_syntax: syntax, bytes };
        if target == Target::Native {
            let first = self.coded_frame(plan, 1, target, true).await?;
            let value = native_value(&source.attributes, &first, frames)?;
            self.prove(plan, &first.form, frames, value.bytes).await?;
            return Ok(NewPixels::Native { tag, source, first, frames, value });
        }
        if frames == 1 {
            let frame = self.coded_frame(plan, 1, target, frames == 1).await?;
            let parts =
                [basic_table(&[0])?, item(&frame.bytes)?, Bytes::from_static(&SEQUENCE_END)];
            let value = parts.concat().into();
            return Ok(NewPixels::One { tag, source, form: frame.form, value });
        }
        let fragments = self.fragments(plan, frames, target).await?;
        let tables = Tables::of(&fragments.lengths, LARGEST_OFFSET)?;
        Ok(NewPixels::Many { tag, source, tables, frames: fragments })
    }
}

fn unsupported(words: &str) -> ArchiveError {
    ImagingError::Unsupported(words.to_owned()).into()
}

fn is_little(syntax: &str) -> bool {
    matches!(syntax, IMPLICIT_LITTLE | EXPLICIT_LITTLE | DEFLATED)
}

/// Bytes of the words that have to be turned to make native pixel data little endian; 1: none.
/// `None`: the pixel data is encapsulated.
fn word_to_turn(syntax: &str, attributes: &PixelAttributes) -> Option<usize> {
    match syntax {
        syntax if is_little(syntax) => Some(1),
        EXPLICIT_BIG | GE_PRIVATE_IMPLICIT => Some(match attributes.kind {
            PixelKind::Float => 4,
            PixelKind::Double => 8,
            PixelKind::Integer => match attributes.bits_allocated {
                17..=32 => 4,
                9..=16 => 2,
                // Samples of a byte or less lie in words that are turned as a whole.
                _ if attributes.pixel_vr == PixelVr::Words => 2,
                _ => 1,
            },
        }),
        _ => None,
    }
}

/// The value of all decoded frames together; an error when none can be so long.
fn native_value(
    attributes: &PixelAttributes,
    first: &CodedFrame,
    frames: u32,
) -> Result<Value, ArchiveError> {
    let samples = attributes.pixels().saturating_mul(first.form.samples_per_pixel.into());
    let frame_bits = samples.saturating_mul(first.form.bits_allocated.into());
    let bytes = frame_bits.saturating_mul(frames.into()).div_ceil(8);
    if bytes > LONGEST_VALUE {
        return Err(unsupported("its samples are longer than a value may be"));
    }
    Ok(Value { frame_bits, bytes })
}

fn basic_table(offsets: &[u32]) -> Result<Bytes, ArchiveError> {
    let table: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    item(&table)
}

impl Tables {
    /// The tables of fragments so long, each with its item header; offsets over `largest` make
    /// extended ones (PS3.3 §C.7.6.3.1.8).
    fn of(lengths: &[u64], largest: u64) -> Result<Self, ArchiveError> {
        let mut offsets = Vec::with_capacity(lengths.len());
        let mut offset = 0_u64;
        for length in lengths {
            offsets.push(offset);
            offset = offset.saturating_add(*length).saturating_add(8);
        }
        let small = offsets.last().is_none_or(|last| *last <= largest);
        if small && offsets.len() <= LONGEST_TABLE {
            let offsets = offsets.into_iter().filter_map(|offset| u32::try_from(offset).ok());
            let basic = basic_table(&offsets.collect::<Vec<_>>())?;
            return Ok(Self { basic, extended: None });
        }
        let written = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        Ok(Self { basic: item(&[])?, extended: Some((written(&offsets), written(lengths))) })
    }
}

impl NewPixels {
    /// Its length.
    pub(in crate::archive) fn bytes(&self) -> u64 {
        match self {
            Self::None | Self::Kept { .. } => 0,
            Self::Native { value, .. } => value.bytes.saturating_add(value.bytes % 2),
            Self::One { value, .. } => value.len() as u64,
            Self::Many { tables, frames, .. } => (tables.basic.len() as u64)
                .saturating_add(frames.bytes)
                .saturating_add(SEQUENCE_END.len() as u64),
        }
    }

    /// What changes in the data set because of it.
    pub(in crate::archive) fn describe(&self, changes: &mut Changes) -> Result<(), ArchiveError> {
        let elements = &mut changes.elements;
        match self {
            Self::None => {}
            Self::Kept { tag, word } => {
                changes.pixels = Some((*tag, PixelChange::Kept { word: *word }));
            }
            Self::Native { tag, source, first, value, .. } => {
                describe(elements, source, &first.form, 0);
                let vr = match (*tag, first.form.bits_allocated) {
                    (Tag(0x7FE0, 0x0008), _) => VR::OF,
                    (Tag(0x7FE0, 0x0009), _) => VR::OD,
                    (_, 0..=8) => VR::OB,
                    _ => VR::OW,
                };
                let bytes = u32::try_from(value.bytes.saturating_add(value.bytes % 2));
                let bytes = bytes.map_err(|_| unsupported("its samples are too long"))?;
                changes.pixels = Some((*tag, PixelChange::New { vr, bytes: Some(bytes) }));
            }
            Self::One { tag, source, form, .. } => {
                describe(elements, source, form, 0);
                changes.pixels = Some((*tag, PixelChange::New { vr: VR::OB, bytes: None }));
            }
            Self::Many { tag, source, tables, frames } => {
                describe(elements, source, &frames.form, 0);
                if let Some((offsets, lengths)) = &tables.extended {
                    let set = |value: &Vec<u8>| Change::Set(VR::OV, value.clone());
                    elements.insert(EXTENDED_OFFSETS, set(offsets));
                    elements.insert(EXTENDED_LENGTHS, set(lengths));
                }
                changes.pixels = Some((*tag, PixelChange::New { vr: VR::OB, bytes: None }));
            }
        }
        Ok(())
    }

    /// Its bytes.
    pub(in crate::archive) fn stream(self, archive: &Archive, plan: &Arc<FramePlan>) -> ByteStream {
        match self {
            Self::None | Self::Kept { .. } => stream::empty().boxed(),
            Self::One { value, .. } => stream::iter([Ok(value)]).boxed(),
            Self::Native { first, frames, value, .. } => {
                let form = first.form.clone();
                let rest = archive.coded_frames(plan, 2, frames, Target::Native, false);
                let all = stream::iter([Ok(first)]).chain(rest).map(move |frame| {
                    let frame = frame?;
                    check_form(&form, &frame)?;
                    Ok(frame.bytes)
                });
                let all = if value.frame_bits % 8 == 0 {
                    all.boxed()
                } else {
                    joined(all.boxed(), value.frame_bits, archive.inner.pool.clone())
                };
                let padding = (value.bytes % 2 == 1).then(|| Ok(Bytes::from_static(&[0])));
                let (archive, plan) = (archive.clone(), Arc::clone(plan));
                let noted = all.inspect_err(move |error| {
                    archive.note_outcome(&plan.located, Target::Native, Some(error));
                });
                noted.chain(stream::iter(padding)).boxed()
            }
            Self::Many { tables, frames, .. } => {
                let fragments = archive.blob_stream(&frames.key, 0..frames.bytes);
                let end = stream::iter([Ok(Bytes::from_static(&SEQUENCE_END))]);
                // The blob stays as long as this stream does.
                let held = fragments.inspect_ok(move |_| {
                    let _ = &frames;
                });
                stream::iter([Ok(tables.basic)]).chain(held).chain(end).boxed()
            }
        }
    }
}

/// What the Image Pixel module says of the new samples (PS3.3 §C.7.6.3), and of the loss they had
/// when they came (PS3.3 §C.7.6.1.1.5).
fn describe(elements: &mut BTreeMap<Tag, Change>, source: &Source, form: &Form, planar: u16) {
    let was = &source.attributes;
    let mut number = |element: u16, was: u16, is: u16| {
        if was != is {
            let value = is.to_le_bytes().to_vec();
            elements.insert(Tag(0x0028, element), Change::Set(VR::US, value));
        }
    };
    number(0x0002, was.samples_per_pixel, form.samples_per_pixel);
    number(0x0100, was.bits_allocated, form.bits_allocated);
    number(0x0101, was.bits_stored, form.bits_stored);
    number(0x0102, was.high_bit, form.high_bit);
    if was.photometric != form.photometric {
        let value = form.photometric.as_str().as_bytes().to_vec();
        elements.insert(Tag(0x0028, 0x0004), Change::Set(VR::CS, value));
    }
    if form.samples_per_pixel > 1 {
        let value = planar.to_le_bytes().to_vec();
        elements.insert(Tag(0x0028, 0x0006), Change::Set(VR::US, value));
    }
    if let Some(method) = lossy_method(&source.transfer_syntax) {
        let text = |text: &str| text.as_bytes().to_vec();
        let frame_bits = was.pixels().saturating_mul(u64::from(form.samples_per_pixel));
        let native = frame_bits.saturating_mul(form.bits_allocated.into()) / 8;
        let native = native.saturating_mul(was.frames.into());
        let tenths = native.saturating_mul(10).checked_div(source.bytes).unwrap_or(10);
        let ratio = format!("{}.{}", tenths / 10, tenths % 10);
        elements.insert(Tag(0x0028, 0x2110), Change::Set(VR::CS, text("01")));
        elements.insert(Tag(0x0028, 0x2112), Change::Default(VR::DS, text(&ratio)));
        elements.insert(Tag(0x0028, 0x2114), Change::Default(VR::CS, text(method)));
    }
    // Old offset tables, and group lengths, which are wrong now (PS3.5 §7.2 retired them).
    for tag in [EXTENDED_OFFSETS, EXTENDED_LENGTHS, Tag(0x0008, 0x0001)] {
        elements.insert(tag, Change::Remove);
    }
    for group in [0x0008, 0x0028, 0x0088, 0x7FE0] {
        elements.insert(Tag(group, 0), Change::Remove);
    }
}

/// Lossy Image Compression Method (0028,2114) of syntaxes that always lose something (PS3.3
/// §C.7.6.1.1.5.1).
fn lossy_method(syntax: &str) -> Option<&'static str> {
    match syntax.strip_prefix("1.2.840.10008.1.2.4.")? {
        "50" | "51" | "53" | "55" => Some("ISO_10918_1"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_OFFSET, Tables};

    #[test]
    fn offsets_go_into_the_table_that_holds_them() {
        let small = Tables::of(&[10, 20, 2], LARGEST_OFFSET).unwrap();
        let numbers: Vec<u8> = [0_u32, 18, 46].iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!(small.basic[..8], [0xFE, 0xFF, 0, 0xE0, 12, 0, 0, 0]);
        assert_eq!((&small.basic[8..], small.extended), (&numbers[..], None));
        let large = Tables::of(&[10, 20, 2], 45).unwrap();
        assert_eq!(large.basic[..], [0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0]);
        let written = |numbers: [u64; 3]| -> Vec<u8> {
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
        };
        assert_eq!(large.extended, Some((written([0, 18, 46]), written([10, 20, 2]))));
    }
}
