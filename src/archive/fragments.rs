//! Encapsulated pixel data of many frames in another transfer syntax, on disk: its offset table and
//! length stand before its frames, so all of them are made before the first goes out. Kept as a
//! derived blob for the next who asks; one that is forgotten is removed, after a crash by the sweep.

use std::sync::Arc;

use bytes::Bytes;
use bytes::BytesMut;
use futures::FutureExt;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::frame::FramePlan;
use crate::archive::transcode::CodedFrame;
use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKind;
use crate::blobs::store::Blobs;
use crate::imaging::error::ImagingError;
use crate::imaging::transcode::Form;
use crate::imaging::transcode::Target;

/// Frames being re-encoded ahead of the one being written.
pub(in crate::archive) const FRAMES_AHEAD: usize = 4;
/// Begins an item (PS3.5 §7.5.1).
const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];

/// Fragments of all frames, each one item, in a blob of their own.
#[derive(Debug)]
pub(in crate::archive) struct Fragments {
    blobs: Blobs,
    /// The blob's key.
    pub(in crate::archive) key: String,
    /// Its bytes.
    pub(in crate::archive) bytes: u64,
    /// Bytes of each frame's fragment, padded to be even.
    pub(in crate::archive) lengths: Vec<u64>,
    /// What the frames are.
    pub(in crate::archive) form: Form,
}

impl Fragments {
    /// Bytes of all fragments kept on disk.
    pub(in crate::archive) const KEPT_BYTES: u64 = 4 * 1024 * 1024 * 1024;
}

impl Drop for Fragments {
    /// The last who held it lets it go: so does the store.
    fn drop(&mut self) {
        let (blobs, key) = (self.blobs.clone(), std::mem::take(&mut self.key));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // What cannot be removed now, the sweep removes.
            runtime.spawn(async move { blobs.delete(&key).await });
        }
    }
}

impl Archive {
    /// All frames of an instance, re-encoded: made before, or made once for all who wait.
    pub(in crate::archive) async fn fragments(
        &self,
        plan: &Arc<FramePlan>,
        frames: u32,
        target: Target,
    ) -> Result<Arc<Fragments>, ArchiveError> {
        let transcoding = &self.inner.transcoding;
        let name = format!("{}-{}", plan.content(), target.uid());
        if let Some(kept) = transcoding.fragments.get(&name) {
            match self.inner.blobs.read(&kept.key, 0..0).await {
                // Swept: made anew below.
                Err(BlobError::Missing(_)) => {}
                read => return read.map(|_| kept).map_err(ArchiveError::from),
            }
        }
        let (archive, plan, key) = (self.clone(), Arc::clone(plan), name.clone());
        let work =
            || async move { archive.make_fragments(&plan, frames, target, key).await }.boxed();
        transcoding.fragment_flights.join(&name, work).await
    }

    async fn make_fragments(
        &self,
        plan: &Arc<FramePlan>,
        frames: u32,
        target: Target,
        name: String,
    ) -> Result<Arc<Fragments>, ArchiveError> {
        let mut coded = self.coded_frames(plan, 1, frames, target, false);
        let mut writer = self.inner.blobs.begin(BlobKind::Derived);
        let key = writer.key().to_owned();
        let mut lengths = Vec::new();
        let mut form: Option<Form> = None;
        while let Some(frame) = coded.try_next().await? {
            check_form(form.get_or_insert_with(|| frame.form.clone()), &frame)?;
            let item = item(&frame.bytes)?;
            lengths.push((item.len() as u64).saturating_sub(8));
            writer.write(item).await?;
        }
        let form = form.ok_or(ImagingError::NoPixels)?;
        let bytes = writer.finish().await?;
        let blobs = self.inner.blobs.clone();
        let made = Arc::new(Fragments { blobs, key, bytes, lengths, form });
        self.inner.transcoding.fragments.put(name, Arc::clone(&made), bytes);
        Ok(made)
    }

    /// Frames `first` to `last`, re-encoded, in order; `keep`: for who asks next.
    pub(in crate::archive) fn coded_frames(
        &self,
        plan: &Arc<FramePlan>,
        first: u32,
        last: u32,
        target: Target,
        keep: bool,
    ) -> stream::BoxStream<'static, Result<CodedFrame, ArchiveError>> {
        let (archive, plan) = (self.clone(), Arc::clone(plan));
        stream::iter(first..=last)
            .map(move |frame| {
                let (archive, plan) = (archive.clone(), Arc::clone(&plan));
                async move { archive.coded_frame(&plan, frame, target, keep).await }
            })
            .buffered(FRAMES_AHEAD)
            .boxed()
    }
}

/// All frames of an instance share its attributes: one that is otherwise cannot go with them.
pub(in crate::archive) fn check_form(form: &Form, frame: &CodedFrame) -> Result<(), ArchiveError> {
    if *form == frame.form {
        return Ok(());
    }
    let reason = "its frames are not alike in bits or colours";
    Err(ImagingError::Unsupported(reason.to_owned()).into())
}

/// A fragment with its item header, padded (PS3.5 §A.4).
pub(in crate::archive) fn item(fragment: &[u8]) -> Result<Bytes, ArchiveError> {
    let padding = fragment.len() % 2;
    let length = fragment.len().saturating_add(padding);
    let length = u32::try_from(length)
        .map_err(|_| ImagingError::TooLarge { bytes: fragment.len() as u64 })?;
    let mut item = BytesMut::with_capacity(fragment.len().saturating_add(9));
    item.extend_from_slice(&ITEM);
    item.extend_from_slice(&length.to_le_bytes());
    item.extend_from_slice(fragment);
    item.extend_from_slice([0].get(..padding).unwrap_or(&[]));
    Ok(item.freeze())
}
