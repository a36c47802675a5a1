//! Bits of entropy-coded data, and Huffman codes (ISO/IEC 10918-1 §C.2, §F.2.2).

/// Bits looked up at once. Most codes are not longer.
const LOOKED_UP: u32 = 9;

/// Bits looked up at once for a code and the number after it. Most of both together are not longer.
const STEP_BITS: u32 = 10;

/// What a code's symbols are for (§B.2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::decode::jpeg) enum Class {
    /// Sizes of differences, of means or of lossless samples.
    Differences,
    /// Runs of zeros and sizes of coefficients.
    Runs,
}

/// A coefficient with the zeros before it, out of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::imaging::decode::jpeg) struct Step {
    pub value: i16,
    /// Places from the last coefficient to this one; [`Step::END`] for no more in this block.
    pub places: u8,
    /// Bits of code and number; 0 for a step that is longer than those looked up.
    length: u8,
}

impl Step {
    /// More places than a block has.
    pub(in crate::imaging::decode::jpeg) const END: u8 = 64;

    /// Without its value: what a symbol says (§F.1.2.2.1). Sixteen zeros are a coefficient of zero
    /// after fifteen.
    fn places_of(class: Class, symbol: u8) -> u8 {
        match (class, symbol >> 4, symbol & 0xF) {
            (Class::Runs, 0..15, 0) => Self::END,
            (_, zeros, _) => zeros + 1,
        }
    }
}

/// A Huffman code.
#[derive(Debug)]
pub(in crate::imaging::decode::jpeg) struct Code {
    class: Class,
    /// Symbol and length for whatever comes next; length 0 is a longer code, or none.
    short: [(u8, u8); 1 << LOOKED_UP],
    steps: [Step; 1 << STEP_BITS],
    /// Of each length from 1 on: where its codes begin among all of 16 bits, where they end, and the
    /// place of the first one's symbol.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Code {
    /// From how many codes each length has, and the symbols in their order (§C.2).
    pub(in crate::imaging::decode::jpeg) fn new(
        class: Class,
        counts: &[u8; 16],
        symbols: &[u8],
    ) -> Option<Self> {
        // Sixteen is for lossless differences only (§H.1.2.2).
        if class == Class::Differences && symbols.iter().any(|symbol| *symbol > 16) {
            return None;
        }
        let mut code = Self {
            class,
            short: [(0, 0); 1 << LOOKED_UP],
            steps: [Step::default(); 1 << STEP_BITS],
            lengths: [(0, 0, 0); 16],
            symbols: symbols.to_vec(),
        };
        let (mut end, mut place) = (0_u32, 0_usize);
        for ((length, count), told) in (1_u8..).zip(counts).zip(&mut code.lengths) {
            *told = (end, end, place);
            let step = 1_u32 << (16 - length);
            for _ in 0..*count {
                let symbol = *symbols.get(place)?;
                if u32::from(length) <= LOOKED_UP {
                    let first = usize::try_from(end >> (16 - LOOKED_UP)).ok()?;
                    let each = 1_usize << (LOOKED_UP - u32::from(length));
                    code.short.get_mut(first..first + each)?.fill((symbol, length));
                }
                end += step;
                place += 1;
                if end > 1 << 16 {
                    return None;
                }
            }
            told.1 = end;
        }
        code.look_ahead();
        Some(code)
    }

    /// Fills in the steps that fit into the bits looked up.
    fn look_ahead(&mut self) {
        for (next, step) in (0_u32..).zip(&mut self.steps) {
            let place = usize::try_from(next >> (STEP_BITS - LOOKED_UP)).unwrap_or_default();
            let Some((symbol, length)) = self.short.get(place).copied() else { continue };
            let size = if self.class == Class::Runs { symbol & 0xF } else { symbol };
            let whole = u32::from(length) + u32::from(size);
            if length == 0 || whole > STEP_BITS {
                continue;
            }
            let number = next >> (STEP_BITS - whole) & ((1 << size) - 1);
            let value = i16::try_from(extended(number, size.into())).unwrap_or_default();
            let places = Step::places_of(self.class, symbol);
            *step = Step { value, places, length: length + size };
        }
    }

    /// Symbol and length of a code longer than those looked up.
    #[cold]
    fn long(&self, next: u32) -> Option<(u8, u32)> {
        let found = (1_u32..).zip(&self.lengths).find(|(_, (_, end, _))| next < *end)?;
        let (length, (start, _, place)) = found;
        let place = place + usize::try_from((next - start) >> (16 - length)).ok()?;
        Some((*self.symbols.get(place)?, length))
    }
}

/// A number of `size` bits, up to 16, whose highest bit tells its sign (§F.2.2.1).
#[inline]
fn extended(number: u32, size: u32) -> i32 {
    let number = number.cast_signed();
    let half = (1_i32 << size) >> 1;
    if number < half { number - (1 << size) + 1 } else { number }
}

