//! Pictures for looking at: rendered frames and thumbnails.

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
use crate::dicom::syntax::Encoding;
use crate::imaging::decode::{check_syntax, cost};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::pixels::PixelCollector;
use crate::imaging::render::RenderRequest;
use crate::imaging::render::StoredFrame;
use crate::imaging::render::render;
use crate::imaging::thumbnail::Placeholder;
use crate::imaging::thumbnail::placeholder;
use crate::imaging::thumbnail::thumbnail;
use crate::index::port::DerivedKind;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::index::query::Level;
use crate::index::query::Query;
use crate::model::path::Scope;

/// A picture, encoded.
#[derive(Debug, Clone)]
pub struct Picture {
    /// `image/jpeg` or `image/png`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
    /// Strong validator, without quotes.
    pub etag: String,
}

impl Archive {
    /// Draws a frame: of the instance named, else of the middle instance of the series or study;
    /// `frame` counts from 1, `None` means the middle one.
    pub async fn rendered(
        &self,
        permit: &Permit,
        scope: &Scope,
        frame: Option<u32>,
        request: &RenderRequest,
    ) -> Result<Picture, ArchiveError> {
        let located = self.instance_to_show(permit, scope).await?;
        let frame = frame.unwrap_or_else(|| middle(located.frames));
        let (attributes, stored) = self.frame_to_show(&located, frame).await?;
        let cost = cost(&attributes, &stored);
        let request = *request;
        let work = move || render(&attributes, &stored, &request);
        let drawn = self.inner.pool.run(cost, work).await;
        let told = |error: &ImagingError| {
            tracing::warn!(instance = located.id, frame, %error, "frame cannot be drawn");
        };
        let bytes = drawn.inspect_err(told)?;
        let etag = format!("{}-{frame}-{request:?}", hex(&located.data_set_sha256));
        Ok(Picture {
            media_type: request.format.media_type(),
            bytes: bytes.into(),
            etag: short(&etag),
        })
    }

    /// The thumbnail of a study (its first series'), series, instance or frame: JPEG, without
    /// identifying annotation. What cannot be drawn gets a placeholder that says so.
    pub async fn thumbnail(
        &self,
        permit: &Permit,
        scope: &Scope,
        frame: Option<u32>,
    ) -> Result<Picture, ArchiveError> {
        if scope.instance.is_some() {
            let located = self.locate_scope(permit, scope).await?;
            let frame = frame.unwrap_or_else(|| middle(located.frames));
            let bytes = self.instance_thumbnail(&located, frame).await?;
            let etag = format!("{}-{frame}-thumbnail", hex(&located.data_set_sha256));
            return Ok(Picture { media_type: "image/jpeg", bytes, etag: short(&etag) });
        }
        let states = self.series_states(permit, scope).await?;
        let series = states.first().ok_or_else(|| unknown(scope))?.clone();
        let etag = format!("{}-{}-thumbnail", series.id, series.revision);
        let archive = self.clone();
        let work = || async move { archive.series_thumbnail(&series).await }.boxed();
        let bytes = self.inner.flights.join(&etag, work).await?;
        Ok(Picture { media_type: "image/jpeg", bytes, etag: short(&etag) })
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
        let located = self.instance_to_show(&permit, &series.scope).await?;
        let bytes = self.instance_thumbnail(&located, middle(located.frames)).await?;
        self.put_derived(series, DerivedKind::Thumbnail, bytes.clone(), "").await?;
        Ok(bytes)
    }

    /// A thumbnail, or the placeholder for what cannot be drawn. Trouble with a store is an error.
    async fn instance_thumbnail(
        &self,
        located: &Located,
        frame: u32,
    ) -> Result<Bytes, ArchiveError> {
        let drawn = match self.frame_to_show(located, frame).await {
            Ok((attributes, stored)) => {
                let cost = cost(&attributes, &stored);
                let work = move || thumbnail(&attributes, &stored);
                self.inner.pool.run(cost, work).await.map_err(ArchiveError::from)
            }
            Err(error) => Err(error),
        };
        match drawn {
            Ok(bytes) => Ok(bytes.into()),
            Err(ArchiveError::Imaging(ImagingError::NoPixels)) => {
                Ok(placeholder(Placeholder::Document)?.into())
            }
            Err(ArchiveError::Imaging(
                error @ (ImagingError::Damaged(_)
                | ImagingError::Unsupported(_)
                | ImagingError::TooLarge { .. }),
            )) => {
                tracing::warn!(instance = located.id, %error, "frame cannot be drawn");
                Ok(placeholder(Placeholder::Unreadable)?.into())
            }
            Err(error) => Err(error),
        }
    }

    /// The instance a scope is shown by: the one it names, else the middle one of its first series.
    async fn instance_to_show(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<Located, ArchiveError> {
        if scope.instance.is_some() {
            return self.locate_scope(permit, scope).await;
        }
        let states = self.series_states(permit, scope).await?;
        let series = states.first().ok_or_else(|| unknown(scope))?;
        let query = Query {
            level: Level::Instance,
            study: Some(series.scope.study.clone()),
            series: series.scope.series.clone(),
            patient: series.scope.patient.clone(),
            matches: Vec::new(),
            limit: 1,
            offset: series.instances / 2,
        };
        let found = self.inner.index.find(&query).await?;
        let uid = found.into_iter().next().and_then(|found| found.instance).map(|found| found.uid);
        let instance = Scope { instance: uid, ..series.scope.clone() };
        self.inner.index.locate(&instance).await?.ok_or_else(|| unknown(scope))
    }

    async fn frame_to_show(
        &self,
        located: &Located,
        frame: u32,
    ) -> Result<(PixelAttributes, StoredFrame), ArchiveError> {
        let layout = layout_of(located)?;
        if layout.pixels.is_none() {
            return Err(ImagingError::NoPixels.into());
        }
        check_syntax(&located.transfer_syntax)?;
        let pieces = self.header_pieces(located, &layout).await?;
        let bytes = self.stored_frame(located, &layout, frame).await?;
        let encoding = Encoding::of(&located.transfer_syntax);
        let mut collector = PixelCollector::new(encoding);
        layout.scan_header(encoding, self.inner.settings.limits(), &pieces, &mut collector)?;
        self.read_tables(located, &layout, &mut collector).await?;
        let index = frame.saturating_sub(1);
        let transfer_syntax = located.transfer_syntax.clone();
        Ok((collector.finish(), StoredFrame { transfer_syntax, bytes, index }))
    }
}

/// The middle frame's number, from 1.
fn middle(frames: u32) -> u32 {
    frames / 2 + 1
}

/// A validator of bounded length.
fn short(text: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(text)).chars().take(32).collect()
}
