//! Thumbnails: small JPEGs without annotation, and what stands where none can be drawn.

use image::DynamicImage;
use image::GrayImage;
use image::Luma;

use crate::imaging::encode::encode;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::Format;
use crate::imaging::render::RenderRequest;
use crate::imaging::render::StoredFrame;
use crate::imaging::render::render;

/// Longest edge of a thumbnail in pixels.
pub const EDGE_PX: u32 = 192;

/// JPEG quality of a thumbnail.
const QUALITY: u8 = 85;

/// A frame's thumbnail as JPEG, at most [`EDGE_PX`] on its longer edge. CPU work: on the pool only.
pub fn thumbnail(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
) -> Result<Vec<u8>, ImagingError> {
    let request = RenderRequest {
        format: Format::Jpeg,
        quality: QUALITY,
        viewport: Some((EDGE_PX, EDGE_PX)),
        window: None,
    };
    render(attributes, frame, &request)
}

/// What stands in the place of a thumbnail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The object has no pixels: a sheet of paper with lines.
    Document,
    /// The frame cannot be decoded: a tile with a cross.
    Unreadable,
}

/// Draws a placeholder as JPEG.
pub fn placeholder(kind: Placeholder) -> Result<Vec<u8>, ImagingError> {
    let mut tile = GrayImage::from_pixel(EDGE_PX, EDGE_PX, Luma([32]));
    for (x, y, pixel) in tile.enumerate_pixels_mut() {
        let shade = match kind {
            Placeholder::Document => sheet(x, y),
            Placeholder::Unreadable => cross(x, y),
        };
        *pixel = Luma([shade]);
    }
    encode(&DynamicImage::ImageLuma8(tile), Format::Jpeg, QUALITY)
}

/// White paper with grey lines of text, the last one short.
fn sheet(x: u32, y: u32) -> u8 {
    if !(48..144).contains(&x) || !(32..160).contains(&y) {
        return 32;
    }
    let is_text = (y - 32) % 16 >= 8 && (y - 32) % 16 < 12 && (60..132).contains(&x);
    let is_cut = y > 140 && x > 100;
    if is_text && !is_cut { 120 } else { 230 }
}

/// A grey diagonal cross.
fn cross(x: u32, y: u32) -> u8 {
    let inside = (56..136).contains(&x) && (56..136).contains(&y);
    let on_line = x.abs_diff(y) < 6 || (x + y).abs_diff(EDGE_PX - 1) < 6;
    if inside && on_line { 140 } else { 32 }
}

#[cfg(test)]
mod tests {
    use super::{EDGE_PX, Placeholder, placeholder};

    #[test]
    fn placeholders_are_pictures_of_thumbnail_size() {
        for kind in [Placeholder::Document, Placeholder::Unreadable] {
            let picture = image::load_from_memory(&placeholder(kind).unwrap()).unwrap();
            assert_eq!((picture.width(), picture.height()), (EDGE_PX, EDGE_PX));
        }
    }
}
