//! The block coder of JPEG 2000 part 1 (ISO/IEC 15444-1 §D), on the arithmetic coder of §C.

use crate::imaging::transcode::jpeg2000::codestream::{Block, BlockCoder};
use crate::imaging::transcode::jpeg2000::mq::MqEncoder;
use crate::imaging::transcode::jpeg2000::wavelet::Band;

/// Contexts (Table D.7).
const RUN: usize = 17;
const UNIFORM: usize = 18;
/// Lines of a stripe (§D.1).
const STRIPE: usize = 4;

/// Which neighbours of a coefficient are significant: two across, two down, four at the corners.
const LEFT: u16 = 1;
const RIGHT: u16 = 1 << 1;
const ABOVE: u16 = 1 << 2;
const BELOW: u16 = 1 << 3;
const ABOVE_LEFT: u16 = 1 << 4;
const ABOVE_RIGHT: u16 = 1 << 5;
const BELOW_LEFT: u16 = 1 << 6;
const BELOW_RIGHT: u16 = 1 << 7;
const NEIGHBOURS: u16 = 0xFF;
/// The signs of the first four stand so many bits above: set when negative.
const SIGNS: u32 = 8;
/// State of the coefficient itself.
const SIGNIFICANT: u16 = 1 << 12;
const NEGATIVE: u16 = 1 << 13;
const VISITED: u16 = 1 << 14;
const REFINED: u16 = 1 << 15;

/// Table D.1 by significant neighbours, for bands of low, high-low and high-high detail.
static ZERO_CONTEXTS: [[u8; 256]; 3] = zero_contexts();
/// Tables D.2 and D.3 by significant neighbours across and down and their signs: context, and
/// whether the sign is turned.
static SIGN_CONTEXTS: [(u8, u8); 256] = sign_contexts();

/// Codes blocks.
#[derive(Debug, Default)]
pub(in crate::imaging::transcode) struct Ebcot {
    magnitudes: Vec<u32>,
    /// Of each coefficient, with a border of one around all.
    flags: Vec<u16>,
}

impl BlockCoder for Ebcot {
    const HIGH_THROUGHPUT: bool = false;

    fn code(
        &mut self,
        coefficients: &[i32],
        width: usize,
        band: Band,
        planes: u32,
    ) -> Option<Block> {
        let height = coefficients.len().checked_div(width)?;
        let stride = width + 2;
        self.magnitudes.clear();
        self.magnitudes.extend(coefficients.iter().map(|value| value.unsigned_abs()));
        self.flags.clear();
        self.flags.resize(stride * (height + 2), 0);
        for (index, value) in coefficients.iter().enumerate() {
            if *value < 0 {
                self.flags[(index / width + 1) * stride + index % width + 1] = NEGATIVE;
            }
        }
        let all = self.magnitudes.iter().fold(0, |all, one| all | one);
        let used = 32 - all.leading_zeros();
        if used == 0 {
            return Some(Block::default());
        }
        let mut coding = Coding {
            mq: MqEncoder::new(),
            magnitudes: &self.magnitudes,
            flags: &mut self.flags,
            width,
            height,
            stride,
            zero_contexts: &ZERO_CONTEXTS[match band {
                Band::HighLow => 1,
                Band::HighHigh => 2,
                _ => 0,
            }],
        };
        for plane in (0..used).rev() {
            if plane + 1 < used {
                coding.columns(|coding, column| coding.propagate(column, plane));
                coding.columns(|coding, column| coding.refine(column, plane));
            }
            coding.columns(|coding, column| coding.clean_up(column, plane));
        }
        let bytes = coding.mq.finish();
        let empty_planes = planes.checked_sub(used)?;
        Some(Block { bytes, passes: 3 * used - 2, empty_planes })
    }
}

struct Coding<'a> {
    mq: MqEncoder,
    magnitudes: &'a [u32],
    flags: &'a mut [u16],
    width: usize,
    height: usize,
    stride: usize,
    zero_contexts: &'static [u8; 256],
}

/// The coefficients of one column within a stripe.
#[derive(Clone, Copy)]
struct Column {
    /// Of the first one's flags.
    place: usize,
    /// Of the first one's magnitude.
    value: usize,
    length: usize,
}

