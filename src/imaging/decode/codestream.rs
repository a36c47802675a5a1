//! What code streams say of themselves, read before a codec is let near them.

use crate::imaging::error::ImagingError;

/// A JPEG or JPEG-LS code stream's header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::imaging::decode) struct Jpeg {
    /// Last byte of the start-of-frame marker: C0 baseline, C3 lossless, F7 JPEG-LS.
    pub process: u8,
    pub precision: u8,
    pub width: u16,
    pub height: u16,
    /// Component identifiers.
    pub components: Vec<u8>,
    /// Colour transform of the Adobe APP14 segment: 0 none, 1 YCbCr, 2 YCCK.
    pub adobe: Option<u8>,
    /// There is a JFIF APP0 segment, whose colours are YCbCr.
    pub jfif: bool,
    /// JPEG-LS: samples are interleaved by plane (0), line (1) or pixel (2).
    pub interleave: u8,
}

/// A JPEG 2000 code stream's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::imaging::decode) struct Jpeg2000 {
    pub width: u32,
    pub height: u32,
    /// Bits of a component's values.
    pub precisions: Vec<u8>,
    /// The first component's values are two's complement.
    pub signed: bool,
    /// Some component has fewer rows or columns than the picture.
    pub subsampled: bool,
    /// The multiple component transformation is used: three components are red, green and blue.
    pub transformed: bool,
    /// Wavelet decompositions: how many times it can be halved.
    pub levels: u8,
}

fn cut_short() -> ImagingError {
    ImagingError::damaged("the code stream's header is cut short")
}

/// What any code stream says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::imaging::decode) struct Told {
    pub width: u32,
    pub height: u32,
    pub components: usize,
    /// Bits of the widest component's values.
    pub precision: u32,
    /// Whether values have a sign, where the code stream tells.
    pub signed: Option<bool>,
}

/// What a JPEG, JPEG-LS or JPEG 2000 code stream says; `None` for anything else.
pub(in crate::imaging::decode) fn told(bytes: &[u8]) -> Option<Told> {
    if let Ok(header) = jpeg(bytes) {
        return Some(Told {
            width: header.width.into(),
            height: header.height.into(),
            components: header.components.len(),
            precision: header.precision.into(),
            signed: None,
        });
    }
    let header = jpeg2000(bytes).ok()?;
    Some(Told {
        width: header.width,
        height: header.height,
        components: header.precisions.len(),
        precision: header.precisions.iter().copied().max().unwrap_or(0).into(),
        signed: Some(header.signed),
    })
}

/// Reads markers up to the first scan.
pub(in crate::imaging::decode) fn jpeg(bytes: &[u8]) -> Result<Jpeg, ImagingError> {
    let mut rest = bytes
        .strip_prefix(&[0xFF, 0xD8])
        .ok_or_else(|| ImagingError::damaged("the frame is no JPEG code stream"))?;
    let mut header = Jpeg::default();
    loop {
        let (marker, after) = next_marker(rest).ok_or_else(cut_short)?;
        // These stand alone (ISO/IEC 10918-1 §B.1.1.3): nothing may hide in what looks like a length.
        if matches!(marker, 0x01 | 0xD0..=0xD7) {
            rest = after;
            continue;
        }
        let (body, after) = segment_body(after).ok_or_else(cut_short)?;
        rest = after;
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                if !header.components.is_empty() {
                    // What is admitted must be what is decoded.
                    return Err(ImagingError::damaged("the code stream has two frame headers"));
                }
                frame(&mut header, marker, body).ok_or_else(cut_short)?;
            }
            0xE0 if body.starts_with(b"JFIF\0") => header.jfif = true,
            0xEE if body.starts_with(b"Adobe") => header.adobe = body.get(11).copied(),
            0xDA => {
                // Count, two bytes a component, then near-lossless error and interleave mode.
                let count = usize::from(*body.first().ok_or_else(cut_short)?);
                let mode = count.checked_mul(2).and_then(|at| at.checked_add(2));
                header.interleave = mode.and_then(|at| body.get(at)).copied().unwrap_or(0);
                if header.height == 0 && !header.components.is_empty() {
                    header.height = rows_behind(rest).unwrap_or(0);
                }
                break;
            }
            0xD9 => return Err(cut_short()),
            _ => {}
        }
    }
    if header.components.is_empty() || header.width == 0 || header.height == 0 {
        return Err(ImagingError::damaged("the code stream does not say its size"));
    }
    Ok(header)
}

