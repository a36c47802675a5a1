//! The arithmetic coder (ISO/IEC 15444-1 §C).

/// Probability, next state after the more and the less likely symbol, whether they change places
/// (Table C.2).
const STATES: [(u32, u8, u8, bool); 47] = [
    (0x5601, 1, 1, true),
    (0x3401, 2, 6, false),
    (0x1801, 3, 9, false),
    (0x0AC1, 4, 12, false),
    (0x0521, 5, 29, false),
    (0x0221, 38, 33, false),
    (0x5601, 7, 6, true),
    (0x5401, 8, 14, false),
    (0x4801, 9, 14, false),
    (0x3801, 10, 14, false),
    (0x3001, 11, 17, false),
    (0x2401, 12, 18, false),
    (0x1C01, 13, 20, false),
    (0x1601, 29, 21, false),
    (0x5601, 15, 14, true),
    (0x5401, 16, 14, false),
    (0x5101, 17, 15, false),
    (0x4801, 18, 16, false),
    (0x3801, 19, 17, false),
    (0x3401, 20, 18, false),
    (0x3001, 21, 19, false),
    (0x2801, 22, 19, false),
    (0x2401, 23, 20, false),
    (0x2201, 24, 21, false),
    (0x1C01, 25, 22, false),
    (0x1801, 26, 23, false),
    (0x1601, 27, 24, false),
    (0x1401, 28, 25, false),
    (0x1201, 29, 26, false),
    (0x1101, 30, 27, false),
    (0x0AC1, 31, 28, false),
    (0x09C1, 32, 29, false),
    (0x08A1, 33, 30, false),
    (0x0521, 34, 31, false),
    (0x0441, 35, 32, false),
    (0x02A1, 36, 33, false),
    (0x0221, 37, 34, false),
    (0x0141, 38, 35, false),
    (0x0111, 39, 36, false),
    (0x0085, 40, 37, false),
    (0x0049, 41, 38, false),
    (0x0025, 42, 39, false),
    (0x0015, 43, 40, false),
    (0x0009, 44, 41, false),
    (0x0005, 45, 42, false),
    (0x0001, 45, 43, false),
    (0x5601, 46, 46, false),
];

/// Contexts a block is coded with (Table D.7).
const CONTEXTS: usize = 19;

/// Codes symbols in contexts.
#[derive(Debug)]
pub(in crate::imaging::transcode) struct MqEncoder {
    interval: u32,
    code: u32,
    countdown: u32,
    /// The first is before the code and none of it.
    bytes: Vec<u8>,
    /// State and more likely symbol.
    contexts: [(u8, u8); CONTEXTS],
}

impl MqEncoder {
    pub(in crate::imaging::transcode) fn new() -> Self {
        let mut contexts = [(0, 0); CONTEXTS];
        contexts[0].0 = 4;
        contexts[17].0 = 3;
        contexts[18].0 = 46;
        Self { interval: 0x8000, code: 0, countdown: 12, bytes: vec![0], contexts }
    }

    /// One symbol (§C.2.3 to §C.2.6).
    pub(in crate::imaging::transcode) fn encode(&mut self, symbol: u8, context: usize) {
        let (state, likely) = self.contexts[context];
        let (probability, after_likely, after_unlikely, change) = STATES[usize::from(state)];
        self.interval -= probability;
        if symbol == likely {
            if self.interval & 0x8000 != 0 {
                self.code += probability;
                return;
            }
            if self.interval < probability {
                self.interval = probability;
            } else {
                self.code += probability;
            }
            self.contexts[context].0 = after_likely;
        } else {
            if self.interval < probability {
                self.code += probability;
            } else {
                self.interval = probability;
            }
            self.contexts[context] = (after_unlikely, likely ^ u8::from(change));
        }
        while self.interval & 0x8000 == 0 {
            // As many bits at once as are missing, up to the next byte.
            let shift = (self.interval.leading_zeros() - 16).min(self.countdown);
            self.interval <<= shift;
            self.code <<= shift;
            self.countdown -= shift;
            if self.countdown == 0 {
                self.byte_out();
            }
        }
    }

    /// §C.2.8
    fn byte_out(&mut self) {
        let last = self.bytes.len() - 1;
        if self.bytes[last] != 0xFF && self.code >= 0x800_0000 {
            self.bytes[last] += 1;
            self.code &= 0x7FF_FFFF;
        }
        let shift = if self.bytes[last] == 0xFF { 20 } else { 19 };
        self.bytes.push((self.code >> shift).to_le_bytes()[0]);
        self.code &= (1 << shift) - 1;
        self.countdown = 27 - shift;
    }

    /// Ends the code (§C.2.9).
    pub(in crate::imaging::transcode) fn finish(mut self) -> Vec<u8> {
        let most = self.code + self.interval;
        self.code |= 0xFFFF;
        if self.code >= most {
            self.code -= 0x8000;
        }
        self.code <<= self.countdown;
        self.byte_out();
        self.code <<= self.countdown;
        self.byte_out();
        if self.bytes.last() == Some(&0xFF) {
            self.bytes.pop();
        }
        self.bytes.remove(0);
        self.bytes
    }
}
