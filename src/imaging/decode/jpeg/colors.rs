//! Planes of components to pixels: chrominance of fewer samples is spread over the picture, and turned
//! to red, green and blue.
//!
//! Spread as libjpeg-turbo does by default, and so browsers and most viewers: between samples at half the columns, or columns and rows, the nearer counts three
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
    /// Its sampling factor across, and the picture's.
    pub across: (usize, usize),
    /// Its sampling factor down, and the picture's.
    pub down: (usize, usize),
    pub samples: Vec<T>,
}

/// How samples become pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// One of each.
    Whole,
    /// Two of each, across.
    Across,
    /// Two of each, down.
    Down,
    /// Two across and two down.
    Both,
    /// The sample that lies there.
    Nearest,
}

impl<T: Sample> Plane<T> {
    /// Puts a block at its place, counted in blocks.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn put<const N: usize>(
        &mut self,
        x: usize,
        y: usize,
        block: &[[T; N]; N],
    ) -> Option<()> {
        let start = y * N * self.stride + x * N;
        let lines = self.samples.get_mut(start..)?.chunks_mut(self.stride.max(N));
        for (line, values) in lines.zip(block) {
            *line.first_chunk_mut::<N>()? = *values;
        }
        Some(())
    }

    fn row(&self, y: usize) -> &[T] {
        let start = y.min(self.height.saturating_sub(1)) * self.stride;
        self.samples.get(start..start + self.width).unwrap_or_default()
    }

    fn spread(&self) -> Spread {
        let ratio = |(own, most): (usize, usize)| (most % own == 0).then_some(most / own);
        match (ratio(self.across), ratio(self.down)) {
            (Some(1), Some(1)) => Spread::Whole,
            (Some(2), Some(1)) if self.width > 2 => Spread::Across,
            (Some(2), Some(2)) if self.width > 2 => Spread::Both,
            (Some(1), Some(2)) => Spread::Down,
            _ => Spread::Nearest,
        }
    }

    /// The samples of a row of pixels. `room` is where they may be made.
    fn pixels<'a>(&'a self, y: usize, width: usize, room: &'a mut Room<T>) -> &'a [T] {
        let near = self.row(y * self.down.0 / self.down.1.max(1));
        // The next sample row on the other side of these pixels.
        let far = self.row(if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
        match self.spread() {
            Spread::Whole => return near,
            Spread::Across => {
                room.sums.clear();
                room.sums.extend(near.iter().map(|value| Into::<u16>::into(*value)));
                between(room, [1, 2], 2);
            }
            Spread::Both => {
                room.sums.clear();
                room.sums.extend(near.iter().zip(far).map(|(near, far)| weighed(*near, *far)));
                between(room, [8, 7], 4);
            }
            Spread::Down => {
                let round = if y.is_multiple_of(2) { 1 } else { 2 };
                let pairs = near.iter().zip(far);
                room.pixels.clear();
                room.pixels.extend(
                    pairs.map(|(near, far)| T::narrowed((weighed(*near, *far) + round) >> 2)),
                );
            }
            Spread::Nearest => {
                let (own, most) = self.across;
                let nearest = |x: usize| near.get(x * own / most.max(1)).or(near.last());
                room.pixels.clear();
                room.pixels.extend((0..width).map(|x| nearest(x).copied().unwrap_or_default()));
            }
        }
        &room.pixels
    }
}

/// Where a row of pixels is made.
#[derive(Debug, Default)]
struct Room<T> {
    /// Samples, or those of two rows weighed.
    sums: Vec<u16>,
    pixels: Vec<T>,
}

/// At most four times the range of 12 bits.
#[inline]
fn weighed<T: Sample>(near: T, far: T) -> u16 {
    3 * Into::<u16>::into(near) + Into::<u16>::into(far)
}

