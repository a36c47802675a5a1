//! Thumbnails: small JPEGs without annotation.

use crate::imaging::encode::{Raster, encode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::{Format, StoredFrame, draw};
use crate::imaging::resample::resample;
use crate::imaging::view::Rect;

/// Longest edge of a thumbnail in pixels.
pub const EDGE_PX: u32 = 192;

/// JPEG quality of thumbnails.
const QUALITY: u8 = 82;

/// What stands for a picture that cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// The object is a document, a waveform or anything else without pixels.
    Document,
    /// There are pixels, but they cannot be decoded.
    Unreadable,
}

/// A frame's thumbnail as JPEG, at most [`EDGE_PX`] on its longer edge. CPU work: on the pool only.
pub fn thumbnail(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
) -> Result<Vec<u8>, ImagingError> {
    let raster = draw(attributes, frame, Some((EDGE_PX, EDGE_PX)), None)?;
    encode(&raster, Format::Jpeg, QUALITY, None)
}

/// A square tile as JPEG, as large as fits into so many pixels. Takes about a tenth of a millisecond
/// at [`EDGE_PX`].
pub fn placeholder(
    kind: Placeholder,
    (width, height): (u32, u32),
) -> Result<Vec<u8>, ImagingError> {
    let shade: fn(i32, i32) -> u8 = match kind {
        Placeholder::Document => document,
        Placeholder::Unreadable => cross,
    };
    // The drawings are of a square of 192.
    let data = (0..192).flat_map(|y| (0..192).map(move |x| shade(x, y))).collect();
    let tile = Raster { width: EDGE_PX, height: EDGE_PX, channels: 1, data };
    let edge = width.min(height).max(1);
    let whole = Rect { left: 0.0, top: 0.0, width: EDGE_PX.into(), height: EDGE_PX.into() };
    encode(&resample(&tile, &whole, edge, edge), Format::Jpeg, QUALITY, None)
}

const GROUND: u8 = 0x30;
const LINE: u8 = 0x90;
const PAPER: u8 = 0xC8;

/// A frame with a cross in it.
fn cross(x: i32, y: i32) -> u8 {
    let inside = (40..152).contains(&x) && (40..152).contains(&y);
    let edge = inside && !((44..148).contains(&x) && (44..148).contains(&y));
    let diagonal = (x - y).abs() < 4 || (x + y - 191).abs() < 4;
    let middle = (64..128).contains(&x) && (64..128).contains(&y);
    if edge || (diagonal && middle) { LINE } else { GROUND }
}

/// A sheet with a folded corner and lines of text.
fn document(x: i32, y: i32) -> u8 {
    let sheet = (56..136).contains(&x) && (40..152).contains(&y);
    // The corner is folded along a diagonal of 24 pixels.
    let (across, down) = (x - 112, y - 40);
    let corner = across >= 0 && down < 24 && sheet;
    let cut = corner && across > down;
    let text = (68..124).contains(&x) && (80..140).contains(&y) && (y - 80) % 14 < 4;
    match (sheet, cut, corner, text) {
        (false, ..) | (_, true, ..) => GROUND,
        (_, _, true, _) | (_, _, _, true) => LINE,
        _ => PAPER,
    }
}

#[cfg(test)]
mod tests {
    use super::{EDGE_PX, Placeholder, placeholder};

    #[test]
    fn placeholders_are_small_pictures_that_differ() {
        let document = placeholder(Placeholder::Document, (EDGE_PX, 300)).unwrap();
        let unreadable = placeholder(Placeholder::Unreadable, (EDGE_PX, EDGE_PX)).unwrap();
        assert_ne!(document, unreadable);
        for jpeg in [document, unreadable] {
            let picture = image::load_from_memory(&jpeg).unwrap();
            assert_eq!((picture.width(), picture.height()), (EDGE_PX, EDGE_PX));
            assert!(jpeg.len() < 8192, "{} bytes", jpeg.len());
        }
    }
}
