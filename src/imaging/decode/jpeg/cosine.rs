//! The inverse cosine transform, in the fixed point that other readers of DICOM round with: pictures
//! come out as theirs to the last bit.
//!
//! It is the one of Loeffler, Ligtenberg and Moschytz (1989) with 11 multiplications and the rotations
//! in 13 bits, as the Independent JPEG Group's library has it by default.

/// Samples of a precision.
pub(in crate::imaging::decode::jpeg) trait Sample:
    Copy + Default + Into<i32> + Into<u16> + Send + Sync
{
    /// A value to be multiplied. Damaged streams hold coefficients no encoder makes; these may wrap.
    type Word: Copy + Default + Into<i32>;
    /// Half the range: what a transformed zero stands for.
    const CENTER: i32;
    /// Bits kept below the point between columns and rows.
    const KEPT: u32;
    /// The value, or the end of the range nearest to it.
    #[inline]
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "clamped")]
    fn clamped(value: i32) -> Self {
        Self::narrowed(value.clamp(0, 2 * Self::CENTER - 1) as u16)
    }
    /// The value's lowest bits: all of one in range.
    fn narrowed(value: u16) -> Self;
    /// A coefficient times its quantization.
    fn multiplied(value: i16, factor: u16) -> Self::Word;
    /// A value between columns and rows.
    fn between(value: i32) -> Self::Word;
    /// The sum of two.
    fn sum(one: Self::Word, other: Self::Word) -> Self::Word;
}

impl Sample for u8 {
    // All that encoders make fits, and processors multiply it much faster; the common readers do so.
    type Word = i16;
    const CENTER: i32 = 128;
    const KEPT: u32 = 2;

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    fn narrowed(value: u16) -> Self {
        value as Self
    }

    #[inline]
    fn multiplied(value: i16, factor: u16) -> i16 {
        value.wrapping_mul(factor.cast_signed())
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    fn between(value: i32) -> i16 {
        value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }

    #[inline]
    fn sum(one: i16, other: i16) -> i16 {
        one.wrapping_add(other)
    }
}

/// Of 12 bits.
impl Sample for u16 {
    type Word = i32;
    const CENTER: i32 = 2048;
    const KEPT: u32 = 1;

    #[inline]
    fn narrowed(value: u16) -> Self {
        value
    }

    #[inline]
    fn multiplied(value: i16, factor: u16) -> i32 {
        i32::from(value).wrapping_mul(i32::from(factor))
    }

    #[inline]
    fn between(value: i32) -> i32 {
        value
    }

    #[inline]
    fn sum(one: i32, other: i32) -> i32 {
        one.wrapping_add(other)
    }
}

/// Bits below the point of the factors.
const POINT: u32 = 13;

// Sums and differences of √2·cos(kπ/16), times 2^13.
const F0_298: i32 = 2446;
const F0_390: i32 = 3196;
const F0_541: i32 = 4433;
const F0_765: i32 = 6270;
const F0_899: i32 = 7373;
const F1_175: i32 = 9633;
const F1_501: i32 = 12299;
const F1_847: i32 = 15137;
const F1_961: i32 = 16069;
const F2_053: i32 = 16819;
const F2_562: i32 = 20995;
const F3_072: i32 = 25172;

/// A block's samples, row by row, of coefficients and their quantization in rows.
#[inline]
pub(in crate::imaging::decode::jpeg) fn inverse<T: Sample>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 8]; 8] {
    transform::<T, false>(coefficients, quantization)
}

/// Coefficients, in the order they are coded, that lie in the four rows and columns of lowest frequency.
pub(in crate::imaging::decode::jpeg) const LOW: usize = 10;

/// The same of a block with no more than the first [`LOW`] coefficients, which most blocks are.
#[inline]
pub(in crate::imaging::decode::jpeg) fn inverse_low<T: Sample>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 8]; 8] {
    transform::<T, true>(coefficients, quantization)
}

