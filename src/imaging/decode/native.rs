//! Samples that are not compressed (PS3.5 §8.1, §8.2), or deflated frame by frame (PS3.5 §A.4.15).

use std::io::Read;

use flate2::read::DeflateDecoder;

use crate::imaging::decode::{Frame, Samples, StoredBits, check_size, interleave};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes, PixelKind, PixelVr};

/// Byte order of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::decode) enum Order {
    Little,
    Big,
}

/// Decodes a native frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
    order: Order,
) -> Result<Frame, ImagingError> {
    let samples = attributes.samples_per_pixel;
    if samples != 1 && samples != 3 {
        return Err(ImagingError::Unsupported(format!("{samples} samples a pixel")));
    }
    if half_chroma(attributes, bytes) {
        return chroma_of_pairs(attributes, bytes, order);
    }
    let bits = sample_bits(attributes)?;
    let sample_bytes = u64::from(bits.div_ceil(8));
    let count = check_size(attributes.columns, attributes.rows, samples.into(), sample_bytes)?;
    let bytes = enough(bytes, count, bits)?;
    let data = match (attributes.kind, bits) {
        (PixelKind::Integer, 1) => Samples::U8(unpack(&octets(attributes, bytes, order), count)),
        (PixelKind::Integer, 8) => Samples::U8(octets(attributes, bytes, order)),
        (PixelKind::Integer, 16) => {
            Samples::U16(words(bytes, order, u16::from_le_bytes, u16::from_be_bytes))
        }
        (PixelKind::Integer, _) => {
            Samples::U32(words(bytes, order, u32::from_le_bytes, u32::from_be_bytes))
        }
        (PixelKind::Float, _) => {
            Samples::F32(words(bytes, order, f32::from_le_bytes, f32::from_be_bytes))
        }
        (PixelKind::Double, _) => {
            Samples::F64(words(bytes, order, f64::from_le_bytes, f64::from_be_bytes))
        }
    };
    Ok(Frame {
        width: attributes.columns.into(),
        height: attributes.rows.into(),
        samples_per_pixel: samples,
        data: if attributes.planar && samples > 1 { by_pixel(data, samples) } else { data },
        bits: StoredBits::native(attributes),
        photometric: attributes.photometric.clone(),
    })
}

/// Decodes a frame of Deflated Image Frame Compression.
pub(in crate::imaging::decode) fn inflate(
    attributes: &PixelAttributes,
    bytes: &[u8],
) -> Result<Frame, ImagingError> {
    let bits = sample_bits(attributes)?;
    let sample_bytes = u64::from(bits.div_ceil(8));
    let samples = attributes.samples_per_pixel.into();
    let count = check_size(attributes.columns, attributes.rows, samples, sample_bytes)?;
    let length = byte_count(count, bits);
    let mut inflated = Vec::new();
    // No more than the frame needs is ever inflated, whatever the stream holds.
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    DeflateDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut inflated)
        .map_err(ImagingError::damaged)?;
    decode(attributes, &inflated, Order::Little)
}

/// Bits of a sample in memory.
fn sample_bits(attributes: &PixelAttributes) -> Result<u16, ImagingError> {
    match (attributes.kind, attributes.bits_allocated) {
        (PixelKind::Float, _) => Ok(32),
        (PixelKind::Double, _) => Ok(64),
        (PixelKind::Integer, bits @ (1 | 8 | 16 | 32)) => Ok(bits),
        (PixelKind::Integer, bits) => {
            Err(ImagingError::Unsupported(format!("samples of {bits} bits")))
        }
    }
}

fn byte_count(count: usize, bits: u16) -> usize {
    if bits == 1 { count.div_ceil(8) } else { count.saturating_mul(usize::from(bits / 8)) }
}

