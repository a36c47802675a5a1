//! Where header and code stream say different things of a frame.
//!
//! What is decoded is what the code stream holds (PS3.5 §8.2.1, §8.2.4: it is self-contained); the
//! one exception is the sign, which encoders get wrong. Nothing is put right silently: decoding
//! counts each disagreement and logs it, and whoever writes a new header can ask for them.

use crate::imaging::decode::codestream;
use crate::imaging::decode::{decoder_of, family};
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::render::StoredFrame;

/// Header and code stream differ in this; the header's word first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// The code stream is none of the transfer syntax, but one that can be told.
    Codec,
    /// Columns and Rows.
    Size((u32, u32), (u32, u32)),
    /// Samples per Pixel.
    Samples(usize, usize),
    /// Bits Stored.
    Precision(u32, u32),
    /// Pixel Representation is 1 (two's complement). The header's counts.
    Sign(bool, bool),
}

impl Disagreement {
    /// What it is about, for a metric.
    pub fn what(self) -> &'static str {
        match self {
            Self::Codec => "codec",
            Self::Size(..) => "size",
            Self::Samples(..) => "samples",
            Self::Precision(..) => "precision",
            Self::Sign(..) => "sign",
        }
    }
}

/// In what header and code stream disagree. Of JPEG XL only the codec is asked; native and RLE
/// frames have nothing to say.
pub fn disagreements(attributes: &PixelAttributes, frame: &StoredFrame) -> Vec<Disagreement> {
    let mut found = Vec::new();
    if decoder_of(frame) != family(&frame.transfer_syntax) {
        found.push(Disagreement::Codec);
    }
    let is_coded = frame.transfer_syntax.starts_with("1.2.840.10008.1.2.4.");
    let told = is_coded.then(|| codestream::told(&frame.bytes)).flatten();
    let Some(told) = told else { return found };
    let header_size = (attributes.columns.into(), attributes.rows.into());
    let header_samples = usize::from(attributes.samples_per_pixel);
    let header_bits = u32::from(attributes.bits_stored);
    if header_size != (told.width, told.height) {
        found.push(Disagreement::Size(header_size, (told.width, told.height)));
    }
    if header_samples != told.components {
        found.push(Disagreement::Samples(header_samples, told.components));
    }
    if header_bits != told.precision {
        found.push(Disagreement::Precision(header_bits, told.precision));
    }
    if let Some(signed) = told.signed.filter(|signed| *signed != attributes.signed) {
        found.push(Disagreement::Sign(attributes.signed, signed));
    }
    found
}

/// Counts and logs what [`disagreements`] finds.
pub(in crate::imaging::decode) fn note(attributes: &PixelAttributes, frame: &StoredFrame) {
    for found in disagreements(attributes, frame) {
        metrics::counter!("lastra_imaging_disagreements_total", "what" => found.what())
            .increment(1);
        tracing::debug!(frame = frame.index, ?found, "header and code stream disagree");
    }
}

/// Counts and logs a picture whose data came to its end in the last row of blocks: what is missing of
/// that row is drawn in the middle grey.
pub(in crate::imaging::decode) fn note_short() {
    metrics::counter!("lastra_imaging_disagreements_total", "what" => "end").increment(1);
    tracing::warn!("a JPEG ends within its last row of blocks, the rest of which is drawn grey");
}

#[cfg(test)]
mod tests {
    use super::{Disagreement, disagreements};
    use crate::imaging::pixels::PixelAttributes;
    use crate::imaging::render::StoredFrame;

    /// The beginning of a JPEG-LS code stream of 5 by 3 pixels, 12 bits, one component.
    const STREAM: [u8; 23] = [
        0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 12, 0, 3, 0, 5, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 6, 1, 0, 0, 0,
    ];

    fn found(attributes: &PixelAttributes, syntax: &str, bytes: &[u8]) -> Vec<Disagreement> {
        let transfer_syntax = format!("1.2.840.10008.1.2.4.{syntax}");
        let bytes = bytes.to_vec().into();
        disagreements(attributes, &StoredFrame { transfer_syntax, bytes, index: 0 })
    }

    #[test]
    fn every_difference_is_told_and_agreement_is_silent() {
        let header = PixelAttributes {
            rows: 3,
            columns: 5,
            samples_per_pixel: 1,
            bits_stored: 12,
            ..PixelAttributes::default()
        };
        assert_eq!(found(&header, "80", &STREAM), []);
        assert_eq!(found(&header, "70", &STREAM), [Disagreement::Codec]);
        let other = PixelAttributes { rows: 4, samples_per_pixel: 3, bits_stored: 16, ..header };
        let expected = [
            Disagreement::Size((5, 4), (5, 3)),
            Disagreement::Samples(3, 1),
            Disagreement::Precision(16, 12),
        ];
        assert_eq!(found(&other, "80", &STREAM), expected);
        assert_eq!(found(&other, "80", &STREAM[..9]), [], "damage is not disagreement");
    }
}
