//! What compressed pixels say of themselves: the Image Pixel Description (PS3.3 §C.7.6.3) a server
//! derives when metadata leaves it out (PS3.18 §10.5.2), and the transfer syntax they go under.

use std::ops::Range;

use jxl_oxide::{AllocTracker, InitializeResult, JxlImage, PixelFormat};

use crate::imaging::decode::codestream::{self, segment};
use crate::imaging::error::ImagingError;

/// A compressed frame, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: &'static str,
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002): 1 or 3.
    pub samples: u16,
    /// Photometric Interpretation (0028,0004).
    pub photometric: &'static str,
    /// Bits Stored (0028,0101).
    pub bits: u16,
    /// Pixel Representation (0028,0103).
    pub signed: bool,
    /// Lossy Image Compression Method (0028,2114), when it is lossy.
    pub lossy: Option<&'static str>,
    /// Where the code stream lies in the file it came as.
    pub stream: Range<u64>,
}

impl Described {
    /// Bits Allocated (0028,0100).
    pub fn bits_allocated(&self) -> u16 {
        self.bits.div_ceil(8).next_power_of_two().saturating_mul(8)
    }

    /// Bytes of the frame when the compression is undone.
    pub fn native_bytes(&self) -> u64 {
        let pixels = u64::from(self.rows).saturating_mul(self.columns.into());
        pixels
            .saturating_mul(self.samples.into())
            .saturating_mul((self.bits_allocated() / 8).into())
    }
}

/// Describes a frame of media type `media` by its first bytes; `total` is its length. `None` for
/// media types whose frames say nothing of themselves.
pub fn describe(media: &str, head: &[u8], total: u64) -> Result<Option<Described>, ImagingError> {
    match media {
        "image/jpeg" | "image/jls" => jpeg(head, total).map(Some),
        "image/jp2" | "image/jpx" | "image/jph" | "image/jphc" => {
            jpeg2000(head, total, media == "image/jpx").map(Some)
        }
        "image/jxl" => jpegxl(head, total).map(Some),
        _ => Ok(None),
    }
}

fn jpeg(head: &[u8], total: u64) -> Result<Described, ImagingError> {
    let header = codestream::jpeg(head)?;
    let cut = || ImagingError::damaged("the code stream's header is cut short");
    let mut rest = head.get(2..).unwrap_or_default();
    let (mut factors, mut last_scan) = (Vec::new(), None);
    while last_scan.is_none() {
        let (marker, body, after) = segment(rest).ok_or_else(cut)?;
        rest = after;
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF | 0xF7 => {
                let components = body.get(6..).unwrap_or_default().chunks_exact(3);
                factors = components.filter_map(|component| component.get(1).copied()).collect();
            }
            // Its first parameter: predictor of lossless JPEG, near-lossless error of JPEG-LS.
            0xDA => {
                let count = usize::from(body.first().copied().unwrap_or_default());
                last_scan = body.get(count.saturating_mul(2).saturating_add(1)).copied();
                last_scan = Some(last_scan.ok_or_else(cut)?);
            }
            _ => {}
        }
    }
    let first = last_scan.unwrap_or_default();
    let (transfer_syntax, lossy) = match (header.process, first) {
        (0xC0, _) => ("1.2.840.10008.1.2.4.50", Some("ISO_10918_1")),
        (0xC1, _) => ("1.2.840.10008.1.2.4.51", Some("ISO_10918_1")),
        // Full progression: retired, and still what the stream is.
        (0xC2, _) => ("1.2.840.10008.1.2.4.55", Some("ISO_10918_1")),
        (0xC3, 1) => ("1.2.840.10008.1.2.4.70", None),
        (0xC3, _) => ("1.2.840.10008.1.2.4.57", None),
        (0xF7, 0) => ("1.2.840.10008.1.2.4.80", None),
        (0xF7, _) => ("1.2.840.10008.1.2.4.81", Some("ISO_14495_1")),
        (process, _) => {
            let process = format!("JPEG of process SOF{}", process.saturating_sub(0xC0));
            return Err(ImagingError::Unsupported(process));
        }
    };
    let subsampled = factors.first().is_some_and(|first| factors.iter().any(|f| f != first));
    let photometric = match header.components.as_slice() {
        [_] => "MONOCHROME2",
        [_, _, _] if header.process == 0xF7 => "RGB",
        [b'R', b'G', b'B'] | [b'r', b'g', b'b'] => "RGB",
        [_, _, _] if header.adobe == Some(0) => "RGB",
        // Lossless JPEG has no colour transform but where a segment says so.
        [_, _, _] if header.process == 0xC3 && header.adobe.is_none() && !header.jfif => "RGB",
        [_, _, _] if subsampled || header.process == 0xC0 => "YBR_FULL_422",
        [_, _, _] => "YBR_FULL",
        more => {
            let more = format!("JPEG of {} components", more.len());
            return Err(ImagingError::Unsupported(more));
        }
    };
    Ok(Described {
        transfer_syntax,
        rows: header.height,
        columns: header.width,
        samples: components(header.components.len())?,
        photometric,
        bits: header.precision.into(),
        signed: false,
        lossy,
        stream: 0..total,
    })
}

