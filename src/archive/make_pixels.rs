//! Pixels that came as bulk data: what they are stored as, and the attributes that describe them
//! (PS3.18 Table 10.5.2-1, PS3.3 §C.7.6.3).

use std::collections::HashMap;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::make::{BulkPart, Filling, MAX_FRAGMENT_BYTES, Stretch};
use crate::archive::make_gif::from_gif;
use crate::archive::spool::Spooled;
use crate::dicom::syntax::Encoding;
use crate::dicom::write::DataSet;
use crate::imaging::decode::describe::{Described, describe};
use crate::imaging::error::ImagingError;
use crate::imaging::png;
use crate::imaging::video::{self, Video, box_header};

/// What the pixels of an instance to make are stored as.
#[derive(Debug, Default)]
pub(in crate::archive) struct Pixels {
    /// Their transfer syntax; `None`: native.
    pub(in crate::archive) transfer_syntax: Option<String>,
    /// What goes into Pixel Data; `None`: what came, as it is.
    pub(in crate::archive) filling: Option<Filling>,
}

/// Bytes looked at for a frame's description: colour profiles may stand before it.
const HEAD_BYTES: u64 = 1024 * 1024;
/// The largest PNG file.
const MAX_PNG_BYTES: u64 = 128 * 1024 * 1024;
/// The largest index of an MP4 file.
const MAX_MOOV_BYTES: u64 = 32 * 1024 * 1024;
/// Boxes of an MP4 file looked at for it.
const MAX_BOXES: usize = 10_000;

/// Decides what the pixels become, and fills in their description.
pub(in crate::archive) async fn make_pixels(
    archive: &Archive,
    data_set: &mut DataSet,
    bulk: &HashMap<String, Vec<BulkPart>>,
) -> Result<Pixels, ArchiveError> {
    let hole = data_set.hole(tags::PIXEL_DATA);
    let Some(parts) = hole.and_then(|hole| bulk.get(&hole.uri)) else {
        return Ok(Pixels::default());
    };
    let Some(first) = parts.first() else { return Ok(Pixels::default()) };
    if parts.iter().any(|part| part.media != first.media) {
        return Err(wrong("Pixel Data (7FE0,0010) has frames of several media types"));
    }
    match first.media.as_str() {
        "image/png" => from_png(archive, data_set, parts).await,
        "image/gif" => from_gif(archive, data_set, parts).await,
        "video/mp4" | "video/mpeg" | "video/h265" | "video/quicktime" => {
            from_video(data_set, parts).await
        }
        media if media.starts_with("image/") => from_frames(data_set, parts).await,
        // Octets are uncompressed, unless a sender says otherwise of them.
        _ => match first.transfer_syntax.as_deref().filter(|uid| is_encapsulated(uid)) {
            Some(_) => from_frames(data_set, parts).await,
            None => Ok(Pixels::default()),
        },
    }
}

/// Frames that keep their compression.
async fn from_frames(data_set: &mut DataSet, parts: &[BulkPart]) -> Result<Pixels, ArchiveError> {
    let mut frames: Vec<Stretch> = Vec::with_capacity(parts.len());
    let mut first: Option<(Option<Described>, String)> = None;
    let mut bytes: u64 = 0;
    for part in parts {
        let total = part.bytes.bytes();
        let head = part.bytes.read(0..HEAD_BYTES).await?;
        let described = describe(kind(part), &head, total)?;
        let syntax = syntax_of(part, described.as_ref(), data_set)?;
        let stream = described.as_ref().map_or(0..total, |described| described.stream.clone());
        bytes = bytes.saturating_add(stream.end.saturating_sub(stream.start));
        match &first {
            None => first = Some((described, syntax)),
            Some((_, of_first)) if *of_first != syntax => {
                return Err(wrong(
                    "Pixel Data (7FE0,0010) has frames of several transfer syntaxes",
                ));
            }
            Some((Some(one), _)) => {
                let same = described.is_some_and(|it| {
                    (it.rows, it.columns, it.samples) == (one.rows, one.columns, one.samples)
                });
                if !same {
                    return Err(wrong("Pixel Data (7FE0,0010) has frames of several sizes"));
                }
            }
            Some(_) => {}
        }
        frames.push((part.bytes.clone(), stream));
    }
    let Some((described, syntax)) = first else { return Ok(Pixels::default()) };
    let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    agree_frames(data_set, count)?;
    if let Some(described) = &described {
        fill_in(data_set, described)?;
        let native = described.native_bytes().saturating_mul(count.into());
        if let Some(method) = described.lossy {
            note_lossy(data_set, method, native, bytes);
        }
    }
    Ok(Pixels { transfer_syntax: Some(syntax), filling: Some(Filling::Frames(frames)) })
}

