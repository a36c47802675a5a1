//! JPEG-LS, lossless and near-lossless (PS3.5 §8.2.3, ISO/IEC 14495-1).
//!
//! Decoded here and not by `CharLS`: at the end of a stream that is cut short inside a long code,
//! `CharLS` 2.4 counts billions of zero bits that are not there, seconds of a thread for a few hostile
//! bytes. Not read: mapping tables, restart intervals, HP's colour transforms; no DICOM
//! sender is known to write them.

mod bits;
pub(in crate::imaging) mod model;
#[cfg(test)]
mod tests;

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::{
    Frame, Samples, StoredBits, check_size, check_stream_size, photometric_of,
};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use bits::Bits;
use model::{Model, Parameters};

/// Decodes one frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
) -> Result<Frame, ImagingError> {
    let header = codestream::jpeg(bytes)?;
    if header.process != 0xF7 {
        return Err(ImagingError::unsupported("JPEG in place of JPEG-LS"));
    }
    if !(2..=16).contains(&header.precision) {
        return Err(ImagingError::damaged("the code stream has an impossible precision"));
    }
    let count = header.components.len();
    let photometric = photometric_of(attributes, count)?;
    check_stream_size(attributes, header.width.into(), header.height.into())?;
    let samples = check_size(header.width, header.height, count as u64, 2)?;
    let mut words = vec![0_u16; samples];
    scans(&header, bytes, &mut words)?;
    let data = if header.precision > 8 {
        Samples::U16(words)
    } else {
        Samples::U8(words.into_iter().map(|word| word.to_le_bytes()[0]).collect())
    };
    Ok(Frame {
        width: header.width.into(),
        height: header.height.into(),
        samples_per_pixel: if count == 3 { 3 } else { 1 },
        bits: StoredBits::coded(attributes, header.precision.into(), &data),
        data,
        photometric,
    })
}

/// Presets of an LSE segment, 0 where the default counts: largest sample, thresholds, reset.
type Presets = [i32; 5];

fn broken() -> ImagingError {
    ImagingError::damaged("the JPEG-LS stream is cut short or damaged")
}

/// Decodes every scan into `words`, interleaved by pixel.
fn scans(header: &Jpeg, bytes: &[u8], words: &mut [u16]) -> Result<(), ImagingError> {
    let count = header.components.len();
    let mut rest = bytes.get(2..).unwrap_or(&[]);
    let mut presets = Presets::default();
    let mut done = 0;
    while done < count {
        let (marker, body, after) = codestream::segment(rest).ok_or_else(broken)?;
        rest = after;
        match marker {
            0xF8 => presets = preset(body)?,
            0xDD if body.iter().any(|byte| *byte != 0) => {
                return Err(ImagingError::unsupported("JPEG-LS with restart intervals"));
            }
            0xE8 if body.starts_with(b"mrfx") && body.get(4) != Some(&0) => {
                return Err(ImagingError::unsupported("JPEG-LS with a colour transform"));
            }
            0xDA => {
                let scan = Scan::read(header, body, presets)?;
                if done + scan.components > count {
                    return Err(broken());
                }
                rest = scan.decode(header, rest, done, words).ok_or_else(broken)?;
                done += scan.components;
            }
            _ => {}
        }
    }
    Ok(())
}

fn preset(body: &[u8]) -> Result<Presets, ImagingError> {
    let (kind, values) = body.split_first().ok_or_else(broken)?;
    if *kind != 1 {
        return Err(ImagingError::Unsupported(format!("JPEG-LS with presets of type {kind}")));
    }
    let (values, _) = values.as_chunks::<2>();
    let values = values.first_chunk::<5>().ok_or_else(broken)?;
    Ok(values.map(|value| i32::from(u16::from_be_bytes(value))))
}

/// One scan.
#[derive(Debug, Clone, Copy)]
struct Scan {
    components: usize,
    /// 0: one component; 1: line by line; 2: pixel by pixel.
    interleave: u8,
    parameters: Parameters,
}

impl Scan {
    fn read(header: &Jpeg, body: &[u8], presets: Presets) -> Result<Self, ImagingError> {
        let (count, body) = body.split_first().ok_or_else(broken)?;
        let components = usize::from(*count);
        let selectors = components.checked_mul(2).ok_or_else(broken)?;
        let (tables, tail) = body.split_at_checked(selectors).ok_or_else(broken)?;
        if tables.chunks(2).any(|selector| selector.get(1) != Some(&0)) {
            return Err(ImagingError::unsupported("JPEG-LS with mapping tables"));
        }
        let [near, interleave, point] = *tail.first_chunk::<3>().ok_or_else(broken)?;
        let whole = (1 << header.precision.min(16)) - 1;
        let [max, one, two, three, reset] = presets;
        let max = if max == 0 { whole } else { max };
        let near = i32::from(near);
        let alone = interleave == 0 && components == 1;
        if !(alone || matches!(interleave, 1 | 2) && components > 0) || point != 0 {
            return Err(broken());
        }
        if !(1..=whole).contains(&max) || near > 255.min(max / 2) {
            return Err(broken());
        }
        let mut parameters = Parameters::defaults(max, near);
        let set = |value: i32, default: i32| if value == 0 { default } else { value };
        let [first, second, third] = parameters.thresholds;
        parameters.thresholds = [set(one, first), set(two, second), set(three, third)];
        parameters.reset = set(reset, parameters.reset);
        let [first, second, third] = parameters.thresholds;
        let ordered = near < first && first <= second && second <= third && third <= max.max(first);
        if !ordered || !(3..=255.max(max)).contains(&parameters.reset) {
            return Err(broken());
        }
        Ok(Self { components, interleave, parameters })
    }

    /// Decodes the scan of the components from `first` on; gives what follows it.
    fn decode<'a>(
        &self,
        header: &Jpeg,
        bytes: &'a [u8],
        first: usize,
        words: &mut [u16],
    ) -> Option<&'a [u8]> {
        let width = usize::from(header.width);
        let stride = width.checked_mul(header.components.len())?;
        let mut bits = Bits::new(bytes);
        let mut model = Model::new(self.parameters);
        let mut above = vec![vec![0_i32; width + 2]; self.components];
        let mut current = above.clone();
        // Lines of several components have each a run index of their own.
        let mut run_index = vec![0_usize; self.components];
        for row in words.chunks_exact_mut(stride.max(1)) {
            for (above, current) in above.iter_mut().zip(&mut current) {
                let last = *above.get(width)?;
                *above.last_mut()? = last;
                *current.first_mut()? = *above.get(1)?;
            }
            if self.interleave == 2 {
                model.pixels(&mut bits, &above, &mut current, run_index.first_mut()?)?;
            } else {
                let lines = above.iter().zip(&mut current).zip(&mut run_index);
                for ((above, current), run_index) in lines {
                    model.line(&mut bits, above, current, run_index)?;
                }
            }
            for (component, current) in current.iter().enumerate() {
                let targets = row.iter_mut().skip(first + component);
                let samples = current.get(1..)?.iter();
                for (target, sample) in targets.step_by(header.components.len()).zip(samples) {
                    *target = u16::try_from(*sample).ok()?;
                }
            }
            std::mem::swap(&mut above, &mut current);
        }
        Some(bits.rest())
    }
}
