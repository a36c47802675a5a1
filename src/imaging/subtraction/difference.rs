//! One frame, or the average of some, less the average of others: a grey frame of its own.
//!
//! X-ray images are subtracted where their values are logarithms of the beam's intensity (PS3.4
//! §N.2.1.1): as they are stored, unless the object says that they are proportional to it. Only a
//! presentation state's modality LUT is asked: an angiogram's own leads back to intensities.

use crate::imaging::decode::{Detail, Frame, Samples, StoredBits, decode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Lut, LutState, Photometric, PixelAttributes};
use crate::imaging::render::{StoredFrame, Window, WindowFunction};
use crate::imaging::subtraction::Shift;

/// What is subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Stored values, in the units of a rescale where there is one; of those proportional to
    /// intensity their logarithms.
    Own,
    /// Modality values, as the attributes say.
    Modality,
}

/// Values of a frame or of an average of frames; what is padding is no number.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    width: u32,
    height: u32,
    values: Vec<f32>,
    photometric: Photometric,
    /// How far values can lie apart.
    span: f64,
}

/// An average being made.
#[derive(Debug, Default)]
pub struct Average {
    sum: Option<Plane>,
    frames: u16,
}

/// A subtracted frame, to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The differences.
    pub frame: Frame,
    /// What is shown of them when nobody says.
    pub window: Window,
    /// All that there can be.
    pub all: Window,
}

/// Part of the possible differences that is shown at least: noise alone stays near to even grey.
const LEAST_SHOWN: f64 = 1.0 / 16.0;

impl Average {
    /// Adds a frame. CPU work: on the pool only.
    pub fn add(
        mut self,
        attributes: &PixelAttributes,
        frame: &StoredFrame,
        space: Space,
    ) -> Result<Self, ImagingError> {
        let plane = Plane::of(attributes, frame, space)?;
        self.frames = self.frames.saturating_add(1);
        match &mut self.sum {
            None => self.sum = Some(plane),
            Some(sum) => {
                sum.check(&plane)?;
                for (sum, value) in sum.values.iter_mut().zip(&plane.values) {
                    *sum += value;
                }
            }
        }
        Ok(self)
    }

    /// The average.
    pub fn finish(self) -> Result<Plane, ImagingError> {
        let mut plane = self.sum.ok_or(ImagingError::NoPixels)?;
        if self.frames > 1 {
            let frames = f32::from(self.frames);
            plane.values.iter_mut().for_each(|value| *value /= frames);
        }
        Ok(plane)
    }
}

impl Plane {
    fn of(
        attributes: &PixelAttributes,
        frame: &StoredFrame,
        space: Space,
    ) -> Result<Self, ImagingError> {
        let decoded = decode(attributes, frame, Detail::Full)?;
        let (low, high) = decoded.bits.range();
        let scale = Scale::of(attributes, frame.index, space, high)?;
        let value = |stored: i64| match attributes.padding {
            Some((low, high)) if (low..=high).contains(&stored) => f32::NAN,
            _ => scale.value(stored),
        };
        let bits = decoded.bits;
        let values = match (&decoded.data, decoded.samples_per_pixel) {
            (Samples::U8(words), 1) => {
                words.iter().map(|word| value(bits.value((*word).into()))).collect()
            }
            (Samples::U16(words), 1) => {
                words.iter().map(|word| value(bits.value((*word).into()))).collect()
            }
            _ => return Err(ImagingError::unsupported("masks of colours or of long samples")),
        };
        let span = f64::from(scale.value(high)) - f64::from(scale.value(low));
        Ok(Self {
            width: decoded.width,
            height: decoded.height,
            values,
            photometric: decoded.photometric,
            span: span.abs().max(1.0),
        })
    }

