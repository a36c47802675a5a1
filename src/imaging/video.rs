//! What an MP4 file (ISO/IEC 14496-12, -14) says of the video in it, and the transfer syntax that
//! goes with it (PS3.5 §8.2.7, §8.2.8). The video itself is not looked at.

use crate::imaging::error::ImagingError;

/// A video, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: &'static str,
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Bits Stored (0028,0101).
    pub bits: u16,
    /// Number of Frames (0028,0008).
    pub frames: u32,
    /// Frame Time (0018,1063), in thousandths of a millisecond.
    pub frame_time_us: u64,
    /// Lossy Image Compression Method (0028,2114).
    pub lossy: &'static str,
}

/// Most boxes looked at of one level.
const MAX_BOXES: usize = 10_000;
/// Bytes of a visual sample entry before its boxes (ISO/IEC 14496-12 §12.1.3).
const SAMPLE_ENTRY_BYTES: usize = 78;

/// Type and length of the box a file has here, its header included; `None` when it ends before.
/// A length of 0 means: to the end.
pub fn box_header(bytes: &[u8]) -> Option<([u8; 4], u64)> {
    let [a, b, c, d, kind @ ..] = *bytes.first_chunk::<8>()?;
    let length = match u32::from_be_bytes([a, b, c, d]) {
        1 => u64::from_be_bytes(*bytes.get(8..)?.first_chunk::<8>()?),
        length => length.into(),
    };
    Some((kind, length))
}

/// Describes the first video track of a file by its `moov` box's content.
pub fn describe(moov: &[u8]) -> Result<Video, ImagingError> {
    let none = || ImagingError::damaged("the MP4 has no video track that can be read");
    let tracks = boxes(moov).filter(|(kind, _)| kind == b"trak");
    let mut media = tracks.filter_map(|(_, track)| find(track, *b"mdia"));
    let media = media
        .find(|media| {
            let handler = find(media, *b"hdlr").and_then(|handler| handler.get(8..12));
            handler == Some(b"vide")
        })
        .ok_or_else(none)?;
    let (scale, duration) = find(media, *b"mdhd").and_then(time).ok_or_else(none)?;
    let table = find(media, *b"minf").and_then(|info| find(info, *b"stbl")).ok_or_else(none)?;
    let frames = find(table, *b"stsz").and_then(|sizes| number(sizes, 8)).ok_or_else(none)?;
    let described = find(table, *b"stsd").and_then(|entries| entries.get(8..)).ok_or_else(none)?;
    let (kind, entry) = boxes(described).next().ok_or_else(none)?;
    let short = |at: usize| {
        entry.get(at..).and_then(<[u8]>::first_chunk::<2>).map(|bytes| u16::from_be_bytes(*bytes))
    };
    let (columns, rows) = (short(24).ok_or_else(none)?, short(26).ok_or_else(none)?);
    let inside = entry.get(SAMPLE_ENTRY_BYTES..).unwrap_or_default();
    let (transfer_syntax, bits, lossy) = syntax(kind, inside)?;
    if frames == 0 || scale == 0 || rows == 0 || columns == 0 {
        return Err(none());
    }
    let frame_time_us = duration
        .saturating_mul(1_000_000)
        .checked_div(u64::from(scale).saturating_mul(frames.into()))
        .unwrap_or_default();
    Ok(Video { transfer_syntax, rows, columns, bits, frames, frame_time_us, lossy })
}