fn jpeg2000(head: &[u8], total: u64, part2: bool) -> Result<Described, ImagingError> {
    let start = box_start(head)?;
    let stream = head.get(start..).unwrap_or_default();
    let header = codestream::jpeg2000(stream)?;
    let (mut reversible, mut high_throughput, mut signed) = (false, false, false);
    let mut rest = stream.get(2..).unwrap_or_default();
    while let Some((marker, body, after)) = segment(rest) {
        rest = after;
        match marker {
            0x51 => signed = body.get(36).is_some_and(|size| size & 0x80 != 0),
            // Capabilities: part 15 is the sixteenth bit from below but one.
            0x50 => {
                let parts = body.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                high_throughput = parts & 0x0002_0000 != 0;
            }
            0x52 => reversible = body.get(9) == Some(&1),
            0x90 => break,
            _ => {}
        }
    }
    let (transfer_syntax, lossy) = match (high_throughput, part2, reversible) {
        (true, _, true) => ("1.2.840.10008.1.2.4.201", None),
        (true, _, false) => ("1.2.840.10008.1.2.4.203", Some("ISO_15444_15")),
        (false, true, true) => ("1.2.840.10008.1.2.4.92", None),
        (false, true, false) => ("1.2.840.10008.1.2.4.93", Some("ISO_15444_2")),
        (false, false, true) => ("1.2.840.10008.1.2.4.90", None),
        (false, false, false) => ("1.2.840.10008.1.2.4.91", Some("ISO_15444_1")),
    };
    let photometric = match (header.precisions.len(), header.transformed, reversible) {
        (1, ..) => "MONOCHROME2",
        (_, true, true) => "YBR_RCT",
        (_, true, false) => "YBR_ICT",
        (_, false, _) if full_range_ybr(head.get(..start).unwrap_or_default()) => "YBR_FULL",
        _ => "RGB",
    };
    let start = u64::try_from(start).unwrap_or(u64::MAX);
    Ok(Described {
        transfer_syntax,
        rows: size(header.height)?,
        columns: size(header.width)?,
        samples: components(header.precisions.len())?,
        photometric,
        bits: header.precisions.iter().copied().max().unwrap_or_default().into(),
        signed,
        lossy,
        stream: start..total,
    })
}

/// Where the code stream begins, behind the boxes of a JP2 file if there are any; DICOM has the
/// code stream alone (PS3.5 §A.4.4).
fn box_start(head: &[u8]) -> Result<usize, ImagingError> {
    if head.starts_with(&[0xFF, 0x4F]) {
        return Ok(0);
    }
    let no_stream = || ImagingError::damaged("there is no JPEG 2000 code stream");
    let mut at: usize = 0;
    loop {
        let start = head.get(at..).and_then(<[u8]>::first_chunk::<8>).ok_or_else(no_stream)?;
        let [a, b, c, d, kind @ ..] = *start;
        let length = u32::from_be_bytes([a, b, c, d]);
        if kind == *b"jp2c" {
            return Ok(at.saturating_add(if length == 1 { 16 } else { 8 }));
        }
        if kind == *b"jp2h"
            && memchr::memmem::find(head.get(at..).unwrap_or_default(), b"pclr").is_some()
        {
            return Err(ImagingError::Unsupported("JPEG 2000 with a palette".to_owned()));
        }
        let length = usize::try_from(length).ok().filter(|length| *length >= 8);
        at = at.saturating_add(length.ok_or_else(no_stream)?);
    }
}

/// Whether a JP2 file's colour specification box says sYCC (ISO/IEC 15444-1 §I.5.3.3).
fn full_range_ybr(boxes: &[u8]) -> bool {
    let colours = memchr::memmem::find(boxes, b"colr").and_then(|at| boxes.get(at..));
    colours.and_then(|box_| box_.get(4..11)) == Some(&[1, 0, 0, 0, 0, 0, 18])
}

