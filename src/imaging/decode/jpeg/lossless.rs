//! The lossless process: differences from samples before (ISO/IEC 10918-1 Annex H).

use crate::imaging::decode::codestream::{Jpeg, marker, segment_body};
use crate::imaging::decode::jpeg::bits::{Bits, Code};
use crate::imaging::decode::jpeg::cosine::Sample;
use crate::imaging::decode::jpeg::tables::{Tables, Told, components};
use crate::imaging::error::ImagingError;

fn damaged() -> ImagingError {
    ImagingError::damaged("the lossless JPEG is cut short or damaged")
}

/// Decodes a code stream whose header was read already to samples interleaved by pixel.
pub(in crate::imaging::decode::jpeg) fn decode<T: Sample>(
    header: &Jpeg,
    bytes: &[u8],
) -> Result<Vec<T>, ImagingError> {
    let mut rest = bytes.get(2..).ok_or_else(damaged)?;
    let mut tables = Tables::default();
    let mut picture: Option<Picture<T>> = None;
    loop {
        if let Some(whole) = picture.take_if(|picture| picture.missing.is_empty()) {
            return Ok(whole.samples);
        }
        let (marker, after) = marker(rest).ok_or_else(damaged)?;
        rest = after;
        if let 0xD0..=0xD7 | 0x01 = marker {
            continue;
        }
        let (body, after) = segment_body(rest).ok_or_else(damaged)?;
        rest = after;
        match (marker, &mut picture) {
            (0xC3, None) => picture = Some(Picture::new(header, body)?),
            (0xC3 | 0xD9, _) | (0xDA, None) => return Err(damaged()),
            (0xDA, Some(picture)) => {
                rest = picture.scan(&tables, body, rest).ok_or_else(damaged)?;
            }
            (0xDC, _) if *body != header.height.to_be_bytes() => return Err(damaged()),
            _ => tables.read(marker, body).ok_or_else(damaged)?,
        }
    }
}

struct Picture<T> {
    width: usize,
    height: usize,
    precision: u32,
    told: Vec<Told>,
    /// Components, by their place, that had no scan yet.
    missing: Vec<usize>,
    samples: Vec<T>,
}

/// One component's part of a scan.
struct Part<'a> {
    component: usize,
    code: &'a Code,
    /// Differences of a line, then its samples before the point transform.
    line: Vec<u16>,
    above: Vec<u16>,
}

impl<T: Sample> Picture<T> {
    fn new(header: &Jpeg, body: &[u8]) -> Result<Self, ImagingError> {
        let told = components(header, body).ok_or_else(damaged)?;
        // A unit would hold several samples of a component (§A.2.3).
        if told.iter().any(|one| (one.across, one.down) != (1, 1)) {
            let words = "lossless JPEG with sampling factors";
            return Err(ImagingError::unsupported(words));
        }
        let precision = u32::from(header.precision);
        if !(2..=16).contains(&precision) {
            return Err(ImagingError::Unsupported(format!("lossless JPEG of {precision} bits")));
        }
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        let missing = (0..told.len()).collect();
        let samples = vec![T::default(); width * height * told.len()];
        Ok(Self { width, height, precision, told, missing, samples })
    }

    /// Decodes a scan; gives what follows it.
    fn scan<'a>(&mut self, tables: &Tables, body: &[u8], data: &'a [u8]) -> Option<&'a [u8]> {
        let (count, body) = body.split_first()?;
        let (selectors, body) = body.split_at_checked(usize::from(*count).checked_mul(2)?)?;
        let [selection, _, bits] = *body.first_chunk::<3>()?;
        let low = u32::from(bits & 0xF);
        let start = 1_u16.checked_shl(self.precision.checked_sub(low)?.checked_sub(1)?)?;
        let mut parts = Vec::with_capacity(4);
        for [id, selector] in selectors.as_chunks::<2>().0 {
            let component = self.told.iter().position(|told| told.id == *id)?;
            let place = self.missing.iter().position(|missing| *missing == component)?;
            self.missing.remove(place);
            parts.push(Part {
                component,
                code: tables.dc.get(usize::from(selector >> 4))?.as_deref()?,
                line: vec![0; self.width],
                above: vec![0; self.width],
            });
        }
        let interval = usize::try_from(tables.interval).ok()?;
        // Whole lines (§H.1.1).
        if parts.is_empty() || !interval.is_multiple_of(self.width) {
            return None;
        }
        let lines = interval.checked_div(self.width).filter(|lines| *lines > 0);
        let (mut bits, mut restarts) = (Bits::new(data), 0_u8);
        for y in 0..self.height {
            let is_first = lines.map_or(y, |lines| y % lines) == 0;
            if is_first && y > 0 {
                bits.restart(restarts)?;
                restarts = (restarts + 1) % 8;
            }
            read_line(&mut bits, &mut parts)?;
            for part in &mut parts {
                undo(selection, (!is_first).then_some(&part.above), start, &mut part.line)?;
                self.put(y, part.component, low, &part.line)?;
                std::mem::swap(&mut part.line, &mut part.above);
            }
        }
        Some(bits.after())
    }

    fn put(&mut self, y: usize, component: usize, low: u32, line: &[u16]) -> Option<()> {
        let count = self.told.len();
        let start = y * self.width * count + component;
        let targets = self.samples.get_mut(start..)?.iter_mut().step_by(count);
        for (target, value) in targets.zip(line) {
            *target = T::narrowed(value << low);
        }
        Some(())
    }
}