/// The marker that begins here and what follows it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    marker(Some(bytes).filter(|bytes| bytes.starts_with(&[0xFF]))?)
}

/// The next marker, its segment's body, and what follows.
pub(in crate::imaging::decode) fn segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (marker, bytes) = next_marker(bytes)?;
    let (body, rest) = segment_body(bytes)?;
    Some((marker, body, rest))
}

/// The next marker and what follows it. Before it may stand any number of fill bytes (ISO/IEC 10918-1
/// §B.1.1.2), and in real streams other bytes.
pub(in crate::imaging::decode) fn marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = bytes;
    loop {
        rest = rest.get(memchr::memchr(0xFF, rest)?..)?;
        let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        let (marker, after) = rest.get(fill..)?.split_first()?;
        if *marker != 0 {
            return Some((*marker, after));
        }
        rest = after;
    }
}

/// A segment's body behind its marker, and what follows.
pub(in crate::imaging::decode) fn segment_body(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk::<2>()?));
    Some((bytes.get(2..length)?, bytes.get(length..)?))
}

/// The rows of a frame whose header left them open: in the segment behind its first scan (ISO/IEC
/// 10918-1 §B.2.5).
fn rows_behind(scan: &[u8]) -> Option<u16> {
    let mut rest = scan;
    loop {
        let (marker, after) = marker(rest)?;
        rest = after;
        match marker {
            0xD0..=0xD7 => {}
            0xDC => {
                let (body, _) = segment_body(rest)?;
                return <[u8; 2]>::try_from(body).ok().map(u16::from_be_bytes);
            }
            _ => return None,
        }
    }
}

fn frame(header: &mut Jpeg, marker: u8, body: &[u8]) -> Option<()> {
    let [precision, h1, h0, w1, w0, count] = *body.first_chunk::<6>()?;
    header.process = marker;
    header.precision = precision;
    header.height = u16::from_be_bytes([h1, h0]);
    header.width = u16::from_be_bytes([w1, w0]);
    let components = body.get(6..)?.chunks_exact(3).take(count.into());
    header.components = components.filter_map(|component| component.first().copied()).collect();
    (header.components.len() == usize::from(count)).then_some(())
}

/// Reads the image and coding size segments, past the boxes of a JP2 file if there are any.
pub(in crate::imaging::decode) fn jpeg2000(bytes: &[u8]) -> Result<Jpeg2000, ImagingError> {
    let stream = if bytes.starts_with(&[0, 0, 0, 12, b'j', b'P', b' ', b' ']) {
        boxed(bytes).ok_or_else(cut_short)?
    } else {
        bytes
    };
    let no_stream = || ImagingError::damaged("the frame is no JPEG 2000 code stream");
    let mut rest = stream.strip_prefix(&[0xFF, 0x4F]).ok_or_else(no_stream)?;
    let mut header = None;
    loop {
        let (marker, body, after) = segment(rest).ok_or_else(cut_short)?;
        rest = after;
        match marker {
            0x51 => header = Some(sizes(body).ok_or_else(cut_short)?),
            0x52 => {
                if let (Some(header), Some([.., transform, levels])) =
                    (&mut header, body.first_chunk::<6>())
                {
                    header.transformed = *transform == 1;
                    header.levels = (*levels).min(32);
                }
            }
            // The first tile begins.
            0x90 => return header.ok_or_else(no_stream),
            _ => {}
        }
    }
}

/// The code stream box of a JP2 file.
fn boxed(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let head = rest.first_chunk::<8>()?;
        let length = u32::from_be_bytes(*head.first_chunk::<4>()?);
        let (start, end) = match length {
            0 => (8, rest.len()),
            1 => {
                let long = rest.get(8..)?.first_chunk::<8>()?;
                (16, usize::try_from(u64::from_be_bytes(*long)).ok()?)
            }
            length => (8, usize::try_from(length).ok()?),
        };
        let body = rest.get(start..end)?;
        if head.ends_with(b"jp2c") {
            return Some(body);
        }
        rest = rest.get(end..)?;
    }
}