#[inline]
fn transform<T: Sample, const FEW: bool>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 8]; 8] {
    let mut rows = [[T::Word::default(); 8]; 8];
    let (coefficients, _) = coefficients.as_chunks::<8>();
    let (quantization, _) = quantization.as_chunks::<8>();
    for (target, (row, factors)) in rows.iter_mut().zip(coefficients.iter().zip(quantization)) {
        for (target, (value, factor)) in target.iter_mut().zip(row.iter().zip(factors)) {
            *target = T::multiplied(*value, *factor);
        }
    }
    let columns = waves::<T, _, FEW>(&rows, POINT - T::KEPT, T::between);
    let sample = |value: i32| T::clamped(value.wrapping_add(T::CENTER));
    transposed(&waves::<T, _, FEW>(&transposed(&columns), POINT + T::KEPT + 3, sample))
}

/// The samples of a block that has a mean and no more.
#[inline]
pub(in crate::imaging::decode::jpeg) fn even<T: Sample>(mean: i16, factor: u16) -> T {
    let mean = i32::from(mean).wrapping_mul(i32::from(factor)).wrapping_shl(T::KEPT);
    let half = 1 << (T::KEPT + 2);
    T::clamped((mean.wrapping_add(half) >> (T::KEPT + 3)).wrapping_add(T::CENTER))
}

/// A block in half its size: the transform of four points out of the low frequencies.
pub(in crate::imaging::decode::jpeg) fn inverse_4<T: Sample>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 4]; 4] {
    let low = low::<4>(coefficients, quantization);
    let columns = transposed(&low).map(|line| four(line, POINT - T::KEPT));
    transposed(&columns)
        .map(|line| four(line, POINT + T::KEPT + 1))
        .map(|line| line.map(|value| T::clamped(value.wrapping_add(T::CENTER))))
}

/// A block in a quarter of its size.
pub(in crate::imaging::decode::jpeg) fn inverse_2<T: Sample>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 2]; 2] {
    let [[mean, across], [down, both]] = low::<2>(coefficients, quantization);
    let sample = |sum: i32| T::clamped((sum.wrapping_add(4) >> 3).wrapping_add(T::CENTER));
    let line = |left: i32, right: i32| {
        [sample(left.wrapping_add(right)), sample(left.wrapping_sub(right))]
    };
    [
        line(mean.wrapping_add(down), across.wrapping_add(both)),
        line(mean.wrapping_sub(down), across.wrapping_sub(both)),
    ]
}

/// Multiplied coefficients of the lowest frequencies.
fn low<const N: usize>(coefficients: &[i16; 64], quantization: &[u16; 64]) -> [[i32; N]; N] {
    let mut low = [[0; N]; N];
    let rows = coefficients.chunks_exact(8).zip(quantization.chunks_exact(8));
    for (target, (row, factors)) in low.iter_mut().zip(rows) {
        for (target, (value, factor)) in target.iter_mut().zip(row.iter().zip(factors)) {
            *target = i32::from(*value).wrapping_mul(i32::from(*factor));
        }
    }
    low
}

// √½·cos(kπ/8) times 2^13, and a half.
const HALF: i32 = 4096;
const WIDE: i32 = 5352;
const NARROW: i32 = 2217;

/// Four values out of four frequencies.
fn four([c0, c1, c2, c3]: [i32; 4], shift: u32) -> [i32; 4] {
    let round = 1 << (shift - 1);
    let sum = c0.wrapping_add(c2).wrapping_mul(HALF).wrapping_add(round);
    let difference = c0.wrapping_sub(c2).wrapping_mul(HALF).wrapping_add(round);
    let outer = c1.wrapping_mul(WIDE).wrapping_add(c3.wrapping_mul(NARROW));
    let inner = c1.wrapping_mul(NARROW).wrapping_sub(c3.wrapping_mul(WIDE));
    [
        sum.wrapping_add(outer) >> shift,
        difference.wrapping_add(inner) >> shift,
        difference.wrapping_sub(inner) >> shift,
        sum.wrapping_sub(outer) >> shift,
    ]
}

#[inline]
fn transposed<W: Copy + Default, const N: usize>(lines: &[[W; N]; N]) -> [[W; N]; N] {
    let mut turned = [[W::default(); N]; N];
    for (x, line) in lines.iter().enumerate() {
        for (target, value) in turned.iter_mut().zip(line) {
            target[x] = *value;
        }
    }
    turned
}

