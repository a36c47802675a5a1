//! One frame's stored bytes to samples (PS3.5 §8).

use bytes::Bytes;

use crate::dicom::syntax;
use crate::imaging::codec;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::StoredFrame;
use crate::imaging::rle;

/// The most bytes one frame may decode to.
pub const MAX_FRAME_BYTES: u64 = 512 * 1024 * 1024;

/// RLE Lossless (PS3.5 §A.4.2).
const RLE: &str = "1.2.840.10008.1.2.5";
/// Encapsulated Uncompressed Explicit VR Little Endian (PS3.5 §A.4.11).
const ENCAPSULATED_UNCOMPRESSED: &str = "1.2.840.10008.1.2.1.98";

/// A decoded frame: samples as they were before compression, pixel by pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples of a pixel.
    pub samples: usize,
    /// The samples, interleaved.
    pub data: Samples,
    /// Photometric interpretation the samples are in.
    pub photometric: String,
}

/// Samples by their width.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Up to 8 bits.
    U8(Vec<u8>),
    /// Up to 16 bits; signs are still to be read.
    U16(Vec<u16>),
    /// 32 bits; signs are still to be read.
    U32(Vec<u32>),
    /// Floating point.
    F64(Vec<f64>),
}

/// Decodes a frame.
pub fn decode(attributes: &PixelAttributes, frame: &StoredFrame) -> Result<Frame, ImagingError> {
    let (width, height) = (usize::from(attributes.columns), usize::from(attributes.rows));
    let samples = usize::from(attributes.samples_per_pixel.max(1));
    let pixels = width * height;
    if pixels == 0 || !matches!(samples, 1 | 3 | 4) {
        let what = format!("{width}×{height} pixels of {samples} samples");
        return Err(ImagingError::Unsupported(what));
    }
    let wide =
        if attributes.is_float { 8 } else { usize::from(attributes.bits_allocated.div_ceil(8)) };
    let bytes = (pixels as u64) * (samples as u64) * (wide as u64);
    if bytes > MAX_FRAME_BYTES {
        return Err(ImagingError::TooLarge { bytes });
    }
    let (data, photometric) = if is_native(&frame.transfer_syntax) {
        native(attributes, frame, pixels, samples)?
    } else {
        compressed(attributes, frame, pixels, samples)?
    };
    Ok(Frame { width, height, samples, data, photometric })
}

fn is_native(transfer_syntax: &str) -> bool {
    matches!(
        transfer_syntax,
        syntax::IMPLICIT_LITTLE
            | syntax::EXPLICIT_LITTLE
            | syntax::EXPLICIT_BIG
            | syntax::DEFLATED
            | syntax::GE_PRIVATE_IMPLICIT
            | ENCAPSULATED_UNCOMPRESSED
    )
}

fn native(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    pixels: usize,
    samples: usize,
) -> Result<(Samples, String), ImagingError> {
    let big = matches!(
        frame.transfer_syntax.as_str(),
        syntax::EXPLICIT_BIG | syntax::GE_PRIVATE_IMPLICIT
    );
    let bytes = &frame.bytes;
    if attributes.photometric == "YBR_FULL_422" && attributes.bits_allocated == 8 {
        return Ok((Samples::U8(expand_422(bytes, pixels)?), "YBR_FULL".to_owned()));
    }
    let count = pixels * samples;
    let data = match (attributes.is_float, attributes.bits_allocated) {
        (true, 32) => Samples::F64(
            words::<4>(bytes, count, big)?.map(|w| f32::from_le_bytes(w).into()).collect(),
        ),
        (true, 64) => {
            Samples::F64(words::<8>(bytes, count, big)?.map(f64::from_le_bytes).collect())
        }
        (false, 1) => Samples::U8(bits(bytes, count)?),
        (false, 8) if big => Samples::U8(swapped(bytes, count)?),
        (false, 8) => Samples::U8(words::<1>(bytes, count, false)?.map(|[byte]| byte).collect()),
        (false, 16) => {
            Samples::U16(words::<2>(bytes, count, big)?.map(u16::from_le_bytes).collect())
        }
        (false, 32) => {
            Samples::U32(words::<4>(bytes, count, big)?.map(u32::from_le_bytes).collect())
        }
        (_, bits) => return Err(ImagingError::Unsupported(format!("{bits} bits allocated"))),
    };
    let data = if attributes.is_planar && samples > 1 {
        interleaved(&data, pixels, samples)
    } else {
        data
    };
    Ok((data, attributes.photometric.clone()))
}