fn sizes(body: &[u8]) -> Option<Jpeg2000> {
    let number = |at: usize| -> Option<u32> {
        body.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
    };
    let count = u16::from_be_bytes(*body.get(34..)?.first_chunk::<2>()?);
    let components: Vec<_> = body.get(36..)?.chunks_exact(3).take(count.into()).collect();
    if components.len() != usize::from(count) {
        return None;
    }
    Some(Jpeg2000 {
        width: number(2)?.checked_sub(number(10)?)?,
        height: number(6)?.checked_sub(number(14)?)?,
        precisions: components
            .iter()
            .filter_map(|component| component.first())
            .map(|size| (size & 0x7F).saturating_add(1))
            .collect(),
        signed: components
            .first()
            .and_then(|first| first.first())
            .is_some_and(|size| size & 0x80 != 0),
        subsampled: components.iter().any(|component| component.get(1..) != Some(&[1, 1])),
        transformed: false,
        levels: 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Jpeg, jpeg, jpeg2000};

    #[test]
    fn a_jpeg_tells_its_size_and_colours() {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 7];
        bytes.extend(b"JFIF\0");
        bytes.extend([0xFF, 0xFF, 0xEE, 0, 14]);
        bytes.extend(b"Adobe\0\x64\0\0\0\0\x01");
        bytes.extend([0xFF, 0xF7, 0, 17, 8, 0, 5, 1, 0, 3]);
        bytes.extend([b'R', 0x11, 0, b'G', 0x11, 0, b'B', 0x11, 0]);
        bytes.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 2, 0]);
        let expected = Jpeg {
            process: 0xF7,
            precision: 8,
            width: 256,
            height: 5,
            components: b"RGB".to_vec(),
            adobe: Some(1),
            jfif: true,
            interleave: 2,
        };
        assert_eq!(jpeg(&bytes), Ok(expected));
        for end in 0..bytes.len() {
            assert!(jpeg(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_decoded_cannot_be_another_picture_than_the_one_admitted() {
        let frame = |components: u8| {
            let length = 8 + 3 * u16::from(components);
            let mut bytes = vec![0xFF, 0xC3];
            bytes.extend(length.to_be_bytes());
            bytes.extend([8, 0x7F, 0xFF, 0x7F, 0xFF, components]);
            bytes.extend((0..components).flat_map(|id| [id, 0x11, 0]));
            bytes
        };
        let scan = [0xFF, 0xDA, 0, 8, 1, 0, 0, 1, 0, 0];
        let two = [&[0xFF, 0xD8][..], &frame(255), &frame(1), &scan].concat();
        assert!(jpeg(&two).is_err());
        // A restart marker has no length in which the first could hide.
        let hidden = [&[0xFF, 0xD8, 0xFF, 0xD0][..], &frame(255), &frame(1), &scan].concat();
        assert!(jpeg(&hidden).is_err());
        assert!(jpeg(&[&[0xFF, 0xD8][..], &frame(1), &scan].concat()).is_ok());
    }

    #[test]
    fn rows_left_open_are_told_behind_the_first_scan() {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 0, 0, 9, 1, 1, 0x11, 0];
        bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0xFF, 0, 0xFF, 0xD0, 7]);
        assert!(jpeg(&bytes).is_err());
        bytes.extend([0xFF, 0xDC, 0, 4, 1, 2, 0xFF, 0xD9]);
        assert_eq!(jpeg(&bytes).map(|header| header.height), Ok(258));
    }

    #[test]
    fn a_jpeg_2000_tells_its_size_in_a_box_or_bare() {
        let mut stream = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
        for number in [300_u32, 200, 44, 0, 300, 200, 0, 0] {
            stream.extend(number.to_be_bytes());
        }
        stream.extend([0, 1, 0x8B, 1, 1]);
        stream.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 0]);
        stream.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1]);
        let bare = jpeg2000(&stream).unwrap();
        assert_eq!((bare.width, bare.height, bare.levels), (256, 200, 5));
        assert!(bare.signed && !bare.transformed);
        assert_eq!((bare.precisions.as_slice(), bare.subsampled), (&[12][..], false));
        let mut file = vec![0, 0, 0, 12, b'j', b'P', b' ', b' ', 13, 10, 0x87, 10];
        file.extend([0, 0, 0, 0, b'j', b'p', b'2', b'c']);
        file.extend(&stream);
        assert_eq!(jpeg2000(&file), Ok(bare));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = jpeg(&[&[0xFF, 0xD8][..], &bytes].concat());
            let _ = jpeg2000(&[&[0xFF, 0x4F, 0xFF, 0x51][..], &bytes].concat());
            let _ = jpeg2000(&[&[0, 0, 0, 12, b'j', b'P', b' ', b' '][..], &bytes].concat());
        }
    }
}