/// Two pixels of each sample, left and right of its middle. What is added before the shift differs
/// between the two, so that rounding does not make the picture lighter. No sum is over 16 bits: four
/// times four times the range of 12.
fn between<T: Sample>(room: &mut Room<T>, [left, right]: [u16; 2], shift: u32) {
    let Room { sums, pixels } = room;
    let (Some(first), Some(last)) = (sums.first(), sums.last()) else { return };
    let pixel = |near: u16, far: u16, round: u16| T::narrowed((3 * near + far + round) >> shift);
    pixels.resize(sums.len() * 2, T::default());
    let Some((begin, inner)) = pixels.split_first_mut() else { return };
    *begin = pixel(*first, *first, left);
    let (inner, end) = inner.as_chunks_mut::<2>();
    let pairs = sums.iter().zip(sums.get(1..).unwrap_or_default());
    for (pair, (one, other)) in inner.iter_mut().zip(pairs) {
        *pair = [pixel(*one, *other, right), pixel(*other, *one, left)];
    }
    if let [end] = end {
        *end = pixel(*last, *last, right);
    }
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
    let mut rooms = [Room::default(), Room::default(), Room::default()];
    for (y, line) in pixels.chunks_exact_mut(width.max(1) * 3).enumerate() {
        let [first, second, third] = planes;
        let [a, b, c] = &mut rooms;
        let rows =
            [first.pixels(y, width, a), second.pixels(y, width, b), third.pixels(y, width, c)];
        if ybr {
            colored_row(rows, line);
        } else {
            interleaved(rows, line);
        }
    }
    pixels
}

fn interleaved<T: Sample>([red, green, blue]: [&[T]; 3], line: &mut [T]) {
    let (line, _) = line.as_chunks_mut::<3>();
    for (pixel, ((red, green), blue)) in line.iter_mut().zip(red.iter().zip(green).zip(blue)) {
        *pixel = [*red, *green, *blue];
    }
}

/// Pixels turned to colours at once, before they are interleaved: the processor does several.
const TOGETHER: usize = 32;

fn colored_row<T: Sample>([luminance, blue, red]: [&[T]; 3], line: &mut [T]) {
    let rows = luminance.chunks(TOGETHER).zip(blue.chunks(TOGETHER).zip(red.chunks(TOGETHER)));
    for (line, (luminance, (blue, red))) in line.chunks_mut(TOGETHER * 3).zip(rows) {
        let mut colors = [[T::default(); TOGETHER]; 3];
        let [reds, greens, blues] = &mut colors;
        let targets = reds.iter_mut().zip(greens).zip(blues);
        let values = luminance.iter().zip(blue).zip(red);
        for (((r, g), b), ((luminance, blue), red)) in targets.zip(values) {
            [*r, *g, *b] = color((*luminance).into(), (*blue).into(), (*red).into());
        }
        interleaved(colors.each_ref().map(<[T; TOGETHER]>::as_slice), line);
    }
}

/// ITU-R BT.601 over the full range, in 16 bits below the point: red is the luminance and 1.402 of
/// red chrominance, and so on. Whole parts are added apart, so that what is multiplied fits into 16
/// bits.
#[inline]
fn color<T: Sample>(luminance: i32, blue: i32, red: i32) -> [T; 3] {
    let (blue, red) = (blue - T::CENTER, red - T::CENTER);
    let half = 1 << 15;
    [
        T::clamped(luminance + red + ((26_345 * red + half) >> 16)),
        T::clamped(luminance - red + ((18_734 * red - 22_554 * blue + half) >> 16)),
        T::clamped(luminance + 2 * blue + ((-14_942 * blue + half) >> 16)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Plane, Room, color, colored, grey};

    fn plane(width: usize, spread: (usize, usize), samples: &[u8]) -> Plane<u8> {
        let height = samples.len() / width;
        let (across, down) = ((1, spread.0), (1, spread.1));
        Plane { width, height, stride: width, across, down, samples: samples.to_vec() }
    }

    fn row(plane: &Plane<u8>, y: usize) -> Vec<u8> {
        plane.pixels(y, plane.width * plane.across.1, &mut Room::default()).to_vec()
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
        let thirds = Plane { across: (2, 3), ..plane(4, (1, 1), &[1, 2, 3, 4]) };
        assert_eq!(thirds.pixels(0, 5, &mut Room::default()), [1, 1, 2, 3, 3]);
    }

    #[test]
    fn the_blocks_overhang_is_no_picture() {
        let overhung = Plane { stride: 4, width: 3, ..plane(4, (1, 1), &[1, 2, 3, 0, 4, 5, 6, 0]) };
        assert_eq!(grey(overhung), [1, 2, 3, 4, 5, 6]);
        let planes = [1, 2, 3].map(|value| plane(8, (1, 1), &[value; 64]));
        assert_eq!(colored(&planes, 2, 1, false), [1, 2, 3, 1, 2, 3]);
    }
}
