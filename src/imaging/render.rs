//! Drawing a frame for the screen (PS3.18 §8.3.5, PS3.4 §N.2).
//!
//! Grey goes stored value → modality value → window or VOI LUT → level; colour goes to red, green
//! and blue. Pictures are made smaller by area averaging, never larger.

mod colour;
mod grey;
mod scale;
#[cfg(test)]
mod tests;
mod tone;

use bytes::Bytes;

use crate::imaging::decode::{Detail, decode};
use crate::imaging::encode::{Raster, encode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};

/// Format of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
}

impl Format {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// VOI window of a request (PS3.18 §8.3.5.1.4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Center, in units of the Modality LUT's output.
    pub center: f64,
    /// Width.
    pub width: f64,
    /// Shape (PS3.3 §C.11.2.1.3).
    pub function: WindowFunction,
}

/// Shape of a VOI window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowFunction {
    /// PS3.3 §C.11.2.1.2.1
    Linear,
    /// PS3.3 §C.11.2.1.3.2
    LinearExact,
    /// PS3.3 §C.11.2.1.3.1
    Sigmoid,
}

/// What to draw and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RenderRequest {
    /// Format.
    pub format: Format,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// The picture fits into so many pixels (width, height), aspect kept, never enlarged; `None`: as large as the frame.
    pub viewport: Option<(u32, u32)>,
    /// Window in place of the object's own.
    pub window: Option<Window>,
}

/// One frame's stored bytes.
#[derive(Debug, Clone)]
pub struct StoredFrame {
    /// Transfer syntax of the object.
    pub transfer_syntax: String,
    /// Frame bytes as stored (native: packed from bit 0).
    pub bytes: Bytes,
    /// Frame index from 0, for per-frame attributes.
    pub index: u32,
}

/// Draws a frame. CPU work: call it on the pool only.
pub fn render(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    request: &RenderRequest,
) -> Result<Vec<u8>, ImagingError> {
    let raster = draw(attributes, frame, request.viewport, request.window)?;
    encode(&raster, request.format, request.quality)
}

/// Draws a frame without encoding it.
pub fn draw(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    viewport: Option<(u32, u32)>,
    window: Option<Window>,
) -> Result<Raster, ImagingError> {
    let size = picture_size(attributes, viewport);
    let detail = match viewport {
        Some(_) => Detail::AtLeast { width: size.0, height: size.1 },
        None => Detail::Full,
    };
    let decoded = decode(attributes, frame, detail)?;
    // A code stream may be larger or smaller than its header says.
    let size = (size.0.min(decoded.width), size.1.min(decoded.height));
    match (decoded.samples_per_pixel, &decoded.photometric) {
        (1, Photometric::PaletteColor) | (3, _) => colour::draw(attributes, &decoded, size),
        (1, Photometric::Monochrome2) if attributes.supplemental => {
            let full = (decoded.width, decoded.height);
            let grey = grey::draw(attributes, &decoded, frame.index, window, full)?;
            colour::supplement(attributes, &decoded, &grey, size)
        }
        _ => grey::draw(attributes, &decoded, frame.index, window, size),
    }
}

/// Width and height of the picture: pixels that are not square are made so by leaving some out, and
/// the whole is fitted into the viewport.
fn picture_size(attributes: &PixelAttributes, viewport: Option<(u32, u32)>) -> (u32, u32) {
    let (columns, rows) = (f64::from(attributes.columns), f64::from(attributes.rows));
    let tall = attributes.tallness;
    let (width, height) = if tall > 1.0 { (columns / tall, rows) } else { (columns, rows * tall) };
    let fit = viewport.map_or(1.0, |(across, down)| {
        (f64::from(across) / width).min(f64::from(down) / height).min(1.0)
    });
    (whole(width * fit), whole(height * fit))
}

/// Rounded, at least one pixel; frames have at most 65 535 across.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 16 bits before"
)]
fn whole(size: f64) -> u32 {
    size.round().clamp(1.0, 65_535.0) as u32
}
