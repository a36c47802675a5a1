//! Where each frame lies in the pixel data (PS3.5 §8.1.1, §8.2, §A.4; PS3.3 §C.7.6.3).

use std::ops::Range;

/// The frames of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameTable {
    /// Native: frames lie end to end without padding; they may begin inside a byte (1-bit pixels).
    Native {
        /// Bits of one frame.
        frame_bits: u64,
        /// Frames.
        count: u32,
    },
    /// Encapsulated: each frame is one or more fragments.
    Encapsulated {
        /// Bytes of each fragment, item headers excluded, in data set offsets.
        fragments: Vec<Range<u64>>,
        /// For each frame its first fragment; it ends where the next begins.
        first_fragment: Vec<u32>,
    },
    /// The object has pixel data, but where its frames lie cannot be told (attributes missing or
    /// contradicting): it is kept and returned whole, without frames.
    Unknown,
}

/// Where one frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePlace {
    /// Data set ranges, to be joined.
    pub ranges: Vec<Range<u64>>,
    /// Bits to leave out at the front of the joined bytes (bit-packed native frames), 0 to 7.
    pub bit_offset: u8,
    /// Bits of the frame when native; `None` when encapsulated.
    pub bits: Option<u64>,
}
