//! The registry's codecs, fed one frame at a time.

use std::borrow::Cow;

use dicom_core::value::C;
use dicom_encoding::TransferSyntaxIndex;
use dicom_encoding::adapters::PixelDataObject;
use dicom_encoding::adapters::RawPixelData;
use dicom_encoding::transfer_syntax::Codec;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::StoredFrame;

/// One compressed frame as the codecs want to see it.
struct OneFrame<'a> {
    attributes: &'a PixelAttributes,
    frame: &'a StoredFrame,
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        &self.frame.transfer_syntax
    }

    fn rows(&self) -> Option<u16> {
        Some(self.attributes.rows)
    }

    fn cols(&self) -> Option<u16> {
        Some(self.attributes.columns)
    }

    fn samples_per_pixel(&self) -> Option<u16> {
        Some(self.attributes.samples_per_pixel)
    }

    fn bits_allocated(&self) -> Option<u16> {
        Some(self.attributes.bits_allocated)
    }

    fn bits_stored(&self) -> Option<u16> {
        Some(self.attributes.bits_stored)
    }

    fn photometric_interpretation(&self) -> Option<&str> {
        Some(&self.attributes.photometric)
    }

    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }

    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }

    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then(|| Cow::Borrowed(&self.frame.bytes[..]))
    }

    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        Some(Cow::Borrowed(&[]))
    }

    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        let fragments = C::from_vec(vec![self.frame.bytes.to_vec()]);
        Some(RawPixelData { fragments, offset_table: C::new() })
    }
}

/// Decodes a compressed frame to interleaved little endian samples of Bits Allocated.
pub fn decode(attributes: &PixelAttributes, frame: &StoredFrame) -> Result<Vec<u8>, ImagingError> {
    check_size(attributes, &frame.bytes)?;
    let syntax = TransferSyntaxRegistry.get(&frame.transfer_syntax);
    let unsupported = || {
        ImagingError::Unsupported(format!(
            "no decoder for transfer syntax {}",
            frame.transfer_syntax
        ))
    };
    let syntax = syntax.ok_or_else(unsupported)?;
    let Codec::EncapsulatedPixelData(Some(reader), _) = syntax.codec() else {
        return Err(unsupported());
    };
    let mut samples = Vec::new();
    let decoded = reader.decode_frame(&OneFrame { attributes, frame }, 0, &mut samples);
    decoded.map_err(|error| ImagingError::Damaged(chain(&error)))?;
    Ok(samples)
}

/// Refuses a code stream that announces another size than the header: what it would decode to has
/// not been admitted.
fn check_size(attributes: &PixelAttributes, bytes: &[u8]) -> Result<(), ImagingError> {
    let Some((width, height)) = announced(bytes) else { return Ok(()) };
    if width == u32::from(attributes.columns) && height == u32::from(attributes.rows) {
        return Ok(());
    }
    Err(ImagingError::Damaged(format!(
        "the code stream is {width}×{height}, the header says {}×{}",
        attributes.columns, attributes.rows
    )))
}

/// Width and height a JPEG, JPEG-LS or JPEG 2000 code stream announces.
fn announced(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        // SOC, then SIZ: length, capabilities, Xsiz, Ysiz, XOsiz, YOsiz (ISO/IEC 15444-1 §A.5.1).
        [0xFF, 0x4F, 0xFF, 0x51, rest @ ..] => {
            let field = |at: usize| {
                let four = rest.get(at..at + 4)?;
                Some(u32::from_be_bytes(four.try_into().ok()?))
            };
            let (x, y, x_offset, y_offset) = (field(4)?, field(8)?, field(12)?, field(16)?);
            Some((x.checked_sub(x_offset)?, y.checked_sub(y_offset)?))
        }
        [0xFF, 0xD8, rest @ ..] => jpeg_size(rest),
        _ => None,
    }
}

/// Finds the frame header (SOF, or SOF55 of JPEG-LS) among the markers (ISO/IEC 10918-1 §B.2.2).
fn jpeg_size(mut rest: &[u8]) -> Option<(u32, u32)> {
    loop {
        let at = rest.iter().position(|byte| *byte == 0xFF)?;
        let (marker, after) = rest.get(at + 1..)?.split_first()?;
        let is_frame =
            matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7);
        match marker {
            0xFF => rest = rest.get(at + 1..)?,
            0xDA | 0xD9 => return None,
            0x00 | 0x01 | 0xD0..=0xD8 => rest = after,
            _ => {
                let length = u16::from_be_bytes(after.get(..2)?.try_into().ok()?);
                if is_frame {
                    let height = u16::from_be_bytes(after.get(3..5)?.try_into().ok()?);
                    let width = u16::from_be_bytes(after.get(5..7)?.try_into().ok()?);
                    return (height > 0).then_some((width.into(), height.into()));
                }
                rest = after.get(usize::from(length)..)?;
            }
        }
    }
}

/// An error with what lies behind it: the codecs' own words come last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..8 {
        let Some(inner) = source else { break };
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
