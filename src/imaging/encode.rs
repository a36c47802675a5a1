//! Pictures to JPEG, PNG, GIF and JPEG 2000.

use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::imaging::cine::Cine;
use crate::imaging::error::ImagingError;
use crate::imaging::jp2;
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

impl Raster {
    /// Gives a pixel a colour; a grey picture takes its luminance. Outside, nothing happens.
    pub fn set(&mut self, x: u32, y: u32, color: [u8; 3]) {
        self.mix(x, y, color, 1.0);
    }

    /// Lays a colour over a pixel that covers it in part, 0 to 1.
    pub fn mix(&mut self, x: u32, y: u32, color: [u8; 3], cover: f32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let channels = usize::from(self.channels);
        let at = u64::from(y) * u64::from(self.width) + u64::from(x);
        let at = usize::try_from(at).unwrap_or(usize::MAX).saturating_mul(channels);
        let grey = [luminance(color)];
        let color: &[u8] = if channels == 1 { &grey } else { &color };
        let pixel = self.data.get_mut(at..at.saturating_add(channels));
        for (sample, wanted) in pixel.into_iter().flatten().zip(color) {
            *sample = between(*sample, *wanted, cover);
        }
    }

    /// The same picture in red, green and blue.
    #[must_use]
    pub fn in_color(self) -> Self {
        if self.channels != 1 {
            return self;
        }
        let data = self.data.iter().flat_map(|level| [*level; 3]).collect();
        Self { channels: 3, data, ..self }
    }
}

/// ITU-R BT.601 weights.
fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    u8::try_from((sum + 500) / 1000).unwrap_or(u8::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 255 before"
)]
fn between(from: u8, to: u8, part: f32) -> u8 {
    let level = f32::from(from) + (f32::from(to) - f32::from(from)) * part;
    (level + 0.5).clamp(0.0, 255.0) as u8
}

/// From this JPEG quality on colours keep their full resolution.
const FULL_CHROMA_QUALITY: u8 = 90;

/// Encodes a picture; `quality` (1 to 100) is JPEG's alone. A colour profile goes into the formats
/// that can hold one.
pub fn encode(
    raster: &Raster,
    format: Format,
    quality: u8,
    profile: Option<&[u8]>,
) -> Result<Vec<u8>, ImagingError> {
    match format {
        Format::Jpeg => jpeg(raster, quality.clamp(1, 100), profile),
        Format::Png => png(raster, profile),
        Format::Jp2 => jp2::encode(raster, profile),
        Format::Gif => {
            let mut cine = Cine::begin(raster)?;
            cine.add(raster, 0)?;
            cine.finish()
        }
    }
}

fn jpeg(raster: &Raster, quality: u8, profile: Option<&[u8]>) -> Result<Vec<u8>, ImagingError> {
    let (format, chroma) = match raster.channels {
        3 if quality < FULL_CHROMA_QUALITY => (PixelFormat::RGB, Subsamp::Sub2x2),
        3 => (PixelFormat::RGB, Subsamp::None),
        _ => (PixelFormat::GRAY, Subsamp::Gray),
    };
    if raster.width.max(raster.height) > MOST_PIXELS {
        return Err(ImagingError::TooLarge { bytes: raster.data.len() as u64 });
    }
    let width = usize::try_from(raster.width).map_err(ImagingError::damaged)?;
    let height = usize::try_from(raster.height).map_err(ImagingError::damaged)?;
    let pitch = width.saturating_mul(format.size());
    let image = Image { pixels: raster.data.as_slice(), width, pitch, height, format };
    let mut compressor = Compressor::new().map_err(ImagingError::damaged)?;
    compressor.set_quality(quality.into()).map_err(ImagingError::damaged)?;
    compressor.set_subsamp(chroma).map_err(ImagingError::damaged)?;
    let mut bytes = compressor.compress_to_vec(image).map_err(ImagingError::damaged)?;
    if let Some(profile) = profile {
        let rest = bytes.split_off(JFIF_END.min(bytes.len()));
        bytes.extend(profile_segments(profile)?);
        bytes.extend(rest);
    }
    Ok(bytes)
}

