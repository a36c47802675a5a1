//! Thumbnails, and what every picture given out has.

use bytes::Bytes;
use futures::FutureExt;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::hex;
use crate::archive::retrieve::layout_of;
use crate::archive::scope::unknown;
use crate::blobs::error::BlobError;
use crate::dicom::layout::Layout;
use crate::imaging::decode;
use crate::imaging::error::ImagingError;
use crate::imaging::profile::IccProfile;
use crate::imaging::render::Dressing;
use crate::imaging::render::RenderRequest;
use crate::imaging::render::cost;
use crate::imaging::render::render;
use crate::imaging::thumbnail::EDGE_PX;
use crate::imaging::thumbnail::Placeholder;
use crate::imaging::thumbnail::placeholder;
use crate::imaging::thumbnail::thumbnail;
use crate::imaging::view::View;
use crate::index::port::DerivedKind;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::model::path::Scope;

/// A picture or document, encoded.
#[derive(Debug, Clone)]
pub struct Picture {
    /// `image/jpeg`, `image/png`, `image/gif`, `text/html` or `text/plain`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
    /// Strong validator, without quotes.
    pub etag: String,
}

impl Archive {
    /// The thumbnail of a study (its first series'), series, instance or frame: JPEG, without
    /// annotation or overlays. What cannot be drawn gets a placeholder that says so. `viewport` is
    /// the size wanted, else it is ours to choose.
    pub async fn thumbnail(
        &self,
        permit: &Permit,
        scope: &Scope,
        frame: Option<u32>,
        viewport: Option<(u32, u32)>,
    ) -> Result<Picture, ArchiveError> {
        if scope.instance.is_some() || viewport.is_some() {
            let located = self.to_show(permit, scope).await?;
            let bytes = self.instance_thumbnail(&located, frame, viewport).await?;
            let etag =
                format!("{}-{frame:?}-{viewport:?}-thumbnail", hex(&located.data_set_sha256));
            return Ok(Picture { media_type: "image/jpeg", bytes, etag: short(&etag) });
        }
        let series = match scope.series {
            // A series' own state is enough to find what was made of it before.
            Some(_) => self.series_states(permit, scope).await?.into_iter().next(),
            None => Some(self.series_to_show(permit, scope).await?.0),
        };
        let series = series.ok_or_else(|| unknown(scope))?;
        let etag = format!("{}-{}-thumbnail", series.id, series.revision);
        let archive = self.clone();
        let work = || async move { archive.series_thumbnail(&series).await }.boxed();
        let bytes = self.inner.flights.join(&etag, work).await?;
        Ok(Picture { media_type: "image/jpeg", bytes, etag: short(&etag) })
    }

    /// The frame an image is shown by where nobody names one: its middle one.
    pub fn middle_frame(&self, located: &Located) -> Result<u32, ArchiveError> {
        Ok(middle(located, &layout_of(located)?))
    }

    /// The series' thumbnail: kept, or made and kept now.
    pub(in crate::archive) async fn series_thumbnail(
        &self,
        series: &SeriesState,
    ) -> Result<Bytes, ArchiveError> {
        let kept = self.inner.index.derived(series.id, DerivedKind::Thumbnail).await?;
        if let Some(kept) = kept.filter(|kept| kept.revision == series.revision) {
            match self.inner.blobs.read(&kept.blob_key, 0..kept.blob_bytes).await {
                // Replaced or lost since the row was read: made anew below.
                Err(BlobError::Missing(_)) => {}
                read => return Ok(read?),
            }
        }
        let subject = Subject::Study(series.scope.study.clone());
        let permit = self.access().permit(&Actor::System, Purpose::Operation, subject);
        let permit = permit.map_err(|_| ArchiveError::Denied)?;
        let located = self.to_show(&permit, &series.scope).await?;
        let bytes = self.instance_thumbnail(&located, None, None).await?;
        self.put_derived(series, DerivedKind::Thumbnail, bytes.clone(), "").await?;
        Ok(bytes)
    }

    /// A thumbnail of a frame, else of the middle one, or the placeholder for what cannot be drawn.
    /// Trouble with a store is an error.
    async fn instance_thumbnail(
        &self,
        located: &Located,
        frame: Option<u32>,
        viewport: Option<(u32, u32)>,
    ) -> Result<Bytes, ArchiveError> {
        let size = viewport.unwrap_or((EDGE_PX, EDGE_PX));
        match self.drawn_thumbnail(located, frame, viewport).await {
            Err(ArchiveError::Imaging(ImagingError::NoPixels)) => {
                Ok(self.placeholder(Placeholder::Document, size).await?)
            }
            Err(ArchiveError::Imaging(
                error @ (ImagingError::Damaged(_)
                | ImagingError::Unsupported(_)
                | ImagingError::TooLarge { .. }),
            )) => {
                tracing::warn!(instance = located.id, %error, "frame cannot be drawn");
                Ok(self.placeholder(Placeholder::Unreadable, size).await?)
            }
            drawn => drawn,
        }
    }

    async fn placeholder(
        &self,
        kind: Placeholder,
        size: (u32, u32),
    ) -> Result<Bytes, ImagingError> {
        let bytes = u64::from(size.0).saturating_mul(size.1.into()).saturating_mul(2);
        Ok(self.inner.pool.run(bytes, move || placeholder(kind, size)).await?.into())
    }

    async fn drawn_thumbnail(
        &self,
        located: &Located,
        frame: Option<u32>,
        viewport: Option<(u32, u32)>,
    ) -> Result<Bytes, ArchiveError> {
        let layout = Self::image_layout(located)?;
        let frame = frame.unwrap_or_else(|| middle(located, &layout));
        let (attributes, _) = self.header_to_show(located, &layout, false).await?;
        let stored = self.stored_frame(located, &layout, frame).await?;
        let Some((width, height)) = viewport else {
            let cost = decode::cost(&attributes, &stored);
            return Ok(self
                .inner
                .pool
                .run(cost, move || thumbnail(&attributes, &stored))
                .await?
                .into());
        };
        let request = RenderRequest {
            view: View::within(width, height),
            profile: IccProfile::No,
            ..RenderRequest::default()
        };
        let cost = cost(&attributes, &stored, &request);
        let work = move || render(&attributes, &stored, &request, &Dressing::default());
        Ok(self.inner.pool.run(cost, work).await?.into())
    }
}

/// The number, from 1, of the middle one of the frames that are there: Number of Frames may say
/// more.
fn middle(located: &Located, layout: &Layout) -> u32 {
    let found = layout.pixels.as_ref().and_then(|pixels| pixels.frames.count());
    found.unwrap_or(located.frames) / 2 + 1
}

/// A validator of bounded length.
pub(in crate::archive) fn short(text: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(text)).chars().take(32).collect()
}
