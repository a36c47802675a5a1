//! JPEG: baseline, extended, progressive and lossless (PS3.5 §8.2.1).
//!
//! What is coded with cosines comes out as libjpeg-turbo and most viewers show it, to the last bit.

mod bits;
mod blocks;
mod colors;
mod cosine;
mod lossless;
mod picture;
mod scan;
mod standard;
mod tables;
#[cfg(test)]
mod tests;

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::jpeg::colors::Plane;
use crate::imaging::decode::jpeg::cosine::Sample;
use crate::imaging::decode::{
    Detail, Frame, Samples, StoredBits, check_size, check_stream_size, disagreement, photometric_of,
};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};

/// Scans of one frame. Real ones have about ten.
const MAX_SCANS: usize = 100;

/// Decodes one frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
    detail: Detail,
) -> Result<Frame, ImagingError> {
    let header = codestream::jpeg(bytes)?;
    let count = header.components.len();
    let photometric = photometric_of(attributes, count)?;
    check_stream_size(attributes, header.width.into(), header.height.into())?;
    check_size(header.width, header.height, count as u64, 2)?;
    check_length(&header, bytes)?;
    if memchr::memmem::find_iter(bytes, &[0xFF, 0xDA]).take(MAX_SCANS).count() == MAX_SCANS {
        return Err(ImagingError::damaged("the code stream has too many scans"));
    }
    let mut frame = Frame {
        width: header.width.into(),
        height: header.height.into(),
        samples_per_pixel: if count == 3 { 3 } else { 1 },
        data: Samples::U8(Vec::new()),
        bits: StoredBits::native(attributes),
        photometric,
    };
    match (header.process, header.precision, count) {
        (0xC0..=0xC2, 8, _) | (0xC1 | 0xC2, 12, _) => {
            let ybr = count == 3 && is_ybr(&header, &attributes.photometric);
            if count == 3 {
                frame.photometric = Photometric::Rgb;
            }
            let size = size_of_blocks(&header, detail);
            (frame.width, frame.height) = smaller(&header, size);
            frame.data = if header.precision == 8 {
                Samples::U8(pixels(&header, bytes, ybr, size)?)
            } else {
                Samples::U16(pixels(&header, bytes, ybr, size)?)
            };
        }
        (0xC3, 8, _) => frame.data = Samples::U8(lossless::decode(&header, bytes)?),
        (0xC3, ..) => frame.data = Samples::U16(lossless::decode(&header, bytes)?),
        (process, precision, count) => {
            return Err(ImagingError::Unsupported(format!(
                "JPEG process {process:#04x} of {precision} bits and {count} components"
            )));
        }
    }
    frame.bits = StoredBits::coded(attributes, header.precision.into(), &frame.data);
    let samples = check_size(frame.width, frame.height, count as u64, 1)?;
    if frame.data.len() != samples {
        return Err(ImagingError::damaged("the decoder gave another number of samples"));
    }
    Ok(frame)
}

/// Refuses a code stream too short to be whole, before memory and time are spent on it: a lossless
/// one has a bit at least for every sample, the others for every block of 64.
fn check_length(header: &Jpeg, bytes: &[u8]) -> Result<(), ImagingError> {
    let pixels = u64::from(header.width).saturating_mul(header.height.into());
    let least_bits = match header.process {
        0xC3 => pixels.saturating_mul(header.components.len() as u64),
        _ => pixels / 64,
    };
    if (bytes.len() as u64).saturating_mul(8) < least_bits {
        return Err(ImagingError::damaged("the JPEG is too short for its size"));
    }
    Ok(())
}

/// Samples across and down of each block of eight, for a picture of at least that size.
fn size_of_blocks(header: &Jpeg, detail: Detail) -> usize {
    let Detail::AtLeast { width, height } = detail else { return 8 };
    let enough = |size: &usize| {
        let (wide, high) = smaller(header, *size);
        wide >= width && high >= height
    };
    [1, 2, 4].into_iter().find(enough).unwrap_or(8)
}

fn smaller(header: &Jpeg, size: usize) -> (u32, u32) {
    let side = |side: u16| picture::smaller(side.into(), size).try_into().unwrap_or(u32::MAX);
    (side(header.width), side(header.height))
}

/// The picture, coded with cosines, with that many samples of each block's eight.
fn pixels<T: Sample>(
    header: &Jpeg,
    bytes: &[u8],
    ybr: bool,
    size: usize,
) -> Result<Vec<T>, ImagingError> {
    let mut decoded = picture::decode::<T>(header, bytes, size)?;
    if decoded.short {
        disagreement::note_short();
    }
    if let Ok(planes) = <&[Plane<T>; 3]>::try_from(decoded.planes.as_slice()) {
        let [width, height] =
            [header.width, header.height].map(|side| picture::smaller(side.into(), size));
        return Ok(colors::colored(planes, width, height, ybr));
    }
    match decoded.planes.pop() {
        Some(plane) if decoded.planes.is_empty() => Ok(colors::grey(plane)),
        _ => Err(ImagingError::damaged("the code stream has another number of components")),
    }
}

/// Whether three DCT-coded components are luminance and chrominance. The code stream's word counts
/// before the header's, which real files get wrong; without any marker the header's does.
fn is_ybr(header: &Jpeg, photometric: &Photometric) -> bool {
    if matches!(header.components.as_slice(), b"RGB" | b"rgb") {
        return false;
    }
    match (header.jfif, header.adobe) {
        (true, _) | (_, Some(1 | 2)) => true,
        (_, Some(0)) => false,
        _ => *photometric != Photometric::Rgb,
    }
}
