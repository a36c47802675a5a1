//! The inverse cosine transform, in the fixed point that other readers of DICOM round with: pictures
//! come out as theirs to the last bit.
//!
//! It is the one of Loeffler, Ligtenberg and Moschytz (1989) with 11 multiplications and the rotations
//! in 13 bits, as the Independent JPEG Group's library has it by default.

use std::num::Wrapping;

/// Samples of a precision.
pub(in crate::imaging::decode::jpeg) trait Sample:
    Copy + Default + Into<i32> + Send + Sync
{
    /// Half the range: what a transformed zero stands for.
    const CENTER: i32;
    /// Bits kept below the point between columns and rows.
    const KEPT: usize;
    /// The value, or the end of the range nearest to it.
    fn clamped(value: i32) -> Self;
}

impl Sample for u8 {
    const CENTER: i32 = 128;
    const KEPT: usize = 2;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn clamped(value: i32) -> Self {
        value.clamp(0, 255) as Self
    }
}

/// Of 12 bits.
impl Sample for u16 {
    const CENTER: i32 = 2048;
    const KEPT: usize = 1;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn clamped(value: i32) -> Self {
        value.clamp(0, 4095) as Self
    }
}

/// Bits below the point of the factors.
const POINT: usize = 13;

/// Damaged streams hold coefficients no encoder makes; their sums may wrap.
type Word = Wrapping<i32>;

const fn factor(value: i32) -> Word {
    Wrapping(value)
}

// Sums and differences of √2·cos(kπ/16), times 2^13.
const F0_298: Word = factor(2446);
const F0_390: Word = factor(3196);
const F0_541: Word = factor(4433);
const F0_765: Word = factor(6270);
const F0_899: Word = factor(7373);
const F1_175: Word = factor(9633);
const F1_501: Word = factor(12299);
const F1_847: Word = factor(15137);
const F1_961: Word = factor(16069);
const F2_053: Word = factor(16819);
const F2_562: Word = factor(20995);
const F3_072: Word = factor(25172);

/// A block's samples, row by row, of coefficients and their quantization in rows.
#[inline]
pub(in crate::imaging::decode::jpeg) fn inverse<T: Sample>(
    coefficients: &[i16; 64],
    quantization: &[u16; 64],
) -> [[T; 8]; 8] {
    let (coefficients, _) = coefficients.as_chunks::<8>();
    let (quantization, _) = quantization.as_chunks::<8>();
    let mut columns = [[Wrapping(0); 8]; 8];
    for (target, (row, factors)) in columns.iter_mut().zip(coefficients.iter().zip(quantization)) {
        for (target, (value, factor)) in target.iter_mut().zip(row.iter().zip(factors)) {
            *target = Wrapping(i32::from(*value) * i32::from(*factor));
        }
    }
    let columns = transposed(&columns).map(|line| waves(line, POINT - T::KEPT));
    let shift = POINT + T::KEPT + 3;
    transposed(&columns)
        .map(|line| waves(line, shift).map(|value| T::clamped((value.0).wrapping_add(T::CENTER))))
}

fn transposed(lines: &[[Word; 8]; 8]) -> [[Word; 8]; 8] {
    let mut turned = [[Wrapping(0); 8]; 8];
    for (x, line) in lines.iter().enumerate() {
        for (target, value) in turned.iter_mut().zip(line) {
            if let Some(target) = target.get_mut(x) {
                *target = *value;
            }
        }
    }
    turned
}

/// Eight values out of eight frequencies, rounded to that many bits less.
#[inline]
fn waves(line: [Word; 8], shift: usize) -> [Word; 8] {
    let [c0, c1, c2, c3, c4, c5, c6, c7] = line;
    let half = Wrapping(1 << (shift - 1));
    if (c1 | c2 | c3 | c4 | c5 | c6 | c7).0 == 0 {
        return [((c0 << POINT) + half) >> shift; 8];
    }
    let turned = (c2 + c6) * F0_541;
    let (low, high) = (turned - c6 * F1_847, turned + c2 * F0_765);
    let (sum, difference) = ((c0 + c4) << POINT, (c0 - c4) << POINT);
    let even = [sum + high, difference + low, difference - low, sum - high];

    let all = (c7 + c3 + c5 + c1) * F1_175;
    let (a, b) = ((c7 + c1) * -F0_899, (c5 + c3) * -F2_562);
    let (c, d) = (all - (c7 + c3) * F1_961, all - (c5 + c1) * F0_390);
    let odd = [c1 * F1_501 + a + d, c3 * F3_072 + b + c, c5 * F2_053 + b + d, c7 * F0_298 + a + c];

    let [e0, e1, e2, e3] = even.map(|value| value + half);
    let [o0, o1, o2, o3] = odd;
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0]
        .map(|value| value >> shift)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::inverse;

    /// The transform as the standard writes it (ISO/IEC 10918-1 §A.3.3).
    fn exact(coefficients: &[i16; 64], x: usize, y: usize) -> f64 {
        let wave = |place: usize, frequency: usize| {
            let angle = (2.0 * place as f64 + 1.0) * frequency as f64 * std::f64::consts::PI / 16.0;
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
        fn absurd_coefficients_are_survived(
            values in proptest::collection::vec(any::<i16>(), 64),
            factors in proptest::collection::vec(any::<u16>(), 64),
        ) {
            let coefficients = <[i16; 64]>::try_from(values).unwrap();
            let quantization = <[u16; 64]>::try_from(factors).unwrap();
            let wide = inverse::<u16>(&coefficients, &quantization);
            prop_assert!(wide.concat().iter().all(|value| *value < 4096));
            inverse::<u8>(&coefficients, &quantization);
        }
    }
}
