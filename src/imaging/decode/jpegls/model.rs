//! What JPEG-LS expects of the next sample (ISO/IEC 14495-1 §A): prediction, contexts, runs.

use crate::imaging::decode::jpegls::bits::Bits;

/// Parameters of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging) struct Parameters {
    /// Largest sample.
    pub max: i32,
    /// Largest error of a sample; 0 when lossless.
    pub near: i32,
    /// Gradient thresholds.
    pub thresholds: [i32; 3],
    /// Samples after which a context is halved.
    pub reset: i32,
}

impl Parameters {
    /// The defaults of §C.2.4.1.1.1.
    pub(in crate::imaging) fn defaults(max: i32, near: i32) -> Self {
        let clamp = |value: i32, low: i32| if value > max || value < low { low } else { value };
        let [one, two, three] = if max >= 128 {
            let factor = (max.min(4095) + 128) / 256;
            [factor + 2 + 3 * near, 4 * factor + 3 + 5 * near, 17 * factor + 4 + 7 * near]
        } else {
            let factor = 256 / (max + 1);
            let near = [3 * near, 5 * near, 7 * near];
            [
                (3 / factor + near[0]).max(2),
                (7 / factor + near[1]).max(3),
                (21 / factor + near[2]).max(4),
            ]
        };
        let one = clamp(one, near + 1);
        let two = clamp(two, one);
        let three = clamp(three, two);
        Self { max, near, thresholds: [one, two, three], reset: 64 }
    }
}

#[derive(Debug, Clone, Copy)]
pub(in crate::imaging) struct Context {
    /// Sum of error magnitudes.
    pub(in crate::imaging) errors: i32,
    /// Sum of errors.
    pub(in crate::imaging) bias: i32,
    pub(in crate::imaging) correction: i32,
    pub(in crate::imaging) count: i32,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::imaging) struct RunContext {
    pub(in crate::imaging) errors: i32,
    pub(in crate::imaging) count: i32,
    pub(in crate::imaging) negative: i32,
}

/// The state of a scan.
#[derive(Debug)]
pub(in crate::imaging) struct Model {
    pub(in crate::imaging) parameters: Parameters,
    /// Distance of two samples that can be told apart.
    step: i32,
    pub(in crate::imaging) range: i32,
    /// Bits of an error that is written in full.
    pub(in crate::imaging) error_bits: u32,
    pub(in crate::imaging) limit: u32,
    /// Quantized gradient, from the lowest gradient on.
    quantized: Vec<i8>,
    pub(in crate::imaging) contexts: Box<[Context; CONTEXTS]>,
    pub(in crate::imaging) runs: [RunContext; 2],
}

/// A sample's neighbours: left, above, above left, above right.
#[derive(Debug, Clone, Copy)]
pub(in crate::imaging) struct Around {
    pub(in crate::imaging) left: i32,
    above: i32,
    corner: i32,
    right: i32,
}

const CONTEXTS: usize = 365;

/// Bits of a run's length for each run index (§A.7.1.1).
pub(in crate::imaging) const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

impl Model {
    pub(in crate::imaging) fn new(parameters: Parameters) -> Self {
        let Parameters { max, near, .. } = parameters;
        let step = 2 * near + 1;
        let range = (max + 2 * near) / step + 1;
        let bits = bits_of(max + 1).max(2);
        let errors = ((range + 32) / 64).max(2);
        let context = Context { errors, bias: 0, correction: 0, count: 1 };
        Self {
            parameters,
            step,
            range,
            error_bits: bits_of(range),
            limit: 2 * (bits + bits.max(8)),
            quantized: (-max..=max).map(|gradient| quantize(gradient, parameters)).collect(),
            contexts: Box::new([context; CONTEXTS]),
            runs: [RunContext { errors, count: 1, negative: 0 }; 2],
        }
    }

