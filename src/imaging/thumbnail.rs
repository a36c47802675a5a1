//! Thumbnails: small JPEGs without annotation.

use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::StoredFrame;

/// Longest edge of a thumbnail in pixels.
pub const EDGE_PX: u32 = 192;

/// A frame's thumbnail as JPEG, at most [`EDGE_PX`] on its longer edge. CPU work: on the pool only.
pub fn thumbnail(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
) -> Result<Vec<u8>, ImagingError> {
    todo!("{attributes:?} {frame:?}")
}
