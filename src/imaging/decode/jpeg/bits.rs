//! Bits of entropy-coded data, and Huffman codes (ISO/IEC 10918-1 §F.2.2).

/// Bits looked up at once. Most codes are not longer.
const LOOKED_UP: u32 = 9;

/// A Huffman code.
pub(in crate::imaging::decode::jpeg) struct Code {
    /// Symbol and length for whatever comes next; length 0 is a longer code, or none.
    short: [(u8, u8); 1 << LOOKED_UP],
    /// Of each length from 1 on: where its codes begin among all of 16 bits, where they end, and the
    /// place of the first one's symbol.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Code {
    /// From how many codes each length has, and the symbols in their order (§C.2).
    pub(in crate::imaging::decode::jpeg) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut code = Self {
            short: [(0, 0); 1 << LOOKED_UP],
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
        Some(code)
    }

    /// Symbol and length of a code longer than those looked up.
    fn long(&self, next: u32) -> Option<(u8, u32)> {
        let found = (1_u32..).zip(&self.lengths).find(|(_, (_, end, _))| next < *end)?;
        let (length, (start, _, place)) = found;
        let place = place + usize::try_from((next - start) >> (16 - length)).ok()?;
        Some((*self.symbols.get(place)?, length))
    }
}

/// Bits of entropy-coded data, highest first; a zero after FF is no data.
pub(in crate::imaging::decode::jpeg) struct Bits<'a> {
    rest: &'a [u8],
    cache: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(in crate::imaging::decode::jpeg) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, cache: 0, count: 0 }
    }

    /// Gets 32 bits at least, enough for a symbol and the number after it; fewer before a marker.
    fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some((four, rest)) = self.rest.split_first_chunk::<4>() {
            let word = u32::from_be_bytes(*four);
            // Whether a byte of it is FF: then its complement has a zero, whose borrow is seen.
            let zeros = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080;
            if zeros == 0 {
                self.cache |= u64::from(word) << (32 - self.count);
                self.count += 32;
                self.rest = rest;
                return;
            }
        }
        while self.count <= 56 {
            let (byte, rest) = match self.rest {
                [0xFF, 0, rest @ ..] => (0xFF, rest),
                [0xFF, ..] | [] => return,
                [byte, rest @ ..] => (*byte, rest),
            };
            self.cache |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.rest = rest;
        }
    }

    /// The next bits as they come, 16 at most.
    pub(in crate::imaging::decode::jpeg) fn number(&mut self, width: u32) -> Option<u16> {
        if width == 0 {
            return Some(0);
        }
        self.fill();
        self.filled(width)
    }

    /// Of what was filled in before: [`Self::symbol`] leaves 16 bits.
    fn filled(&mut self, width: u32) -> Option<u16> {
        let value = u16::try_from(self.cache >> (64 - width)).ok()?;
        self.count = self.count.checked_sub(width)?;
        self.cache <<= width;
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
        self.count = self.count.checked_sub(length)?;
        self.cache <<= length;
        Some(symbol)
    }

    /// A number of `size` bits after a symbol, whose highest bit tells its sign (§F.2.2.1). No
    /// process coded with cosines has more than 15.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn signed(&mut self, size: u8) -> Option<i32> {
        match size {
            0 => Some(0),
            1..=15 => {
                let bits = i32::from(self.filled(size.into())?);
                Some(if bits >> (size - 1) == 0 { bits - (1 << size) + 1 } else { bits })
            }
            _ => None,
        }
    }

    /// Goes past the next restart marker.
    pub(in crate::imaging::decode::jpeg) fn restart(&mut self) -> Option<()> {
        let rest = self.after();
        let [0xFF, 0xD0..=0xD7, rest @ ..] = rest else { return None };
        *self = Self::new(rest);
        Some(())
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
    use super::{Bits, Code};

    #[test]
    fn numbers_are_extended_by_their_first_bit() {
        let mut bits = Bits::new(&[0b1100_1010, 0xFF, 0x00, 0xFF, 0xD9]);
        bits.fill();
        assert_eq!(bits.signed(2), Some(3));
        assert_eq!(bits.signed(3), Some(-6));
        assert_eq!(bits.signed(11), Some(0b010_1111_1111 - 0x7FF));
        assert_eq!(bits.signed(1), None, "a marker");
        assert_eq!(bits.after(), [0xFF, 0xD9]);
    }

    #[test]
    fn codes_of_every_length_are_told_apart() {
        // One code of each length: 0, 10, 110, ... and 16 bits last.
        let symbols: Vec<u8> = (1..=16).collect();
        let code = Code::new(&[1; 16], &symbols).unwrap();
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
    fn a_code_of_more_than_there_can_be_is_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Code::new(&counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(Code::new(&counts, &[1, 2]).is_some());
        assert!(Code::new(&counts, &[1]).is_none(), "a symbol is missing");
    }
}