    /// Decodes a line of one component. Lines have a sample more at either end: `current`'s first
    /// is `above`'s second, `above`'s last is the one before it. `None`: the data is damaged.
    pub(in crate::imaging::decode::jpegls) fn line(
        &mut self,
        bits: &mut Bits<'_>,
        above: &[i32],
        current: &mut [i32],
        run_index: &mut usize,
    ) -> Option<()> {
        let width = current.len().checked_sub(2)?;
        let mut left = *current.first()?;
        let mut x = 0;
        while x < width {
            let [corner, over, right] = *above.get(x..)?.first_chunk::<3>()?;
            let around = Around { left, above: over, corner, right };
            let context = self.context(around)?;
            if context != 0 {
                left = self.regular(bits, around, context)?;
                *current.get_mut(x + 1)? = left;
                x += 1;
                continue;
            }
            let room = width - x;
            let length = run(bits, room, run_index)?;
            current.get_mut(x + 1..x + 1 + length)?.fill(left);
            x += length;
            if length == room {
                break;
            }
            let over = *above.get(x + 1)?;
            left = self.interruption(bits, left, over, true, *run_index)?;
            *run_index = run_index.saturating_sub(1);
            *current.get_mut(x + 1)? = left;
            x += 1;
        }
        Some(())
    }

    /// Decodes a line of pixels whose samples are interleaved; as [`Model::line`] for each of the
    /// components' lines.
    pub(in crate::imaging::decode::jpegls) fn pixels(
        &mut self,
        bits: &mut Bits<'_>,
        above: &[Vec<i32>],
        current: &mut [Vec<i32>],
        run_index: &mut usize,
    ) -> Option<()> {
        let width = current.first()?.len().checked_sub(2)?;
        let mut contexts = vec![0; above.len()];
        let mut x = 0;
        while x < width {
            for ((context, above), current) in contexts.iter_mut().zip(above).zip(&*current) {
                *context = self.context(around(above, current, x)?)?;
            }
            if contexts.iter().any(|context| *context != 0) {
                for ((context, above), current) in contexts.iter().zip(above).zip(&mut *current) {
                    let sample = self.regular(bits, around(above, current, x)?, *context)?;
                    *current.get_mut(x + 1)? = sample;
                }
                x += 1;
                continue;
            }
            let room = width - x;
            let length = run(bits, room, run_index)?;
            for current in &mut *current {
                let left = *current.get(x)?;
                current.get_mut(x + 1..x + 1 + length)?.fill(left);
            }
            x += length;
            if length == room {
                break;
            }
            for (above, current) in above.iter().zip(&mut *current) {
                let (left, over) = (*current.get(x)?, *above.get(x + 1)?);
                let sample = self.interruption(bits, left, over, false, *run_index)?;
                *current.get_mut(x + 1)? = sample;
            }
            *run_index = run_index.saturating_sub(1);
            x += 1;
        }
        Some(())
    }

    /// The context's number, negative when all signs are to be turned (§A.3).
    pub(in crate::imaging) fn context(&self, around: Around) -> Option<i32> {
        let Around { left, above, corner, right } = around;
        let quantized = |gradient: i32| {
            let index = usize::try_from(gradient + self.parameters.max).ok()?;
            self.quantized.get(index).map(|value| i32::from(*value))
        };
        let (one, two, three) =
            (quantized(right - above)?, quantized(above - corner)?, quantized(corner - left)?);
        Some((one * 9 + two) * 9 + three)
    }

    /// A sample outside of runs (§A.4 to §A.6).
    fn regular(&mut self, bits: &mut Bits<'_>, around: Around, context: i32) -> Option<i32> {
        let sign = if context < 0 { -1 } else { 1 };
        let Parameters { max, near, reset, .. } = self.parameters;
        let index = usize::try_from(context.unsigned_abs()).ok()?;
        let state = self.contexts.get_mut(index)?;
        let predicted = (around.predict() + sign * state.correction).clamp(0, max);
        let width = golomb(state.count, state.errors);
        let mapped = code(bits, width, self.limit, self.error_bits)?;
        let turned = near == 0 && width == 0 && 2 * state.bias <= -state.count;
        let error = match (turned, mapped & 1) {
            (false, 0) | (true, 1) => mapped >> 1,
            _ => -(mapped >> 1) - 1,
        };
        state.update(error, self.step, reset);
        Some(self.restore(predicted, sign * error))
    }

