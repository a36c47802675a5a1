//! GIF files that came as bulk data become native pixels, frame by frame (PS3.18 Table 10.5.2-1).

use bytes::Bytes;
use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::make::{BulkPart, Filling};
use crate::archive::make_pixels::{Pixels, agree_frames, fill_in, wrong};
use crate::dicom::write::DataSet;
use crate::imaging::decode::describe::Described;
use crate::imaging::error::ImagingError;
use crate::imaging::gif::{Frames, MAX_FRAMES, Told, describe};

/// The largest GIF file.
const MAX_GIF_BYTES: u64 = 128 * 1024 * 1024;
/// The longest value native pixels may be (PS3.5 §7.1.1).
const MAX_NATIVE_BYTES: u64 = 0xFFFF_FFFE;

/// Every frame of every file, in order: grey ones of one sample, else red, green and blue.
pub(in crate::archive) async fn from_gif(
    archive: &Archive,
    data_set: &mut DataSet,
    parts: &[BulkPart],
) -> Result<Pixels, ArchiveError> {
    let mut files = Vec::with_capacity(parts.len());
    let mut shown_ms = Vec::new();
    for part in parts {
        let told = look_through(archive, part).await?;
        shown_ms.extend_from_slice(&told.shown_ms);
        if shown_ms.len() > MAX_FRAMES {
            let reason = format!("GIF of more than {MAX_FRAMES} frames");
            return Err(ImagingError::Unsupported(reason).into());
        }
        files.push((part, told));
    }
    let described = in_common(&files)?;
    let frames = u32::try_from(shown_ms.len()).unwrap_or(u32::MAX);
    let bytes = described.native_bytes().saturating_mul(frames.into());
    if bytes > MAX_NATIVE_BYTES {
        return Err(ImagingError::TooLarge { bytes }.into());
    }
    fill_in(data_set, &described)?;
    agree_frames(data_set, frames)?;
    describe_times(data_set, &shown_ms);
    let (mut spooling, mut drawn) = (archive.spool(), 0_usize);
    let samples = described.samples;
    for (part, told) in files {
        let told = Told { samples, ..told };
        let file = part.bytes.read(0..part.bytes.bytes()).await?;
        let cost = cost(&described, &file);
        let work = move || Frames::of(&file, &told);
        let mut reader = archive.inner.pool.run(cost, work).await?;
        loop {
            let work = move || reader.next_frame().map(|frame| (reader, frame));
            let (back, frame) = archive.inner.pool.run(cost, work).await?;
            reader = back;
            let Some(frame) = frame else { break };
            spooling.write(&frame).await?;
            drawn = drawn.saturating_add(1);
        }
    }
    if drawn != shown_ms.len() {
        return Err(ImagingError::Damaged("the GIF is cut short".to_owned()).into());
    }
    let spooled = spooling.finish().await?;
    let range = 0..spooled.bytes();
    data_set.put_hole(tags::PIXEL_DATA, VR::OB, String::new());
    Ok(Pixels { transfer_syntax: None, filling: Some(Filling::Native(vec![(spooled, range)])) })
}

/// Memory that drawing a file's frames may take: the file, and of each pixel what is decoded (4 bytes),
/// laid over the canvas (4), the canvas (3), what it was before (3) and what goes out (3).
fn cost(described: &Described, file: &Bytes) -> u64 {
    let pixels = u64::from(described.rows).saturating_mul(described.columns.into());
    pixels.saturating_mul(17).saturating_add(file.len() as u64)
}

async fn look_through(archive: &Archive, part: &BulkPart) -> Result<Told, ArchiveError> {
    let bytes = part.bytes.bytes();
    if bytes > MAX_GIF_BYTES {
        return Err(ImagingError::TooLarge { bytes }.into());
    }
    let file = part.bytes.read(0..bytes).await?;
    Ok(archive.inner.pool.run(bytes, move || describe(&file)).await?)
}

/// What the frames of all files are.
fn in_common(files: &[(&BulkPart, Told)]) -> Result<Described, ArchiveError> {
    let (_, first) = files.first().ok_or(ImagingError::NoPixels)?;
    let size = |told: &Told| (told.rows, told.columns);
    if files.iter().any(|(_, told)| size(told) != size(first)) {
        return Err(wrong("Pixel Data (7FE0,0010) has frames of several sizes"));
    }
    let samples = files.iter().map(|(_, told)| told.samples).max().unwrap_or(1);
    Ok(Described {
        transfer_syntax: "",
        rows: first.rows,
        columns: first.columns,
        samples,
        photometric: if samples == 1 { "MONOCHROME2" } else { "RGB" },
        bits: 8,
        signed: false,
        lossy: None,
        stream: 0..0,
    })
}

/// Frame Time (0018,1063), or Frame Time Vector (0018,1065) where frames are not shown equally long
/// (PS3.3 §C.7.6.5).
fn describe_times(data_set: &mut DataSet, shown_ms: &[u32]) {
    let [first, rest @ ..] = shown_ms else { return };
    if rest.is_empty() || *first == 0 {
        return;
    }
    if rest.iter().all(|shown| shown == first) {
        data_set.put_missing(tags::FRAME_TIME, VR::DS, first.to_string().as_bytes());
        data_set.put_missing(tags::FRAME_INCREMENT_POINTER, VR::AT, &[0x18, 0, 0x63, 0x10]);
        return;
    }
    // The times between frames: before the first there is none.
    let before = std::iter::once(0).chain(shown_ms.iter().copied()).take(shown_ms.len());
    let vector: Vec<String> = before.map(|ms| ms.to_string()).collect();
    data_set.put_missing(tags::FRAME_TIME_VECTOR, VR::DS, vector.join("\\").as_bytes());
    data_set.put_missing(tags::FRAME_INCREMENT_POINTER, VR::AT, &[0x18, 0, 0x65, 0x10]);
}
