//! JPEG: baseline, extended, progressive and lossless (PS3.5 §8.2.1).

use jpeg_decoder::{ColorTransform, Decoder};

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::{
    Detail, Frame, MAX_FRAME_BYTES, Samples, StoredBits, check_size, check_stream_size, jpeg12,
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
        (0xC0..=0xC2, 8, _) => cosine(attributes, &header, bytes, detail, &mut frame)?,
        (0xC1, 12, 1) => frame.data = Samples::U16(jpeg12::decode(&header, bytes)?),
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

/// Baseline and progressive, to red, green and blue if there are three components.
fn cosine(
    attributes: &PixelAttributes,
    header: &Jpeg,
    bytes: &[u8],
    detail: Detail,
    frame: &mut Frame,
) -> Result<(), ImagingError> {
    let mut decoder = decoder(bytes);
    if header.components.len() == 3 {
        let ybr = is_ybr(header, &attributes.photometric);
        decoder.set_color_transform(if ybr { ColorTransform::YCbCr } else { ColorTransform::RGB });
        frame.photometric = Photometric::Rgb;
    }
    if let Detail::AtLeast { width, height } = detail {
        let wanted = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
        let scaled = decoder.scale(wanted(width), wanted(height));
        let (width, height) = scaled.map_err(ImagingError::damaged)?;
        (frame.width, frame.height) = (width.into(), height.into());
    }
    frame.data = Samples::U8(decoder.decode().map_err(ImagingError::damaged)?);
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::is_ybr;
    use crate::imaging::decode::codestream::Jpeg;
    use crate::imaging::pixels::Photometric;

    #[test]
    fn colours_follow_the_code_stream_and_then_the_header() {
        let plain = Jpeg { components: vec![1, 2, 3], ..Jpeg::default() };
        let jfif = Jpeg { jfif: true, ..plain.clone() };
        let adobe = |transform| Jpeg { adobe: Some(transform), ..plain.clone() };
        let named = Jpeg { components: b"RGB".to_vec(), ..plain.clone() };
        for (header, photometric, ybr) in [
            (&plain, Photometric::Rgb, false),
            (&plain, Photometric::YbrFull422, true),
            (&plain, Photometric::Other("?".into()), true),
            (&jfif, Photometric::Rgb, true),
            (&adobe(0), Photometric::YbrFull422, false),
            (&adobe(1), Photometric::Rgb, true),
            (&named, Photometric::YbrFull422, false),
        ] {
            assert_eq!(is_ybr(header, &photometric), ybr, "{header:?} {photometric:?}");
        }
    }
}
