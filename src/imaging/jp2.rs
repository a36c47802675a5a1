//! Pictures as JPEG 2000 files, without loss (ISO/IEC 15444-1 Annex I): the boxes around a code
//! stream, which the pictures of rendered resources have (PS3.18 §8.7.4) and frames have not.

use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};
use crate::imaging::render::StoredFrame;
use crate::imaging::transcode::{Target, transcode};

/// Encodes a picture; what was encoded has been decoded again and compared.
pub fn encode(raster: &Raster, profile: Option<&[u8]>) -> Result<Vec<u8>, ImagingError> {
    if profile.is_some_and(|profile| !is_restricted(profile, raster.channels)) {
        // Only matrices and curves may stand here (ISO/IEC 15444-1 §I.5.3.3).
        let reason = "its colour profile is of a kind that image/jp2 does not hold";
        return Err(ImagingError::unsupported(reason));
    }
    let stream = code_stream(raster)?;
    let mut image_header = Vec::with_capacity(14);
    image_header.extend(raster.height.to_be_bytes());
    image_header.extend(raster.width.to_be_bytes());
    image_header.extend(u16::from(raster.channels).to_be_bytes());
    // Eight bits, unsigned; compression 7; the colours are known; no rights to tell.
    image_header.extend([7, 7, 0, 0]);
    let mut colour = match profile {
        None => vec![1, 0, 0],
        Some(_) => vec![2, 0, 0],
    };
    match profile {
        // Grey or sRGB.
        None => colour.extend(if raster.channels == 1 { 17_u32 } else { 16 }.to_be_bytes()),
        Some(profile) => colour.extend_from_slice(profile),
    }
    let header = [boxed(*b"ihdr", &image_header)?, boxed(*b"colr", &colour)?].concat();
    let boxes = [
        boxed(*b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A])?,
        boxed(*b"ftyp", b"jp2 \0\0\0\0jp2 ")?,
        boxed(*b"jp2h", &header)?,
        boxed(*b"jp2c", &stream)?,
    ];
    Ok(boxes.concat())
}

fn code_stream(raster: &Raster) -> Result<Vec<u8>, ImagingError> {
    let too_large = |_| ImagingError::TooLarge { bytes: raster.data.len() as u64 };
    let attributes = PixelAttributes {
        rows: u16::try_from(raster.height).map_err(too_large)?,
        columns: u16::try_from(raster.width).map_err(too_large)?,
        samples_per_pixel: raster.channels.into(),
        bits_allocated: 8,
        bits_stored: 8,
        high_bit: 7,
        photometric: if raster.channels == 1 { Photometric::Monochrome2 } else { Photometric::Rgb },
        frames: 1,
        ..PixelAttributes::default()
    };
    let frame = StoredFrame {
        transfer_syntax: EXPLICIT_LITTLE.to_owned(),
        bytes: raster.data.clone().into(),
        index: 0,
    };
    Ok(transcode(&attributes, &frame, Target::Jpeg2000)?.bytes)
}

fn boxed(kind: [u8; 4], content: &[u8]) -> Result<Vec<u8>, ImagingError> {
    let length = u32::try_from(content.len().saturating_add(8));
    let length = length.map_err(|_| ImagingError::TooLarge { bytes: content.len() as u64 })?;
    Ok([&length.to_be_bytes(), &kind, content].concat())
}

/// Whether a profile is one of matrices and curves (ISO 15076-1 §7.2, §8), for so many channels.
fn is_restricted(profile: &[u8], channels: u8) -> bool {
    let word = |at: usize| profile.get(at..).and_then(<[u8]>::first_chunk::<4>);
    let class = matches!(word(12), Some(b"scnr" | b"mntr"));
    let colours = word(16) == Some(if channels == 1 { b"GRAY" } else { b"RGB " });
    let tags = profile.get(132..).unwrap_or_default();
    let tables = tags.chunks_exact(12).take(64).any(|tag| tag.starts_with(b"A2B"));
    class && colours && word(20) == Some(b"XYZ ") && !tables
}

#[cfg(test)]
mod tests {
    use moxcms::ColorProfile;

    use super::encode;
    use crate::imaging::decode::describe::describe;
    use crate::imaging::encode::Raster;

    fn raster(channels: u8) -> Raster {
        let data =
            (0..24 * u32::from(channels)).map(|n| u8::try_from(n * 37 % 256).unwrap()).collect();
        Raster { width: 6, height: 4, channels, data }
    }

    #[test]
    fn a_file_describes_the_picture_in_it() {
        for (channels, photometric) in [(1, "MONOCHROME2"), (3, "YBR_RCT")] {
            let file = encode(&raster(channels), None).unwrap();
            assert!(file.starts_with(b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14ftypjp2 "));
            let told = describe("image/jp2", &file, file.len() as u64).unwrap().unwrap();
            assert_eq!((told.columns, told.rows, told.samples), (6, 4, channels.into()));
            assert_eq!((told.photometric, told.bits, told.lossy), (photometric, 8, None));
            let read = jpeg2k::Image::from_bytes(&file).unwrap();
            assert_eq!((read.width(), read.height()), (6, 4));
            let planes = read.components();
            assert_eq!(planes.len(), usize::from(channels));
            for (sample, plane) in planes.iter().enumerate() {
                let wanted = raster(channels).data.into_iter().skip(sample);
                let wanted: Vec<i32> =
                    wanted.step_by(usize::from(channels)).map(i32::from).collect();
                assert_eq!(plane.data(), wanted, "sample {sample}");
            }
        }
    }

    #[test]
    fn profiles_of_matrices_go_in_and_others_are_refused() {
        let profile = ColorProfile::new_adobe_rgb().encode().unwrap();
        let file = encode(&raster(3), Some(&profile)).unwrap();
        assert!(file.windows(profile.len()).any(|part| part == profile));
        let mut of_tables = profile.clone();
        of_tables[132..136].copy_from_slice(b"A2B0");
        assert!(encode(&raster(3), Some(&of_tables)).is_err());
        assert!(encode(&raster(3), Some(b"no profile")).is_err());
    }
}
