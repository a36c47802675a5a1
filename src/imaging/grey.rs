//! Grey to 8 bits: rescale, window, inversion (PS3.3 §C.11.1, §C.11.2, PS3.4 §N.2).

use crate::imaging::decode::Frame;
use crate::imaging::decode::Samples;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::Window;
use crate::imaging::render::WindowFunction;

/// An 8-bit grey picture of a frame; `window` in place of the object's own.
pub fn to_grey(
    attributes: &PixelAttributes,
    frame: &Frame,
    index: u32,
    window: Option<Window>,
) -> Vec<u8> {
    let transform = attributes.transform(index);
    let (slope, intercept) = (transform.slope.unwrap_or(1.0), transform.intercept.unwrap_or(0.0));
    let slope = if slope == 0.0 { 1.0 } else { slope };
    let rescale = |value: f64| value * slope + intercept;
    let window = window.or_else(|| transform.window());
    let is_inverse = (attributes.photometric == "MONOCHROME1") != attributes.is_inverse;
    let shade = |value: f64, window: Window| {
        let level = level(rescale(value), window);
        if is_inverse { 255 - level } else { level }
    };
    match &frame.data {
        Samples::U8(bytes) => {
            let values = stored_values(attributes, 8);
            let seen = bytes.iter().map(|byte| u16::from(*byte));
            let window = window.unwrap_or_else(|| automatic(attributes, seen, &values, rescale));
            let table: Vec<u8> = values.iter().map(|value| shade(*value, window)).collect();
            bytes.iter().filter_map(|byte| table.get(usize::from(*byte)).copied()).collect()
        }
        Samples::U16(words) => {
            let values = stored_values(attributes, 16);
            let seen = words.iter().copied();
            let window = window.unwrap_or_else(|| automatic(attributes, seen, &values, rescale));
            let table: Vec<u8> = values.iter().map(|value| shade(*value, window)).collect();
            words.iter().filter_map(|word| table.get(usize::from(*word)).copied()).collect()
        }
        Samples::U32(words) => {
            let signed = attributes.is_signed;
            let value =
                |word: &u32| if signed { f64::from(word.cast_signed()) } else { f64::from(*word) };
            let window = window.unwrap_or_else(|| spread(words.iter().map(value).map(rescale)));
            words.iter().map(|word| shade(value(word), window)).collect()
        }
        Samples::F64(values) => {
            let window = window.unwrap_or_else(|| spread(values.iter().copied().map(rescale)));
            values.iter().map(|value| shade(*value, window)).collect()
        }
    }
}

/// What every pattern of `bits` bits means: unused high bits left out, sign read at the high bit.
fn stored_values(attributes: &PixelAttributes, bits: u32) -> Vec<f64> {
    let stored = u32::from(attributes.bits_stored).clamp(1, bits);
    let shift = (u32::from(attributes.high_bit) + 1).saturating_sub(stored).min(bits - stored);
    let mask = (1_i64 << stored) - 1;
    (0..1_i64 << bits)
        .map(|pattern| {
            let value = pattern >> shift & mask;
            let negative = attributes.is_signed && value >> (stored - 1) & 1 == 1;
            let value = if negative { value - (1 << stored) } else { value };
            #[expect(clippy::cast_precision_loss, reason = "17 bits at most")]
            let value = value as f64;
            value
        })
        .collect()
}

/// A window over what the frame holds, padding left out, the outermost half percent cut off.
fn automatic(
    attributes: &PixelAttributes,
    patterns: impl Iterator<Item = u16>,
    values: &[f64],
    rescale: impl Fn(f64) -> f64,
) -> Window {
    let mut counts = vec![0_u64; values.len()];
    for pattern in patterns.filter(|pattern| !is_padding(attributes, *pattern)) {
        if let Some(count) = counts.get_mut(usize::from(pattern)) {
            *count += 1;
        }
    }
    let mut seen: Vec<(f64, u64)> = values
        .iter()
        .map(|value| rescale(*value))
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = seen.iter().map(|(_, count)| count).sum();
    let cut = total / 200;
    let low = edge(seen.iter(), cut);
    let high = edge(seen.iter().rev(), cut);
    between(low, high)
}

