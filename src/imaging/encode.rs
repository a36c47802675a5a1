//! Pictures to JPEG and PNG.

use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::imaging::error::ImagingError;
use crate::imaging::render::Format;

/// A picture in memory, 8 bits a channel, rows top down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1: grey; 3: red, green, blue.
    pub channels: u8,
    /// The pixels.
    pub data: Vec<u8>,
}

/// From this JPEG quality on colours keep their full resolution.
const FULL_CHROMA_QUALITY: u8 = 90;

/// Encodes a picture; `quality` (1 to 100) means nothing to PNG.
pub fn encode(raster: &Raster, format: Format, quality: u8) -> Result<Vec<u8>, ImagingError> {
    match format {
        Format::Jpeg => jpeg(raster, quality.clamp(1, 100)),
        Format::Png => png(raster),
    }
}

fn jpeg(raster: &Raster, quality: u8) -> Result<Vec<u8>, ImagingError> {
    let too_large = |_| ImagingError::TooLarge { bytes: raster.data.len() as u64 };
    let width = u16::try_from(raster.width).map_err(too_large)?;
    let height = u16::try_from(raster.height).map_err(too_large)?;
    let mut bytes = Vec::with_capacity(raster.data.len() / 4);
    let mut encoder = Encoder::new(&mut bytes, quality);
    let color = if raster.channels == 3 { ColorType::Rgb } else { ColorType::Luma };
    encoder.set_sampling_factor(if raster.channels == 3 && quality < FULL_CHROMA_QUALITY {
        SamplingFactor::F_2_2
    } else {
        SamplingFactor::F_1_1
    });
    encoder.encode(&raster.data, width, height, color).map_err(ImagingError::damaged)?;
    Ok(bytes)
}

fn png(raster: &Raster) -> Result<Vec<u8>, ImagingError> {
    let mut bytes = Vec::new();
    let color = if raster.channels == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&raster.data, raster.width, raster.height, color)
        .map_err(ImagingError::damaged)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Raster, encode};
    use crate::imaging::render::Format;

    #[test]
    fn what_is_encoded_decodes_to_the_same_picture() {
        let grey =
            Raster { width: 5, height: 3, channels: 1, data: (0..15).map(|n| n * 17).collect() };
        let color =
            Raster { width: 4, height: 2, channels: 3, data: (0..24).map(|n| n * 10).collect() };
        for raster in [&grey, &color] {
            let png = encode(raster, Format::Png, 0).unwrap();
            let read = image::load_from_memory(&png).unwrap();
            assert_eq!((read.width(), read.height()), (raster.width, raster.height));
            assert_eq!(read.as_bytes(), raster.data);
            let jpeg = encode(raster, Format::Jpeg, 95).unwrap();
            let read = image::load_from_memory(&jpeg).unwrap();
            assert_eq!((read.width(), read.height()), (raster.width, raster.height));
            assert_eq!(read.color().channel_count(), raster.channels);
        }
    }
}
