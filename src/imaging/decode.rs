//! Decoding one frame to samples.
//!
//! The codecs only undo their compression: which colours come out, which bits of a sample are the
//! value, and how large a frame may be is decided here. Every size is checked before memory is
//! taken for it, against the header and against what the code stream itself says.

mod codestream;
pub mod describe;
pub mod disagreement;
mod jpeg;
mod jpeg2000;
pub(in crate::imaging) mod jpegls;
mod jpegxl;
mod native;
mod rle;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dicom::syntax::{
    DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, GE_PRIVATE_IMPLICIT, IMPLICIT_LITTLE,
};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes, PixelKind};
use crate::imaging::render::StoredFrame;

/// A frame's samples, interleaved by pixel, rows top down.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Pixels across. Less than the header's Columns when less detail was asked for.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Samples of a pixel: 1 or 3.
    pub samples_per_pixel: u16,
    /// The samples, as words whose meaning [`Frame::bits`] tells.
    pub data: Samples,
    /// Which bits of a word are the value.
    pub bits: StoredBits,
    /// What the samples are, now that the compression is undone.
    pub photometric: Photometric,
}

/// Words of samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// 8 bits.
    U8(Vec<u8>),
    /// 16 bits.
    U16(Vec<u16>),
    /// 32 bits.
    U32(Vec<u32>),
    /// Float Pixel Data.
    F32(Vec<f32>),
    /// Double Float Pixel Data.
    F64(Vec<f64>),
}

/// Which bits of a sample's word are its value (PS3.5 §8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBits {
    /// Bits of the value, 1 to 32.
    pub stored: u32,
    /// Bits below it that are none of it.
    pub shift: u32,
    /// The value is two's complement.
    pub signed: bool,
}

/// How much of a frame is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every pixel.
    Full,
    /// A codec that can give a smaller picture for less work may, but not below this size.
    AtLeast {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
}

/// Bytes the samples of one frame may take.
pub const MAX_FRAME_BYTES: u64 = 512 * 1024 * 1024;

/// Memory, in bytes, that decoding and drawing a frame may take: what is stored, the codec's own
/// words, the samples and the picture. Header and code stream both say a size; the larger counts,
/// unless they are so far apart that the frame is refused before anything is decoded.
pub fn cost(attributes: &PixelAttributes, frame: &StoredFrame) -> u64 {
    let sample_bytes = match (decoder_of(frame), attributes.kind) {
        (Some(Family::JpegXl), _) | (_, PixelKind::Double) => 24,
        (Some(Family::Jpeg2000), _) | (_, PixelKind::Float) => 16,
        _ if attributes.bits_allocated > 16 => 16,
        _ => 8,
    };
    let mut pixels = attributes.pixels();
    let mut components = u64::from(attributes.samples_per_pixel.max(1));
    if let Some(told) = codestream::told(&frame.bytes)
        && check_stream_size(attributes, told.width, told.height).is_ok()
    {
        // JPEGs of cosines are decoded by units of up to 32 pixels across and down, and no codec takes
        // more than four components.
        let unit = if decoder_of(frame) == Some(Family::Jpeg) { 32 } else { 1 };
        let [width, height] =
            [told.width, told.height].map(|side| u64::from(side).next_multiple_of(unit));
        pixels = pixels.max(width.saturating_mul(height));
        components = components.max(told.components.min(4) as u64);
    }
    let samples = pixels.saturating_mul(components);
    samples.saturating_mul(sample_bytes).saturating_add(frame.bytes.len() as u64)
}

/// Transfer syntaxes that one decoder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Native(native::Order),
    Deflated,
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
    JpegXl,
}

/// Whether frames of the transfer syntax are decoded here.
pub fn decodes(transfer_syntax: &str) -> bool {
    family(transfer_syntax).is_some()
}

fn family(transfer_syntax: &str) -> Option<Family> {
    Some(match transfer_syntax {
        IMPLICIT_LITTLE | EXPLICIT_LITTLE | DEFLATED | "1.2.840.10008.1.2.1.98" => {
            Family::Native(native::Order::Little)
        }
        EXPLICIT_BIG | GE_PRIVATE_IMPLICIT => Family::Native(native::Order::Big),
        "1.2.840.10008.1.2.8.1" => Family::Deflated,
        "1.2.840.10008.1.2.5" => Family::Rle,
        more => match more.strip_prefix("1.2.840.10008.1.2.4.")? {
            "50" | "51" | "53" | "55" | "57" | "70" => Family::Jpeg,
            "80" | "81" => Family::JpegLs,
            "90" | "91" | "92" | "93" | "201" | "202" | "203" => Family::Jpeg2000,
            "110" | "111" | "112" => Family::JpegXl,
            _ => return None,
        },
    })
}

