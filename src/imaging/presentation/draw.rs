//! A frame drawn as a presentation state says (PS3.4 §N.2.1, §N.2.2).

use crate::imaging::decode::{Detail, Frame};
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::overlay::Overlay;
use crate::imaging::pixels::{Lut, LutState, Photometric, PixelAttributes};
use crate::imaging::presentation::graphics::{Canvas, draw_graphics};
use crate::imaging::presentation::{Area, Presented, Shutter};
use crate::imaging::render::{Dressing, StoredFrame, Window, WindowFunction, shown, tone};
use crate::imaging::resample::{resample, turned};
use crate::imaging::view::{Fit, MAX_EDGE_PX, Rect, View, whole};

/// Draws a frame so. Region and flips of the view come after everything the state does.
pub fn draw(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    presented: &Presented,
    view: &View,
    dressing: &Dressing,
) -> Result<Raster, ImagingError> {
    let attributes = instead(attributes, presented);
    let decoded = shown(&attributes, frame, Detail::Full, dressing)?;
    let decoded: &Frame = &decoded;
    let size = (decoded.width, decoded.height);
    let mut raster = if let Some(difference) = &dressing.difference {
        let mut of_values = difference.attributes(&attributes);
        of_values.voi_lut = attributes.voi_lut.clone();
        let window = presented.said_window(Some(difference.all));
        tone(&of_values, decoded, frame.index, window, size)?
    } else {
        let window = presented.window(&attributes, decoded);
        tone(&attributes, decoded, frame.index, window, size)?
    };
    if let (Some(lut), 1) = (&presented.output_lut, raster.channels) {
        map(&mut raster, lut);
    }
    let shutter = |overlay: &Overlay| presented.shutter_group == Some(overlay.group);
    for overlay in presented.overlays.iter().filter(|overlay| !shutter(overlay)) {
        overlay.draw(&mut raster, Some(decoded), frame.index);
    }
    for overlay in &dressing.overlays {
        if presented.shown_groups.contains(&overlay.group) && !shutter(overlay) {
            overlay.draw(&mut raster, Some(decoded), frame.index);
        }
    }
    shut(&mut raster, presented);
    // The state's own plane, else the image's: its ones are hidden.
    let mut planes = presented.overlays.iter().chain(&dressing.overlays);
    if let Some(plane) = planes.find(|plane| shutter(plane)) {
        let hidden = [presented.shutter_level; 3];
        plane.paint(&mut raster, Some(decoded), frame.index, hidden);
    }
    let canvas = canvas(&attributes, presented, view, size);
    let sideways = canvas.quarters % 2 == 1;
    let (across, down) =
        if sideways { (canvas.height, canvas.width) } else { (canvas.width, canvas.height) };
    let part = resample(&raster, &canvas.rect, across, down);
    let mut raster = turned(part, canvas.quarters, canvas.flip, false);
    draw_graphics(&mut raster, &canvas, &presented.drawings);
    afterwards(raster, view)
}

/// Memory, in bytes, that the picture takes beside the decoded frame.
pub fn cost(attributes: &PixelAttributes, presented: &Presented, view: &View) -> u64 {
    let size = (attributes.columns.into(), attributes.rows.into());
    let canvas = canvas(attributes, presented, view, size);
    u64::from(canvas.width).saturating_mul(canvas.height.into()).saturating_mul(9)
}

/// Region and flips of the view, on what the state has made.
fn afterwards(raster: Raster, view: &View) -> Result<Raster, ImagingError> {
    let raster = if view.region.is_some() {
        let rect = view.rect((raster.width, raster.height))?;
        let (width, height) = view.size(&rect, 1.0);
        resample(&raster, &rect, width, height)
    } else {
        raster
    };
    Ok(turned(raster, 0, view.flip_across, view.flip_down))
}

/// The image's attributes with the state's in their place.
pub fn instead(attributes: &PixelAttributes, presented: &Presented) -> PixelAttributes {
    let mut attributes = attributes.clone();
    if !presented.grey || !attributes.photometric.is_grey() {
        return attributes;
    }
    // The state's LUTs say what is white, whatever the image says (PS3.4 §N.2.1).
    attributes.photometric = Photometric::Monochrome2;
    attributes.inverse = presented.inverse;
    attributes.per_frame.clear();
    attributes.frame_tables.clear();
    attributes.values.rescale = presented.rescale;
    attributes.modality_lut = presented.modality_lut.clone();
    attributes.values.window = None;
    attributes.values.function = None;
    attributes.voi_lut =
        presented.voi.as_ref().map_or_else(Default::default, |voi| voi.lut.clone());
    attributes
}

impl Presented {
    /// The window it says; without one, and without a table in its place, `otherwise`.
    fn said_window(&self, otherwise: Option<Window>) -> Option<Window> {
        let voi = self.voi.as_ref();
        match voi.and_then(|voi| voi.window) {
            Some((center, width)) => {
                let function = voi.and_then(|voi| voi.function).unwrap_or(WindowFunction::Linear);
                Some(Window { center, width, function })
            }
            None => otherwise.filter(|_| !self.has_voi_table()),
        }
    }

    fn has_voi_table(&self) -> bool {
        self.voi.as_ref().is_some_and(|voi| matches!(voi.lut, LutState::Read(_)))
    }