/// Eight values out of eight frequencies, or with `FEW` the lowest four, rounded to that many bits
/// less. It is written for one column of eight, so that the processor does several at once.
#[inline]
fn waves<T: Sample, O: Copy + Default, const FEW: bool>(
    lines: &[[T::Word; 8]; 8],
    shift: u32,
    rounded: impl Fn(i32) -> O,
) -> [[O; 8]; 8] {
    let mut values = [[O::default(); 8]; 8];
    let by = |value: T::Word, factor: i32| -> i32 { Into::<i32>::into(value).wrapping_mul(factor) };
    for x in 0..8 {
        let [c0, c1, c2, c3, c4, c5, c6, c7] = lines.each_ref().map(|line| line[x]);
        let [c4, c5, c6, c7] = if FEW { [T::Word::default(); 4] } else { [c4, c5, c6, c7] };
        let low = by(c2, F0_541).wrapping_add(by(c6, F0_541 - F1_847));
        let high = by(c2, F0_541 + F0_765).wrapping_add(by(c6, F0_541));
        let half = 1 << (shift - 1);
        let (c0, c4) = (by(c0, 1 << POINT).wrapping_add(half), by(c4, 1 << POINT));
        let (sum, difference) = (c0.wrapping_add(c4), c0.wrapping_sub(c4));

        let (a, b) = (T::sum(c7, c3), T::sum(c5, c1));
        let c = by(a, F1_175 - F1_961).wrapping_add(by(b, F1_175));
        let d = by(a, F1_175).wrapping_add(by(b, F1_175 - F0_390));
        let three = |one: i32, other: i32, more: i32| one.wrapping_add(other).wrapping_add(more);
        let pairs = [
            (sum.wrapping_add(high), three(by(c1, F1_501 - F0_899), by(c7, -F0_899), d)),
            (difference.wrapping_add(low), three(by(c3, F3_072 - F2_562), by(c5, -F2_562), c)),
            (difference.wrapping_sub(low), three(by(c5, F2_053 - F2_562), by(c3, -F2_562), d)),
            (sum.wrapping_sub(high), three(by(c7, F0_298 - F0_899), by(c1, -F0_899), c)),
        ];
        let [(e0, o0), (e1, o1), (e2, o2), (e3, o3)] = pairs;
        values[0][x] = rounded(e0.wrapping_add(o0) >> shift);
        values[1][x] = rounded(e1.wrapping_add(o1) >> shift);
        values[2][x] = rounded(e2.wrapping_add(o2) >> shift);
        values[3][x] = rounded(e3.wrapping_add(o3) >> shift);
        values[4][x] = rounded(e3.wrapping_sub(o3) >> shift);
        values[5][x] = rounded(e2.wrapping_sub(o2) >> shift);
        values[6][x] = rounded(e1.wrapping_sub(o1) >> shift);
        values[7][x] = rounded(e0.wrapping_sub(o0) >> shift);
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LOW, even, inverse, inverse_2, inverse_4, inverse_low};
    use crate::imaging::decode::jpeg::blocks::ZIGZAG;

    /// The transform as the standard writes it (ISO/IEC 10918-1 §A.3.3).
    fn exact(coefficients: &[i16; 64], x: usize, y: usize) -> f64 {
        let wave = |place: usize, frequency: usize| {
            let steps = u32::try_from((2 * place + 1) * frequency).unwrap();
            let angle = f64::from(steps) * std::f64::consts::PI / 16.0;
            if frequency == 0 { 0.5_f64.sqrt() } else { angle.cos() }
        };
        let terms = coefficients
            .iter()
            .enumerate()
            .map(|(k, value)| f64::from(*value) * wave(x, k % 8) * wave(y, k / 8));
        terms.sum::<f64>() / 4.0
    }

    #[test]
    fn a_block_of_nothing_but_its_mean_is_even() {
        let mut coefficients = [0; 64];
        coefficients[0] = 80;
        assert_eq!(inverse::<u8>(&coefficients, &[5; 64]), [[178; 8]; 8]);
        assert_eq!(inverse::<u16>(&coefficients, &[5; 64]), [[2098; 8]; 8]);
        assert_eq!(inverse_4::<u8>(&coefficients, &[5; 64]), [[178; 4]; 4]);
        assert_eq!(inverse_2::<u16>(&coefficients, &[5; 64]), [[2098; 2]; 2]);
    }

    #[test]
    fn a_mean_alone_is_the_same_in_short() {
        for mean in (-2048..2048).step_by(3) {
            let mut coefficients = [0; 64];
            coefficients[0] = mean;
            for factor in [1, 3, 15] {
                let (narrow, wide) = (even::<u8>(mean, factor), even::<u16>(mean, factor));
                assert_eq!(inverse::<u8>(&coefficients, &[factor; 64]), [[narrow; 8]; 8]);
                assert_eq!(inverse::<u16>(&coefficients, &[factor; 64]), [[wide; 8]; 8]);
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_come_out_as_the_standard_writes_it(
            values in proptest::collection::vec(-60_i16..60, 64),
        ) {
            let coefficients = <[i16; 64]>::try_from(values).unwrap();
            let narrow = inverse::<u8>(&coefficients, &[1; 64]);
            let wide = inverse::<u16>(&coefficients, &[1; 64]);
            for y in 0..8 {
                for x in 0..8 {
                    let expected = exact(&coefficients, x, y);
                    let level = (expected + 128.0).clamp(0.0, 255.0);
                    prop_assert!((f64::from(narrow[y][x]) - level).abs() < 1.0);
                    prop_assert!((f64::from(wide[y][x]) - expected - 2048.0).abs() < 1.0);
                }
            }
        }

        #[test]
        fn low_frequencies_alone_come_out_the_same(
            values in proptest::collection::vec(-600_i16..600, LOW),
            factors in proptest::collection::vec(1_u16..20, 64),
        ) {
            let mut coefficients = [0; 64];
            for (place, value) in ZIGZAG.into_iter().zip(values) {
                prop_assert!(place / 8 < 4 && place % 8 < 4);
                coefficients[usize::from(place)] = value;
            }
            let factors = <[u16; 64]>::try_from(factors).unwrap();
            let (narrow, wide) =
                (inverse::<u8>(&coefficients, &factors), inverse::<u16>(&coefficients, &factors));
            prop_assert_eq!(inverse_low::<u8>(&coefficients, &factors), narrow);
            prop_assert_eq!(inverse_low::<u16>(&coefficients, &factors), wide);
        }

        /// Without the frequencies a smaller block cannot have, its samples are the means of those
        /// they stand for, as near as cosines are to their means (8 % at most of these amplitudes).
        #[test]
        fn smaller_blocks_come_out_as_their_means(
            values in proptest::collection::vec(-60_i16..60, 4),
        ) {
            let mut coefficients = [0; 64];
            for (place, value) in [0, 1, 8, 9].into_iter().zip(values) {
                coefficients[place] = value;
            }
            let means = |size: usize, x: usize, y: usize| {
                let step = 8 / size;
                let all = (0..step * step).map(|place| {
                    exact(&coefficients, x * step + place % step, y * step + place / step)
                });
                all.sum::<f64>() * f64::from(u32::try_from(size * size).unwrap()) / 64.0 + 2048.0
            };
            let (half, quarter) = (
                inverse_4::<u16>(&coefficients, &[1; 64]),
                inverse_2::<u16>(&coefficients, &[1; 64]),
            );
            for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                prop_assert!((f64::from(half[y][x]) - means(4, x, y)).abs() < 3.0);
                prop_assert!((f64::from(quarter[y][x]) - means(2, x, y)).abs() < 6.0);
            }
        }

        #[test]
        fn absurd_coefficients_are_survived(
            values in proptest::collection::vec(any::<i16>(), 64),
            factors in proptest::collection::vec(any::<u16>(), 64),
        ) {
            let coefficients = <[i16; 64]>::try_from(values).unwrap();
            let quantization = <[u16; 64]>::try_from(factors).unwrap();
            let wide = inverse::<u16>(&coefficients, &quantization);
            prop_assert!(wide.concat().iter().all(|value| *value < 4096));
            inverse::<u8>(&coefficients, &quantization);
            inverse_4::<u8>(&coefficients, &quantization);
            inverse_2::<u8>(&coefficients, &quantization);
        }
    }
}
