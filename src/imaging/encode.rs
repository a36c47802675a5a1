//! Pictures to JPEG and PNG.

use image::DynamicImage;
use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use jpeg_encoder::ColorType;
use jpeg_encoder::Encoder;

use crate::imaging::error::ImagingError;
use crate::imaging::render::Format;

/// Encodes a grey or RGB picture; `quality` is JPEG's.
pub fn encode(
    picture: &DynamicImage,
    format: Format,
    quality: u8,
) -> Result<Vec<u8>, ImagingError> {
    match format {
        Format::Jpeg => jpeg(picture, quality),
        Format::Png => png(picture),
    }
}

fn jpeg(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, ImagingError> {
    let failed = |error: &dyn std::fmt::Display| ImagingError::Damaged(error.to_string());
    let side = |side: u32| u16::try_from(side).map_err(|error| failed(&error));
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let colour = if picture.as_luma8().is_some() { ColorType::Luma } else { ColorType::Rgb };
    let mut out = Vec::new();
    let encoder = Encoder::new(&mut out, quality.clamp(1, 100));
    encoder.encode(picture.as_bytes(), width, height, colour).map_err(|error| failed(&error))?;
    Ok(out)
}

fn png(picture: &DynamicImage) -> Result<Vec<u8>, ImagingError> {
    let mut out = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    PngEncoder::new(&mut out)
        .write_image(picture.as_bytes(), width, height, picture.color().into())
        .map_err(|error| ImagingError::Damaged(error.to_string()))?;
    Ok(out)
}
