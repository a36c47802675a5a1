//! The archive as the doors hold it: one handle, cheap to clone.

use std::sync::Arc;

use crate::access::permit::Access;
use crate::blobs::store::Blobs;
use crate::clock::SharedClock;
use crate::imaging::pool::Pool;
use crate::index::port::SharedIndex;

/// The archive.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(in crate::archive) inner: Arc<Inner>,
}

/// What the archive stands on.
#[derive(Debug)]
pub(in crate::archive) struct Inner {
    /// Rows.
    pub(in crate::archive) index: SharedIndex,
    /// Bytes.
    pub(in crate::archive) blobs: Blobs,
    /// Pixel work.
    pub(in crate::archive) pool: Pool,
    /// Time.
    pub(in crate::archive) clock: SharedClock,
    /// Who may.
    pub(in crate::archive) access: Access,
}

impl Archive {
    /// Who decides accesses; doors ask it for their permits.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }
}
