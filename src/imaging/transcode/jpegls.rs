//! JPEG-LS lossless (ISO/IEC 14495-1; PS3.5 §8.2.3), on the decoder's own model.

use crate::imaging::decode::jpegls::model::{Around, Model, Parameters, RUN_BITS, around, golomb};
use crate::imaging::error::ImagingError;
use crate::imaging::transcode::bits::{BitWriter, Stuffing};
use crate::imaging::transcode::words::Plane;

/// Encodes one frame: one scan, its components line by line.
pub(in crate::imaging::transcode) fn encode(plane: &Plane) -> Result<Vec<u8>, ImagingError> {
    let components = u8::try_from(plane.components).unwrap_or(0);
    if components != 1 && components != 3 {
        return Err(ImagingError::Unsupported(format!("{} samples a pixel", plane.components)));
    }
    let coded = scan(plane, header(plane, components));
    coded.ok_or_else(|| ImagingError::unsupported("JPEG-LS of such samples"))
}

fn header(plane: &Plane, components: u8) -> Vec<u8> {
    let [height, width] = [plane.height, plane.width].map(u16::to_be_bytes);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xF7, 0];
    bytes.push(8_u8.saturating_add(components.saturating_mul(3)));
    bytes.push(plane.precision.to_le_bytes()[0]);
    bytes.extend(height);
    bytes.extend(width);
    bytes.push(components);
    for component in 1..=components {
        bytes.extend([component, 0x11, 0]);
    }
    bytes.extend([0xFF, 0xDA, 0, 6_u8.saturating_add(components.saturating_mul(2)), components]);
    for component in 1..=components {
        bytes.extend([component, 0]);
    }
    // Lossless; components interleaved line by line, a single one not at all.
    bytes.extend([0, u8::from(components > 1), 0]);
    bytes
}

/// Writes the scan and the end of the image. `None`: a sample out of range.
fn scan(plane: &Plane, head: Vec<u8>) -> Option<Vec<u8>> {
    let width = usize::from(plane.width);
    let components = usize::from(plane.components);
    let max = (1_i32 << plane.precision.min(16)) - 1;
    let mut bits = BitWriter::new(head, Stuffing::Bit);
    let mut model = Model::new(Parameters::defaults(max, 0));
    let mut above = vec![vec![0_i32; width + 2]; components];
    let mut current = above.clone();
    let mut run_index = vec![0_usize; components];
    for row in plane.samples.chunks_exact(width.checked_mul(components)?.max(1)) {
        for (component, (above, current)) in above.iter_mut().zip(&mut current).enumerate() {
            let last = *above.get(width)?;
            *above.last_mut()? = last;
            *current.first_mut()? = *above.get(1)?;
            let samples = row.iter().skip(component).step_by(components);
            for (place, sample) in current.get_mut(1..)?.iter_mut().zip(samples) {
                *place = i32::from(*sample);
            }
        }
        for ((above, current), run_index) in above.iter().zip(&current).zip(&mut run_index) {
            line(&mut model, &mut bits, above, current, run_index)?;
        }
        std::mem::swap(&mut above, &mut current);
    }
    let mut bytes = bits.finish();
    bytes.extend([0xFF, 0xD9]);
    Some(bytes)
}

/// Writes a line of one component; lines as the model has them, with a sample more at either end.
fn line(
    model: &mut Model,
    bits: &mut BitWriter,
    above: &[i32],
    current: &[i32],
    run_index: &mut usize,
) -> Option<()> {
    let width = current.len().checked_sub(2)?;
    let mut x = 0;
    while x < width {
        let around = around(above, current, x)?;
        let context = model.context(around)?;
        if context != 0 {
            regular(model, bits, around, context, *current.get(x + 1)?)?;
            x += 1;
            continue;
        }
        let left = around.left;
        let rest = current.get(x + 1..=width)?;
        let length = rest.iter().take_while(|sample| **sample == left).count();
        x += length;
        run(bits, length, x == width, run_index)?;
        if x == width {
            break;
        }
        let (sample, over) = (*current.get(x + 1)?, *above.get(x + 1)?);
        interruption(model, bits, [left, over, sample], *run_index)?;
        *run_index = run_index.saturating_sub(1);
        x += 1;
    }
    Some(())
}

