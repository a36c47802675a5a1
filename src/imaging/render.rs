//! Drawing a frame for the screen (PS3.18 §8.3.5, PS3.4 §N.2).
//!
//! Grey goes stored value → modality value → window or VOI LUT → level; colour goes to red, green
//! and blue. Then come overlays, the part and size asked for, the colour profile and, last of all,
//! what is written into the picture. A presentation state takes the place of the first steps; a
//! subtracted frame, whose values are differences, that of the decoded one.

mod colour;
mod grey;
mod scale;
#[cfg(test)]
mod tests;
mod tone;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::imaging::caption::Captions;
use crate::imaging::decode::{self, Detail, Frame, decode};
use crate::imaging::encode::{Raster, encode};
use crate::imaging::error::ImagingError;
use crate::imaging::overlay::Overlay;
use crate::imaging::pixels::{Photometric, PixelAttributes};
use crate::imaging::presentation::{Presented, draw as presentation};
use crate::imaging::profile::{self, IccProfile};
use crate::imaging::resample::{resample, turned};
use crate::imaging::subtraction::Subtraction;
use crate::imaging::subtraction::difference::Difference;
use crate::imaging::view::View;

/// Format of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
    /// `image/gif`.
    Gif,
    /// `image/jp2`, lossless.
    Jp2,
}

impl Format {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Jp2 => "image/jp2",
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
    /// Which part, how large, which way round.
    pub view: View,
    /// Window in place of the object's own.
    pub window: Option<Window>,
    /// Overlay planes are drawn.
    pub overlays: bool,
    /// The patient is written into the picture.
    pub patient: bool,
    /// The procedure is written into the picture.
    pub technique: bool,
    /// What becomes of the colour profile.
    pub profile: IccProfile,
    /// Whether a mask is subtracted.
    pub subtraction: Subtraction,
}

/// JPEG quality when nothing is said.
pub const QUALITY: u8 = 90;

impl Default for RenderRequest {
    /// The frame as it is, as JPEG.
    fn default() -> Self {
        Self {
            format: Format::Jpeg,
            quality: QUALITY,
            view: View::default(),
            window: None,
            overlays: false,
            patient: false,
            technique: false,
            profile: IccProfile::Unsaid,
            subtraction: Subtraction::Recommended,
        }
    }
}

/// What goes with a frame into its picture; what a request does not ask for is left empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dressing {
    /// Overlay planes, their bits read.
    pub overlays: Vec<Overlay>,
    /// Lines to write.
    pub captions: Captions,
    /// The object's colour profile.
    pub profile: Option<Bytes>,
    /// What a presentation state makes of this frame.
    pub presented: Option<Box<Presented>>,
    /// This frame less its mask: drawn in its place.
    pub difference: Option<Arc<Difference>>,
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

/// Memory, in bytes, that [`render`] may take.
pub fn cost(attributes: &PixelAttributes, frame: &StoredFrame, request: &RenderRequest) -> u64 {
    let source = (attributes.columns.into(), attributes.rows.into());
    let target = request
        .view
        .rect(source)
        .map_or((0, 0), |rect| request.view.size(&rect, attributes.tallness));
    // The picture, the same in other colours, and its encoded form; of JPEG 2000 also the encoder's
    // words, and the proof.
    let a_pixel = if request.format == Format::Jp2 { 81 } else { 9 };
    let drawn = u64::from(target.0).saturating_mul(target.1.into()).saturating_mul(a_pixel);
    decode::cost(attributes, frame).saturating_add(drawn)
}

/// Draws a frame. CPU work: call it on the pool only.
pub fn render(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    request: &RenderRequest,
    dressing: &Dressing,
) -> Result<Vec<u8>, ImagingError> {
    let (raster, profile) = picture(attributes, frame, request, dressing)?;
    encode(&raster, request.format, request.quality, profile.as_deref())
}

/// Draws a frame as asked without encoding it, with the colour profile that belongs to it.
pub fn picture(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    request: &RenderRequest,
    dressing: &Dressing,
) -> Result<(Raster, Option<Vec<u8>>), ImagingError> {
    let raster = match &dressing.presented {
        Some(presented) => {
            presentation::draw(attributes, frame, presented, &request.view, dressing)?
        }
        None => viewed(attributes, frame, request, dressing)?,
    };
    let (mut raster, profile) =
        profile::apply(raster, dressing.profile.as_deref(), request.profile)?;
    dressing.captions.draw(&mut raster);
    Ok((raster, profile))
}

/// The part asked for of a frame, with its overlays.
fn viewed(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    request: &RenderRequest,
    dressing: &Dressing,
) -> Result<Raster, ImagingError> {
    let (view, overlays) = (&request.view, &dressing.overlays);
    let difference = dressing.difference.as_deref();
    let window = request.window.or(difference.map(|difference| difference.window));
    let of_values = difference.map(|difference| difference.attributes(attributes));
    let of_values = of_values.as_ref().unwrap_or(attributes);
    let decoded = |detail| shown(attributes, frame, detail, dressing);
    let source = (attributes.columns.into(), attributes.rows.into());
    let size = view.size(&view.rect(source)?, attributes.tallness);
    let plain = view.region.is_none() && overlays.is_empty();
    let raster = if plain && size.0 <= source.0 && size.1 <= source.1 {
        let smaller = Detail::AtLeast { width: size.0, height: size.1 };
        let detail = if size == source { Detail::Full } else { smaller };
        let decoded = decoded(detail)?;
        // A code stream may be smaller than its header says.
        let size = (size.0.min(decoded.width), size.1.min(decoded.height));
        tone(of_values, &decoded, frame.index, window, size)?
    } else {
        let decoded = decoded(Detail::Full)?;
        let source = (decoded.width, decoded.height);
        let mut whole = tone(of_values, &decoded, frame.index, window, source)?;
        for overlay in overlays {
            overlay.draw(&mut whole, Some(&decoded), frame.index);
        }
        let rect = view.rect(source)?;
        let size = view.size(&rect, attributes.tallness);
        if view.region.is_none() && size == source {
            whole
        } else {
            resample(&whole, &rect, size.0, size.1)
        }
    };
    Ok(turned(raster, 0, view.flip_across, view.flip_down))
}

/// The samples a picture is made of: the frame's, or its differences from a mask.
pub(in crate::imaging) fn shown<'a>(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    detail: Detail,
    dressing: &'a Dressing,
) -> Result<Cow<'a, Frame>, ImagingError> {
    match &dressing.difference {
        Some(difference) => Ok(Cow::Borrowed(&difference.frame)),
        None => decode(attributes, frame, detail).map(Cow::Owned),
    }
}

/// Draws a whole frame for an overview: fitted into a viewport, its pixels made square, never larger.
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
    tone(attributes, &decoded, frame.index, window, size)
}

/// Samples to grey levels or colours, in a picture of that size: at most the frame's.
pub(in crate::imaging) fn tone(
    attributes: &PixelAttributes,
    decoded: &Frame,
    index: u32,
    window: Option<Window>,
    size: (u32, u32),
) -> Result<Raster, ImagingError> {
    match (decoded.samples_per_pixel, &decoded.photometric) {
        (1, Photometric::PaletteColor) | (3, _) => colour::draw(attributes, decoded, size),
        (1, Photometric::Monochrome2) if attributes.supplemental => {
            let full = (decoded.width, decoded.height);
            let grey = grey::draw(attributes, decoded, index, window, full)?;
            colour::supplement(attributes, decoded, &grey, size)
        }
        _ => grey::draw(attributes, decoded, index, window, size),
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
