//! Rendered frames: drawn as asked on the imaging pool, once however many ask.

use std::sync::Arc;

use bytes::Bytes;
use dicom_core::Tag;
use futures::FutureExt;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::picture::Picture;
use crate::archive::picture::short;
use crate::archive::retrieve::hex;
use crate::archive::retrieve::layout_of;
use crate::archive::show::Kind;
use crate::archive::show::kind_of;
use crate::dicom::layout::Layout;
use crate::dicom::tree::Tree;
use crate::imaging::caption;
use crate::imaging::caption::Captions;
use crate::imaging::cine::Cine;
use crate::imaging::error::ImagingError;
use crate::imaging::overlay::Overlay;
use crate::imaging::overlay::OverlayBits;
use crate::imaging::overlay::overlays;
use crate::imaging::pixels::Photometric;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::presentation::COLOR;
use crate::imaging::presentation::GRAYSCALE;
use crate::imaging::presentation::Presentation;
use crate::imaging::presentation::Presented;
use crate::imaging::presentation::draw;
use crate::imaging::presentation::parse::parse;
use crate::imaging::profile::IccProfile;
use crate::imaging::render::Dressing;
use crate::imaging::render::Format;
use crate::imaging::render::RenderRequest;
use crate::imaging::render::StoredFrame;
use crate::imaging::render::cost;
use crate::imaging::render::picture;
use crate::imaging::render::render;
use crate::imaging::subtraction::Operands;
use crate::imaging::subtraction::Subtraction;
use crate::index::port::Located;

/// Frames one moving picture may have.
pub const MAX_CINE_FRAMES: usize = 2000;

/// Bytes of overlay planes read for one picture.
const MAX_OVERLAY_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes one moving picture may take, finished.
const MAX_CINE_BYTES: usize = 256 * 1024 * 1024;

/// Frames of a moving picture drawn ahead of the one being written.
const FRAMES_AHEAD: usize = 3;

/// A presentation state that is applied.
#[derive(Debug, Clone)]
pub struct Applied {
    /// What it says.
    pub state: Arc<Presentation>,
    /// Names its content.
    tag: String,
}

/// An image whose header is read: its frames can be drawn one after the other.
#[derive(Debug, Clone)]
pub struct Drawable {
    /// The instance.
    pub located: Located,
    pub(in crate::archive) layout: Layout,
    pub(in crate::archive) attributes: Arc<PixelAttributes>,
    tree: Arc<Tree>,
    overlays: Vec<Overlay>,
    profile: Option<Bytes>,
    applied: Option<Applied>,
    request: RenderRequest,
}

/// Strong validator of a picture, without quotes: names the pixels and everything asked.
pub fn picture_tag(
    located: &Located,
    frame: u32,
    request: &RenderRequest,
    applied: Option<&Applied>,
) -> String {
    let hash = hex(&located.data_set_sha256);
    let state = applied.map_or("", |applied| applied.tag.as_str());
    short(&format!("{hash}-{frame}-{request:?}-{state}"))
}