/// Reads the differences of a line, pixel by pixel if it has several components.
fn read_line(bits: &mut Bits<'_>, parts: &mut [Part<'_>]) -> Option<()> {
    let mut held = *bits;
    if let [part] = parts {
        for value in &mut part.line {
            *value = held.difference(part.code)?;
        }
    } else {
        let width = parts.first()?.line.len();
        for x in 0..width {
            for part in &mut *parts {
                *part.line.get_mut(x)? = held.difference(part.code)?;
            }
        }
    }
    *bits = held;
    Some(())
}

/// Turns a line's differences to samples. Without a line above, the first of an interval, each is
/// predicted by the one before it, and the first by half the range (§H.1.2.1).
fn undo(selection: u8, above: Option<&Vec<u16>>, start: u16, line: &mut [u16]) -> Option<()> {
    let (first, others) = line.split_first_mut()?;
    let Some(above) = above else {
        *first = first.wrapping_add(start);
        along(others, *first, &[], |left, _, _| left);
        return (1..=7).contains(&selection).then_some(());
    };
    *first = first.wrapping_add(*above.first()?);
    let (left, above) = (*first, above.as_slice());
    // Table H.1.
    match selection {
        1 => along(others, left, &[], |left, _, _| left),
        2 => along(others, left, above, |_, above, _| above),
        3 => along(others, left, above, |_, _, corner| corner),
        4 => along(others, left, above, |left, above, corner| left + above - corner),
        5 => along(others, left, above, |left, above, corner| left + ((above - corner) >> 1)),
        6 => along(others, left, above, |left, above, corner| above + ((left - corner) >> 1)),
        7 => along(others, left, above, |left, above, _| (left + above) >> 1),
        _ => return None,
    }
    Some(())
}

/// Adds what is predicted of the samples left, above, and above the left one, modulo 2^16. `above` may
/// be empty if only the left one counts.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^16")]
fn along(line: &mut [u16], first: u16, above: &[u16], predicted: impl Fn(i32, i32, i32) -> i32) {
    let mut left = first;
    if above.is_empty() {
        for value in line {
            *value = value.wrapping_add(predicted(left.into(), 0, 0) as u16);
            left = *value;
        }
        return;
    }
    for (value, pair) in line.iter_mut().zip(above.windows(2)) {
        let [corner, above] = *pair else { return };
        *value = value.wrapping_add(predicted(left.into(), above.into(), corner.into()) as u16);
        left = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::undo;

    #[test]
    fn each_selection_value_predicts_as_its_row_of_the_table_says() {
        let above = vec![100, 110, 90];
        for (selection, expected) in [
            (1, [101, 103, 106]),
            (2, [101, 112, 93]),
            (3, [101, 102, 113]),
            (4, [101, 113, 96]),
            (5, [101, 108, 101]),
            (6, [101, 112, 94]),
            (7, [101, 107, 101]),
        ] {
            let mut line = [1, 2, 3];
            assert_eq!(undo(selection, Some(&above), 0, &mut line), Some(()));
            assert_eq!(line, expected, "{selection}");
            let mut line = [1, 2, 3];
            assert_eq!(undo(selection, None, 2048, &mut line), Some(()));
            assert_eq!(line, [2049, 2051, 2054], "first line");
        }
        for unknown in [0, 8] {
            assert_eq!(undo(unknown, None, 0, &mut [0]), None);
            assert_eq!(undo(unknown, Some(&above), 0, &mut [0; 3]), None);
        }
        let mut line = [0xFFFF, 2];
        undo(1, None, 32_768, &mut line);
        assert_eq!(line, [32_767, 32_769], "modulo 2^16");
    }
}
