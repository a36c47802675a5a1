//! Parts of pictures at other sizes: averaged where they become smaller, interpolated between
//! neighbours where they become larger, copied where they stay.

use crate::imaging::encode::Raster;
use crate::imaging::view::Rect;

/// Source pixels that make up one target pixel along one axis, with their weights.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The part `rect` of a picture in `width` by `height` pixels; what lies outside it is black.
pub fn resample(source: &Raster, rect: &Rect, width: u32, height: u32) -> Raster {
    let data = match source.channels {
        3 => resampled::<3>(source, rect, width, height),
        _ => resampled::<1>(source, rect, width, height),
    };
    Raster { width, height, channels: source.channels, data }
}

fn resampled<const CHANNELS: usize>(
    source: &Raster,
    rect: &Rect,
    width: u32,
    height: u32,
) -> Vec<u8> {
    let columns = taps(source.width, rect.left, rect.width, width);
    let rows = taps(source.height, rect.top, rect.height, height);
    let stride = index(source.width).saturating_mul(CHANNELS);
    // Only what the part shown is made of is added up.
    let first = columns.iter().map(|column| column.first).min().unwrap_or(0);
    let end = columns.iter().map(|column| column.first.saturating_add(column.weights.len())).max();
    let used =
        first.saturating_mul(CHANNELS)..end.unwrap_or(0).saturating_mul(CHANNELS).min(stride);
    let mut sums = vec![0.0_f32; used.len()];
    let mut data = Vec::with_capacity(index(width) * index(height) * CHANNELS);
    for row in &rows {
        sums.fill(0.0);
        let lines = source.data.chunks_exact(stride.max(1)).skip(row.first);
        for (line, weight) in lines.zip(&row.weights) {
            let line = line.get(used.clone()).unwrap_or(&[]);
            for (sum, sample) in sums.iter_mut().zip(line) {
                *sum += f32::from(*sample) * weight;
            }
        }
        across::<CHANNELS>(&sums, first, &columns, &mut data);
    }
    data
}

/// One row of target pixels, of sums that begin with the source's column `first`.
fn across<const CHANNELS: usize>(
    sums: &[f32],
    first: usize,
    columns: &[Taps],
    target: &mut Vec<u8>,
) {
    let (pixels, _) = sums.as_chunks::<CHANNELS>();
    for column in columns {
        let mut mixed = [0.0_f32; CHANNELS];
        let pixels = pixels.get(column.first.saturating_sub(first)..).unwrap_or(&[]);
        for (pixel, weight) in pixels.iter().zip(&column.weights) {
            for (sum, sample) in mixed.iter_mut().zip(pixel) {
                *sum += sample * weight;
            }
        }
        target.extend(mixed.map(octet));
    }
}

/// What sums of fractions may be off by at the edge of a pixel.
const EDGE: f64 = 1e-6;

/// Taps of `target` pixels over `from..from + length` of an axis of `size` source pixels.
fn taps(size: u32, from: f64, length: f64, target: u32) -> Vec<Taps> {
    let scale = length / f64::from(target.max(1));
    let last = f64::from(size) - 1.0;
    // Interpolation does not look over the edges of the part shown.
    let low = (from + EDGE).floor();
    let high = ((from + length - EDGE).ceil() - 1.0).max(low);
    (0..target)
        .map(|pixel| {
            let start = from + f64::from(pixel) * scale;
            let (first, weights) = if scale > 1.0 {
                averaged(start, start + scale)
            } else {
                interpolated(start + scale / 2.0 - 0.5, low, high)
            };
            kept(first, weights, last)
        })
        .collect()
}

/// How much of each source pixel lies in `start..end`.
fn averaged(start: f64, end: f64) -> (f64, Vec<f64>) {
    let first = start.floor();
    let mut weights = Vec::new();
    let mut pixel = first;
    while pixel < end {
        let overlap = end.min(pixel + 1.0) - start.max(pixel);
        weights.push(overlap / (end - start));
        pixel += 1.0;
    }
    (first, weights)
}

/// The two pixels around a place, each by how near it is.
fn interpolated(place: f64, low: f64, high: f64) -> (f64, Vec<f64>) {
    let place = place.clamp(low, high);
    let first = place.floor();
    let part = place - first;
    // Within a thousandth it is the pixel itself.
    if part < 0.001 {
        (first, vec![1.0])
    } else if part > 0.999 {
        (first + 1.0, vec![1.0])
    } else {
        (first, vec![1.0 - part, part])
    }
}