/// The transfer syntax of a sample entry, its bits, its compression method.
fn syntax(kind: [u8; 4], inside: &[u8]) -> Result<(&'static str, u16, &'static str), ImagingError> {
    let unsupported = |what: String| ImagingError::Unsupported(what);
    match &kind {
        b"avc1" | b"avc3" => {
            let level = find(inside, *b"avcC").and_then(|config| config.get(3)).copied();
            let level = level.ok_or_else(|| unsupported("H.264 without configuration".into()))?;
            match level {
                0..=41 => Ok(("1.2.840.10008.1.2.4.102", 8, "ISO_14496_10")),
                42 => Ok(("1.2.840.10008.1.2.4.104", 8, "ISO_14496_10")),
                level => Err(unsupported(format!("H.264 of level {level}; DICOM ends at 42"))),
            }
        }
        b"hvc1" | b"hev1" => {
            let profile = find(inside, *b"hvcC").and_then(|config| config.get(1)).copied();
            match profile.map(|profile| profile & 0x1F) {
                Some(1) => Ok(("1.2.840.10008.1.2.4.107", 8, "ISO_23008_2")),
                Some(2) => Ok(("1.2.840.10008.1.2.4.108", 10, "ISO_23008_2")),
                _ => Err(unsupported("H.265 of a profile that is not Main or Main 10".into())),
            }
        }
        other => {
            let name: String = other.iter().map(|byte| char::from(*byte)).collect();
            Err(unsupported(format!("MP4 with video of kind {}", name.escape_default())))
        }
    }
}

/// Time scale and duration of a media header box.
fn time(header: &[u8]) -> Option<(u32, u64)> {
    if *header.first()? == 0 {
        return Some((number(header, 12)?, number(header, 16)?.into()));
    }
    let duration = header.get(24..)?.first_chunk::<8>()?;
    Some((number(header, 20)?, u64::from_be_bytes(*duration)))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

fn find(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes).find(|(found, _)| *found == kind).map(|(_, body)| body)
}

/// The boxes bytes are made of: type and content.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (kind, length) = box_header(rest)?;
        let long = rest.starts_with(&[0, 0, 0, 1]);
        let start = if long { 16 } else { 8 };
        let end = if length == 0 { rest.len() } else { usize::try_from(length).ok()? };
        let body = rest.get(start..end)?;
        rest = rest.get(end..)?;
        Some((kind, body))
    })
    .take(MAX_BOXES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Video, describe};

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).unwrap();
        [&length.to_be_bytes()[..], &kind, body].concat()
    }

    fn moov(level: u8) -> Vec<u8> {
        let mut entry = vec![0; 78];
        entry[24..28].copy_from_slice(&[0x07, 0x80, 0x04, 0x38]);
        entry.extend(boxed(*b"avcC", &[1, 100, 0, level]));
        let stsd = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &boxed(*b"avc1", &entry)].concat();
        let stsz = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50];
        let stbl = [boxed(*b"stsd", &stsd), boxed(*b"stsz", &stsz)].concat();
        let mut mdhd = vec![0; 24];
        mdhd[12..20].copy_from_slice(&[0, 0, 0x03, 0xE8, 0, 0, 0x07, 0xD0]);
        let hdlr = [&[0; 8][..], b"vide", &[0; 13]].concat();
        let minf = boxed(*b"minf", &boxed(*b"stbl", &stbl));
        let mdia = [boxed(*b"mdhd", &mdhd), boxed(*b"hdlr", &hdlr), minf].concat();
        [boxed(*b"mvhd", &[0; 100]), boxed(*b"trak", &boxed(*b"mdia", &mdia))].concat()
    }

    #[test]
    fn an_mp4_tells_size_frames_and_syntax() {
        let expected = Video {
            transfer_syntax: "1.2.840.10008.1.2.4.102",
            rows: 1080,
            columns: 1920,
            bits: 8,
            frames: 50,
            frame_time_us: 40_000,
            lossy: "ISO_14496_10",
        };
        assert_eq!(describe(&moov(40)), Ok(expected));
        assert_eq!(describe(&moov(42)).unwrap().transfer_syntax, "1.2.840.10008.1.2.4.104");
        assert!(describe(&moov(51)).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..200_usize) {
            let _ = describe(&bytes);
            let mut spoiled = moov(40);
            if let (Some(spot), Some(byte)) = (spoiled.get_mut(at), bytes.first()) {
                *spot = *byte;
            }
            let _ = describe(&spoiled);
        }
    }
}
