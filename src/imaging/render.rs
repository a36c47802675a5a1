//! Drawing a frame for the screen.

use bytes::Bytes;

use crate::imaging::colour::to_rgb;
use crate::imaging::decode::decode;
use crate::imaging::encode::encode;
use crate::imaging::error::ImagingError;
use crate::imaging::grey::to_grey;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::scale::fit;
use crate::imaging::scale::image;

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
    let decoded = decode(attributes, frame)?;
    let is_grey = decoded.photometric.starts_with("MONOCHROME") || decoded.photometric.is_empty();
    let samples = if is_grey && decoded.samples == 1 {
        to_grey(attributes, &decoded, frame.index, request.window)
    } else {
        to_rgb(attributes, &decoded)?
    };
    let picture = image(decoded.width, decoded.height, is_grey && decoded.samples == 1, samples)?;
    let picture = fit(picture, attributes.aspect, request.viewport);
    encode(&picture, request.format, request.quality)
}
