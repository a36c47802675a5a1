//! What an instance can be shown as, and its header read for showing it.

use std::sync::Arc;

use bytes::Bytes;
use bytes::BytesMut;
use dicom_core::Tag;
use futures::TryStreamExt;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::hex;
use crate::archive::retrieve::layout_of;
use crate::archive::scope::unknown;
use crate::dicom::layout::Layout;
use crate::dicom::syntax::Encoding;
use crate::dicom::tree::Tree;
use crate::imaging::decode::check_syntax;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::pixels::PixelCollector;
use crate::imaging::presentation::is_presentation;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::index::query::Level;
use crate::index::query::Query;
use crate::model::path::Scope;

/// What an instance is shown as (PS3.18 Table 8.7.2-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Frames.
    Image,
    /// Other instances' frames, as it says.
    Presentation,
    /// A structured report or key object selection.
    Report,
    /// A document in another format.
    Encapsulated,
    /// Nothing that could be shown.
    Other,
}

/// What kind of thing to show an instance is.
pub fn kind_of(located: &Located) -> Kind {
    let storage = located.sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.").unwrap_or_default();
    match storage.split('.').next().unwrap_or_default() {
        _ if located.frames > 0 => Kind::Image,
        "88" => Kind::Report,
        "104" => Kind::Encapsulated,
        _ if is_presentation(&located.sop_class) => Kind::Presentation,
        _ => Kind::Other,
    }
}

/// Series of a study looked through for one with images.
const MOST_SERIES: usize = 16;

/// Headers up to so many bytes are read on the async thread: well under 0.5 ms.
const INLINE_HEADER_BYTES: usize = 48 * 1024;

/// Sequences of an image's header that pictures need: where slides keep their colour profile.
const IMAGE_SEQUENCES: &[Tag] = &[OPTICAL_PATH];
const OPTICAL_PATH: Tag = Tag(0x0048, 0x0105);

impl Archive {
    /// The instance a scope is shown by: the one it names, else the middle one of a series.
    pub async fn to_show(&self, permit: &Permit, scope: &Scope) -> Result<Located, ArchiveError> {
        if scope.instance.is_some() {
            return self.locate_scope(permit, scope).await;
        }
        Ok(self.series_to_show(permit, scope).await?.1)
    }

