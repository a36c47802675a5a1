//! The bounds every scan works within; each stops one kind of hostile input.

/// How much of anything a scan accepts before it refuses the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sequences within sequences. Real objects nest under ten deep.
    pub depth: u16,
    /// Data elements, items and fragments in one data set, together.
    pub elements: u64,
    /// Bytes of one value kept in memory; longer values are bulk, known by their place only.
    pub inline_bytes: u32,
    /// Bytes of the Basic or Extended Offset Table kept in memory; a longer one is ignored and
    /// the fragments are walked instead.
    pub offset_table_bytes: u32,
    /// Bytes all header values kept in memory may have together.
    pub header_bytes: u64,
    /// Inflated bytes a deflated data set may become for each deflated byte, past the first MiB.
    pub inflate_ratio: u64,
    /// Inflated bytes a deflated data set may become at all.
    pub inflate_bytes: u64,
}

impl Limits {
    /// What a server accepts from a stranger.
    pub const DEFAULT: Self = Self {
        depth: 64,
        elements: 4_000_000,
        inline_bytes: 64 * 1024,
        offset_table_bytes: 8 * 1024 * 1024,
        header_bytes: 32 * 1024 * 1024,
        inflate_ratio: 1032,
        inflate_bytes: 8 * 1024 * 1024 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
