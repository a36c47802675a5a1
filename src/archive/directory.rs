//! What the directory of a File-set says of an instance.

use std::sync::Arc;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::frame::FramePlan;
use crate::archive::retrieve::layout_of;
use crate::dicom::dicomdir::Facts;
use crate::dicom::dicomdir::heard;
use crate::dicom::syntax::Encoding;
use crate::dicom::tree::Tree;
use crate::index::port::Located;

impl Archive {
    /// The values of an instance's directory records, from its header.
    pub async fn directory_facts(
        &self,
        permit: &Permit,
        located: &Located,
    ) -> Result<Facts, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let layout = Arc::new(layout_of(located)?);
        let plan = Arc::new(FramePlan { located: located.clone(), layout, frames: Vec::new() });
        let encoding = Encoding::of(&located.transfer_syntax);
        let tree = Tree::with_sequences(encoding, heard(&located.sop_class));
        let tree = self.heard(&plan, None, tree).await?;
        Ok(Facts::of(tree.root(), &located.sop_class, located.frames > 0))
    }
}