impl Coding<'_> {
    /// Columns in the order they are coded.
    fn columns(&mut self, mut pass: impl FnMut(&mut Self, Column)) {
        for top in (0..self.height).step_by(STRIPE) {
            let length = STRIPE.min(self.height - top);
            for x in 0..self.width {
                let place = (top + 1) * self.stride + x + 1;
                pass(self, Column { place, value: top * self.width + x, length });
            }
        }
    }

    /// Where the coefficients of a column are: flags and magnitude.
    fn places(&self, column: Column) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (stride, width) = (self.stride, self.width);
        (0..column.length).map(move |y| (column.place + y * stride, column.value + y * width))
    }

    fn bit(&self, value: usize, plane: u32) -> u8 {
        u8::from(self.magnitudes[value] >> plane & 1 == 1)
    }

    fn zero_context(&self, flags: u16) -> usize {
        self.zero_contexts[usize::from(flags & NEIGHBOURS)].into()
    }

    /// Codes a sign and makes the coefficient significant (§D.3.2).
    fn sign(&mut self, place: usize) {
        let flags = self.flags[place];
        let around = flags & (LEFT | RIGHT | ABOVE | BELOW);
        let signs = flags >> SIGNS & (LEFT | RIGHT | ABOVE | BELOW);
        let (context, flip) = SIGN_CONTEXTS[usize::from(around | signs << 4)];
        let negative = u8::from(flags & NEGATIVE != 0);
        self.mq.encode(negative ^ flip, context.into());
        self.flags[place] |= SIGNIFICANT;
        let with_sign = |neighbour: u16| neighbour | (neighbour * u16::from(negative)) << SIGNS;
        let (above, below) = (place - self.stride, place + self.stride);
        self.flags[place - 1] |= with_sign(RIGHT);
        self.flags[place + 1] |= with_sign(LEFT);
        self.flags[above] |= with_sign(BELOW);
        self.flags[below] |= with_sign(ABOVE);
        self.flags[above - 1] |= BELOW_RIGHT;
        self.flags[above + 1] |= BELOW_LEFT;
        self.flags[below - 1] |= ABOVE_RIGHT;
        self.flags[below + 1] |= ABOVE_LEFT;
    }

    /// §D.3.1
    fn propagate(&mut self, column: Column, plane: u32) {
        for (place, value) in self.places(column) {
            let flags = self.flags[place];
            if flags & SIGNIFICANT != 0 || flags & NEIGHBOURS == 0 {
                continue;
            }
            let bit = self.bit(value, plane);
            self.mq.encode(bit, self.zero_context(flags));
            if bit == 1 {
                self.sign(place);
            }
            self.flags[place] |= VISITED;
        }
    }

    /// §D.3.3
    fn refine(&mut self, column: Column, plane: u32) {
        for (place, value) in self.places(column) {
            let flags = self.flags[place];
            if flags & (SIGNIFICANT | VISITED) != SIGNIFICANT {
                continue;
            }
            let context = match (flags & REFINED, flags & NEIGHBOURS) {
                (0, 0) => 14,
                (0, _) => 15,
                _ => 16,
            };
            self.mq.encode(self.bit(value, plane), context);
            self.flags[place] |= REFINED;
        }
    }

    /// §D.3.4
    fn clean_up(&mut self, column: Column, plane: u32) {
        const QUIET: u16 = SIGNIFICANT | VISITED | NEIGHBOURS;
        let mut from = 0;
        let quiet = |(place, _)| self.flags[place] & QUIET == 0;
        if column.length == STRIPE && self.places(column).all(quiet) {
            let first = self.places(column).position(|(_, value)| self.bit(value, plane) == 1);
            self.mq.encode(u8::from(first.is_some()), RUN);
            let Some(first) = first else { return };
            self.mq.encode(u8::from(first & 2 != 0), UNIFORM);
            self.mq.encode(u8::from(first & 1 != 0), UNIFORM);
            self.sign(column.place + first * self.stride);
            from = first + 1;
        }
        for (place, value) in self.places(column).skip(from) {
            let flags = self.flags[place];
            if flags & (SIGNIFICANT | VISITED) == 0 {
                let bit = self.bit(value, plane);
                self.mq.encode(bit, self.zero_context(flags));
                if bit == 1 {
                    self.sign(place);
                }
            }
        }
        for (place, _) in self.places(column) {
            self.flags[place] &= !VISITED;
        }
    }
}

const fn zero_contexts() -> [[u8; 256]; 3] {
    let mut tables = [[0; 256]; 3];
    let mut flags = 0_u16;
    while flags < 256 {
        let around = flags as usize;
        let across = (flags & (LEFT | RIGHT)).count_ones();
        let down = (flags & (ABOVE | BELOW)).count_ones();
        let corners = (flags >> 4).count_ones();
        tables[0][around] = low_context(across, down, corners);
        tables[1][around] = low_context(down, across, corners);
        tables[2][around] = high_context(corners, across + down);
        flags += 1;
    }
    tables
}

const fn low_context(main: u32, other: u32, corners: u32) -> u8 {
    match (main, other, corners) {
        (2.., _, _) => 8,
        (1, 1.., _) => 7,
        (1, 0, 1..) => 6,
        (1, 0, 0) => 5,
        (0, 2.., _) => 4,
        (0, 1, _) => 3,
        (0, 0, 2..) => 2,
        (0, 0, 1) => 1,
        (0, 0, 0) => 0,
    }
}

const fn high_context(corners: u32, beside: u32) -> u8 {
    match (corners, beside) {
        (3.., _) => 8,
        (2, 1..) => 7,
        (2, 0) => 6,
        (1, 2..) => 5,
        (1, 1) => 4,
        (1, 0) => 3,
        (0, 2..) => 2,
        (0, 1) => 1,
        (0, 0) => 0,
    }
}

const fn sign_contexts() -> [(u8, u8); 256] {
    let mut table = [(0, 0); 256];
    let mut flags = 0_u16;
    while flags < 256 {
        let around = flags as usize;
        let across = contribution(flags, LEFT, RIGHT);
        let down = contribution(flags, ABOVE, BELOW);
        table[around] = match (across, down) {
            (1, 1) => (13, 0),
            (1, 0) => (12, 0),
            (1, _) => (11, 0),
            (0, 1) => (10, 0),
            (0, 0) => (9, 0),
            (0, _) => (10, 1),
            (_, 1) => (11, 1),
            (_, 0) => (12, 1),
            _ => (13, 1),
        };
        flags += 1;
    }
    table
}

/// Table D.2: -1, 0 or 1.
const fn contribution(flags: u16, one: u16, other: u16) -> i8 {
    let sum = signed(flags, one) + signed(flags, other);
    if sum > 1 {
        1
    } else if sum < -1 {
        -1
    } else {
        sum
    }
}

const fn signed(flags: u16, neighbour: u16) -> i8 {
    match (flags & neighbour != 0, flags >> 4 & neighbour != 0) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    }
}