    /// The sample that ends a run (§A.7.2). Interleaved pixels have the first kind only.
    fn interruption(
        &mut self,
        bits: &mut Bits<'_>,
        left: i32,
        above: i32,
        both_kinds: bool,
        run_index: usize,
    ) -> Option<i32> {
        let same = both_kinds && (left - above).abs() <= self.parameters.near;
        let kind = i32::from(same);
        let [first, second] = &mut self.runs;
        let state = if same { second } else { first };
        let errors = state.errors.saturating_add(if same { state.count >> 1 } else { 0 });
        let width = golomb(state.count, errors);
        let limit = self.limit.checked_sub(RUN_BITS.get(run_index)? + 1)?;
        let mapped = code(bits, width, limit, self.error_bits)?;
        let folded = mapped + kind;
        let size = (folded + 1) >> 1;
        let expected_negative = width != 0 || 2 * state.negative >= state.count;
        let error = if expected_negative == (folded & 1 == 1) { -size } else { size };
        state.update(error, (mapped + 1 - kind) >> 1, self.parameters.reset);
        if same {
            Some(self.restore(left, error))
        } else {
            Some(self.restore(above, if left > above { -error } else { error }))
        }
    }

    /// The sample at some error from what was predicted (§A.4.5, §A.5.3).
    fn restore(&self, predicted: i32, error: i32) -> i32 {
        let Parameters { max, near, .. } = self.parameters;
        let sample = predicted + error * self.step;
        let turn = self.range * self.step;
        let sample = if sample < -near {
            sample + turn
        } else if sample > max + near {
            sample - turn
        } else {
            sample
        };
        sample.clamp(0, max)
    }
}

impl Around {
    /// The edge-detecting predictor (§A.4.1).
    pub(in crate::imaging) fn predict(self) -> i32 {
        let (low, high) = (self.left.min(self.above), self.left.max(self.above));
        if self.corner >= high {
            low
        } else if self.corner <= low {
            high
        } else {
            self.left + self.above - self.corner
        }
    }
}

impl Context {
    /// §A.6
    pub(in crate::imaging) fn update(&mut self, error: i32, step: i32, reset: i32) {
        self.bias += error * step;
        self.errors = self.errors.saturating_add(error.abs());
        if self.count == reset {
            self.errors >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

impl RunContext {
    pub(in crate::imaging) fn update(&mut self, error: i32, size: i32, reset: i32) {
        self.negative += i32::from(error < 0);
        self.errors = self.errors.saturating_add(size);
        if self.count == reset {
            self.errors >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}

pub(in crate::imaging) fn around(above: &[i32], current: &[i32], x: usize) -> Option<Around> {
    let [corner, over, right] = *above.get(x..)?.first_chunk::<3>()?;
    Some(Around { left: *current.get(x)?, above: over, corner, right })
}

/// Length of a run in a line with `room` samples left (§A.7.1).
fn run(bits: &mut Bits<'_>, room: usize, run_index: &mut usize) -> Option<usize> {
    let mut length = 0_usize;
    while bits.bit()? {
        let full = 1_usize << RUN_BITS.get(*run_index)?;
        if length + full > room {
            return Some(room);
        }
        length += full;
        *run_index = (*run_index + 1).min(RUN_BITS.len() - 1);
        if length == room {
            return Some(room);
        }
    }
    let rest = bits.number(*RUN_BITS.get(*run_index)?)?;
    length += usize::try_from(rest).ok()?;
    // A run that is interrupted ends before the line does.
    (length < room).then_some(length)
}

/// Bits of a Golomb code's remainder (§A.5.1).
pub(in crate::imaging) fn golomb(count: i32, errors: i32) -> u32 {
    (0..24).find(|width| i64::from(count) << width >= errors.into()).unwrap_or(24)
}

/// A mapped error (§A.5.3, limited-length Golomb code).
fn code(bits: &mut Bits<'_>, width: u32, limit: u32, error_bits: u32) -> Option<i32> {
    let escape = limit.checked_sub(error_bits + 1)?;
    let zeros = bits.zeros(escape)?;
    if zeros < escape {
        let rest = bits.number(width)?;
        let high = i32::try_from(zeros).ok()?.checked_shl(width)?;
        // No error is larger than this; a damaged stream's may be.
        Some(high | rest).filter(|mapped| (0..=1 << 18).contains(mapped))
    } else {
        Some(bits.number(error_bits)? + 1)
    }
}

fn bits_of(count: i32) -> u32 {
    i32::BITS - (count - 1).max(0).leading_zeros()
}

/// §A.3.3
fn quantize(gradient: i32, parameters: Parameters) -> i8 {
    let [one, two, three] = parameters.thresholds;
    let size = gradient.abs();
    let level = if size <= parameters.near {
        0
    } else if size < one {
        1
    } else if size < two {
        2
    } else if size < three {
        3
    } else {
        4
    };
    if gradient < 0 { -level } else { level }
}