/// The value at which more than `cut` pixels are passed.
fn edge<'a>(mut from: impl Iterator<Item = &'a (f64, u64)>, cut: u64) -> f64 {
    let mut passed = 0;
    let found = from.find(|(_, count)| {
        passed += count;
        passed > cut
    });
    found.map_or(0.0, |(value, _)| *value)
}

fn is_padding(attributes: &PixelAttributes, pattern: u16) -> bool {
    let Some(padding) = attributes.padding else { return false };
    let limit = attributes.padding_limit.unwrap_or(padding);
    (padding.min(limit)..=padding.max(limit)).contains(&pattern)
}

fn spread(values: impl Iterator<Item = f64>) -> Window {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    between(low.min(high), high.max(low))
}

fn between(low: f64, high: f64) -> Window {
    let width = (high - low).max(1.0);
    Window { center: low + width / 2.0, width, function: WindowFunction::LinearExact }
}

/// A value through a window to 0…255 (PS3.3 §C.11.2.1.2, §C.11.2.1.3).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0…255")]
fn level(value: f64, Window { center, width, function }: Window) -> u8 {
    let level = match function {
        WindowFunction::Linear if width > 1.0 => {
            ((value - (center - 0.5)) / (width - 1.0) + 0.5) * 255.0
        }
        // A width of one is a threshold (PS3.3 §C.11.2.1.2.1).
        WindowFunction::Linear => {
            if value <= center - 0.5 {
                0.0
            } else {
                255.0
            }
        }
        WindowFunction::LinearExact => ((value - center) / width + 0.5) * 255.0,
        WindowFunction::Sigmoid => 255.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
    };
    level.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::{Window, WindowFunction, level, stored_values};
    use crate::imaging::decode::{Frame, Samples};
    use crate::imaging::grey::to_grey;
    use crate::imaging::pixels::PixelAttributes;

    fn attributes() -> PixelAttributes {
        PixelAttributes {
            bits_allocated: 16,
            bits_stored: 12,
            high_bit: 11,
            photometric: "MONOCHROME2".to_owned(),
            ..PixelAttributes::default()
        }
    }

    fn frame(words: &[u16]) -> Frame {
        let data = Samples::U16(words.to_vec());
        Frame {
            width: words.len(),
            height: 1,
            samples: 1,
            data,
            photometric: "MONOCHROME2".to_owned(),
        }
    }

    #[test]
    fn windows_are_those_of_the_standard() {
        for (function, center, width, value, expected) in [
            (WindowFunction::Linear, 2048.0, 4096.0, 0.0, 0),
            (WindowFunction::Linear, 2048.0, 4096.0, 4095.0, 255),
            (WindowFunction::Linear, 0.0, 1.0, -0.5, 0),
            (WindowFunction::Linear, 0.0, 1.0, 0.0, 255),
            (WindowFunction::LinearExact, 100.0, 200.0, 0.0, 0),
            (WindowFunction::LinearExact, 100.0, 200.0, 200.0, 255),
            (WindowFunction::Sigmoid, 50.0, 10.0, 50.0, 128),
        ] {
            assert_eq!(
                level(value, Window { center, width, function }),
                expected,
                "{function:?} {value}"
            );
        }
    }

    #[test]
    fn signs_are_read_at_the_high_bit_and_bits_above_it_left_out() {
        let signed = PixelAttributes { is_signed: true, ..attributes() };
        let values = stored_values(&signed, 16);
        assert_eq!((values[0x07FF], values[0x0800], values[0xF7FF]), (2047.0, -2048.0, 2047.0));
    }

    #[test]
    fn monochrome1_is_white_at_zero_and_padding_does_not_widen_the_window() {
        let mut one = attributes();
        one.photometric = "MONOCHROME1".to_owned();
        assert_eq!(to_grey(&one, &frame(&[0, 100]), 0, None), [255, 0]);
        let mut padded = attributes();
        padded.padding = Some(4000);
        assert_eq!(to_grey(&padded, &frame(&[0, 100, 4000]), 0, None)[..2], [0, 255]);
    }
}
