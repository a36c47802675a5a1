//! From modality values to levels of grey (PS3.3 §C.11.2, §C.11.6).

use crate::imaging::pixels::{Lut, LutState, Photometric, PixelAttributes};
use crate::imaging::render::{Window, WindowFunction};

/// Which modality values are shown, and how.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::imaging::render) enum Voi<'a> {
    /// A window.
    Window(Window),
    /// A VOI LUT.
    Table(&'a Lut),
    /// From black to white.
    Range(f64, f64),
    /// Left to the values that are there.
    Automatic,
}

impl<'a> Voi<'a> {
    /// The request's window, else the object's first, else its VOI LUT, else the full range of
    /// small unsigned values as they are, else automatic.
    pub(in crate::imaging::render) fn choose(
        attributes: &'a PixelAttributes,
        index: u32,
        request: Option<Window>,
    ) -> Self {
        let rules = attributes.rules(index);
        let own = rules.window.map(|(center, width)| {
            let function = rules.function.unwrap_or(WindowFunction::Linear);
            Window { center, width, function }
        });
        if let Some(window) = usable(request).or(usable(own)) {
            return Self::Window(window);
        }
        match attributes.voi_lut_of(index) {
            LutState::Read(table) => Self::Table(table),
            _ => Self::Automatic,
        }
    }

    /// Level of a modality value, before inversion: 0 is black.
    pub(in crate::imaging::render) fn level(&self, value: f64) -> u8 {
        let part = match self {
            Self::Window(window) => window_part(window, value),
            Self::Table(table) => {
                let largest = f64::from(u32::MAX >> 32_u32.saturating_sub(table.bits.into()));
                f64::from(table.entry(nearest(value))) / largest
            }
            Self::Range(low, high) if high > low => (value - low) / (high - low),
            Self::Range(..) | Self::Automatic => 0.0,
        };
        level(part)
    }
}

/// A window that can be drawn. LINEAR needs a width of at least 1; a smaller one, as objects with
/// values of fractions have, is meant exactly.
fn usable(window: Option<Window>) -> Option<Window> {
    let window = window.filter(|window| {
        window.width > 0.0 && window.width.is_finite() && window.center.is_finite()
    })?;
    let exact = window.function == WindowFunction::Linear && window.width < 1.0;
    Some(if exact { Window { function: WindowFunction::LinearExact, ..window } } else { window })
}

/// Part of white a value gets; outside 0 to 1 it is clipped.
fn window_part(window: &Window, value: f64) -> f64 {
    let Window { center, width, function } = *window;
    match function {
        WindowFunction::Linear => {
            let from_middle = value - (center - 0.5);
            let span = width - 1.0;
            // Clipping first is what makes a width of 1 a threshold.
            if from_middle <= -span / 2.0 {
                0.0
            } else if from_middle > span / 2.0 {
                1.0
            } else {
                from_middle / span + 0.5
            }
        }
        WindowFunction::LinearExact => (value - center) / width + 0.5,
        WindowFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
    }
}

/// Whether low values are white.
pub(in crate::imaging::render) fn inverted(
    attributes: &PixelAttributes,
    photometric: &Photometric,
) -> bool {
    // MONOCHROME1 comes with the shape INVERSE: that is one inversion, not two.
    *photometric == Photometric::Monochrome1 || attributes.inverse
}

/// Lowest and highest value worth showing of values and how often each is there: all but the
/// outermost half percent, so that a marker or a dead pixel does not turn the picture grey.
pub(in crate::imaging::render) fn robust_range(mut counts: Vec<(f64, u64)>) -> (f64, f64) {
    counts.retain(|(value, count)| *count > 0 && value.is_finite());
    counts.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (Some((lowest, _)), Some((highest, _))) = (counts.first(), counts.last()) else {
        return (0.0, 0.0);
    };
    let total = counts.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
    let margin = total / 200;
    let low = past(counts.iter(), margin).unwrap_or(*lowest);
    let high = past(counts.iter().rev(), margin).unwrap_or(*highest);
    // Little else than one value: then what little there is is the picture.
    if low < high { (low, high) } else { (*lowest, *highest) }
}

/// The first value with more than `margin` of them up to it.
fn past<'a>(values: impl Iterator<Item = &'a (f64, u64)>, margin: u64) -> Option<f64> {
    let mut passed = 0_u64;
    for (value, count) in values {
        passed = passed.saturating_add(*count);
        if passed > margin {
            return Some(*value);
        }
    }
    None
}

/// Level of a part of white.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 255 before; NaN becomes 0"
)]
fn level(part: f64) -> u8 {
    (part * 255.0).round().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "saturates at the ends of the table")]
fn nearest(value: f64) -> i64 {
    value.round() as i64
}