impl Archive {
    /// Reads a presentation state. `Unsupported` when it is of a kind that is not applied.
    pub async fn presentation(
        &self,
        permit: &Permit,
        located: &Located,
    ) -> Result<Applied, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        if ![GRAYSCALE, COLOR].contains(&located.sop_class.as_str()) {
            let reason = match kind_of(located) {
                Kind::Presentation => "presentation states other than grayscale and color",
                _ => "an instance that is no presentation state, as one",
            };
            return Err(ImagingError::Unsupported(reason.to_owned()).into());
        }
        let layout = layout_of(located)?;
        let tree = self.tree_of(located, &layout).await?;
        let mut state = parse(tree.root());
        let mut room = MAX_OVERLAY_BYTES;
        for plane in state.planes() {
            *plane = self.plane(located, &layout, plane.clone(), room).await?;
            room = room.saturating_sub(plane.bytes());
        }
        Ok(Applied { state: Arc::new(state), tag: hex(&located.data_set_sha256) })
    }

    /// Draws one frame, which counts from 1.
    pub async fn rendered(
        &self,
        permit: &Permit,
        located: &Located,
        frame: u32,
        request: &RenderRequest,
        applied: Option<&Applied>,
    ) -> Result<Picture, ArchiveError> {
        let etag = picture_tag(located, frame, request, applied);
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        if let Some(bytes) = self.inner.renders.get(&etag) {
            return Ok(Picture { media_type: request.format.media_type(), bytes, etag });
        }
        let drawable = self.drawable(permit, located, request, applied).await?;
        self.draw(&drawable, frame).await
    }

    /// Reads what the frames of an image have in common.
    pub async fn drawable(
        &self,
        permit: &Permit,
        located: &Located,
        request: &RenderRequest,
        applied: Option<&Applied>,
    ) -> Result<Drawable, ArchiveError> {
        if !permit.covers_study(&located.path.study) {
            return Err(ArchiveError::Denied);
        }
        let layout = Self::image_layout(located)?;
        let lines = request.patient || request.technique || request.format == Format::Gif;
        let planes = request.overlays || applied.is_some();
        let told = lines || planes || request.profile != IccProfile::No;
        let (attributes, tree) = self.header_to_show(located, &layout, told).await?;
        let colored = attributes.samples_per_pixel == 3
            || attributes.photometric == Photometric::PaletteColor
            || !matches!(request.profile, IccProfile::Unsaid | IccProfile::No);
        let state_profile = applied.and_then(|applied| applied.state.profile());
        let profile = match (state_profile, request.profile) {
            (_, IccProfile::No) => None,
            (Some(profile), _) => Some(Bytes::copy_from_slice(profile)),
            (None, _) if colored => self.profile_of(located, &layout, &tree).await?,
            (None, _) => None,
        };
        let mut read = Vec::new();
        let mut room = MAX_OVERLAY_BYTES;
        for overlay in planes.then(|| overlays(tree.root())).into_iter().flatten() {
            let overlay = self.plane(located, &layout, overlay, room).await?;
            room = room.saturating_sub(overlay.bytes());
            read.push(overlay);
        }
        Ok(Drawable {
            located: located.clone(),
            layout,
            attributes,
            tree: Arc::new(tree),
            overlays: read,
            profile,
            applied: applied.cloned(),
            request: *request,
        })
    }

    /// Reads a plane's bits where they are bulk.
    async fn plane(
        &self,
        located: &Located,
        layout: &Layout,
        mut overlay: Overlay,
        most: u64,
    ) -> Result<Overlay, ArchiveError> {
        if let OverlayBits::Unread(range) = &overlay.bits {
            let bytes = self.whole_bulk(located, layout, range.clone(), most).await?;
            overlay.bits = OverlayBits::Packed(bytes);
        }
        Ok(overlay)
    }

    /// Draws one frame of an image, which counts from 1: once however many ask for it now.
    pub async fn draw(&self, drawable: &Drawable, frame: u32) -> Result<Picture, ArchiveError> {
        let request = drawable.request;
        let applied = drawable.applied.as_ref();
        let etag = picture_tag(&drawable.located, frame, &request, applied);
        let media_type = request.format.media_type();
        if let Some(bytes) = self.inner.renders.get(&etag) {
            return Ok(Picture { media_type, bytes, etag });
        }
        let (archive, drawable, name) = (self.clone(), drawable.clone(), etag.clone());
        let work = || {
            async move {
                let (stored, dressing) = archive.operand(&drawable, frame).await?;
                let bytes = drawable.cost(&stored, &dressing);
                let instance = drawable.located.id;
                let work = move || render(&drawable.attributes, &stored, &request, &dressing);
                let drawn = archive.inner.pool.run(bytes, work).await;
                let told = |error: &ImagingError| {
                    tracing::warn!(instance, frame, %error, "frame cannot be drawn");
                };
                let bytes = Bytes::from(drawn.inspect_err(told)?);
                archive.inner.renders.put(name, bytes.clone(), bytes.len() as u64);
                Ok(bytes)
            }
            .boxed()
        };
        let bytes = self.inner.flights.join(&etag, work).await?;
        Ok(Picture { media_type, bytes, etag })
    }

    /// A frame's bytes and what goes with them into its picture.
    async fn operand(
        &self,
        drawable: &Drawable,
        frame: u32,
    ) -> Result<(StoredFrame, Dressing), ArchiveError> {
        let stored = self.stored_frame(&drawable.located, &drawable.layout, frame).await?;
        let difference = self.subtracted(drawable, &stored, frame).await?;
        Ok((stored, Dressing { difference, ..drawable.dressing(frame) }))
    }

    /// Frames of an image one after the other, as a GIF that moves as the object says.
    pub async fn cine(
        &self,
        permit: &Permit,
        located: &Located,
        frames: &[u32],
        request: &RenderRequest,
        applied: Option<&Applied>,
    ) -> Result<Picture, ArchiveError> {
        let etag = short(&format!("{}-{frames:?}", picture_tag(located, 0, request, applied)));
        let media_type = Format::Gif.media_type();
        if let Some(bytes) = self.inner.renders.get(&etag) {
            return Ok(Picture { media_type, bytes, etag });
        }
        let most = u64::try_from(MAX_CINE_FRAMES).unwrap_or(u64::MAX);
        if frames.len() > MAX_CINE_FRAMES {
            return Err(ImagingError::TooManyFrames { frames: frames.len(), most }.into());
        }
        let drawable = self.drawable(permit, located, request, applied).await?;
        let (archive, frames, name) = (self.clone(), frames.to_vec(), etag.clone());
        let work = || {
            async move {
                let bytes = archive.moving(&drawable, &frames).await?;
                archive.inner.renders.put(name, bytes.clone(), bytes.len() as u64);
                Ok(bytes)
            }
            .boxed()
        };
        let bytes = self.inner.flights.join(&etag, work).await?;
        Ok(Picture { media_type, bytes, etag })
    }

    async fn moving(&self, drawable: &Drawable, frames: &[u32]) -> Result<Bytes, ArchiveError> {
        let request = drawable.request;
        let mut drawn = stream::iter(frames.to_vec())
            .map(|frame| {
                let drawable = drawable.clone();
                async move {
                    let (stored, dressing) = self.operand(&drawable, frame).await?;
                    let bytes = drawable.cost(&stored, &dressing);
                    let work = move || {
                        let shown_ms = drawable.shown_ms(frame);
                        let raster = picture(&drawable.attributes, &stored, &request, &dressing)?.0;
                        Ok((raster, shown_ms))
                    };
                    Ok::<_, ArchiveError>(self.inner.pool.run(bytes, work).await?)
                }
            })
            .buffered(FRAMES_AHEAD);
        let mut cine: Option<Cine> = None;
        while let Some((raster, shown_ms)) = drawn.try_next().await? {
            let begun = cine.take();
            let bytes = u64::try_from(raster.data.len()).unwrap_or(u64::MAX).saturating_mul(3);
            let work = move || {
                let mut cine = begun.map_or_else(|| Cine::begin(&raster), Ok)?;
                cine.add(&raster, shown_ms)?;
                match cine.bytes() {
                    bytes if bytes > MAX_CINE_BYTES => Err(ImagingError::TooLarge {
                        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
                    }),
                    _ => Ok(cine),
                }
            };
            cine = Some(self.inner.pool.run(bytes, work).await?);
        }
        let cine = cine.ok_or(ImagingError::NoSuchFrame { frame: 0, frames: 0 })?;
        Ok(cine.finish()?.into())
    }
}