/// The media type to describe a part by.
fn kind(part: &BulkPart) -> &str {
    if part.media.starts_with("image/") {
        return &part.media;
    }
    match part.transfer_syntax.as_deref().and_then(|uid| uid.strip_prefix("1.2.840.10008.1.2.4.")) {
        Some("50" | "51" | "53" | "55" | "57" | "70") => "image/jpeg",
        Some("80" | "81") => "image/jls",
        Some("90" | "91") => "image/jp2",
        Some("201" | "202" | "203") => "image/jphc",
        Some("110" | "111" | "112") => "image/jxl",
        _ => "",
    }
}

/// The transfer syntax of a frame: what the sender says, if the code stream can be that; else what
/// it is.
fn syntax_of(
    part: &BulkPart,
    described: Option<&Described>,
    data_set: &DataSet,
) -> Result<String, ArchiveError> {
    const LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
    let said = part.transfer_syntax.as_deref().filter(|uid| is_encapsulated(uid));
    let Some(described) = described else {
        return match (said, part.media.as_str()) {
            (Some(said), _) => Ok(said.to_owned()),
            (None, "image/dicom-rle") => Ok("1.2.840.10008.1.2.5".to_owned()),
            (None, media) => {
                Err(ImagingError::Unsupported(format!("{media} has no transfer syntax")).into())
            }
        };
    };
    // A reversible JPEG 2000 stream may still have been cut: only the sender knows.
    let lossy = data_set.text(tags::LOSSY_IMAGE_COMPRESSION) == Some("01");
    Ok(match (described.transfer_syntax, said) {
        (is, Some(said)) if may_be(is, said) => said.to_owned(),
        (LOSSLESS, _) if lossy => "1.2.840.10008.1.2.4.91".to_owned(),
        (is, _) => is.to_owned(),
    })
}

/// Whether a code stream of syntax `is` may go under `said`: syntaxes that allow more than it has.
fn may_be(is: &str, said: &str) -> bool {
    let of = |uid: &str| uid.strip_prefix("1.2.840.10008.1.2.4.").map(str::to_owned);
    let (Some(is), Some(said)) = (of(is), of(said)) else { return false };
    is == said
        || matches!(
            (is.as_str(), said.as_str()),
            ("50", "51")
                | ("70", "57")
                | ("80", "81")
                | ("90", "91" | "92" | "93")
                | ("91" | "92", "93")
                | ("201", "202" | "203")
                | ("112", "110" | "111")
        )
}

fn is_encapsulated(uid: &str) -> bool {
    let rest = uid.strip_prefix("1.2.840.10008.1.2.").unwrap_or_default();
    rest == "5" || rest.starts_with("4.") && Encoding::of(uid) == Encoding::ExplicitLittle
}

