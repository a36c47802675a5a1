//! Colour frames: palettes, luminance and chrominance, red, green and blue (PS3.3 §C.7.6.3.1.2).

use crate::imaging::decode::{Frame, Samples, StoredBits};
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Palette, Photometric, PixelAttributes};
use crate::imaging::render::grey::rounded;
use crate::imaging::render::scale::{Size, shrink};

/// Draws a colour frame.
pub(in crate::imaging::render) fn draw(
    attributes: &PixelAttributes,
    frame: &Frame,
    size: Size,
) -> Result<Raster, ImagingError> {
    let pixels = match (frame.samples_per_pixel, &frame.photometric) {
        (1, Photometric::PaletteColor) => by_palette(attributes, frame)?,
        (3, Photometric::Rgb) => octets(frame)?,
        (3, Photometric::YbrFull | Photometric::YbrFull422) => {
            let mut pixels = octets(frame)?;
            convert(&mut pixels, full_range);
            pixels
        }
        (3, Photometric::YbrPartial422) => {
            let mut pixels = octets(frame)?;
            convert(&mut pixels, studio_range);
            pixels
        }
        (samples, photometric) => {
            return Err(ImagingError::Unsupported(format!(
                "colours {photometric:?} in {samples} samples"
            )));
        }
    };
    Ok(fitted(pixels, frame, size))
}

/// A grey picture with colours where stored values reach those of the supplemental palette
/// (PS3.3 §C.7.6.19).
pub(in crate::imaging::render) fn supplement(
    attributes: &PixelAttributes,
    frame: &Frame,
    grey: &Raster,
    size: Size,
) -> Result<Raster, ImagingError> {
    let mut pixels = by_palette(attributes, frame)?;
    let first = match &attributes.palette {
        Palette::Read(tables) => tables.each_ref().map(|table| table.first).into_iter().min(),
        Palette::Absent | Palette::Unusable => None,
    };
    let is_grey = |word: u32| first.is_none_or(|first| frame.bits.value(word) < first);
    let words: Vec<bool> = match &frame.data {
        Samples::U8(words) => words.iter().map(|word| is_grey((*word).into())).collect(),
        Samples::U16(words) => words.iter().map(|word| is_grey((*word).into())).collect(),
        _ => Vec::new(),
    };
    let (colors, _) = pixels.as_chunks_mut::<3>();
    for ((color, level), is_grey) in colors.iter_mut().zip(&grey.data).zip(words) {
        if is_grey {
            *color = [*level; 3];
        }
    }
    Ok(fitted(pixels, frame, size))
}

/// Red, green and blue of a whole frame, averaged down to the picture's size.
fn fitted(pixels: Vec<u8>, frame: &Frame, size: Size) -> Raster {
    let full = (frame.width, frame.height);
    let data = if size == full {
        pixels
    } else {
        shrink(&pixels, full, size, 3, f32::from).into_iter().map(rounded).collect()
    };
    Raster { width: size.0, height: size.1, channels: 3, data }
}

fn by_palette(attributes: &PixelAttributes, frame: &Frame) -> Result<Vec<u8>, ImagingError> {
    let tables = match &attributes.palette {
        Palette::Read(tables) => tables,
        Palette::Absent => return Err(ImagingError::damaged("the object has no palette")),
        Palette::Unusable => {
            return Err(ImagingError::unsupported("its palette is too long or damaged"));
        }
    };
    let bits = frame.bits;
    // One table of pixels, of every value a word can hold.
    let colors: Vec<[u8; 3]> = (0..=bits.mask().min(0xFFFF))
        .map(|value| {
            let value = StoredBits { shift: 0, ..bits }.value(value);
            tables.each_ref().map(|table| {
                let entry = u32::from(table.entry(value));
                octet(entry, table.bits.into())
            })
        })
        .collect();
    let color = |word: u32| {
        let value = usize::try_from(word >> bits.shift & bits.mask()).unwrap_or(usize::MAX);
        colors.get(value).copied().unwrap_or_default()
    };
    match &frame.data {
        Samples::U8(words) => Ok(words.iter().flat_map(|word| color((*word).into())).collect()),
        Samples::U16(words) => Ok(words.iter().flat_map(|word| color((*word).into())).collect()),
        _ => Err(ImagingError::unsupported("a palette of more than 16 bits")),
    }
}

/// Samples as 8 bits.
fn octets(frame: &Frame) -> Result<Vec<u8>, ImagingError> {
    let bits = frame.bits;
    if bits.signed && bits.stored > 1 {
        return Err(ImagingError::unsupported("colours with a sign"));
    }
    let part = |word: u32| octet(word >> bits.shift & bits.mask(), bits.stored);
    match &frame.data {
        Samples::U8(words) if bits.stored == 8 => Ok(words.clone()),
        Samples::U8(words) => Ok(words.iter().map(|word| part((*word).into())).collect()),
        Samples::U16(words) => Ok(words.iter().map(|word| part((*word).into())).collect()),
        Samples::U32(words) => Ok(words.iter().map(|word| part(*word)).collect()),
        Samples::F32(_) | Samples::F64(_) => {
            Err(ImagingError::unsupported("colours of floating point"))
        }
    }
}

/// A value of so many bits as one of 8.
fn octet(value: u32, bits: u32) -> u8 {
    let value = if bits >= 8 {
        value >> (bits - 8).min(31)
    } else {
        let largest = (1_u32 << bits).saturating_sub(1).max(1);
        value.saturating_mul(255).saturating_add(largest / 2) / largest
    };
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn convert(pixels: &mut [u8], formula: fn([i32; 3]) -> [i32; 3]) {
    let (pixels, _) = pixels.as_chunks_mut::<3>();
    for pixel in pixels {
        let color = formula(pixel.map(i32::from));
        *pixel = color.map(|value| {
            let value = (value + HALF) >> FRACTION;
            u8::try_from(value.clamp(0, 255)).unwrap_or(0)
        });
    }
}

/// Fixed point: this many bits are the fraction.
const FRACTION: i32 = 16;
const HALF: i32 = 1 << (FRACTION - 1);

/// `YBR_FULL` (ITU-R BT.601, all 256 levels), times 2 to the power of [`FRACTION`].
fn full_range([luminance, blue, red]: [i32; 3]) -> [i32; 3] {
    let (luminance, blue, red) = (luminance << FRACTION, blue - 128, red - 128);
    [luminance + 91_881 * red, luminance - 22_554 * blue - 46_802 * red, luminance + 116_130 * blue]
}

/// `YBR_PARTIAL_422` (luminance of 16 to 235, chrominance of 16 to 240), times 2 to the power of
/// [`FRACTION`].
fn studio_range([luminance, blue, red]: [i32; 3]) -> [i32; 3] {
    let (luminance, blue, red) = ((luminance - 16) * 76_309, blue - 128, red - 128);
    [
        luminance + 104_597 * red,
        luminance - 25_675 * blue - 53_279 * red,
        luminance + 132_201 * blue,
    ]
}