fn jpegxl(head: &[u8], total: u64) -> Result<Described, ImagingError> {
    let cut = || ImagingError::damaged("the JPEG XL header is cut short");
    let tracker = AllocTracker::with_limit(16 * 1024 * 1024);
    let mut waiting = JxlImage::builder().alloc_tracker(tracker).build_uninit();
    waiting.feed_bytes(head).map_err(ImagingError::damaged)?;
    let InitializeResult::Initialized(image) = waiting.try_init().map_err(ImagingError::damaged)?
    else {
        return Err(cut());
    };
    let (samples, photometric) = match image.pixel_format() {
        PixelFormat::Gray | PixelFormat::Graya => (1, "MONOCHROME2"),
        PixelFormat::Rgb | PixelFormat::Rgba => {
            (3, if image.image_header().metadata.xyb_encoded { "XYB" } else { "RGB" })
        }
        PixelFormat::Cmyk | PixelFormat::Cmyka => {
            return Err(ImagingError::Unsupported("JPEG XL in CMYK".to_owned()));
        }
    };
    Ok(Described {
        // Whether it is lossless cannot be told from the header; this syntax may be either.
        transfer_syntax: "1.2.840.10008.1.2.4.112",
        rows: size(image.height())?,
        columns: size(image.width())?,
        samples,
        photometric,
        bits: u16::try_from(image.image_header().metadata.bit_depth.bits_per_sample())
            .map_err(|_| cut())?,
        signed: false,
        lossy: None,
        stream: 0..total,
    })
}

fn components(count: usize) -> Result<u16, ImagingError> {
    match count {
        1 => Ok(1),
        3 => Ok(3),
        more => Err(ImagingError::Unsupported(format!("code streams of {more} components"))),
    }
}

fn size(pixels: u32) -> Result<u16, ImagingError> {
    let too_large = || ImagingError::Unsupported(format!("images {pixels} pixels wide or high"));
    u16::try_from(pixels).ok().filter(|pixels| *pixels > 0).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Described, describe};
    use crate::imaging::encode::{Raster, encode};
    use crate::imaging::render::Format;

    #[test]
    fn a_jpeg_gives_its_description() {
        let raster = Raster { width: 20, height: 10, channels: 3, data: vec![90; 600] };
        let bytes = encode(&raster, Format::Jpeg, 80, None).unwrap();
        let total = bytes.len() as u64;
        let described = describe("image/jpeg", &bytes, total).unwrap().unwrap();
        let expected = Described {
            transfer_syntax: "1.2.840.10008.1.2.4.50",
            rows: 10,
            columns: 20,
            samples: 3,
            photometric: "YBR_FULL_422",
            bits: 8,
            signed: false,
            lossy: Some("ISO_10918_1"),
            stream: 0..total,
        };
        assert_eq!(described, expected);
        assert_eq!((described.bits_allocated(), described.native_bytes()), (8, 600));
        assert_eq!(describe("image/dicom-rle", &bytes, total), Ok(None));
    }

    #[test]
    fn a_jp2_file_gives_the_place_of_its_code_stream() {
        let mut stream = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
        for number in [300_u32, 200, 0, 0, 300, 200, 0, 0] {
            stream.extend(number.to_be_bytes());
        }
        stream.extend([0, 1, 0x8B, 1, 1]);
        stream.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        stream.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1]);
        let mut file = vec![0, 0, 0, 12, b'j', b'P', b' ', b' ', 13, 10, 0x87, 10];
        file.extend([0, 0, 0, 0, b'j', b'p', b'2', b'c']);
        file.extend(&stream);
        let described = describe("image/jp2", &file, 1000).unwrap().unwrap();
        assert_eq!(described.transfer_syntax, "1.2.840.10008.1.2.4.90");
        assert_eq!((described.rows, described.columns, described.bits), (200, 300, 12));
        assert_eq!(described.bits_allocated(), 16);
        assert_eq!((described.signed, described.stream), (true, 20..1000));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (media, start) in [
                ("image/jpeg", &[0xFF, 0xD8][..]),
                ("image/jp2", &[0xFF, 0x4F, 0xFF, 0x51]),
                ("image/jp2", &[0, 0, 0, 12, b'j', b'P', b' ', b' ']),
                ("image/jxl", &[0xFF, 0x0A]),
            ] {
                let _ = describe(media, &[start, &bytes].concat(), 1 << 20);
            }
        }
    }
}
