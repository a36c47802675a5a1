//! An instance's header as a visitor sees it, read by its own ranges.

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::layout_of;
use crate::dicom::scan::Visit;
use crate::dicom::syntax::Encoding;
use crate::imaging::error::ImagingError;
use crate::index::port::Located;

impl Archive {
    /// Shows an instance's header to `visit`, bulk values left out; `visit` is made for the encoding
    /// its data set is in. Off the async threads.
    pub async fn visit_header<V: Visit + Send + 'static>(
        &self,
        permit: &Permit,
        located: &Located,
        make: impl FnOnce(Encoding) -> V,
    ) -> Result<V, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let layout = layout_of(located)?;
        let pieces = self.header_pieces(located, &layout).await?;
        let encoding = Encoding::of(&located.transfer_syntax);
        let limits = self.inner.settings.limits();
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        let mut visit = make(encoding);
        let work = move || {
            let scanned = layout.scan_header(encoding, limits, &pieces, &mut visit);
            Ok::<_, ImagingError>(scanned.map(|()| visit))
        };
        Ok(self.inner.pool.run(bytes as u64, work).await??)
    }
}
