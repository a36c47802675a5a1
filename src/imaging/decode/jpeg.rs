//! JPEG: baseline, extended, progressive and lossless (PS3.5 §8.2.1).
//!
//! What is coded with cosines is decoded here, so that colours come out as gdcm, DCMTK and most
//! viewers show them; a codec does the lossless process, and pictures made smaller while decoded.

mod bits;
mod blocks;
mod colors;
mod cosine;
mod picture;
mod tables;
#[cfg(test)]
mod tests;

use jpeg_decoder::{ColorTransform, Decoder};

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::jpeg::colors::Plane;
use crate::imaging::decode::jpeg::cosine::Sample;
use crate::imaging::decode::{
    Detail, Frame, MAX_FRAME_BYTES, Samples, StoredBits, check_size, check_stream_size,
    photometric_of,
};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};

/// Scans of one frame. Each makes the codec walk the whole picture; real ones have about ten.
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
        (0xC0..=0xC2, 8, _) => {
            let ybr = colors_of(attributes, &header, &mut frame);
            frame.data = match smaller(&header, bytes, detail)? {
                Some((decoder, width, height)) => {
                    (frame.width, frame.height) = (width, height);
                    scaled(decoder, ybr, count)?
                }
                None => Samples::U8(pixels(&header, bytes, ybr)?),
            };
        }
        (0xC1 | 0xC2, 12, _) => {
            let ybr = colors_of(attributes, &header, &mut frame);
            frame.data = Samples::U16(pixels(&header, bytes, ybr)?);
        }
        (0xC3, ..) => frame.data = lossless(&header, bytes)?,
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
/// one has a bit at least for every sample, the others for every block of 64. The codec would fill up
/// what is missing in front of an end marker.
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

fn decoder(bytes: &[u8]) -> Decoder<&[u8]> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(usize::try_from(MAX_FRAME_BYTES).unwrap_or(usize::MAX));
    decoder
}

/// Says that three components come out as red, green and blue; tells whether they are luminance and
/// chrominance before.
fn colors_of(attributes: &PixelAttributes, header: &Jpeg, frame: &mut Frame) -> bool {
    if header.components.len() != 3 {
        return false;
    }
    frame.photometric = Photometric::Rgb;
    is_ybr(header, &attributes.photometric)
}

/// The whole picture, coded with cosines.
fn pixels<T: Sample>(header: &Jpeg, bytes: &[u8], ybr: bool) -> Result<Vec<T>, ImagingError> {
    let (width, height) = (header.width.into(), header.height.into());
    let mut planes = picture::decode::<T>(header, bytes)?;
    if let Ok(planes) = <&[Plane<T>; 3]>::try_from(planes.as_slice()) {
        return Ok(colors::colored(planes, width, height, ybr));
    }
    match planes.pop() {
        Some(plane) if planes.is_empty() => Ok(colors::grey(plane)),
        _ => Err(ImagingError::damaged("the code stream has another number of components")),
    }
}

/// A decoder that makes the picture smaller, and the size it gives; `None` if that is no less.
fn smaller<'a>(
    header: &Jpeg,
    bytes: &'a [u8],
    detail: Detail,
) -> Result<Option<(Decoder<&'a [u8]>, u32, u32)>, ImagingError> {
    let Detail::AtLeast { width, height } = detail else { return Ok(None) };
    let wanted = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
    let mut decoder = decoder(bytes);
    let size = decoder.scale(wanted(width), wanted(height)).map_err(ImagingError::damaged)?;
    let whole = size == (header.width, header.height);
    Ok((!whole).then(|| (decoder, size.0.into(), size.1.into())))
}

fn scaled(
    mut decoder: Decoder<&[u8]>,
    ybr: bool,
    components: usize,
) -> Result<Samples, ImagingError> {
    if components == 3 {
        decoder.set_color_transform(if ybr { ColorTransform::YCbCr } else { ColorTransform::RGB });
    }
    Ok(Samples::U8(decoder.decode().map_err(ImagingError::damaged)?))
}

fn lossless(header: &Jpeg, bytes: &[u8]) -> Result<Samples, ImagingError> {
    let decoded = decoder(bytes).decode().map_err(ImagingError::damaged)?;
    // Samples of any precision but 8 come as 16-bit words.
    if header.precision == 8 {
        return Ok(Samples::U8(decoded));
    }
    let (words, _) = decoded.as_chunks::<2>();
    Ok(Samples::U16(words.iter().map(|word| u16::from_ne_bytes(*word)).collect()))
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