    /// The series a scope is shown by, and its middle instance: of a study, the first series with
    /// images that can be drawn, else the first with pixels (a video), else the first.
    pub(in crate::archive) async fn series_to_show(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<(SeriesState, Located), ArchiveError> {
        let (mut first, mut unseen) = (None, None);
        for series in self.series_states(permit, scope).await?.into_iter().take(MOST_SERIES) {
            let Some(located) = self.middle_of(&series).await? else { continue };
            match (located.frames, check_syntax(&located.transfer_syntax)) {
                (0, _) => first = first.or(Some((series, located))),
                (_, Ok(())) => return Ok((series, located)),
                (_, Err(_)) => unseen = unseen.or(Some((series, located))),
            }
        }
        unseen.or(first).ok_or_else(|| unknown(scope))
    }

    async fn middle_of(&self, series: &SeriesState) -> Result<Option<Located>, ArchiveError> {
        let query = Query {
            level: Level::Instance,
            study: Some(series.scope.study.clone()),
            series: series.scope.series.clone(),
            patient: series.scope.patient.clone(),
            matches: Vec::new(),
            order: Vec::new(),
            limit: 1,
            offset: series.instances / 2,
        };
        let found = self.inner.index.find(&query).await?;
        let uid = found.into_iter().next().and_then(|found| found.instance).map(|found| found.uid);
        let Some(uid) = uid else { return Ok(None) };
        let instance = Scope { instance: Some(uid), ..series.scope.clone() };
        Ok(self.inner.index.locate(&instance).await?)
    }

    /// The whole data set of a small object, bulk values left out.
    pub(in crate::archive) async fn tree_of(
        &self,
        located: &Located,
        layout: &Layout,
    ) -> Result<Tree, ArchiveError> {
        let tree = Tree::new(Encoding::of(&located.transfer_syntax));
        Ok(self.heard_to_show(located, layout, tree, false).await?.1)
    }

    /// What an image's header says of its pixels, and its top level when `told` asks for it. The
    /// first, lookup tables and all, is kept for its next frame.
    pub(in crate::archive) async fn header_to_show(
        &self,
        located: &Located,
        layout: &Layout,
        told: bool,
    ) -> Result<(Arc<PixelAttributes>, Tree), ArchiveError> {
        let encoding = Encoding::of(&located.transfer_syntax);
        let tree = Tree::with_sequences(encoding, IMAGE_SEQUENCES);
        let name = hex(&located.data_set_sha256);
        let kept = self.inner.headers.get(&name);
        if let (Some(kept), false) = (&kept, told) {
            return Ok((Arc::clone(kept), tree));
        }
        let (mut collector, tree) = self.heard_to_show(located, layout, tree, !told).await?;
        if let Some(kept) = kept {
            return Ok((kept, tree));
        }
        self.read_tables(located, layout, &mut collector).await?;
        let attributes = Arc::new(collector.finish());
        self.inner.headers.put(name, Arc::clone(&attributes), attributes.bytes());
        Ok((attributes, tree))
    }

    /// One scan of the header, for pixels and tree alike; the tree stays empty when `pixels_only`.
    async fn heard_to_show(
        &self,
        located: &Located,
        layout: &Layout,
        mut tree: Tree,
        pixels_only: bool,
    ) -> Result<(PixelCollector, Tree), ArchiveError> {
        let pieces = self.header_pieces(located, layout).await?;
        let encoding = Encoding::of(&located.transfer_syntax);
        let limits = self.inner.settings.limits();
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        let layout = layout.clone();
        let deflated = layout.deflated;
        let scan = move || {
            let mut collector = PixelCollector::new(encoding);
            let pixels = layout.scan_header(encoding, limits, &pieces, &mut collector);
            let told = if pixels_only {
                Ok(())
            } else {
                layout.scan_header(encoding, limits, &pieces, &mut tree)
            };
            pixels.and(told).map(|()| (collector, tree))
        };
        if bytes <= INLINE_HEADER_BYTES && !deflated {
            return Ok(scan()?);
        }
        let cost = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(4);
        Ok(self.inner.pool.run(cost, move || Ok::<_, ImagingError>(scan())).await??)
    }

    /// A bulk value of a data set, whole; an error when it is longer than `most`.
    pub(in crate::archive) async fn whole_bulk(
        &self,
        located: &Located,
        layout: &Layout,
        range: std::ops::Range<u64>,
        most: u64,
    ) -> Result<Bytes, ArchiveError> {
        let bytes = range.end.saturating_sub(range.start);
        if bytes > most {
            return Err(ImagingError::TooLarge { bytes }.into());
        }
        let mut whole = BytesMut::new();
        let mut pieces = self.data_set_stream(located, layout, range);
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The colour profile an image's header names: its own, or its first optical path's.
    pub(in crate::archive) async fn profile_of(
        &self,
        located: &Located,
        layout: &Layout,
        tree: &Tree,
    ) -> Result<Option<Bytes>, ArchiveError> {
        const PROFILE: Tag = Tag(0x0028, 0x2000);
        let root = tree.root();
        let of_path = root.first(OPTICAL_PATH).filter(|path| path.has(PROFILE));
        let holder = if root.has(PROFILE) { Some(root) } else { of_path };
        let Some(holder) = holder else { return Ok(None) };
        if let Some(bytes) = holder.bytes(PROFILE) {
            return Ok((!bytes.is_empty()).then(|| Bytes::copy_from_slice(bytes)));
        }
        let Some(range) = holder.bulk(PROFILE) else { return Ok(None) };
        let most = crate::imaging::profile::MAX_BYTES;
        Ok(Some(self.whole_bulk(located, layout, range, most).await?))
    }

    /// The layout of an instance that is an image; `NoPixels` when it is none.
    pub(in crate::archive) fn image_layout(located: &Located) -> Result<Layout, ArchiveError> {
        let layout = layout_of(located)?;
        if layout.pixels.is_none() {
            return Err(ImagingError::NoPixels.into());
        }
        check_syntax(&located.transfer_syntax)?;
        Ok(layout)
    }
}