/// Bits of entropy-coded data, highest first; a zero after FF is no data. To be copied where many are
/// read, so that it is held in registers: what is seldom done takes and gives it by value.
#[derive(Debug, Clone, Copy)]
pub(in crate::imaging::decode::jpeg) struct Bits<'a> {
    rest: &'a [u8],
    /// The next `count` bits from the highest on. Below them may lie bits of `rest`.
    cache: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(in crate::imaging::decode::jpeg) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, cache: 0, count: 0 }
    }

    /// Gets 32 bits at least, enough for a symbol and the number after it; fewer before a marker.
    #[inline]
    fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(eight) = self.rest.first_chunk::<8>() {
            let word = u64::from_be_bytes(*eight);
            // Whether a byte of it is FF: then its complement has a zero, whose borrow is seen.
            let ones = (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080;
            if ones == 0 {
                self.cache |= word >> self.count;
                let bytes = (63 - self.count) >> 3;
                self.count += bytes * 8;
                self.rest = self.rest.get(bytes as usize..).unwrap_or_default();
                return;
            }
        }
        *self = self.filled_by_bytes();
    }

    #[inline(never)]
    fn filled_by_bytes(mut self) -> Self {
        while self.count <= 56 {
            let (byte, rest) = match self.rest {
                [0xFF, 0, rest @ ..] => (0xFF, rest),
                [0xFF, ..] | [] => break,
                [byte, rest @ ..] => (*byte, rest),
            };
            self.cache |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.rest = rest;
        }
        self
    }

    /// Leaves bits behind that were looked at; `None` if there were not as many.
    #[inline]
    fn take(&mut self, width: u32) -> Option<()> {
        self.count = self.count.checked_sub(width)?;
        self.cache <<= width;
        Some(())
    }

    /// The next bits as they come, 16 at most.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn number(&mut self, width: u32) -> Option<u32> {
        self.fill();
        self.filled(width)
    }

    /// Of what was filled in before: [`Self::symbol`] leaves 16 bits.
    #[inline]
    fn filled(&mut self, width: u32) -> Option<u32> {
        let value = u32::try_from((self.cache >> 32) >> (32 - width.min(32))).ok()?;
        self.take(width)?;
        Some(value)
    }

    #[inline]
    pub(in crate::imaging::decode::jpeg) fn symbol(&mut self, code: &Code) -> Option<u8> {
        self.fill();
        let next = usize::try_from(self.cache >> (64 - LOOKED_UP)).ok()?;
        let (symbol, length) = match *code.short.get(next)? {
            (_, 0) => code.long(u32::try_from(self.cache >> 48).ok()?)?,
            (symbol, length) => (symbol, u32::from(length)),
        };
        self.take(length)?;
        Some(symbol)
    }

    /// A number of `size` bits after a symbol, 15 at most.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn signed(&mut self, size: u8) -> Option<i32> {
        if size > 15 {
            return None;
        }
        Some(extended(self.filled(size.into())?, size.into()))
    }

    /// The next coefficient and the zeros before it.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn step(&mut self, code: &Code) -> Option<Step> {
        self.fill();
        let step = *code.steps.get(usize::try_from(self.cache >> (64 - STEP_BITS)).ok()?)?;
        if step.length == 0 {
            let (bits, step) = self.long_step(code)?;
            *self = bits;
            return Some(step);
        }
        self.take(step.length.into())?;
        Some(step)
    }

    #[inline(never)]
    fn long_step(mut self, code: &Code) -> Option<(Self, Step)> {
        let symbol = self.symbol(code)?;
        let size = if code.class == Class::Runs { symbol & 0xF } else { symbol };
        let value = i16::try_from(self.signed(size)?).ok()?;
        Some((self, Step { value, places: Step::places_of(code.class, symbol), length: 0 }))
    }

    /// The next difference of lossless samples, modulo 2^16 (§H.1.2.2): a size of 16 has no bits after
    /// it.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn difference(&mut self, code: &Code) -> Option<u16> {
        self.fill();
        let step = *code.steps.get(usize::try_from(self.cache >> (64 - STEP_BITS)).ok()?)?;
        if step.length > 0 {
            self.take(step.length.into())?;
            return Some(step.value.cast_unsigned());
        }
        match self.symbol(code)? {
            16 => Some(1 << 15),
            size => i16::try_from(self.signed(size)?).ok().map(i16::cast_unsigned),
        }
    }

    /// Goes past the next restart marker, which must be the one of that number (§F.2.2.4: they
    /// count from 0 to 7).
    pub(in crate::imaging::decode::jpeg) fn restart(&mut self, number: u8) -> Option<()> {
        let [0xFF, marker, rest @ ..] = self.after() else { return None };
        if *marker != 0xD0 | number {
            return None;
        }
        *self = Self::new(rest);
        Some(())
    }

    /// Whether the data came to an end, which a marker other than a restart tells, and fewer bits than
    /// that are left.
    pub(in crate::imaging::decode::jpeg) fn ended(&self, left: u32) -> bool {
        let at_marker = self.rest.first() == Some(&0xFF);
        self.count < left
            && at_marker
            && matches!(self.after(), [0xFF, marker, ..] if !(0xD0..=0xD7).contains(marker))
    }

    /// What follows the data: its next marker, or nothing.
    pub(in crate::imaging::decode::jpeg) fn after(&self) -> &'a [u8] {
        let mut rest = self.rest;
        while let Some(place) = memchr::memchr(0xFF, rest) {
            rest = rest.get(place..).unwrap_or_default();
            match rest {
                [_, 0, more @ ..] => rest = more,
                [_, more @ ..] if more.is_empty() || more.starts_with(&[0xFF]) => rest = more,
                _ => return rest,
            }
        }
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::{Bits, Class, Code, Step};

    #[test]
    fn numbers_are_extended_by_their_first_bit() {
        let mut bits = Bits::new(&[0b1100_1010, 0xFF, 0x00, 0xFF, 0xD9]);
        bits.fill();
        assert_eq!(bits.signed(2), Some(3));
        assert_eq!(bits.signed(3), Some(-6));
        assert_eq!(bits.signed(0), Some(0));
        assert_eq!(bits.signed(11), Some(0b010_1111_1111 - 0x7FF));
        assert!(bits.ended(32));
        assert_eq!(bits.signed(1), None, "a marker");
        assert_eq!(bits.after(), [0xFF, 0xD9]);
    }

    #[test]
    fn codes_of_every_length_are_told_apart() {
        // One code of each length: 0, 10, 110, ... and 16 bits last.
        let symbols: Vec<u8> = (1..=16).collect();
        let code = Code::new(Class::Runs, &[1; 16], &symbols).unwrap();
        for length in 1..=16_u32 {
            let word = !(1_u32 << (32 - length)) & (u32::MAX << (32 - length));
            // A zero after each FF, as the encoder stuffs them.
            let mut bytes = Vec::new();
            for byte in word.to_be_bytes() {
                bytes.push(byte);
                bytes.extend((byte == 0xFF).then_some(0));
            }
            assert_eq!(Bits::new(&bytes).symbol(&code), Some(u8::try_from(length).unwrap()));
        }
        assert_eq!(Bits::new(&[0xFF, 0, 0xFF, 0, 1]).symbol(&code), None, "no code");
        assert_eq!(Bits::new(&[0xC0]).symbol(&code), Some(3));
        assert_eq!(Bits::new(&[]).symbol(&code), None, "no bits");
    }

    #[test]
    fn a_step_is_the_same_in_one_look_and_in_two() {
        // 0: end, 10: a number of 2 bits, 110: one of 9 after a zero, 1110: sixteen zeros.
        let mut counts = [0; 16];
        counts[..4].copy_from_slice(&[1, 1, 1, 1]);
        let code = Code::new(Class::Runs, &counts, &[0x00, 0x02, 0x19, 0xF0]).unwrap();
        let mut bits = Bits::new(&[0b1011_1101, 0b0000_0000, 0b1110_1001, 0b0000_0000, 0]);
        let step = |value, places| Some((value, places));
        let mut next = || bits.step(&code).map(|step| (step.value, step.places));
        assert_eq!(next(), step(3, 1));
        assert_eq!(next(), step(256, 2), "longer than one look");
        assert_eq!(next(), step(0, 16));
        assert_eq!(next(), step(-2, 1));
        assert_eq!(next(), step(0, Step::END));
        let code = Code::new(Class::Differences, &counts, &[0, 1, 15, 16]).unwrap();
        let mut bits = Bits::new(&[0b0101_1101, 0, 0, 0]);
        let mut next = || bits.step(&code).map(|step| (step.value, step.places));
        assert_eq!([next(), next()], [step(0, 1), step(1, 1)]);
        assert_eq!(next(), step(1 << 14, 1), "fifteen bits");
        let mut bits = Bits::new(&[0b1110_1000, 0, 0, 0]);
        assert_eq!([bits.difference(&code), bits.difference(&code)], [Some(1 << 15), Some(0xFFFF)]);
    }

    #[test]
    fn only_the_restart_marker_that_is_due_is_passed() {
        let bytes = [0x55, 0xFF, 0xFF, 0xD3, 0xAA];
        assert_eq!(Bits::new(&bytes).restart(2), None);
        let mut bits = Bits::new(&bytes);
        assert_eq!(bits.restart(3), Some(()));
        assert_eq!(bits.number(8), Some(0xAA));
        assert!(!Bits::new(&bytes[1..]).ended(32), "a restart is no end");
        assert!(!Bits::new(&[]).ended(32), "nothing tells that it is one");
    }

    #[test]
    fn a_code_of_more_than_there_can_be_is_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Code::new(Class::Runs, &counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(Code::new(Class::Runs, &counts, &[1, 2]).is_some());
        assert!(Code::new(Class::Runs, &counts, &[1]).is_none(), "a symbol is missing");
        assert!(Code::new(Class::Differences, &counts, &[1, 17]).is_none());
    }
}