/// PNG files become native pixels.
async fn from_png(
    archive: &Archive,
    data_set: &mut DataSet,
    parts: &[BulkPart],
) -> Result<Pixels, ArchiveError> {
    let mut frames: Vec<Stretch> = Vec::with_capacity(parts.len());
    let mut size = None;
    for part in parts {
        let bytes = part.bytes.bytes();
        if bytes > MAX_PNG_BYTES {
            return Err(ImagingError::TooLarge { bytes }.into());
        }
        let file = part.bytes.read(0..bytes).await?;
        // The header is read first, so that the pixels are admitted for what they take.
        let cost = png_cost(&file).saturating_add(bytes);
        let pixels = archive.inner.pool.run(cost, move || png::decode(&file)).await?;
        let described = Described {
            transfer_syntax: "",
            rows: pixels.rows,
            columns: pixels.columns,
            samples: pixels.samples,
            photometric: if pixels.samples == 1 { "MONOCHROME2" } else { "RGB" },
            bits: pixels.bits,
            signed: false,
            lossy: None,
            stream: 0..0,
        };
        let of_frame = (pixels.rows, pixels.columns, pixels.samples, pixels.bits);
        if *size.get_or_insert(of_frame) != of_frame {
            return Err(wrong("Pixel Data (7FE0,0010) has frames of several sizes"));
        }
        fill_in(data_set, &described)?;
        let mut spooling = archive.spool();
        spooling.write(&pixels.data).await?;
        let spooled: Spooled = spooling.finish().await?;
        let range = 0..spooled.bytes();
        frames.push((spooled, range));
    }
    agree_frames(data_set, u32::try_from(frames.len()).unwrap_or(u32::MAX))?;
    let vr = if size.is_some_and(|(.., bits)| bits > 8) { VR::OW } else { VR::OB };
    data_set.put_hole(tags::PIXEL_DATA, vr, String::new());
    Ok(Pixels { transfer_syntax: None, filling: Some(Filling::Native(frames)) })
}

/// Memory a PNG's pixels take, by its header: width, height, 16 bits of four channels at most.
fn png_cost(file: &[u8]) -> u64 {
    let number = |at: usize| {
        let bytes = file.get(at..).and_then(<[u8]>::first_chunk::<4>);
        bytes.map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)))
    };
    let bytes_a_pixel = match file.get(24..26) {
        Some([16, 0]) => 2,
        Some([16, _]) => 8,
        Some([_, 0]) => 1,
        _ => 4,
    };
    // Decoded, and once more without transparency.
    number(16).saturating_mul(number(20)).saturating_mul(bytes_a_pixel).saturating_mul(2)
}

/// A video keeps its compression, as one stream.
async fn from_video(data_set: &mut DataSet, parts: &[BulkPart]) -> Result<Pixels, ArchiveError> {
    let [part] = parts else {
        return Err(wrong("Pixel Data (7FE0,0010) has a video in several parts"));
    };
    let bytes = part.bytes.bytes();
    let described = match moov(&part.bytes).await? {
        Some(moov) => Some(video::describe(&moov)?),
        None => None,
    };
    let said = part.transfer_syntax.clone().filter(|uid| is_encapsulated(uid));
    let default = match part.media.as_str() {
        "video/mpeg" => "1.2.840.10008.1.2.4.101",
        "video/h265" => "1.2.840.10008.1.2.4.107",
        _ => "1.2.840.10008.1.2.4.102",
    };
    let is = described.as_ref().map_or(default, |video| video.transfer_syntax);
    let mut syntax = said.unwrap_or_else(|| is.to_owned());
    if bytes > MAX_FRAGMENT_BYTES && !syntax.ends_with(".1") {
        // Only fragmentable video may have several fragments (PS3.5 §8.2.7).
        syntax.push_str(".1");
    }
    if let Some(video) = described {
        describe_video(data_set, &video, bytes)?;
    }
    let filling = Filling::Video((part.bytes.clone(), 0..bytes));
    Ok(Pixels { transfer_syntax: Some(syntax), filling: Some(filling) })
}

fn describe_video(data_set: &mut DataSet, video: &Video, bytes: u64) -> Result<(), ArchiveError> {
    let described = Described {
        transfer_syntax: video.transfer_syntax,
        rows: video.rows,
        columns: video.columns,
        samples: 3,
        photometric: "YBR_PARTIAL_420",
        bits: video.bits,
        signed: false,
        lossy: Some(video.lossy),
        stream: 0..bytes,
    };
    fill_in(data_set, &described)?;
    let native = described.native_bytes().saturating_mul(video.frames.into());
    note_lossy(data_set, video.lossy, native, bytes);
    data_set.put_missing(tags::NUMBER_OF_FRAMES, VR::IS, video.frames.to_string().as_bytes());
    let (whole, part) = (video.frame_time_us / 1000, video.frame_time_us % 1000);
    let time = format!("{whole}.{part:03}");
    if let Some(rate) = 1_000_000_u64.checked_div(video.frame_time_us) {
        data_set.put_missing(tags::CINE_RATE, VR::IS, rate.to_string().as_bytes());
        data_set.put_missing(tags::FRAME_TIME, VR::DS, time.as_bytes());
        // Frame Time (0018,1063) tells the frames apart.
        data_set.put_missing(tags::FRAME_INCREMENT_POINTER, VR::AT, &[0x18, 0, 0x63, 0x10]);
    }
    Ok(())
}

