//! The reversible 5-3 wavelet (ISO/IEC 15444-1 §F), and where its bands lie.

/// A kind of band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::transcode) enum Band {
    LowLow,
    /// High across, low down.
    HighLow,
    LowHigh,
    HighHigh,
}

/// Where a band lies among the coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::transcode) struct Rect {
    pub(in crate::imaging::transcode) x: usize,
    pub(in crate::imaging::transcode) y: usize,
    pub(in crate::imaging::transcode) width: usize,
    pub(in crate::imaging::transcode) height: usize,
}

impl Band {
    /// Bits a coefficient may have more than a sample (§E.1.1).
    pub(in crate::imaging::transcode) fn gain(self) -> u32 {
        match self {
            Self::LowLow => 0,
            Self::HighLow | Self::LowHigh => 1,
            Self::HighHigh => 2,
        }
    }
}

/// The bands of a resolution, 0 the smallest.
pub(in crate::imaging::transcode) fn bands(
    width: usize,
    height: usize,
    levels: u32,
    resolution: u32,
) -> Vec<(Band, Rect)> {
    let halved = |side: usize, times: u32| side.div_ceil(1 << times);
    if resolution == 0 {
        let (width, height) = (halved(width, levels), halved(height, levels));
        return vec![(Band::LowLow, Rect { x: 0, y: 0, width, height })];
    }
    let times = levels - resolution;
    let (whole_x, whole_y) = (halved(width, times), halved(height, times));
    let (x, y) = (whole_x.div_ceil(2), whole_y.div_ceil(2));
    vec![
        (Band::HighLow, Rect { x, y: 0, width: whole_x - x, height: y }),
        (Band::LowHigh, Rect { x: 0, y, width: x, height: whole_y - y }),
        (Band::HighHigh, Rect { x, y, width: whole_x - x, height: whole_y - y }),
    ]
}

/// Transforms a picture in place, so often.
pub(in crate::imaging::transcode) fn forward(
    samples: &mut [i32],
    width: usize,
    height: usize,
    levels: u32,
) {
    let mut line = Vec::new();
    for level in 0..levels {
        let (across, down) = (width.div_ceil(1 << level), height.div_ceil(1 << level));
        columns(samples, width, across, down);
        for row in samples.chunks_mut(width).take(down) {
            if let Some(row) = row.get_mut(..across) {
                lift(row, &mut line);
            }
        }
    }
}

/// Transforms columns, a line at a time.
fn columns(samples: &mut [i32], stride: usize, across: usize, down: usize) {
    if down < 2 {
        return;
    }
    let at = |y: usize| y * stride;
    let mirrored = |y: usize| if y < down { y } else { 2 * (down - 1) - y };
    for y in (1..down).step_by(2) {
        let (above, below) = (at(y - 1), at(mirrored(y + 1)));
        for x in 0..across {
            samples[at(y) + x] -= (samples[above + x] + samples[below + x]) >> 1;
        }
    }
    for y in (0..down).step_by(2) {
        let (above, below) = (at(if y == 0 { 1 } else { y - 1 }), at(mirrored(y + 1)));
        for x in 0..across {
            samples[at(y) + x] += (samples[above + x] + samples[below + x] + 2) >> 2;
        }
    }
    // Even lines first.
    let mut high = Vec::with_capacity(down / 2 * across);
    for y in (1..down).step_by(2) {
        high.extend_from_slice(&samples[at(y)..at(y) + across]);
    }
    for y in 1..down.div_ceil(2) {
        samples.copy_within(at(2 * y)..at(2 * y) + across, at(y));
    }
    for (y, line) in (down.div_ceil(2)..down).zip(high.chunks(across)) {
        samples[at(y)..at(y) + across].copy_from_slice(line);
    }
}

/// Transforms a line (§F.4.8.1): even places low, odd ones high, then the low ones first.
fn lift(row: &mut [i32], line: &mut Vec<i32>) {
    let length = row.len();
    if length < 2 {
        return;
    }
    line.clear();
    line.extend_from_slice(row);
    let mirrored = |x: usize| if x < length { x } else { 2 * (length - 1) - x };
    for x in (1..length).step_by(2) {
        line[x] -= (line[x - 1] + line[mirrored(x + 1)]) >> 1;
    }
    for x in (0..length).step_by(2) {
        let before = if x == 0 { 1 } else { x - 1 };
        line[x] += (line[before] + line[mirrored(x + 1)] + 2) >> 2;
    }
    let (low, high) = row.split_at_mut(length.div_ceil(2));
    for (place, value) in low.iter_mut().zip(line.iter().step_by(2)) {
        *place = *value;
    }
    for (place, value) in high.iter_mut().zip(line.iter().skip(1).step_by(2)) {
        *place = *value;
    }
}