/// Words of `N` bytes, turned to little endian.
fn words<const N: usize>(
    bytes: &Bytes,
    count: usize,
    big: bool,
) -> Result<impl Iterator<Item = [u8; N]>, ImagingError> {
    let whole = bytes.get(..count * N).ok_or_else(|| short(bytes.len(), count * N))?;
    Ok(whole.chunks_exact(N).filter_map(move |word| {
        let mut word: [u8; N] = word.try_into().ok()?;
        if big {
            word.reverse();
        }
        Some(word)
    }))
}

/// Single bits, the first in the least significant place (PS3.5 §8.1.1).
fn bits(bytes: &Bytes, count: usize) -> Result<Vec<u8>, ImagingError> {
    let whole =
        bytes.get(..count.div_ceil(8)).ok_or_else(|| short(bytes.len(), count.div_ceil(8)))?;
    Ok(whole.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).take(count).collect())
}

/// Bytes in big endian words: swapped in pairs.
fn swapped(bytes: &Bytes, count: usize) -> Result<Vec<u8>, ImagingError> {
    let even = count.next_multiple_of(2).min(bytes.len());
    let whole =
        bytes.get(..even).filter(|b| b.len() >= count).ok_or_else(|| short(bytes.len(), count))?;
    let mut out = whole.to_vec();
    out.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    out.truncate(count);
    Ok(out)
}

/// Y1 Y2 Cb Cr to two pixels (PS3.3 §C.7.6.3.1.2).
fn expand_422(bytes: &Bytes, pixels: usize) -> Result<Vec<u8>, ImagingError> {
    let wanted = pixels.next_multiple_of(2) * 2;
    let whole = bytes.get(..wanted).ok_or_else(|| short(bytes.len(), wanted))?;
    let mut out = Vec::with_capacity(pixels.next_multiple_of(2) * 3);
    for four in whole.chunks_exact(4) {
        if let [first, second, blue, red] = four {
            out.extend_from_slice(&[*first, *blue, *red, *second, *blue, *red]);
        }
    }
    out.truncate(pixels * 3);
    Ok(out)
}

fn interleaved(data: &Samples, pixels: usize, samples: usize) -> Samples {
    fn turn<T: Copy>(planes: &[T], pixels: usize, samples: usize) -> Vec<T> {
        let pixel = |at: usize| {
            (0..samples).filter_map(move |plane| planes.get(plane * pixels + at).copied())
        };
        (0..pixels).flat_map(pixel).collect()
    }
    match data {
        Samples::U8(planes) => Samples::U8(turn(planes, pixels, samples)),
        Samples::U16(planes) => Samples::U16(turn(planes, pixels, samples)),
        Samples::U32(planes) => Samples::U32(turn(planes, pixels, samples)),
        Samples::F64(planes) => Samples::F64(turn(planes, pixels, samples)),
    }
}

fn compressed(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    pixels: usize,
    samples: usize,
) -> Result<(Samples, String), ImagingError> {
    let wide = usize::from(attributes.bits_allocated.div_ceil(8)).max(1);
    let is_rle = frame.transfer_syntax == RLE;
    let decoded = if is_rle {
        rle::decode(&frame.bytes, pixels, samples, wide)?
    } else {
        codec::decode(attributes, frame)?
    };
    let bytes = Bytes::from(decoded);
    let count = pixels * samples;
    let data = match wide {
        // Some codecs give 16-bit words whatever was allocated.
        1 if bytes.len() >= count * 2 => {
            Samples::U16(words::<2>(&bytes, count, false)?.map(u16::from_le_bytes).collect())
        }
        1 => Samples::U8(words::<1>(&bytes, count, false)?.map(|[byte]| byte).collect()),
        2 => Samples::U16(words::<2>(&bytes, count, false)?.map(u16::from_le_bytes).collect()),
        4 => Samples::U32(words::<4>(&bytes, count, false)?.map(u32::from_le_bytes).collect()),
        wide => return Err(ImagingError::Unsupported(format!("{wide} bytes allocated"))),
    };
    Ok((data, after_codec(attributes, frame, is_rle)))
}

/// The photometric interpretation a codec leaves: the JPEG and JPEG 2000 decoders undo their own
/// colour transform; RLE and JPEG-LS know nothing of colour.
fn after_codec(attributes: &PixelAttributes, frame: &StoredFrame, is_rle: bool) -> String {
    let jpeg_ls = matches!(
        frame.transfer_syntax.as_str(),
        "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81"
    );
    if attributes.samples_per_pixel == 3 && !is_rle && !jpeg_ls {
        return "RGB".to_owned();
    }
    attributes.photometric.clone()
}

fn short(has: usize, wants: usize) -> ImagingError {
    ImagingError::Damaged(format!("the frame has {has} bytes of {wants}"))
}