/// The content of an MP4 file's `moov` box; `None` when the bytes are no MP4 file.
async fn moov(file: &Spooled) -> Result<Option<bytes::Bytes>, ArchiveError> {
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let head = file.read(at..at.saturating_add(16)).await?;
        let Some((kind, length)) = box_header(&head) else { return Ok(None) };
        if at == 0 && !matches!(&kind, b"ftyp" | b"moov" | b"mdat" | b"free" | b"wide" | b"skip") {
            return Ok(None);
        }
        let end = if length == 0 { file.bytes() } else { at.saturating_add(length) };
        let start = at.saturating_add(if head.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 });
        if kind == *b"moov" {
            let bytes = end.saturating_sub(start);
            if bytes > MAX_MOOV_BYTES {
                return Err(ImagingError::TooLarge { bytes }.into());
            }
            return Ok(Some(file.read(start..end).await?));
        }
        if end <= at || end >= file.bytes() {
            break;
        }
        at = end;
    }
    Err(ImagingError::Damaged("the MP4 has no moov box".to_owned()).into())
}

/// Fills in the description of the pixels where the metadata leaves it out; it may not contradict.
pub(in crate::archive) fn fill_in(
    data_set: &mut DataSet,
    is: &Described,
) -> Result<(), ArchiveError> {
    for (tag, name, value) in [
        (tags::SAMPLES_PER_PIXEL, "Samples per Pixel", is.samples),
        (tags::ROWS, "Rows", is.rows),
        (tags::COLUMNS, "Columns", is.columns),
    ] {
        match data_set.short(tag) {
            Some(said) if said != value => {
                return Err(wrong(format!("{name} {tag} is {said}, of the pixels {value}")));
            }
            _ => data_set.put_missing(tag, VR::US, &value.to_le_bytes()),
        }
    }
    let photometric = is.photometric.as_bytes();
    data_set.put_missing(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
    let mut short = |tag: Tag, value: u16| {
        data_set.put_missing(tag, VR::US, &value.to_le_bytes());
    };
    if is.samples > 1 {
        short(tags::PLANAR_CONFIGURATION, 0);
    }
    short(tags::BITS_ALLOCATED, is.bits_allocated());
    short(tags::BITS_STORED, is.bits);
    short(tags::HIGH_BIT, is.bits.saturating_sub(1));
    short(tags::PIXEL_REPRESENTATION, u16::from(is.signed));
    Ok(())
}

/// Holds Number of Frames (0028,0008) against the frames that came.
pub(in crate::archive) fn agree_frames(
    data_set: &mut DataSet,
    count: u32,
) -> Result<(), ArchiveError> {
    match data_set.text(tags::NUMBER_OF_FRAMES).map(str::parse::<u32>) {
        Some(Ok(said)) if said != count => {
            Err(wrong(format!("Number of Frames (0028,0008) is {said}, {count} came")))
        }
        None if count > 1 => {
            data_set.put(tags::NUMBER_OF_FRAMES, VR::IS, count.to_string().as_bytes());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Notes that the pixels are lossy (PS3.3 §C.7.6.1.1.5).
fn note_lossy(data_set: &mut DataSet, method: &str, native: u64, bytes: u64) {
    data_set.put(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, b"01");
    let hundredths = native.saturating_mul(100).checked_div(bytes).unwrap_or_default();
    let ratio = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    data_set.put_missing(tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, ratio.as_bytes());
    data_set.put_missing(tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, method.as_bytes());
}

pub(in crate::archive) fn wrong(text: impl Into<String>) -> ArchiveError {
    ArchiveError::Mismatch(text.into())
}