/// The decoder for a frame: the one its code stream is for, which in real files is now and then not
/// the one its transfer syntax names.
fn decoder_of(frame: &StoredFrame) -> Option<Family> {
    let named = family(&frame.transfer_syntax)?;
    match named {
        Family::Jpeg | Family::JpegLs | Family::Jpeg2000 | Family::JpegXl => {
            Some(sniffed(&frame.bytes).unwrap_or(named))
        }
        Family::Native(_) | Family::Deflated | Family::Rle => Some(named),
    }
}

/// What a code stream is by its first bytes.
fn sniffed(bytes: &[u8]) -> Option<Family> {
    match bytes {
        [0xFF, 0xD8, ..] => {
            let header = codestream::jpeg(bytes).ok()?;
            Some(if header.process == 0xF7 { Family::JpegLs } else { Family::Jpeg })
        }
        [0xFF, 0x4F, ..] | [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Some(Family::Jpeg2000),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(Family::JpegXl),
        _ => None,
    }
}

/// Decodes one frame.
pub fn decode(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    detail: Detail,
) -> Result<Frame, ImagingError> {
    check_size(attributes.columns, attributes.rows, attributes.samples_per_pixel.into(), 1)?;
    let bytes = &frame.bytes;
    let decoded = match decoder_of(frame) {
        Some(Family::Native(order)) => native::decode(attributes, bytes, order),
        Some(Family::Deflated) => native::inflate(attributes, bytes),
        Some(Family::Rle) => rle::decode(attributes, bytes),
        Some(Family::Jpeg) => guarded(|| jpeg::decode(attributes, bytes, detail)),
        Some(Family::JpegLs) => guarded(|| jpegls::decode(attributes, bytes)),
        Some(Family::Jpeg2000) => guarded(|| jpeg2000::decode(attributes, bytes, detail)),
        Some(Family::JpegXl) => guarded(|| jpegxl::decode(attributes, bytes)),
        None => Err(refusal(&frame.transfer_syntax)),
    }?;
    disagreement::note(attributes, frame);
    Ok(decoded)
}

/// Whether frames of that transfer syntax can be decoded at all: ask before reading one, a video is
/// a single frame of gigabytes.
pub fn check_syntax(transfer_syntax: &str) -> Result<(), ImagingError> {
    family(transfer_syntax).map(drop).ok_or_else(|| refusal(transfer_syntax))
}

/// Runs a codec; a panic in it is a damaged frame, not a broken server.
fn guarded(codec: impl FnOnce() -> Result<Frame, ImagingError>) -> Result<Frame, ImagingError> {
    catch_unwind(AssertUnwindSafe(codec))
        .unwrap_or_else(|_| Err(ImagingError::damaged("the decoder gave up on it")))
}

/// Why a transfer syntax is not decoded, in words for a user.
fn refusal(syntax: &str) -> ImagingError {
    const MORE: &str = "1.2.840.10008.1.2.4.";
    match syntax.strip_prefix(MORE) {
        Some("100" | "100.1" | "101" | "101.1") => ImagingError::Video("MPEG-2"),
        Some(
            "102" | "102.1" | "103" | "103.1" | "104" | "104.1" | "105" | "105.1" | "106" | "106.1",
        ) => ImagingError::Video("H.264"),
        Some("107" | "108") => ImagingError::Video("H.265"),
        Some("94" | "95" | "204" | "205") => {
            ImagingError::unsupported("the pixels are on another server (JPIP)")
        }
        _ => ImagingError::Unsupported(format!("transfer syntax {syntax} has no decoder here")),
    }
}

/// Samples of a frame of that size; an error when they would take more than [`MAX_FRAME_BYTES`].
fn check_size(
    width: impl Into<u64>,
    height: impl Into<u64>,
    samples: u64,
    sample_bytes: u64,
) -> Result<usize, ImagingError> {
    let (width, height) = (width.into(), height.into());
    if width == 0 || height == 0 {
        return Err(ImagingError::damaged("the frame has no rows or no columns"));
    }
    let count = width.saturating_mul(height).saturating_mul(samples);
    let bytes = count.saturating_mul(sample_bytes);
    match usize::try_from(count) {
        Ok(count) if bytes <= MAX_FRAME_BYTES => Ok(count),
        _ => Err(ImagingError::TooLarge { bytes }),
    }
}

/// Refuses a code stream whose own size has little to do with the header's: what is decoded is the
/// code stream's size, and only the header's was accounted for.
fn check_stream_size(
    attributes: &PixelAttributes,
    width: u32,
    height: u32,
) -> Result<(), ImagingError> {
    let stream = u64::from(width).saturating_mul(height.into());
    let header = attributes.pixels();
    if stream == 0 || stream > header.saturating_mul(4) || header > stream.saturating_mul(4) {
        return Err(ImagingError::Damaged(format!(
            "the code stream is {width}x{height}, the header says {}x{}",
            attributes.columns, attributes.rows
        )));
    }
    Ok(())
}

/// What a decoded code stream with so many components is.
fn photometric_of(
    attributes: &PixelAttributes,
    components: usize,
) -> Result<Photometric, ImagingError> {
    match (components, &attributes.photometric) {
        (1, known @ (Photometric::Monochrome1 | Photometric::PaletteColor)) => Ok(known.clone()),
        (1, _) => Ok(Photometric::Monochrome2),
        (3, Photometric::YbrFull | Photometric::YbrFull422) => Ok(Photometric::YbrFull),
        (3, _) => Ok(Photometric::Rgb),
        _ => Err(ImagingError::Unsupported(format!("code streams of {components} components"))),
    }
}

/// Sample planes one after the other, interleaved by pixel.
fn interleave<T: Copy + Default>(planes: &[T], samples: usize) -> Vec<T> {
    let length = planes.len().checked_div(samples).unwrap_or(0);
    let mut pixels = vec![T::default(); planes.len()];
    for (sample, plane) in planes.chunks_exact(length.max(1)).enumerate().take(samples) {
        for (target, value) in pixels.iter_mut().skip(sample).step_by(samples).zip(plane) {
            *target = *value;
        }
    }
    pixels
}

impl StoredBits {
    /// As the header says, of native samples.
    fn native(attributes: &PixelAttributes) -> Self {
        let stored = u32::from(attributes.bits_stored).clamp(1, 32);
        let shift = u32::from(attributes.high_bit).saturating_add(1).saturating_sub(stored);
        Self { stored, shift: shift.min(31), signed: attributes.signed }
    }

    /// Of samples out of a code stream of that precision. The code stream's sign is not asked: it
    /// is wrong in real files, and the header's is the one that counts, as with other decoders
    /// (`disagreement` notes it). Of precisions the code stream's counts, unless all samples fit in the fewer bits the header says: then these may
    /// hold a sign.
    fn coded(attributes: &PixelAttributes, precision: u32, data: &Samples) -> Self {
        let precision = precision.clamp(1, 32);
        let header = u32::from(attributes.bits_stored);
        let fits = (2..precision).contains(&header) && data.fit(header);
        let stored = if fits { header } else { precision };
        Self { stored, shift: 0, signed: attributes.signed }
    }

    /// The value a word holds.
    pub fn value(self, word: u32) -> i64 {
        let value = word >> self.shift & self.mask();
        let sign = 1_u32.checked_shl(self.stored.saturating_sub(1)).unwrap_or(0);
        if self.signed && value & sign != 0 {
            i64::from(value) - (1_i64 << self.stored.min(32))
        } else {
            i64::from(value)
        }
    }

    /// The value a word of at most 16 bits holds, without branches.
    pub fn narrow(self, word: u32) -> i32 {
        let value = word >> self.shift & self.mask();
        let sign = 1_u32.checked_shl(self.stored.saturating_sub(1)).unwrap_or(0);
        let sign = if self.signed { sign } else { 0 };
        (value ^ sign).wrapping_sub(sign).cast_signed()
    }

    /// Ones where a shifted word's value is.
    pub fn mask(self) -> u32 {
        u32::MAX >> 32_u32.saturating_sub(self.stored).min(31)
    }

    /// Lowest and highest value there can be.
    pub fn range(self) -> (i64, i64) {
        let count = 1_i64 << self.stored.min(32);
        if self.signed { (-(count / 2), count / 2 - 1) } else { (0, count - 1) }
    }
}

impl Samples {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(data) => data.len(),
            Self::U16(data) => data.len(),
            Self::U32(data) => data.len(),
            Self::F32(data) => data.len(),
            Self::F64(data) => data.len(),
        }
    }

    /// Whether no word has a bit above the lowest `bits`.
    fn fit(&self, bits: u32) -> bool {
        match self {
            Self::U8(data) => data.iter().all(|word| u32::from(*word) >> bits.min(31) == 0),
            Self::U16(data) => data.iter().all(|word| u32::from(*word) >> bits.min(31) == 0),
            Self::U32(data) => data.iter().all(|word| word >> bits.min(31) == 0),
            Self::F32(_) | Self::F64(_) => false,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