    /// The window of a grey frame: the state's, or without one all values there can be.
    fn window(&self, attributes: &PixelAttributes, decoded: &Frame) -> Option<Window> {
        if !self.grey || decoded.samples_per_pixel != 1 {
            return None;
        }
        if let Some(window) = self.said_window(None) {
            return Some(window);
        }
        if self.has_voi_table() {
            return None;
        }
        let (low, high) = match &attributes.modality_lut {
            LutState::Read(lut) if self.rescale.is_none() => {
                (0.0, f64::from(u32::MAX >> 32_u32.saturating_sub(lut.bits.into())))
            }
            _ => {
                let bits = i32::try_from(decoded.bits.stored.clamp(1, 32)).unwrap_or(16);
                let span = 2_f64.powi(bits);
                let low = if decoded.bits.signed { -span / 2.0 } else { 0.0 };
                let (slope, intercept) = self.rescale.unwrap_or((1.0, 0.0));
                let ends = (low * slope + intercept, (low + span - 1.0) * slope + intercept);
                (ends.0.min(ends.1), ends.0.max(ends.1))
            }
        };
        // LINEAR from the lowest value to the highest (PS3.3 §C.11.2.1.2.1).
        let width = high - low + 1.0;
        let center = low + width / 2.0;
        Some(Window { center, width, function: WindowFunction::Linear })
    }
}

/// Levels through a presentation LUT.
fn map(raster: &mut Raster, lut: &Lut) {
    let last = lut.entries.len().saturating_sub(1);
    let largest = u32::MAX >> 32_u32.saturating_sub(lut.bits.into());
    let table: Vec<u8> = (0..=255_usize)
        .map(|level| {
            let entry = lut.entries.get((level * last + 127) / 255).copied().unwrap_or(0);
            u8::try_from((u32::from(entry) * 255 + largest / 2) / largest.max(1)).unwrap_or(255)
        })
        .collect();
    for level in &mut raster.data {
        *level = table.get(usize::from(*level)).copied().unwrap_or(0);
    }
}

/// Hides what lies outside any of the shutters.
fn shut(raster: &mut Raster, presented: &Presented) {
    if presented.shutters.is_empty() {
        return;
    }
    let hidden = [presented.shutter_level; 3];
    let (width, height) = (raster.width, raster.height);
    for y in 0..height {
        // How many of the shutters each pixel is seen through.
        let mut seen = vec![0_usize; usize::try_from(width).unwrap_or(0)];
        for shutter in &presented.shutters {
            for (from, to) in shutter.open_at(f64::from(y) + 0.5) {
                let (from, to) = (nearest(from, width), nearest(to, width));
                for pixel in seen.get_mut(from..to).unwrap_or_default() {
                    *pixel += 1;
                }
            }
        }
        for (x, seen) in (0..width).zip(seen) {
            if seen < presented.shutters.len() {
                raster.set(x, y, hidden);
            }
        }
    }
}

/// The first pixel whose middle lies at or behind an edge.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture before"
)]
fn nearest(edge: f64, width: u32) -> usize {
    (edge - 0.5).ceil().clamp(0.0, f64::from(width)) as usize
}

impl Shutter {
    /// What can be seen through it on one line.
    fn open_at(&self, y: f64) -> Vec<(f64, f64)> {
        match self {
            Self::Rectangle { left, top, right, bottom } => {
                if (*top..=*bottom).contains(&y) {
                    vec![(*left, *right)]
                } else {
                    Vec::new()
                }
            }
            Self::Circle { center, radius } => {
                let half = radius * radius - (y - center.1) * (y - center.1);
                if half < 0.0 {
                    return Vec::new();
                }
                vec![(center.0 - half.sqrt(), center.0 + half.sqrt())]
            }
            Self::Polygon(corners) => crate::imaging::shapes::crossings(corners, y),
        }
    }
}

/// Where the state puts which part of the image, for a view.
fn canvas(
    attributes: &PixelAttributes,
    presented: &Presented,
    view: &View,
    size: (u32, u32),
) -> Canvas {
    let all = Area {
        left: 0.0,
        top: 0.0,
        right: size.0.into(),
        bottom: size.1.into(),
        magnification: None,
        tallness: None,
    };
    let area = presented.area.as_ref().unwrap_or(&all);
    let (width, height) = (area.right - area.left, area.bottom - area.top);
    let rect = Rect { left: area.left, top: area.top, width, height };
    let tallness = area.tallness.unwrap_or(attributes.tallness);
    let sideways = presented.quarters % 2 == 1;
    let turned =
        |(across, down): (f64, f64)| if sideways { (down, across) } else { (across, down) };
    // A viewport of the view scales the area, but not when a region is to be cut out of it.
    let fit = if view.region.is_some() { Fit::AsIs } else { view.fit };
    let shown = turned((width, height * if fit == Fit::AsIs { 1.0 } else { tallness }));
    let scale = match fit {
        Fit::AsIs => area.magnification.unwrap_or(1.0),
        Fit::Within { width, height } => {
            (f64::from(width) / shown.0).min(f64::from(height) / shown.1)
        }
        Fit::Across(across) => f64::from(across) / shown.0,
        Fit::Down(down) => f64::from(down) / shown.1,
    };
    let edge = |length: f64| whole(length * scale).min(MAX_EDGE_PX);
    Canvas {
        rect,
        quarters: presented.quarters,
        flip: presented.flip,
        width: edge(shown.0),
        height: edge(shown.1),
    }
}