/// Leaves out source pixels there are not.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights, and places between 0 and the last pixel"
)]
fn kept(first: f64, weights: Vec<f64>, last: f64) -> Taps {
    let mut place = first;
    let mut kept = Taps { first: first.clamp(0.0, last.max(0.0)) as usize, weights: Vec::new() };
    for weight in weights {
        if (0.0..=last).contains(&place) {
            kept.weights.push(weight as f32);
        }
        place += 1.0;
    }
    kept
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 255 before"
)]
fn octet(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

fn index(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// Turns a picture: first clockwise by quarters, then left and right, top and bottom exchanged.
#[must_use]
pub fn turned(source: Raster, quarters: u8, flip_across: bool, flip_down: bool) -> Raster {
    let quarters = quarters % 4;
    if quarters == 0 && !flip_across && !flip_down {
        return source;
    }
    let channels = usize::from(source.channels.max(1));
    let (width, height) = (index(source.width), index(source.height));
    let (across, down) = if quarters.is_multiple_of(2) { (width, height) } else { (height, width) };
    let mut data = Vec::with_capacity(source.data.len());
    for y in 0..down {
        let y = if flip_down { down - 1 - y } else { y };
        for x in 0..across {
            let x = if flip_across { across - 1 - x } else { x };
            let (column, row) = match quarters {
                0 => (x, y),
                1 => (y, height - 1 - x),
                2 => (width - 1 - x, height - 1 - y),
                _ => (width - 1 - y, x),
            };
            let at = (row * width + column) * channels;
            data.extend_from_slice(source.data.get(at..at + channels).unwrap_or(&[]));
        }
    }
    let (width, height) = if quarters.is_multiple_of(2) {
        (source.width, source.height)
    } else {
        (source.height, source.width)
    };
    Raster { width, height, channels: source.channels, data }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{resample, turned};
    use crate::imaging::encode::Raster;
    use crate::imaging::view::Rect;

    fn raster(width: u32, height: u32, data: &[u8]) -> Raster {
        Raster { width, height, channels: 1, data: data.to_vec() }
    }

    fn rect(left: f64, top: f64, width: f64, height: f64) -> Rect {
        Rect { left, top, width, height }
    }

    #[test]
    fn what_keeps_its_size_is_copied() {
        let source = raster(3, 2, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(resample(&source, &rect(0.0, 0.0, 3.0, 2.0), 3, 2), source);
        assert_eq!(resample(&source, &rect(1.0, 1.0, 2.0, 1.0), 2, 1), raster(2, 1, &[5, 6]));
    }

    #[test]
    fn smaller_is_the_average_and_larger_lies_between() {
        let source = raster(4, 1, &[0, 100, 200, 250]);
        assert_eq!(resample(&source, &rect(0.0, 0.0, 4.0, 1.0), 2, 1).data, [50, 225]);
        assert_eq!(resample(&source, &rect(0.5, 0.0, 3.0, 1.0), 1, 1).data, [142], "halves count");
        let twice = resample(&source, &rect(1.0, 0.0, 2.0, 1.0), 4, 1).data;
        assert_eq!(twice, [100, 125, 175, 200], "neighbours outside the part do not shine in");
    }

    #[test]
    fn what_lies_outside_is_black() {
        let source = raster(2, 1, &[10, 20]);
        assert_eq!(resample(&source, &rect(-1.0, 0.0, 4.0, 1.0), 4, 1).data, [0, 10, 20, 0]);
        assert_eq!(resample(&source, &rect(-2.0, -2.0, 8.0, 4.0), 2, 1).data, [2, 0]);
    }

    #[test]
    fn pictures_turn_clockwise_and_then_flip() {
        let source = raster(3, 2, &[1, 2, 3, 4, 5, 6]);
        for (quarters, across, down, expected) in [
            (0, true, false, raster(3, 2, &[3, 2, 1, 6, 5, 4])),
            (0, false, true, raster(3, 2, &[4, 5, 6, 1, 2, 3])),
            (1, false, false, raster(2, 3, &[4, 1, 5, 2, 6, 3])),
            (2, false, false, raster(3, 2, &[6, 5, 4, 3, 2, 1])),
            (3, false, false, raster(2, 3, &[3, 6, 2, 5, 1, 4])),
            (1, true, false, raster(2, 3, &[1, 4, 2, 5, 3, 6])),
        ] {
            assert_eq!(turned(source.clone(), quarters, across, down), expected, "{quarters}");
        }
    }

    proptest! {
        #[test]
        fn an_even_picture_stays_even_inside(
            (width, height) in (1_u32..20, 1_u32..20),
            (across, down) in (1_u32..50, 1_u32..50),
            (left, top) in (0.0_f64..0.9, 0.0_f64..0.9),
        ) {
            let source = raster(width, height, &vec![200; (width * height) as usize]);
            let (w, h) = (f64::from(width), f64::from(height));
            let part = rect(left * w, top * h, w * (1.0 - left), h * (1.0 - top));
            let drawn = resample(&source, &part, across, down);
            prop_assert_eq!(drawn.data.len(), (across * down) as usize);
            prop_assert!(drawn.data.iter().all(|level| *level == 200));
        }

        #[test]
        fn no_part_panics(
            left in -1e6_f64..1e6, width in 0.001_f64..1e4, target in 1_u32..40,
        ) {
            let source = raster(7, 1, &[9; 7]);
            let drawn = resample(&source, &rect(left, 0.0, width, 1.0), target, 1);
            prop_assert_eq!(drawn.data.len(), target as usize);
        }
    }
}
