//! Bits of JPEG and JPEG-LS scans, highest first.

/// How a byte FF is kept from looking like a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::transcode) enum Stuffing {
    /// A byte 00 follows (ISO/IEC 10918-1 §B.1.1.5).
    Byte,
    /// The byte after has seven bits (ISO/IEC 14495-1 §A.1).
    Bit,
}

/// Writes bits behind what is in a buffer.
#[derive(Debug)]
pub(in crate::imaging::transcode) struct BitWriter {
    bytes: Vec<u8>,
    stuffing: Stuffing,
    cache: u64,
    count: u32,
    /// Bits the next byte holds.
    room: u32,
}

impl BitWriter {
    pub(in crate::imaging::transcode) fn new(bytes: Vec<u8>, stuffing: Stuffing) -> Self {
        Self { bytes, stuffing, cache: 0, count: 0, room: 8 }
    }

    /// The lowest `width` bits (up to 32) of `bits`.
    pub(in crate::imaging::transcode) fn put(&mut self, bits: u32, width: u32) {
        let bits = u64::from(bits) & ((1_u64 << width.min(32)) - 1);
        self.cache = self.cache << width.min(32) | bits;
        self.count = self.count.saturating_add(width.min(32));
        while self.count >= self.room {
            self.count -= self.room;
            let byte = self.cache >> self.count & 0xFF;
            self.push(byte.to_le_bytes()[0]);
            self.cache &= (1_u64 << self.count) - 1;
        }
    }

    /// So many zero bits.
    pub(in crate::imaging::transcode) fn zeros(&mut self, mut count: u32) {
        while count > 0 {
            let some = count.min(32);
            self.put(0, some);
            count -= some;
        }
    }

    fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
        self.room = 8;
        if byte == 0xFF {
            match self.stuffing {
                Stuffing::Byte => self.bytes.push(0),
                Stuffing::Bit => self.room = 7,
            }
        }
    }

    /// Fills the last byte (with ones where ISO/IEC 10918-1 §F.1.2.3 wants them) and gives all.
    pub(in crate::imaging::transcode) fn finish(mut self) -> Vec<u8> {
        let spare = self.room.saturating_sub(self.count);
        if self.count > 0 {
            let fill = if self.stuffing == Stuffing::Byte { u32::MAX } else { 0 };
            self.put(fill, spare);
        }
        if self.room == 7 {
            self.bytes.push(0);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{BitWriter, Stuffing};

    #[test]
    fn no_marker_appears_among_the_bits() {
        let mut bits = BitWriter::new(vec![1], Stuffing::Byte);
        bits.put(0xFFF, 12);
        assert_eq!(bits.finish(), [1, 0xFF, 0, 0xFF, 0]);
        let mut bits = BitWriter::new(Vec::new(), Stuffing::Bit);
        bits.put(0xFFF, 12);
        bits.zeros(40);
        assert_eq!(bits.finish(), [0xFF, 0x78, 0, 0, 0, 0, 0]);
        let mut bits = BitWriter::new(Vec::new(), Stuffing::Bit);
        bits.put(0xFF, 8);
        assert_eq!(bits.finish(), [0xFF, 0]);
    }
}
