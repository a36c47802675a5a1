//! The block coder of JPEG 2000 part 1 (ISO/IEC 15444-1 §D), on the arithmetic coder of §C.

use crate::imaging::transcode::jpeg2000::codestream::{Block, BlockCoder};
use crate::imaging::transcode::jpeg2000::mq::MqEncoder;
use crate::imaging::transcode::jpeg2000::wavelet::Band;

/// Contexts (Table D.7).
const RUN: usize = 17;
const UNIFORM: usize = 18;
/// Lines of a stripe (§D.1).
const STRIPE: usize = 4;

/// State of a coefficient.
const SIGNIFICANT: u8 = 1;
const NEGATIVE: u8 = 2;
const VISITED: u8 = 4;
const REFINED: u8 = 8;

/// Codes blocks.
#[derive(Debug, Default)]
pub(in crate::imaging::transcode) struct Ebcot {
    magnitudes: Vec<u32>,
    /// Of each coefficient, with a border of one around all.
    flags: Vec<u8>,
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
            band,
        };
        for plane in (0..used).rev() {
            if plane + 1 < used {
                coding.propagate(plane);
                coding.refine(plane);
            }
            coding.clean_up(plane);
        }
        let bytes = coding.mq.finish();
        let empty_planes = planes.checked_sub(used)?;
        Some(Block { bytes, passes: 3 * used - 2, empty_planes })
    }
}

struct Coding<'a> {
    mq: MqEncoder,
    magnitudes: &'a [u32],
    flags: &'a mut [u8],
    width: usize,
    height: usize,
    stride: usize,
    band: Band,
}

impl Coding<'_> {
    /// Places of all coefficients in the order they are coded.
    fn stripes(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (width, height) = (self.width, self.height);
        (0..height).step_by(STRIPE).flat_map(move |top| {
            (0..width).flat_map(move |x| (top..height.min(top + STRIPE)).map(move |y| (x, y)))
        })
    }

    fn at(&self, x: usize, y: usize) -> usize {
        (y + 1) * self.stride + x + 1
    }

    fn bit(&self, x: usize, y: usize, plane: u32) -> u8 {
        u8::from(self.magnitudes[y * self.width + x] >> plane & 1 == 1)
    }

    fn significant(&self, place: usize) -> u8 {
        self.flags[place] & SIGNIFICANT
    }

    /// How many neighbours across, down and at the corners are significant.
    fn around(&self, place: usize) -> (u8, u8, u8) {
        let (above, below) = (place - self.stride, place + self.stride);
        let across = self.significant(place - 1) + self.significant(place + 1);
        let down = self.significant(above) + self.significant(below);
        let corners = self.significant(above - 1)
            + self.significant(above + 1)
            + self.significant(below - 1)
            + self.significant(below + 1);
        (across, down, corners)
    }

    /// Table D.1
    fn zero_context(&self, place: usize) -> usize {
        let (across, down, corners) = self.around(place);
        let (main, other) = match self.band {
            Band::HighLow => (down, across),
            _ => (across, down),
        };
        if self.band == Band::HighHigh {
            return match (corners, across + down) {
                (3.., _) => 8,
                (2, 1..) => 7,
                (2, 0) => 6,
                (1, 2..) => 5,
                (1, 1) => 4,
                (1, 0) => 3,
                (0, 2..) => 2,
                (0, 1) => 1,
                (0, 0) => 0,
            };
        }
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

    /// Codes a sign and makes the coefficient significant (§D.3.2).
    fn sign(&mut self, place: usize) {
        let one = |place: usize| -> i8 {
            match self.flags[place] & (SIGNIFICANT | NEGATIVE) {
                SIGNIFICANT => 1,
                0 | NEGATIVE => 0,
                _ => -1,
            }
        };
        let across = (one(place - 1) + one(place + 1)).clamp(-1, 1);
        let down = (one(place - self.stride) + one(place + self.stride)).clamp(-1, 1);
        let (context, flip) = match (across, down) {
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
        let negative = u8::from(self.flags[place] & NEGATIVE != 0);
        self.mq.encode(negative ^ flip, context);
        self.flags[place] |= SIGNIFICANT;
    }

    /// §D.3.1
    fn propagate(&mut self, plane: u32) {
        for (x, y) in self.stripes() {
            let place = self.at(x, y);
            if self.significant(place) != 0 {
                continue;
            }
            let context = self.zero_context(place);
            if context == 0 {
                continue;
            }
            let bit = self.bit(x, y, plane);
            self.mq.encode(bit, context);
            if bit == 1 {
                self.sign(place);
            }
            self.flags[place] |= VISITED;
        }
    }

    /// §D.3.3
    fn refine(&mut self, plane: u32) {
        for (x, y) in self.stripes() {
            let place = self.at(x, y);
            if self.flags[place] & (SIGNIFICANT | VISITED) != SIGNIFICANT {
                continue;
            }
            let context = match (self.flags[place] & REFINED, self.around(place)) {
                (0, (0, 0, 0)) => 14,
                (0, _) => 15,
                _ => 16,
            };
            let bit = self.bit(x, y, plane);
            self.mq.encode(bit, context);
            self.flags[place] |= REFINED;
        }
    }

    /// §D.3.4
    fn clean_up(&mut self, plane: u32) {
        for top in (0..self.height).step_by(STRIPE) {
            for x in 0..self.width {
                self.clean_up_column(x, top, plane);
            }
        }
        for flags in &mut *self.flags {
            *flags &= !VISITED;
        }
    }

    fn clean_up_column(&mut self, x: usize, top: usize, plane: u32) {
        let mut y = top;
        let bottom = self.height.min(top + STRIPE);
        let quiet = |y: usize| {
            let place = self.at(x, y);
            self.flags[place] & (SIGNIFICANT | VISITED) == 0 && self.around(place) == (0, 0, 0)
        };
        if bottom - top == STRIPE && (top..bottom).all(quiet) {
            let first = (top..bottom).find(|y| self.bit(x, *y, plane) == 1);
            self.mq.encode(u8::from(first.is_some()), RUN);
            let Some(first) = first else { return };
            let ahead = first - top;
            self.mq.encode(u8::from(ahead & 2 != 0), UNIFORM);
            self.mq.encode(u8::from(ahead & 1 != 0), UNIFORM);
            let place = self.at(x, first);
            self.sign(place);
            y = first + 1;
        }
        for y in y..bottom {
            let place = self.at(x, y);
            if self.flags[place] & (SIGNIFICANT | VISITED) != 0 {
                continue;
            }
            let bit = self.bit(x, y, plane);
            let context = self.zero_context(place);
            self.mq.encode(bit, context);
            if bit == 1 {
                self.sign(place);
            }
        }
    }
}