/// Pixels across or down that the encoder takes.
const MOST_PIXELS: u32 = 65_500;

/// Where SOI and the JFIF segment without a thumbnail end (ITU-T T.871 §10.1).
const JFIF_END: usize = 20;

/// A colour profile in APP2 segments (ISO 15076-1 Annex B.4): of each 65535 bytes, 16 are its length,
/// its name, its number and how many there are.
fn profile_segments(profile: &[u8]) -> Result<Vec<u8>, ImagingError> {
    const NAME: &[u8] = b"ICC_PROFILE\0";
    const MOST: usize = 65_535 - 16;
    let count = u8::try_from(profile.len().div_ceil(MOST)).map_err(ImagingError::damaged)?;
    let mut segments = Vec::with_capacity(profile.len().saturating_add(usize::from(count) * 18));
    for (number, part) in (1..=count).zip(profile.chunks(MOST)) {
        let length = u16::try_from(part.len().saturating_add(16)).map_err(ImagingError::damaged)?;
        segments.extend_from_slice(&[0xFF, 0xE2]);
        segments.extend_from_slice(&length.to_be_bytes());
        segments.extend_from_slice(NAME);
        segments.extend_from_slice(&[number, count]);
        segments.extend_from_slice(part);
    }
    Ok(segments)
}

fn png(raster: &Raster, profile: Option<&[u8]>) -> Result<Vec<u8>, ImagingError> {
    let mut bytes = Vec::new();
    let color = if raster.channels == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    let mut encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).map_err(ImagingError::damaged)?;
    }
    encoder
        .write_image(&raster.data, raster.width, raster.height, color)
        .map_err(ImagingError::damaged)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::ImageDecoder;

    use super::{Raster, encode};
    use crate::imaging::render::Format;

    #[test]
    fn what_is_encoded_decodes_to_the_same_picture() {
        let grey =
            Raster { width: 5, height: 3, channels: 1, data: (0..15).map(|n| n * 17).collect() };
        let color =
            Raster { width: 4, height: 2, channels: 3, data: (0..24).map(|n| n * 10).collect() };
        for raster in [&grey, &color] {
            let png = encode(raster, Format::Png, 0, None).unwrap();
            let read = image::load_from_memory(&png).unwrap();
            assert_eq!((read.width(), read.height()), (raster.width, raster.height));
            assert_eq!(read.as_bytes(), raster.data);
            let jpeg = encode(raster, Format::Jpeg, 95, None).unwrap();
            let read = image::load_from_memory(&jpeg).unwrap();
            assert_eq!((read.width(), read.height()), (raster.width, raster.height));
            assert_eq!(read.color().channel_count(), raster.channels);
        }
    }

    #[test]
    fn a_profile_goes_into_jpeg_and_png_and_comes_out_again() {
        let raster = Raster { width: 1, height: 1, channels: 3, data: vec![1, 2, 3] };
        // Longer than one JPEG segment holds.
        let profile = vec![7; 100_000];
        let png = encode(&raster, Format::Png, 0, Some(&profile)).unwrap();
        let jpeg = encode(&raster, Format::Jpeg, 90, Some(&profile)).unwrap();
        let mut png = image::codecs::png::PngDecoder::new(Cursor::new(png)).unwrap();
        let mut jpeg = image::codecs::jpeg::JpegDecoder::new(Cursor::new(jpeg)).unwrap();
        assert_eq!(png.icc_profile().unwrap().as_ref(), Some(&profile));
        assert_eq!(jpeg.icc_profile().unwrap(), Some(profile));
    }

    #[test]
    fn colours_are_laid_over_pixels_in_part() {
        let mut raster = Raster { width: 2, height: 1, channels: 1, data: vec![100, 100] };
        raster.mix(0, 0, [200; 3], 0.5);
        raster.set(1, 0, [255, 0, 0]);
        raster.set(2, 0, [255; 3]);
        assert_eq!(raster.data, [150, 76]);
        assert_eq!(raster.in_color().data, [150, 150, 150, 76, 76, 76]);
    }
}
