//! Re-encoding one frame without loss.
//!
//! Samples in, bytes out. Whatever is encoded is decoded again and compared before anybody sees it:
//! an encoder's fault is an error, never a picture. What may be lost was lost before: a frame that
//! came with loss keeps exactly the samples it decodes to.

mod bits;
mod huffman;
mod jpeg;
mod jpeg2000;
mod jpegls;
mod native;
mod rle;
#[cfg(test)]
mod tests;
mod words;

use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::imaging::decode::cost;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};
use crate::imaging::render::StoredFrame;
use jpeg2000::Blocks;
use words::Words;

/// A transfer syntax frames can be given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// Explicit VR Little Endian: samples as they are (PS3.5 §A.2).
    Native,
    /// RLE Lossless (PS3.5 §A.4.2).
    Rle,
    /// JPEG lossless, first-order prediction (PS3.5 §A.4.1).
    JpegLossless,
    /// JPEG lossless, any prediction: the same streams under the older name.
    JpegLosslessAny,
    /// JPEG-LS lossless (PS3.5 §A.4.3).
    JpegLs,
    /// JPEG 2000, lossless (PS3.5 §A.4.4).
    Jpeg2000,
    /// High-Throughput JPEG 2000, lossless (PS3.5 §8.2.14).
    Htj2k,
    /// High-Throughput JPEG 2000, lossless, lower resolutions first.
    Htj2kProgressive,
}

/// Image Pixel attributes of a re-encoded frame (PS3.3 §C.7.6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: u16,
    /// Photometric Interpretation (0028,0004).
    pub photometric: Photometric,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Bits Stored (0028,0101).
    pub bits_stored: u16,
    /// High Bit (0028,0102).
    pub high_bit: u16,
    /// Pixel Representation (0028,0103) is 1.
    pub signed: bool,
}

/// A frame, re-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcoded {
    /// Its bytes, unpadded; samples of a pixel lie together (Planar Configuration 0).
    pub bytes: Vec<u8>,
    /// What they are.
    pub form: Form,
}

impl Target {
    /// Every target, the cheapest to decode first.
    pub const ALL: [Self; 8] = [
        Self::Native,
        Self::JpegLossless,
        Self::JpegLosslessAny,
        Self::JpegLs,
        Self::Jpeg2000,
        Self::Htj2k,
        Self::Htj2kProgressive,
        Self::Rle,
    ];

    /// The target that transfer syntax `uid` names.
    pub fn of(uid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.uid() == uid)
    }

    /// Its transfer syntax.
    pub fn uid(self) -> &'static str {
        match self {
            Self::Native => EXPLICIT_LITTLE,
            Self::Rle => "1.2.840.10008.1.2.5",
            Self::JpegLosslessAny => "1.2.840.10008.1.2.4.57",
            Self::JpegLossless => "1.2.840.10008.1.2.4.70",
            Self::JpegLs => "1.2.840.10008.1.2.4.80",
            Self::Jpeg2000 => "1.2.840.10008.1.2.4.90",
            Self::Htj2k => "1.2.840.10008.1.2.4.201",
            Self::Htj2kProgressive => "1.2.840.10008.1.2.4.202",
        }
    }

    /// Whether frames are encapsulated (PS3.5 §A.4).
    pub fn is_encapsulated(self) -> bool {
        self != Self::Native
    }
}

/// Memory that re-encoding a frame may take: decoding it, its samples once more as the encoder's
/// words, what is encoded, and decoding that again.
pub fn transcoding_cost(attributes: &PixelAttributes, frame: &StoredFrame) -> u64 {
    cost(attributes, frame).saturating_mul(3)
}

/// Re-encodes one frame. `Unsupported` when the target cannot hold such samples.
pub fn transcode(
    attributes: &PixelAttributes,
    frame: &StoredFrame,
    target: Target,
) -> Result<Transcoded, ImagingError> {
    let words = Words::decode(attributes, frame)?;
    let mut form = words.form.clone();
    let (bytes, expected) = match target {
        Target::Native => return Ok(Transcoded { bytes: native::encode(&words), form }),
        Target::Rle => (rle::encode(&words)?, words),
        Target::JpegLossless | Target::JpegLosslessAny => {
            let (plane, kept) = words.into_plane()?;
            (jpeg::encode(&plane)?, kept)
        }
        Target::JpegLs => {
            let (plane, kept) = words.into_plane()?;
            (jpegls::encode(&plane)?, kept)
        }
        Target::Jpeg2000 | Target::Htj2k | Target::Htj2kProgressive => {
            let (plane, kept) = words.into_plane()?;
            // Colours are transformed, and called so (PS3.5 §8.2.4).
            let transform = kept.form.photometric == Photometric::Rgb;
            if transform {
                form.photometric = Photometric::YbrRct;
            }
            let blocks = match target {
                Target::Jpeg2000 => Blocks::Arithmetic,
                _ => Blocks::HighThroughput,
            };
            (jpeg2000::encode(&plane, transform, blocks)?, kept)
        }
    };
    let coded = Transcoded { bytes, form };
    prove(&expected, &coded, target)?;
    Ok(coded)
}

/// Decodes what was encoded and compares.
fn prove(expected: &Words, coded: &Transcoded, target: Target) -> Result<(), ImagingError> {
    let attributes = coded.form.attributes(expected.width, expected.height);
    let frame = StoredFrame {
        transfer_syntax: target.uid().to_owned(),
        bytes: coded.bytes.clone().into(),
        index: 0,
    };
    let unproven = |words: String| {
        ImagingError::Unsupported(format!("{} would change samples: {words}", target.uid()))
    };
    let again = Words::decode(&attributes, &frame).map_err(|error| unproven(error.to_string()))?;
    if again.data == expected.data && again.form.photometric == expected.form.photometric {
        return Ok(());
    }
    Err(unproven("they do not come back as they were".to_owned()))
}

impl Form {
    /// Attributes of a frame of this form alone.
    fn attributes(&self, width: u16, height: u16) -> PixelAttributes {
        PixelAttributes {
            rows: height,
            columns: width,
            samples_per_pixel: self.samples_per_pixel,
            bits_allocated: self.bits_allocated,
            bits_stored: self.bits_stored,
            high_bit: self.high_bit,
            signed: self.signed,
            photometric: self.photometric.clone(),
            frames: 1,
            ..PixelAttributes::default()
        }
    }
}
