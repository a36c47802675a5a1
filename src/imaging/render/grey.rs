//! Grey frames: modality values, window, inversion.
//!
//! A picture that keeps its size goes through a table of the stored values that are there. One that
//! is made smaller is averaged first, in stored values, and only the few pixels left are windowed:
//! values outside the window then weigh what they are and not what the window makes of them, which
//! is nearer to what a detector with larger pixels had seen, and spares most of the work. It is done
//! only where modality values are linear in stored ones.

use crate::imaging::decode::{Frame, Samples, StoredBits};
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Lut, LutState, PixelAttributes};
use crate::imaging::render::Window;
use crate::imaging::render::scale::{Size, shrink, shrink_valued};
use crate::imaging::render::tone::{Voi, inverted, robust_range};

/// Modality values of stored ones.
enum Modality<'a> {
    Linear { slope: f64, intercept: f64 },
    Table(&'a Lut),
}

/// Everything that makes a level of a stored value.
struct Tones<'a> {
    modality: Modality<'a>,
    voi: Voi<'a>,
    padding: Option<(i64, i64)>,
    real_padding: Option<(f64, f64)>,
    invert: bool,
}

/// Draws a grey frame.
pub(in crate::imaging::render) fn draw(
    attributes: &PixelAttributes,
    frame: &Frame,
    index: u32,
    window: Option<Window>,
    size: Size,
) -> Result<Raster, ImagingError> {
    let mut tones = Tones {
        modality: modality(attributes, index)?,
        voi: Voi::choose(attributes, index, window),
        padding: attributes.padding,
        real_padding: attributes.real_padding,
        invert: inverted(attributes, &frame.photometric),
    };
    let full = (frame.width, frame.height);
    if tones.voi == Voi::Automatic && tones.shows_all(frame.bits) {
        let (low, high) = frame.bits.range();
        tones.voi = Voi::Range(float(low), float(high));
    }
    let linear = matches!(tones.modality, Modality::Linear { .. });
    let levels = match &frame.data {
        Samples::U8(words) if size == full || !linear => {
            let levels = tones.by_table(words, frame.bits);
            shrunk(levels, full, size)
        }
        Samples::U16(words) if size == full || !linear => {
            let levels = tones.by_table(words, frame.bits);
            shrunk(levels, full, size)
        }
        Samples::U8(words) => tones.by_average(words, frame.bits, full, size),
        Samples::U16(words) => tones.by_average(words, frame.bits, full, size),
        Samples::U32(words) => {
            let bits = frame.bits;
            tones.by_value(
                words,
                full,
                size,
                |word| Some(bits.value(word)),
                |word| float(bits.value(word)),
            )
        }
        Samples::F32(words) => tones.by_value(words, full, size, |_| None, f64::from),
        Samples::F64(words) => tones.by_value(words, full, size, |_| None, |word| word),
    };
    Ok(Raster { width: size.0, height: size.1, channels: 1, data: levels })
}

fn modality(attributes: &PixelAttributes, index: u32) -> Result<Modality<'_>, ImagingError> {
    match (attributes.rules(index).rescale, attributes.modality_lut_of(index)) {
        (Some((slope, intercept)), _) => Ok(Modality::Linear { slope, intercept }),
        (None, LutState::Read(table)) => Ok(Modality::Table(table)),
        (None, LutState::Absent) => Ok(Modality::Linear { slope: 1.0, intercept: 0.0 }),
        (None, LutState::Unusable) => {
            Err(ImagingError::unsupported("its modality LUT is too long or damaged"))
        }
    }
}

