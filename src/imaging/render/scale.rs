//! Smaller pictures by area averaging: every source pixel counts by how much of it lies in the
//! target pixel, so nothing thin is lost and nothing flickers.

/// Size of a picture, in pixels.
pub(in crate::imaging::render) type Size = (u32, u32);

/// Source pixels of one target pixel along one axis, with the part of the target each makes up.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// Averages `source` (`channels` samples a pixel, `from` pixels) down to `to` pixels. `value` gives
/// a sample's number; `from` is at least `to` on both axes.
pub(in crate::imaging::render) fn shrink<T: Copy>(
    source: &[T],
    from: Size,
    to: Size,
    channels: usize,
    value: impl Fn(T) -> f32,
) -> Vec<f32> {
    let stride = index(from.0).saturating_mul(channels);
    let columns = spans(from.0, to.0);
    let mut sums = vec![0.0_f32; stride];
    let mut target = Vec::with_capacity(index(to.0) * index(to.1) * channels);
    for span in spans(from.1, to.1) {
        sums.fill(0.0);
        let rows = source.chunks_exact(stride.max(1)).skip(span.first);
        for (row, weight) in rows.zip(&span.weights) {
            for (sum, sample) in sums.iter_mut().zip(row) {
                *sum += value(*sample) * weight;
            }
        }
        across(&sums, &columns, channels, &mut target);
    }
    target
}

/// As [`shrink`] for one channel, leaving out samples without a value; a target pixel of nothing
/// but those is NaN.
pub(in crate::imaging::render) fn shrink_valued<T: Copy>(
    source: &[T],
    from: Size,
    to: Size,
    value: impl Fn(T) -> Option<f32>,
) -> Vec<f32> {
    let sums = shrink(source, from, to, 1, |sample| value(sample).unwrap_or(0.0));
    let parts = shrink(source, from, to, 1, |sample| f32::from(u8::from(value(sample).is_some())));
    let average = |(sum, part): (f32, f32)| if part > 1e-6 { sum / part } else { f32::NAN };
    sums.into_iter().zip(parts).map(average).collect()
}

fn across(sums: &[f32], columns: &[Span], channels: usize, target: &mut Vec<f32>) {
    for span in columns {
        let pixels = sums.get(span.first.saturating_mul(channels)..).unwrap_or(&[]);
        match channels {
            1 => target.push(pixels.iter().zip(&span.weights).map(|(sum, w)| sum * w).sum()),
            _ => {
                for channel in 0..channels {
                    let samples = pixels.iter().skip(channel).step_by(channels.max(1));
                    target.push(samples.zip(&span.weights).map(|(sum, w)| sum * w).sum());
                }
            }
        }
    }
}

/// Exact in integers: source pixel `i` covers `i·to … (i+1)·to`, target pixel `t` covers
/// `t·from … (t+1)·from`.
fn spans(from: u32, to: u32) -> Vec<Span> {
    let (from, to) = (u64::from(from.max(1)), u64::from(to.max(1)));
    (0..to)
        .map(|target| {
            let (start, end) = (target * from, (target + 1) * from);
            let weights = (start / to..end.div_ceil(to))
                .map(|pixel| {
                    let overlap = end.min((pixel + 1) * to) - start.max(pixel * to);
                    ratio(overlap, from)
                })
                .collect();
            Span { first: usize::try_from(start / to).unwrap_or(usize::MAX), weights }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a weight")]
fn ratio(part: u64, whole: u64) -> f32 {
    (part as f64 / whole as f64) as f32
}

fn index(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{shrink, shrink_valued};

    #[test]
    fn pixels_count_by_how_much_of_them_lies_in_the_target() {
        let small = shrink(&[0_u8, 30, 90], (3, 1), (2, 1), 1, f32::from);
        assert_eq!(small, [10.0, 70.0], "the middle one is halved");
        let small = shrink(&[10_u8, 1, 20, 2, 30, 3, 40, 4], (2, 2), (1, 1), 2, f32::from);
        assert_eq!(small, [25.0, 2.5], "channels are kept apart");
    }

    #[test]
    fn samples_without_a_value_do_not_count() {
        let value = |sample: u8| (sample != 99).then(|| f32::from(sample));
        let small = shrink_valued(&[99_u8, 10, 99, 99], (4, 1), (2, 1), value);
        assert!((small[0] - 10.0).abs() < 1e-4);
        assert!(small[1].is_nan());
    }

    proptest! {
        #[test]
        fn an_even_picture_stays_even(
            (width, height) in (1_u32..40, 1_u32..40),
            (across, down) in (1_u32..40, 1_u32..40),
        ) {
            let (across, down) = (across.min(width), down.min(height));
            let source = vec![200_u8; (width * height) as usize];
            let small = shrink(&source, (width, height), (across, down), 1, f32::from);
            prop_assert_eq!(small.len(), (across * down) as usize);
            for value in small {
                prop_assert!((value - 200.0).abs() < 0.01);
            }
        }
    }
}
