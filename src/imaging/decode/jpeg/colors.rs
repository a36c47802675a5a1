//! Planes of components to pixels: chrominance of fewer samples is spread over the picture, and turned
//! to red, green and blue.
//!
//! Spread as the Independent JPEG Group's library does by default, and so gdcm, DCMTK, browsers and
//! most viewers: between samples at half the columns, or columns and rows, the nearer counts three
//! quarters. The standard leaves it open.

use crate::imaging::decode::jpeg::cosine::Sample;

/// A component's samples.
#[derive(Debug, Default)]
pub(in crate::imaging::decode::jpeg) struct Plane<T> {
    /// Samples across that are of the picture.
    pub width: usize,
    /// Samples down that are of the picture.
    pub height: usize,
    /// Samples from one row to the next: whole blocks.
    pub stride: usize,
    /// Pixels of a sample, across and down.
    pub spread: (usize, usize),
    pub samples: Vec<T>,
}

impl<T: Sample> Plane<T> {
    /// Puts a block at its place, counted in blocks.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn put(
        &mut self,
        x: usize,
        y: usize,
        block: &[[T; 8]; 8],
    ) -> Option<()> {
        let start = y * 8 * self.stride + x * 8;
        let lines = self.samples.get_mut(start..)?.chunks_mut(self.stride.max(8));
        for (line, values) in lines.zip(block) {
            *line.first_chunk_mut::<8>()? = *values;
        }
        Some(())
    }

    fn row(&self, y: usize) -> &[T] {
        let start = y.min(self.height.saturating_sub(1)) * self.stride;
        self.samples.get(start..start + self.width).unwrap_or_default()
    }

    /// The samples of a row of pixels. `spread` and `sums` are room for them.
    fn pixels<'a>(&'a self, y: usize, spread: &'a mut Vec<T>, sums: &mut Vec<i32>) -> &'a [T] {
        let (across, down) = self.spread;
        let near = self.row(y / down);
        // The next sample row on the other side of these pixels.
        let far = self.row(if y % 2 == 0 { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
        spread.clear();
        match self.spread {
            (1, 1) => return near,
            (2, 1) if self.width > 2 => {
                sums.clear();
                sums.extend(near.iter().map(|value| (*value).into()));
                between(sums, spread, [1, 2], 2);
            }
            (2, 2) if self.width > 2 => {
                sums.clear();
                sums.extend(near.iter().zip(far).map(|(near, far)| weighed(*near, *far)));
                between(sums, spread, [8, 7], 4);
            }
            (1, 2) => {
                let round = if y % 2 == 0 { 1 } else { 2 };
                let pairs = near.iter().zip(far);
                spread.extend(
                    pairs.map(|(near, far)| T::clamped((weighed(*near, *far) + round) >> 2)),
                );
            }
            _ => spread.extend(near.iter().flat_map(|value| std::iter::repeat_n(*value, across))),
        }
        spread
    }
}

fn weighed<T: Sample>(near: T, far: T) -> i32 {
    3 * near.into() + far.into()
}

/// Two pixels of each sample, left and right of its middle. What is added before the shift differs
/// between the two, so that rounding does not make the picture lighter.
fn between<T: Sample>(samples: &[i32], pixels: &mut Vec<T>, round: [i32; 2], shift: u32) {
    let [left, right] = round;
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return };
    let pixel = |near: i32, far: i32, round: i32| T::clamped((3 * near + far + round) >> shift);
    pixels.push(pixel(*first, *first, left));
    for pair in samples.windows(2) {
        let [one, other] = pair else { continue };
        pixels.push(pixel(*one, *other, right));
        pixels.push(pixel(*other, *one, left));
    }
    pixels.push(pixel(*last, *last, right));
}

/// One component's samples without the blocks' overhang.
pub(in crate::imaging::decode::jpeg) fn grey<T: Sample>(plane: Plane<T>) -> Vec<T> {
    if plane.stride == plane.width {
        let mut samples = plane.samples;
        samples.truncate(plane.width * plane.height);
        return samples;
    }
    let mut pixels = Vec::with_capacity(plane.width * plane.height);
    for y in 0..plane.height {
        pixels.extend_from_slice(plane.row(y));
    }
    pixels
}