impl Drawable {
    /// What goes into the picture of one frame.
    fn dressing(&self, frame: u32) -> Dressing {
        let root = self.tree.root();
        let mut captions = Captions::default();
        if self.request.patient {
            captions.patient = caption::patient(root);
        }
        if self.request.technique {
            let position = self.attributes.rules(frame.saturating_sub(1)).position;
            captions.technique = caption::technique(root, frame, self.located.frames, position);
        }
        let presented = self.presented(frame).map(Box::new);
        let overlays = self.overlays.clone();
        let profile = self.profile.clone();
        Dressing { overlays, captions, profile, presented, difference: None }
    }

    /// What the presentation state applied says of a frame.
    pub(in crate::archive) fn presented(&self, frame: u32) -> Option<Presented> {
        let applied = self.applied.as_ref()?;
        Some(applied.state.of(self.located.path.instance.as_str(), frame))
    }

    /// Of which frames the picture of one is made, where a mask is subtracted.
    pub(in crate::archive) fn operands(
        &self,
        frame: u32,
    ) -> Result<Option<Operands>, ImagingError> {
        let attributes = &self.attributes;
        if !attributes.photometric.is_grey() || attributes.samples_per_pixel != 1 {
            return Ok(None);
        }
        let frames = self.layout.pixels.as_ref().and_then(|pixels| pixels.frames.count());
        let frames = frames.unwrap_or(0);
        match (&self.applied, self.request.subtraction) {
            (_, Subtraction::No) => Ok(None),
            (Some(applied), _) => {
                applied.state.operands(self.located.path.instance.as_str(), frame, frames)
            }
            (None, Subtraction::Recommended) if !attributes.masks.recommended => Ok(None),
            (None, _) => attributes.masks.operands(frame, frames),
        }
    }

    /// Names the values its frames are drawn by.
    pub(in crate::archive) fn content(&self) -> String {
        let state = self.applied.as_ref().map_or("", |applied| applied.tag.as_str());
        format!("{}-{state}", hex(&self.located.data_set_sha256))
    }

    /// Memory that drawing a frame may take.
    fn cost(&self, stored: &StoredFrame, dressing: &Dressing) -> u64 {
        let view = &self.request.view;
        let presented = dressing.presented.as_ref();
        let presented = presented.map_or(0, |to| draw::cost(&self.attributes, to, view));
        cost(&self.attributes, stored, &self.request).saturating_add(presented)
    }

    /// How long a frame is shown: Frame Time Vector, Frame Time, or a rate (PS3.3 §C.7.6.5).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a few seconds before"
    )]
    fn shown_ms(&self, frame: u32) -> u32 {
        let root = self.tree.root();
        // The vector's entries are the times before each frame, the first one's counts for nothing.
        let vector = root.numbers(Tag(0x0018, 0x1065));
        let next = usize::try_from(frame).ok().and_then(|next| vector.get(next).or(vector.last()));
        let rate = |tag| root.number(tag).filter(|rate| *rate > 0.0).map(|rate| 1000.0 / rate);
        let time = next
            .copied()
            .filter(|time| *time > 0.0)
            .or_else(|| root.number(Tag(0x0018, 0x1063)).filter(|time| *time > 0.0))
            .or_else(|| rate(Tag(0x0008, 0x2144)))
            .or_else(|| rate(Tag(0x0018, 0x0040)))
            .unwrap_or(100.0);
        time.round().clamp(10.0, 10_000.0) as u32
    }
}