impl Tones<'_> {
    /// Whether values are shown from the lowest possible to the highest when nothing else is said:
    /// small unsigned ones, which are levels already.
    fn shows_all(&self, bits: StoredBits) -> bool {
        let plain = match self.modality {
            Modality::Linear { slope, intercept } => {
                (slope - 1.0).abs() < f64::EPSILON && intercept.abs() < f64::EPSILON
            }
            Modality::Table(_) => false,
        };
        plain && bits.stored <= 8 && !bits.signed
    }

    fn modality_value(&self, stored: i64) -> f64 {
        match &self.modality {
            Modality::Linear { slope, intercept } => float(stored) * slope + intercept,
            Modality::Table(table) => f64::from(table.entry(stored)),
        }
    }

    /// Modality value of a floating point one; padding has none.
    fn real(&self, stored: f64) -> f64 {
        if self.real_padding.is_some_and(|(low, high)| (low..=high).contains(&stored)) {
            return f64::NAN;
        }
        match self.modality {
            Modality::Linear { slope, intercept } => stored * slope + intercept,
            Modality::Table(_) => stored,
        }
    }

    fn is_padding(&self, stored: i64) -> bool {
        self.padding.is_some_and(|(low, high)| (low..=high).contains(&stored))
    }

    fn level(&self, value: f64) -> u8 {
        let level = self.voi.level(value);
        if self.invert { 255 - level } else { level }
    }

    /// Every word through a table of the values that are there: of the lowest to the highest.
    fn by_table<T: Copy + Into<u32>>(&mut self, words: &[T], bits: StoredBits) -> Vec<u8> {
        let value = |word: &T| bits.narrow((*word).into());
        let lowest = words.iter().map(value).fold(i32::MAX, i32::min);
        let highest = words.iter().map(value).fold(i32::MIN, i32::max);
        let place = |word: &T| usize::try_from(value(word).wrapping_sub(lowest)).unwrap_or(0);
        let stored = || (lowest..=highest).map(i64::from);
        if self.voi == Voi::Automatic {
            let mut counts = vec![0_u64; stored().count()];
            for word in words {
                if let Some(count) = counts.get_mut(place(word)) {
                    *count += 1;
                }
            }
            let counted = stored().zip(counts).filter(|(value, _)| !self.is_padding(*value));
            let counts = counted.map(|(value, count)| (self.modality_value(value), count));
            let (low, high) = robust_range(counts.collect());
            self.voi = Voi::Range(low, high);
        }
        let level = |stored: i64| {
            if self.is_padding(stored) { 0 } else { self.level(self.modality_value(stored)) }
        };
        let table: Vec<u8> = stored().map(level).collect();
        words.iter().map(|word| table.get(place(word)).copied().unwrap_or(0)).collect()
    }

    /// Averages of stored values, then levels.
    fn by_average<T: Copy + Into<u32>>(
        &mut self,
        words: &[T],
        bits: StoredBits,
        full: Size,
        size: Size,
    ) -> Vec<u8> {
        let averages = if self.padding.is_some() {
            let valued = |word: T| {
                let stored = bits.value(word.into());
                (!self.is_padding(stored)).then(|| unwide(float(stored)))
            };
            shrink_valued(words, full, size, valued)
        } else {
            shrink(words, full, size, 1, |word: T| small(bits.narrow(word.into())))
        };
        let (slope, intercept) = match self.modality {
            Modality::Linear { slope, intercept } => (slope, intercept),
            Modality::Table(_) => (1.0, 0.0),
        };
        let values = averages.into_iter().map(|value| f64::from(value) * slope + intercept);
        self.levels(values.collect())
    }

    /// Words too wide for a table, one by one.
    fn by_value<T: Copy>(
        &mut self,
        words: &[T],
        full: Size,
        size: Size,
        stored: impl Fn(T) -> Option<i64>,
        plain: impl Fn(T) -> f64,
    ) -> Vec<u8> {
        let value = |word: T| match stored(word) {
            Some(stored) if self.is_padding(stored) => f64::NAN,
            Some(stored) => self.modality_value(stored),
            None => self.real(plain(word)),
        };
        let values: Vec<f64> = if size == full {
            words.iter().map(|word| value(*word)).collect()
        } else {
            let valued = |word: T| Some(unwide(value(word))).filter(|value| value.is_finite());
            let averages = shrink_valued(words, full, size, valued);
            averages.into_iter().map(f64::from).collect()
        };
        self.levels(values)
    }

    /// Levels of modality values; what is no number is black.
    fn levels(&mut self, values: Vec<f64>) -> Vec<u8> {
        if self.voi == Voi::Automatic {
            let (low, high) = robust_range(histogram(&values));
            self.voi = Voi::Range(low, high);
        }
        let level = |value: f64| if value.is_finite() { self.level(value) } else { 0 };
        values.into_iter().map(level).collect()
    }
}

/// How often values are there, in a bounded number of steps.
fn histogram(values: &[f64]) -> Vec<(f64, u64)> {
    const STEPS: u16 = 4096;
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / f64::from(STEPS);
    if !(width > 0.0 && width.is_finite()) {
        return finite().next().map(|value| (value, 1)).into_iter().collect();
    }
    let mut counts = vec![0_u64; usize::from(STEPS) + 1];
    for value in finite() {
        if let Some(count) = counts.get_mut(step((value - low) / width)) {
            *count += 1;
        }
    }
    let values = (0..=STEPS).map(|step| low + f64::from(step) * width);
    values.zip(counts).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of steps"
)]
fn step(place: f64) -> usize {
    place as usize
}

fn shrunk(levels: Vec<u8>, full: Size, size: Size) -> Vec<u8> {
    if full == size {
        return levels;
    }
    shrink(&levels, full, size, 1, f32::from).into_iter().map(rounded).collect()
}

/// A level out of an average of levels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 255 before"
)]
pub(in crate::imaging::render) fn rounded(average: f32) -> u8 {
    (average + 0.5).clamp(0.0, 255.0) as u8
}

/// Stored values have at most 33 bits: exact.
#[expect(clippy::cast_precision_loss, reason = "at most 33 bits")]
fn float(stored: i64) -> f64 {
    stored as f64
}

/// Words of 16 bits or fewer: exact.
#[expect(clippy::cast_precision_loss, reason = "at most 16 bits")]
fn small(stored: i32) -> f32 {
    stored as f32
}

#[expect(clippy::cast_possible_truncation, reason = "24 bits are more than a level needs")]
fn unwide(value: f64) -> f32 {
    value as f32
}
