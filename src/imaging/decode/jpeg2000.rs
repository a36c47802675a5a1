//! JPEG 2000 and High-Throughput JPEG 2000 (PS3.5 §8.2.4, §8.2.14). Code streams of Part 2 are tried
//! too: those that use nothing the codec does not know decode, of the others it says what it misses.

use jpeg2k::{DecodeParameters, Image, ImageComponent};

use crate::imaging::decode::codestream::{self, Jpeg2000};
use crate::imaging::decode::{
    Detail, Frame, Samples, StoredBits, check_size, check_stream_size, photometric_of,
};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};

/// Decodes one frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
    detail: Detail,
) -> Result<Frame, ImagingError> {
    let header = codestream::jpeg2000(bytes)?;
    let count = header.precisions.len();
    // A code stream that transforms its colours gives red, green and blue, whatever the header says.
    let photometric = match photometric_of(attributes, count)? {
        Photometric::YbrFull if header.transformed => Photometric::Rgb,
        told => told,
    };
    if header.subsampled {
        return Err(ImagingError::Unsupported("JPEG 2000 with smaller components".to_owned()));
    }
    let precision = header.precisions.iter().copied().max().unwrap_or(0);
    if precision > 32 {
        return Err(ImagingError::Unsupported(format!("JPEG 2000 of {precision} bits")));
    }
    check_stream_size(attributes, header.width, header.height)?;
    // The codec keeps every sample as a 32-bit word.
    check_size(header.width, header.height, count as u64, 4)?;
    let halvings = halvings(&header, detail);
    // A code stream that is cut short is an error: half a picture would look like a whole one.
    let parameters = DecodeParameters::new().strict(true).reduce(halvings).ignore_pclr_cmap_cdef();
    let image = Image::from_bytes_with(bytes, parameters).map_err(ImagingError::damaged)?;
    let components = image.components();
    let (width, height) =
        components.first().map_or((0, 0), |first| (first.width(), first.height()));
    let samples = check_size(width, height, count as u64, 1)?;
    let pixels = samples.checked_div(count).unwrap_or(0);
    if components.len() != count || components.iter().any(|one| one.data().len() != pixels) {
        return Err(ImagingError::damaged("the decoder gave another number of samples"));
    }
    let data = match precision {
        0..=8 => Samples::U8(merge(components, samples, |value| value.to_le_bytes()[0])),
        9..=16 => Samples::U16(merge(components, samples, |value| {
            let [low, high, ..] = value.to_le_bytes();
            u16::from_le_bytes([low, high])
        })),
        _ => Samples::U32(merge(components, samples, i32::cast_unsigned)),
    };
    Ok(Frame {
        width,
        height,
        samples_per_pixel: if count == 3 { 3 } else { 1 },
        bits: StoredBits::coded(attributes, precision.into(), &data),
        data,
        photometric,
    })
}

/// How often the picture can be halved and still has the detail asked for.
fn halvings(header: &Jpeg2000, detail: Detail) -> u32 {
    let Detail::AtLeast { width, height } = detail else { return 0 };
    let enough = |halvings: &u32| {
        let halved = |size: u32| size.div_ceil(1_u32 << (*halvings).min(31));
        halved(header.width) >= width && halved(header.height) >= height
    };
    (1..=u32::from(header.levels)).take_while(enough).last().unwrap_or(0)
}

fn merge<T: Copy + Default>(
    components: &[ImageComponent],
    samples: usize,
    word: impl Fn(i32) -> T,
) -> Vec<T> {
    if let [grey] = components {
        return grey.data().iter().map(|value| word(*value)).collect();
    }
    let mut pixels = vec![T::default(); samples];
    for (index, component) in components.iter().enumerate() {
        let targets = pixels.iter_mut().skip(index).step_by(components.len().max(1));
        for (target, value) in targets.zip(component.data()) {
            *target = word(*value);
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::halvings;
    use crate::imaging::decode::Detail;
    use crate::imaging::decode::codestream::Jpeg2000;

    #[test]
    fn a_picture_is_halved_while_it_stays_large_enough() {
        let header = Jpeg2000 {
            width: 2500,
            height: 2048,
            precisions: vec![12],
            signed: false,
            subsampled: false,
            transformed: false,
            levels: 5,
        };
        let asked = |width, height| halvings(&header, Detail::AtLeast { width, height });
        assert_eq!(halvings(&header, Detail::Full), 0);
        assert_eq!(asked(2500, 2048), 0);
        assert_eq!(asked(1250, 1024), 1);
        assert_eq!(asked(192, 158), 3);
        assert_eq!(asked(1, 1), 5, "not more often than it was decomposed");
    }
}
