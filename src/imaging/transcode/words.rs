//! A frame's samples as they are to be kept, and as encoders take them.

use crate::dicom::syntax::is_native;
use crate::imaging::decode::{Detail, Samples, StoredBits, decode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{PixelAttributes, PixelKind};
use crate::imaging::render::StoredFrame;
use crate::imaging::transcode::Form;

/// Words of Bits Allocated each, interleaved by pixel, and what they are.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::imaging::transcode) struct Words {
    pub(in crate::imaging::transcode) width: u16,
    pub(in crate::imaging::transcode) height: u16,
    pub(in crate::imaging::transcode) data: Samples,
    pub(in crate::imaging::transcode) form: Form,
}

/// Samples of at most 16 bits for an encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::imaging::transcode) struct Plane {
    pub(in crate::imaging::transcode) width: u16,
    pub(in crate::imaging::transcode) height: u16,
    /// Samples of a pixel.
    pub(in crate::imaging::transcode) components: u16,
    /// Bits of a sample, 2 to 16; none above them is set.
    pub(in crate::imaging::transcode) precision: u16,
    /// Samples are two's complement of `precision` bits.
    pub(in crate::imaging::transcode) signed: bool,
    pub(in crate::imaging::transcode) samples: Vec<u16>,
}

/// Whether the syntax keeps words as they are, bits beside the value included.
fn keeps_words(transfer_syntax: &str) -> bool {
    // Or encapsulated uncompressed, RLE, Deflated Image Frame.
    is_native(transfer_syntax)
        || matches!(
            transfer_syntax,
            "1.2.840.10008.1.2.1.98" | "1.2.840.10008.1.2.5" | "1.2.840.10008.1.2.8.1"
        )
}

impl Words {
    /// Decodes a frame. A code stream of another size than the header's is refused: what is
    /// re-encoded has the header's.
    pub(in crate::imaging::transcode) fn decode(
        attributes: &PixelAttributes,
        stored: &StoredFrame,
    ) -> Result<Self, ImagingError> {
        let frame = decode(attributes, stored, Detail::Full)?;
        let (width, height) = (attributes.columns, attributes.rows);
        if (frame.width, frame.height) != (width.into(), height.into()) {
            return Err(ImagingError::Damaged(format!(
                "the code stream is {}x{}, the header says {width}x{height}",
                frame.width, frame.height
            )));
        }
        let mut form = Form {
            samples_per_pixel: frame.samples_per_pixel,
            photometric: frame.photometric,
            bits_allocated: attributes.bits_allocated,
            bits_stored: attributes.bits_stored,
            high_bit: attributes.high_bit,
            signed: attributes.signed,
        };
        if attributes.kind != PixelKind::Integer || keeps_words(&stored.transfer_syntax) {
            return Ok(Self { width, height, data: frame.data, form });
        }
        let stored_bits = u16::try_from(frame.bits.stored).unwrap_or(32).max(form.bits_stored);
        form.bits_allocated = match form.bits_allocated.max(stored_bits) {
            0..=8 => 8,
            9..=16 => 16,
            _ => 32,
        };
        form.bits_stored = stored_bits;
        form.high_bit = stored_bits.saturating_sub(1);
        let data = widen(frame.data, frame.bits, form.bits_allocated);
        Ok(Self { width, height, data, form })
    }

    /// The samples as encoders of up to 16 bits take them, and the words they will come back as.
    /// Signed samples whose words do not repeat the sign above it come back with it: the same
    /// values. Words with other bits beside the value are kept whole.
    pub(in crate::imaging::transcode) fn into_plane(self) -> Result<(Plane, Self), ImagingError> {
        let Self { width, height, data, mut form } = self;
        if form.high_bit.saturating_add(1) != form.bits_stored {
            let reason = "samples whose High Bit is not Bits Stored less one";
            return Err(ImagingError::unsupported(reason));
        }
        let samples: Vec<u16> = match data {
            Samples::U8(_) if form.bits_allocated == 1 => {
                return Err(ImagingError::unsupported("samples of single bits, compressed"));
            }
            Samples::U8(words) => words.into_iter().map(u16::from).collect(),
            Samples::U16(words) => words,
            Samples::U32(_) | Samples::F32(_) | Samples::F64(_) => {
                return Err(ImagingError::unsupported("samples of more than 16 bits, compressed"));
            }
        };
        let allocated = if form.bits_allocated > 8 { 16 } else { 8 };
        form.bits_allocated = allocated;
        let fits = fits(&samples, form.bits_stored, form.signed, allocated);
        let precision = if fits { form.bits_stored.max(2) } else { allocated };
        let mask = u16::MAX >> 16_u16.saturating_sub(precision);
        let samples: Vec<u16> = samples.into_iter().map(|word| word & mask).collect();
        let back = samples.iter().map(|word| extend(*word, precision, form.signed));
        let data = if allocated == 8 {
            Samples::U8(back.map(|word| word.to_le_bytes()[0]).collect())
        } else {
            Samples::U16(back.collect())
        };
        let (components, signed) = (form.samples_per_pixel, form.signed);
        let plane = Plane { width, height, components, precision, signed, samples };
        Ok((plane, Self { width, height, data, form }))
    }
}

/// Whether all words hold nothing but values of so many bits.
fn fits(samples: &[u16], bits: u16, signed: bool, allocated: u16) -> bool {
    if bits >= 16 {
        return true;
    }
    let clear = samples.iter().all(|word| word >> bits == 0);
    let all = u16::MAX >> 16_u16.saturating_sub(allocated);
    clear || signed && samples.iter().all(|word| extend(*word, bits, true) & all == *word)
}

/// A sample of so many bits, its sign repeated above it.
pub(in crate::imaging::transcode) fn extend(word: u16, bits: u16, signed: bool) -> u16 {
    let spare = u32::from(16_u16.saturating_sub(bits).min(15));
    if signed { (word.cast_signed() << spare >> spare).cast_unsigned() } else { word }
}

/// Samples out of a code stream as words of so many bits, signs repeated.
fn widen(data: Samples, bits: StoredBits, allocated: u16) -> Samples {
    let value = |word: u32| bits.value(word).to_le_bytes();
    let all = |data: Samples| -> Vec<u32> {
        match data {
            Samples::U8(words) => words.into_iter().map(u32::from).collect(),
            Samples::U16(words) => words.into_iter().map(u32::from).collect(),
            Samples::U32(words) => words,
            Samples::F32(_) | Samples::F64(_) => Vec::new(),
        }
    };
    match (allocated, data) {
        (8, Samples::U8(words)) if !bits.signed => Samples::U8(words),
        (16, Samples::U16(words)) if !bits.signed => Samples::U16(words),
        (16, Samples::U8(words)) if !bits.signed => {
            Samples::U16(words.into_iter().map(u16::from).collect())
        }
        (8, data) => Samples::U8(all(data).into_iter().map(|word| value(word)[0]).collect()),
        (16, data) => {
            let low = |word: u32| {
                let [low, high, ..] = value(word);
                u16::from_le_bytes([low, high])
            };
            Samples::U16(all(data).into_iter().map(low).collect())
        }
        (_, data) => {
            let low = |word: u32| {
                let [a, b, c, d, ..] = value(word);
                u32::from_le_bytes([a, b, c, d])
            };
            Samples::U32(all(data).into_iter().map(low).collect())
        }
    }
}
