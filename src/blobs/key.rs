//! Keys: unique, immutable, spread over folders so that none grows without bound.

/// What a blob is; the first part of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKind {
    /// A received Part 10 file.
    Instance,
    /// An object made from others; can be made again.
    Derived,
}