/// The frame's bytes without what may follow; an error when there are too few.
fn enough(bytes: &[u8], count: usize, bits: u16) -> Result<&[u8], ImagingError> {
    let needed = byte_count(count, bits);
    bytes.get(..needed).ok_or_else(|| {
        ImagingError::Damaged(format!("the frame has {} of {needed} bytes", bytes.len()))
    })
}

/// Bits packed from the lowest of each byte on (PS3.5 §8.1.1).
fn unpack(bytes: &[u8], count: usize) -> Vec<u8> {
    let mut bits = Vec::with_capacity(bytes.len().saturating_mul(8));
    for byte in bytes {
        bits.extend((0..8).map(|bit| byte >> bit & 1));
    }
    bits.truncate(count);
    bits
}

/// Bytes of samples of 8 bits or of one. In big endian words their two bytes are swapped (PS3.5 §8.1.2 of editions that
/// had the syntax); frames that begin or end inside a word come with their words turned, as little
/// endian ones (`FramePlace::in_words`).
fn octets(attributes: &PixelAttributes, bytes: &[u8], order: Order) -> Vec<u8> {
    let mut octets = bytes.to_vec();
    if order == Order::Big && attributes.pixel_vr == PixelVr::Words {
        for pair in octets.as_chunks_mut::<2>().0 {
            pair.swap(0, 1);
        }
    }
    octets
}

fn words<const N: usize, T>(
    bytes: &[u8],
    order: Order,
    little: impl Fn([u8; N]) -> T,
    big: impl Fn([u8; N]) -> T,
) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    match order {
        Order::Little => chunks.iter().map(|chunk| little(*chunk)).collect(),
        Order::Big => chunks.iter().map(|chunk| big(*chunk)).collect(),
    }
}

fn by_pixel(data: Samples, samples: u16) -> Samples {
    let samples = usize::from(samples);
    match data {
        Samples::U8(data) => Samples::U8(interleave(&data, samples)),
        Samples::U16(data) => Samples::U16(interleave(&data, samples)),
        Samples::U32(data) => Samples::U32(interleave(&data, samples)),
        Samples::F32(data) => Samples::F32(interleave(&data, samples)),
        Samples::F64(data) => Samples::F64(interleave(&data, samples)),
    }
}

/// Whether chrominance is there for every second pixel only. Some files say so and have all of it.
fn half_chroma(attributes: &PixelAttributes, bytes: &[u8]) -> bool {
    let halved =
        matches!(attributes.photometric, Photometric::YbrFull422 | Photometric::YbrPartial422);
    let whole = attributes.pixels().saturating_mul(3);
    halved
        && attributes.samples_per_pixel == 3
        && attributes.bits_allocated == 8
        && u64::try_from(bytes.len()).is_ok_and(|length| length < whole)
}

/// Two luminances and one chrominance pair for two pixels (PS3.3 §C.7.6.3.1.2).
fn chroma_of_pairs(
    attributes: &PixelAttributes,
    bytes: &[u8],
    order: Order,
) -> Result<Frame, ImagingError> {
    let count = check_size(attributes.columns, attributes.rows, 3, 1)?;
    let bytes = enough(bytes, count / 3 * 2, 8)?;
    let octets = octets(attributes, bytes, order);
    let mut pixels = Vec::with_capacity(count);
    let (pairs, rest) = octets.as_chunks::<4>();
    for [first, second, blue, red] in pairs {
        pixels.extend([*first, *blue, *red, *second, *blue, *red]);
    }
    if let [luminance, ..] = rest {
        pixels.extend([*luminance, 128, 128]);
    }
    pixels.resize(count, 128);
    Ok(Frame {
        width: attributes.columns.into(),
        height: attributes.rows.into(),
        samples_per_pixel: 3,
        data: Samples::U8(pixels),
        bits: StoredBits { stored: 8, shift: 0, signed: false },
        photometric: match attributes.photometric {
            Photometric::YbrFull422 => Photometric::YbrFull,
            _ => Photometric::YbrPartial422,
        },
    })
}
