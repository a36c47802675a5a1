//! Fetching frames: one index row, then one ranged read a frame.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::dicom::layout::Layout;
use crate::index::port::Located;
use crate::model::path::InstancePath;

/// Frames found and planned; nothing read yet.
#[derive(Debug, Clone)]
pub struct FramePlan {
    /// The instance.
    pub located: Located,
    /// How its bytes lie.
    pub layout: Layout,
    /// Frame numbers asked for, each known to exist; from 1.
    pub frames: Vec<u32>,
}

impl Archive {
    /// Plans the frames of an instance. `Imaging(NoPixels | NoSuchFrame)` when they are not there.
    pub async fn frames(
        &self,
        permit: &Permit,
        path: &InstancePath,
        frames: &[u32],
    ) -> Result<FramePlan, ArchiveError> {
        todo!("{permit:?} {path:?} {frames:?}")
    }

    /// The stored bytes of one planned frame: encapsulated frames joined from their fragments,
    /// bit-packed frames shifted to begin at a byte.
    pub async fn frame_bytes(&self, plan: &FramePlan, frame: u32) -> Result<Bytes, ArchiveError> {
        todo!("{plan:?} {frame}")
    }
}