    fn check(&self, other: &Self) -> Result<(), ImagingError> {
        if (self.width, self.height) == (other.width, other.height) {
            return Ok(());
        }
        Err(ImagingError::damaged("its frames differ in size"))
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> u64 {
        (self.values.len() as u64).saturating_mul(4)
    }

    /// This less a mask. Where the moved mask has no pixel nothing is known. CPU work: on the pool
    /// only.
    pub fn less(self, mask: &Self, shift: Shift) -> Result<Difference, ImagingError> {
        self.check(mask)?;
        let Self { width, height, mut values, photometric, span } = self;
        if shift == Shift::default() {
            for (value, mask) in values.iter_mut().zip(&mask.values) {
                *value -= mask;
            }
        } else {
            let row = usize::try_from(width).unwrap_or(usize::MAX).max(1);
            let moved = Moved::new(mask, shift);
            for (y, values) in values.chunks_mut(row).enumerate() {
                for (x, value) in values.iter_mut().enumerate() {
                    *value -= moved.at(x, y);
                }
            }
        }
        let shown = reach(&values).max(span / 2.0 * LEAST_SHOWN);
        let exact = WindowFunction::LinearExact;
        let around_zero = |half: f64| Window { center: 0.0, width: 2.0 * half, function: exact };
        let frame = Frame {
            width,
            height,
            samples_per_pixel: 1,
            data: Samples::F32(values),
            bits: StoredBits { stored: 32, shift: 0, signed: true },
            photometric,
        };
        Ok(Difference { frame, window: around_zero(shown), all: around_zero(span) })
    }
}

impl Difference {
    /// An image's attributes for the differences: what is said of stored values says nothing of
    /// these.
    pub fn attributes(&self, of: &PixelAttributes) -> PixelAttributes {
        PixelAttributes {
            rows: of.rows,
            columns: of.columns,
            samples_per_pixel: 1,
            bits_allocated: 32,
            bits_stored: 32,
            high_bit: 31,
            photometric: of.photometric.clone(),
            frames: of.frames,
            inverse: of.inverse,
            tallness: of.tallness,
            voi_lut: LutState::Absent,
            ..PixelAttributes::default()
        }
    }
}

/// Values of stored ones.
enum Scale<'a> {
    Linear {
        slope: f64,
        intercept: f64,
    },
    Table(&'a Lut),
    /// Logarithms, stretched to the values there were.
    Logarithm {
        largest: f64,
    },
}

impl<'a> Scale<'a> {
    fn of(
        attributes: &'a PixelAttributes,
        index: u32,
        space: Space,
        largest: i64,
    ) -> Result<Self, ImagingError> {
        if space == Space::Own && attributes.proportional {
            return Ok(Self::Logarithm { largest: float(largest.max(1)) });
        }
        let rescale = attributes.rules(index).rescale;
        match (rescale, attributes.modality_lut_of(index), space) {
            (Some((slope, intercept)), ..) => Ok(Self::Linear { slope, intercept }),
            (None, LutState::Read(lut), Space::Modality) => Ok(Self::Table(lut)),
            (None, LutState::Unusable, Space::Modality) => {
                Err(ImagingError::unsupported("its modality LUT is too long or damaged"))
            }
            (None, ..) => Ok(Self::Linear { slope: 1.0, intercept: 0.0 }),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "values of 16 bits fit")]
    fn value(&self, stored: i64) -> f32 {
        match self {
            Self::Linear { slope, intercept } => (float(stored) * slope + intercept) as f32,
            Self::Table(lut) => f32::from(lut.entry(stored)),
            Self::Logarithm { largest } => {
                (float(stored.max(0)).ln_1p() / largest.ln_1p() * largest) as f32
            }
        }
    }
}

/// A mask between its pixels.
struct Moved<'a> {
    mask: &'a Plane,
    /// Whole pixels a place lies further down and to the right in the mask, and the rest.
    rows: (i64, f32),
    columns: (i64, f32),
}

impl<'a> Moved<'a> {
    fn new(mask: &'a Plane, shift: Shift) -> Self {
        Self { mask, rows: parts(-shift.down), columns: parts(shift.left) }
    }

    /// The moved mask's value at a pixel, linear between its four neighbours.
    fn at(&self, x: usize, y: usize) -> f32 {
        let place = |at: usize, by: i64| i64::try_from(at).ok().and_then(|at| at.checked_add(by));
        let (Some(x), Some(y)) = (place(x, self.columns.0), place(y, self.rows.0)) else {
            return f32::NAN;
        };
        let (right, down) = (self.columns.1, self.rows.1);
        let mut value = 0.0;
        for (dy, tall) in [(0, 1.0 - down), (1, down)] {
            for (dx, wide) in [(0, 1.0 - right), (1, right)] {
                let part = tall * wide;
                // What counts for nothing need not be there.
                if part > 0.0 {
                    value += part * self.pixel(x.saturating_add(dx), y.saturating_add(dy));
                }
            }
        }
        value
    }

    fn pixel(&self, x: i64, y: i64) -> f32 {
        let (width, height) = (i64::from(self.mask.width), i64::from(self.mask.height));
        if !((0..width).contains(&x) && (0..height).contains(&y)) {
            return f32::NAN;
        }
        let at = y.saturating_mul(width).saturating_add(x);
        let value = usize::try_from(at).ok().and_then(|at| self.mask.values.get(at));
        value.copied().unwrap_or(f32::NAN)
    }
}

/// Whole part, down, and the rest of a length.
#[expect(clippy::cast_possible_truncation, reason = "held within 16 bits before")]
fn parts(length: f32) -> (i64, f32) {
    let length = length.clamp(-65_536.0, 65_536.0);
    (length.floor() as i64, length - length.floor())
}

/// How far from zero values lie, all but the outermost half percent.
fn reach(values: &[f32]) -> f64 {
    let mut sizes: Vec<f32> =
        values.iter().map(|value| value.abs()).filter(|value| value.is_finite()).collect();
    let place = sizes.len().saturating_sub(sizes.len() / 200).saturating_sub(1);
    if sizes.is_empty() {
        return 0.0;
    }
    let (_, size, _) = sizes.select_nth_unstable_by(place, f32::total_cmp);
    (*size).into()
}

/// Stored values have at most 33 bits: exact.
#[expect(clippy::cast_precision_loss, reason = "at most 33 bits")]
fn float(stored: i64) -> f64 {
    stored as f64
}