/// Red, green and blue pixels of three components, which are that or luminance and chrominance.
pub(in crate::imaging::decode::jpeg) fn colored<T: Sample>(
    planes: &[Plane<T>; 3],
    width: usize,
    height: usize,
    ybr: bool,
) -> Vec<T> {
    let mut pixels = vec![T::default(); width * height * 3];
    let mut rooms = [Vec::new(), Vec::new(), Vec::new()];
    let mut sums = Vec::new();
    for (y, line) in pixels.chunks_exact_mut(width.max(1) * 3).enumerate() {
        let [first, second, third] = planes;
        let [a, b, c] = &mut rooms;
        let first = first.pixels(y, a, &mut sums);
        let second = second.pixels(y, b, &mut sums);
        let third = third.pixels(y, c, &mut sums);
        let (line, _) = line.as_chunks_mut::<3>();
        let values = first.iter().zip(second).zip(third);
        if ybr {
            for (pixel, ((luminance, blue), red)) in line.iter_mut().zip(values) {
                *pixel = color((*luminance).into(), (*blue).into(), (*red).into());
            }
        } else {
            for (pixel, ((red, green), blue)) in line.iter_mut().zip(values) {
                *pixel = [*red, *green, *blue];
            }
        }
    }
    pixels
}

/// ITU-R BT.601 over the full range, in 16 bits below the point.
#[inline]
fn color<T: Sample>(luminance: i32, blue: i32, red: i32) -> [T; 3] {
    let (blue, red) = (blue - T::CENTER, red - T::CENTER);
    let half = 1 << 15;
    [
        T::clamped(luminance + ((91_881 * red + half) >> 16)),
        T::clamped(luminance + ((-22_554 * blue - 46_802 * red + half) >> 16)),
        T::clamped(luminance + ((116_130 * blue + half) >> 16)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Plane, color, colored, grey};

    fn plane(width: usize, spread: (usize, usize), samples: &[u8]) -> Plane<u8> {
        let height = samples.len() / width;
        Plane { width, height, stride: width, spread, samples: samples.to_vec() }
    }

    fn row(plane: &Plane<u8>, y: usize) -> Vec<u8> {
        plane.pixels(y, &mut Vec::new(), &mut Vec::new()).to_vec()
    }

    #[test]
    fn known_colours_come_out() {
        assert_eq!(color::<u8>(149, 43, 21), [0, 255, 0], "green");
        assert_eq!(color::<u8>(76, 84, 255), [254, 0, 0], "red, as near as bytes get");
        assert_eq!(color::<u8>(200, 128, 128), [200; 3]);
        assert_eq!(color::<u16>(3000, 2048, 2048), [3000; 3]);
    }

    #[test]
    fn chrominance_is_spread_by_nearness() {
        assert_eq!(row(&plane(3, (2, 1), &[0, 100, 40]), 0), [0, 25, 75, 85, 55, 40]);
        let both = plane(3, (2, 2), &[0, 0, 0, 100, 100, 100]);
        assert_eq!([0, 1, 2, 3].map(|y| row(&both, y)[2]), [0, 25, 75, 100]);
        let down = plane(1, (1, 2), &[0, 100]);
        assert_eq!([0, 1, 2, 3].map(|y| row(&down, y)[0]), [0, 25, 75, 100]);
        assert_eq!(row(&plane(2, (4, 1), &[7, 9]), 0), [7, 7, 7, 7, 9, 9, 9, 9]);
        assert_eq!(row(&plane(2, (2, 1), &[7, 9]), 0), [7, 7, 9, 9], "too few to weigh");
    }

    #[test]
    fn the_blocks_overhang_is_no_picture() {
        let overhung = Plane { stride: 4, width: 3, ..plane(4, (1, 1), &[1, 2, 3, 0, 4, 5, 6, 0]) };
        assert_eq!(grey(overhung), [1, 2, 3, 4, 5, 6]);
        let planes = [1, 2, 3].map(|value| plane(8, (1, 1), &[value; 64]));
        assert_eq!(colored(&planes, 2, 1, false), [1, 2, 3, 1, 2, 3]);
    }
}
