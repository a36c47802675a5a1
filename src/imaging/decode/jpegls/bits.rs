//! Bits of a JPEG-LS scan (ISO/IEC 14495-1 §A.1, §C.3.1).

/// Reads bits, highest first. A byte after FF has seven; from a marker on there are none.
#[derive(Debug)]
pub(in crate::imaging::decode::jpegls) struct Bits<'a> {
    rest: &'a [u8],
    /// Bits read ahead, from the top.
    cache: u64,
    count: u32,
    after_ff: bool,
}

impl<'a> Bits<'a> {
    pub(in crate::imaging::decode::jpegls) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, cache: 0, count: 0, after_ff: false }
    }

    /// What follows the scan: from the next marker on.
    pub(in crate::imaging::decode::jpegls) fn rest(&self) -> &'a [u8] {
        let marker = |pair: &[u8]| matches!(pair, [0xFF, 0x80..=0xFF]);
        let at = self.rest.windows(2).position(marker);
        at.and_then(|at| self.rest.get(at..)).unwrap_or(&[])
    }

    fn fill(&mut self) {
        if !self.after_ff
            && self.count <= 32
            && let Some(four) = self.rest.first_chunk::<4>()
            && !four.contains(&0xFF)
        {
            let word = u64::from(u32::from_be_bytes(*four));
            self.cache |= word << 32 >> self.count;
            self.count += 32;
            self.rest = self.rest.get(4..).unwrap_or(&[]);
            return;
        }
        while self.count <= 56 {
            let Some((&byte, rest)) = self.rest.split_first() else { return };
            let marker = byte == 0xFF && rest.first().is_none_or(|next| *next >= 0x80);
            if marker {
                return;
            }
            let width = if self.after_ff { 7 } else { 8 };
            self.cache |= u64::from(byte) << (64 - width) >> self.count;
            self.count += width;
            self.after_ff = byte == 0xFF;
            self.rest = rest;
        }
    }

    /// The next `width` bits (up to 24) as a number; `None` when there are fewer.
    pub(in crate::imaging::decode::jpegls) fn number(&mut self, width: u32) -> Option<i32> {
        if self.count < width {
            self.fill();
            if self.count < width {
                return None;
            }
        }
        if width == 0 {
            return Some(0);
        }
        let number = self.cache >> (64 - width.min(64));
        self.skip(width);
        i32::try_from(number).ok()
    }

    /// One bit.
    pub(in crate::imaging::decode::jpegls) fn bit(&mut self) -> Option<bool> {
        self.number(1).map(|bit| bit == 1)
    }

    /// Zeros up to the next one, which is taken too; `None` when there are more than `most` or the
    /// bits end before.
    pub(in crate::imaging::decode::jpegls) fn zeros(&mut self, most: u32) -> Option<u32> {
        let mut zeros = 0_u32;
        loop {
            if self.count < 32 {
                self.fill();
            }
            let run = self.cache.leading_zeros();
            if run < self.count {
                self.skip(run + 1);
                zeros += run;
                return (zeros <= most).then_some(zeros);
            }
            // Nothing but zeros was read ahead.
            if self.count == 0 || zeros > most {
                return None;
            }
            zeros += self.count;
            self.cache = 0;
            self.count = 0;
        }
    }

    fn skip(&mut self, width: u32) {
        self.cache = self.cache.checked_shl(width).unwrap_or(0);
        self.count -= width;
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn a_byte_after_ff_has_seven_bits_and_a_marker_none() {
        let mut bits = Bits::new(&[0xFF, 0x7F, 0x80, 0xFF, 0xD9]);
        assert_eq!(bits.number(15), Some(0x7FFF));
        assert_eq!(bits.number(8), Some(0x80));
        assert_eq!(bits.bit(), None);
        assert_eq!(bits.rest(), [0xFF, 0xD9]);
    }

    #[test]
    fn zeros_are_counted_up_to_a_bound_and_never_past_the_end() {
        let bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x80];
        assert_eq!(Bits::new(&bytes).zeros(100), Some(79));
        assert_eq!(Bits::new(&bytes).zeros(78), None);
        assert_eq!(Bits::new(&[0; 40]).zeros(u32::MAX), None);
        let mut bits = Bits::new(&bytes);
        bits.zeros(79).unwrap();
        assert_eq!(bits.zeros(0), Some(0));
    }
}
