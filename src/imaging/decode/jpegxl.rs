//! JPEG XL (PS3.5 §8.2.15 and following).

use jxl_oxide::{AllocTracker, JxlImage, PixelFormat};

use crate::imaging::decode::{Frame, Samples, StoredBits, check_size, check_stream_size};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};

/// What the decoder may take for each sample, and for its tables besides.
const SAMPLE_BYTES: u64 = 16;
const WORK_BYTES: u64 = 16 * 1024 * 1024;

/// Decodes one frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
) -> Result<Frame, ImagingError> {
    // The decoder works in 32-bit floats, several of them at the same time. A code stream of another
    // size than the header's has to do with what the header's was admitted for.
    let samples = attributes.pixels().saturating_mul(attributes.samples_per_pixel.max(1).into());
    let limit = samples.saturating_mul(SAMPLE_BYTES).saturating_add(WORK_BYTES);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let image = JxlImage::builder()
        .alloc_tracker(AllocTracker::with_limit(limit))
        .read(bytes)
        .map_err(ImagingError::damaged)?;
    let (width, height) = (image.width(), image.height());
    check_stream_size(attributes, width, height)?;
    let count: u16 = match image.pixel_format() {
        PixelFormat::Gray | PixelFormat::Graya => 1,
        PixelFormat::Rgb | PixelFormat::Rgba => 3,
        PixelFormat::Cmyk | PixelFormat::Cmyka => {
            return Err(ImagingError::Unsupported("JPEG XL in CMYK".to_owned()));
        }
    };
    let samples = check_size(width, height, count.into(), 4)?;
    let precision = image.image_header().metadata.bit_depth.bits_per_sample();
    if !(1..=16).contains(&precision) {
        return Err(ImagingError::Unsupported(format!("JPEG XL of {precision} bits")));
    }
    let render = image.render_frame(0).map_err(ImagingError::damaged)?;
    let mut floats = vec![0.0_f32; samples];
    let written = render.stream_no_alpha().write_to_buffer(&mut floats);
    if written != samples {
        return Err(ImagingError::damaged("the decoder gave another number of samples"));
    }
    let largest = f64::from(u32::MAX >> 32_u32.saturating_sub(precision));
    let data = if precision <= 8 {
        Samples::U8(
            floats.into_iter().map(|value| whole(value, largest).to_le_bytes()[0]).collect(),
        )
    } else {
        Samples::U16(floats.into_iter().map(|value| whole(value, largest)).collect())
    };
    Ok(Frame {
        width,
        height,
        samples_per_pixel: count,
        bits: StoredBits::coded(attributes, precision, &data),
        data,
        // The decoder gives red, green and blue whatever it was coded as.
        photometric: match (count, &attributes.photometric) {
            (1, Photometric::Monochrome1) => Photometric::Monochrome1,
            (1, Photometric::PaletteColor) => Photometric::PaletteColor,
            (1, _) => Photometric::Monochrome2,
            _ => Photometric::Rgb,
        },
    })
}

/// The decoder's values run from 0 to 1; the integers they were are exact in a float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to at most 16 bits before"
)]
fn whole(value: f32, largest: f64) -> u16 {
    (f64::from(value) * largest).round().clamp(0.0, largest) as u16
}
