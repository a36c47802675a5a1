//! Lookup tables too long for the header scan: palettes of 65,536 entries, segmented ones.

use futures::TryStreamExt;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::dicom::layout::Layout;
use crate::imaging::pixels::{MAX_TABLE_BYTES, PixelCollector};
use crate::index::port::Located;

impl Archive {
    /// Reads the lookup tables the header scan left out, one ranged read each; at most four are
    /// drawn by. A longer one than any table needs is left out: the frame is refused then.
    pub(in crate::archive) async fn read_tables(
        &self,
        located: &Located,
        layout: &Layout,
        collector: &mut PixelCollector,
    ) -> Result<(), ArchiveError> {
        for path in collector.missing_tables() {
            let Some(bulk) = layout.bulk(&path) else { continue };
            if bulk.value.end.saturating_sub(bulk.value.start) > MAX_TABLE_BYTES {
                continue;
            }
            let mut bytes = Vec::new();
            let mut pieces = self.data_set_stream(located, layout, bulk.value.clone());
            while let Some(piece) = pieces.try_next().await? {
                bytes.extend_from_slice(&piece);
            }
            collector.table(&path, &bytes);
        }
        Ok(())
    }
}