/// A sample outside of runs (§A.4 to §A.6).
fn regular(
    model: &mut Model,
    bits: &mut BitWriter,
    around: Around,
    context: i32,
    sample: i32,
) -> Option<()> {
    let sign = if context < 0 { -1 } else { 1 };
    let Parameters { max, reset, .. } = model.parameters;
    let (range, limit, error_bits) = (model.range, model.limit, model.error_bits);
    let index = usize::try_from(context.unsigned_abs()).ok()?;
    let state = model.contexts.get_mut(index)?;
    let predicted = (around.predict() + sign * state.correction).clamp(0, max);
    let error = reduce(sign * (sample - predicted), range);
    let width = golomb(state.count, state.errors);
    let turned = width == 0 && 2 * state.bias <= -state.count;
    let mapped = match (turned, error < 0) {
        (false, false) => 2 * error,
        (false, true) => -2 * error - 1,
        (true, false) => 2 * error + 1,
        (true, true) => -2 * (error + 1),
    };
    state.update(error, 1, reset);
    code(bits, mapped, width, limit, error_bits)
}

/// The sample that ends a run (§A.7.2); of left, above, and itself.
fn interruption(
    model: &mut Model,
    bits: &mut BitWriter,
    [left, above, sample]: [i32; 3],
    run_index: usize,
) -> Option<()> {
    let same = left == above;
    let kind = i32::from(same);
    let reset = model.parameters.reset;
    let (range, error_bits) = (model.range, model.error_bits);
    let limit = model.limit.checked_sub(RUN_BITS.get(run_index)? + 1)?;
    let [first, second] = &mut model.runs;
    let state = if same { second } else { first };
    let errors = state.errors.saturating_add(if same { state.count >> 1 } else { 0 });
    let width = golomb(state.count, errors);
    let error = sample - above;
    let error = reduce(if !same && left > above { -error } else { error }, range);
    let expected_negative = width != 0 || 2 * state.negative >= state.count;
    let folded = 2 * error.abs() - i32::from(error != 0 && expected_negative == (error < 0));
    let mapped = folded - kind;
    state.update(error, (mapped + 1 - kind) >> 1, reset);
    code(bits, mapped, width, limit, error_bits)
}

/// An error modulo the range, as near to 0 as can be (§A.4.5).
fn reduce(error: i32, range: i32) -> i32 {
    let error = if error < 0 { error + range } else { error };
    if error >= (range + 1) / 2 { error - range } else { error }
}

/// A run's length (§A.7.1).
fn run(bits: &mut BitWriter, length: usize, to_end: bool, run_index: &mut usize) -> Option<()> {
    let mut rest = length;
    loop {
        let full = 1_usize << RUN_BITS.get(*run_index)?;
        if rest < full {
            break;
        }
        bits.put(1, 1);
        rest -= full;
        *run_index = (*run_index + 1).min(RUN_BITS.len() - 1);
    }
    if !to_end {
        bits.put(0, 1);
        bits.put(u32::try_from(rest).ok()?, *RUN_BITS.get(*run_index)?);
    } else if rest > 0 {
        bits.put(1, 1);
    }
    Some(())
}

/// A mapped error (§A.5.3, limited-length Golomb code).
fn code(bits: &mut BitWriter, mapped: i32, width: u32, limit: u32, error_bits: u32) -> Option<()> {
    let escape = limit.checked_sub(error_bits + 1)?;
    let mapped = u32::try_from(mapped).ok()?;
    let high = mapped >> width;
    if high < escape {
        bits.zeros(high);
        bits.put(1, 1);
        bits.put(mapped, width);
    } else {
        bits.zeros(escape);
        bits.put(1, 1);
        bits.put(mapped.checked_sub(1)?, error_bits);
    }
    Some(())
}
