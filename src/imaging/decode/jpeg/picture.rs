//! The planes of a picture coded with cosines: baseline, extended (8 and 12 bits) and progressive
//! (ISO/IEC 10918-1 §B.2, §E.2).

use crate::imaging::decode::MAX_FRAME_BYTES;
use crate::imaging::decode::codestream::{Jpeg, marker, segment_body};
use crate::imaging::decode::jpeg::blocks::{Band, Block};
use crate::imaging::decode::jpeg::colors::Plane;
use crate::imaging::decode::jpeg::cosine::{self, Sample};
use crate::imaging::decode::jpeg::tables::{Quantization, Tables, Told, components};
use crate::imaging::error::ImagingError;

/// Bits of a coefficient that may come one by one (ISO/IEC 10918-1 §G.1.1.1.2).
const MAX_LOW: u8 = 13;

/// A picture out of its code stream.
#[derive(Debug)]
pub(in crate::imaging::decode::jpeg) struct Decoded<T> {
    pub planes: Vec<Plane<T>>,
    /// The data came to its end in the last row of blocks, whose rest is at half the range.
    pub short: bool,
}

fn damaged() -> ImagingError {
    ImagingError::damaged("the JPEG is cut short or damaged")
}

/// Decodes a code stream whose header was read already, to `size` samples of each block's eight
/// across and down: 8, 4, 2 or 1.
pub(in crate::imaging::decode::jpeg) fn decode<T: Sample>(
    header: &Jpeg,
    bytes: &[u8],
    size: usize,
) -> Result<Decoded<T>, ImagingError> {
    let mut rest = bytes.get(2..).ok_or_else(damaged)?;
    let mut tables = Tables::default();
    let mut picture: Option<Picture<T>> = None;
    loop {
        // Bytes behind the picture are none of it, and no more is asked of it than that it is whole.
        if let Some(whole) = picture.take_if(|picture| picture.is_whole()) {
            return whole.finish().ok_or_else(damaged);
        }
        let (marker, after) = marker(rest).ok_or_else(damaged)?;
        rest = after;
        match marker {
            // Some encoders put one behind the last unit, where none is due.
            0xD0..=0xD7 | 0x01 => continue,
            // What a progressive picture's scans did not tell is zero.
            0xD9 => {
                let picture = picture.filter(Picture::has_begun).ok_or_else(damaged)?;
                return picture.finish().ok_or_else(damaged);
            }
            _ => {}
        }
        let (body, after) = segment_body(rest).ok_or_else(damaged)?;
        rest = after;
        match (marker, &mut picture) {
            (0xC0..=0xC2, None) => {
                let told = components(header, body).ok_or_else(damaged)?;
                picture = Some(Picture::new(header, marker == 0xC2, &told, size)?);
            }
            (0xC0..=0xC2, Some(_)) | (0xDA, None) => return Err(damaged()),
            (0xDA, Some(picture)) => {
                rest = picture.scan(&mut tables, body, rest).ok_or_else(damaged)?;
            }
            // The header's reader took the rows from there if the frame header had none.
            (0xDC, _) if *body != header.height.to_be_bytes() => return Err(damaged()),
            _ => tables.read(marker, body).ok_or_else(damaged)?,
        }
    }
}

/// A picture whose scans are read.
#[derive(Debug)]
pub(in crate::imaging::decode::jpeg) struct Picture<T> {
    pub components: Vec<Component<T>>,
    /// Coded units across and down when a scan holds several components.
    pub units: (usize, usize),
    pub progressive: bool,
    pub short: bool,
}

/// A component of it.
#[derive(Debug)]
pub(in crate::imaging::decode::jpeg) struct Component<T> {
    pub told: Told,
    plane: Plane<T>,
    /// Samples of a block across and down: 8, or less for a smaller picture.
    size: usize,
    /// Blocks across and down that hold some of the picture.
    pub blocks: (usize, usize),
    /// Blocks from one row of them to the next.
    pub across: usize,
    pub quantization: Option<Quantization>,
    /// Of a progressive picture, until its end.
    pub coefficients: Vec<Block>,
    /// Of each coefficient the bits below those known; `None` for nothing known.
    known: [Option<u8>; 64],
}

impl<T: Sample> Picture<T> {
    fn new(
        header: &Jpeg,
        progressive: bool,
        told: &[Told],
        size: usize,
    ) -> Result<Self, ImagingError> {
        let across = told.iter().map(|told| told.across).max().unwrap_or(1);
        let down = told.iter().map(|told| told.down).max().unwrap_or(1);
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        let units = (width.div_ceil(across * 8), height.div_ceil(down * 8));
        let bytes = memory::<T>(units, told, progressive, size);
        if bytes > MAX_FRAME_BYTES {
            return Err(ImagingError::TooLarge { bytes });
        }
        let component = |told: &Told| {
            // Sizes of §A.1.1.
            let (wide, high) =
                ((width * told.across).div_ceil(across), (height * told.down).div_ceil(down));
            let (small_wide, small_high) = (smaller(width, size), smaller(height, size));
            let padded = (units.0 * told.across, units.1 * told.down);
            let count = padded.0 * padded.1;
            Component {
                told: *told,
                plane: Plane {
                    width: (small_wide * told.across).div_ceil(across),
                    height: (small_high * told.down).div_ceil(down),
                    stride: padded.0 * size,
                    across: (told.across, across),
                    down: (told.down, down),
                    samples: vec![T::clamped(T::CENTER); count * size * size],
                },
                size,
                blocks: (wide.div_ceil(8), high.div_ceil(8)),
                across: padded.0,
                quantization: None,
                coefficients: vec![[0; 64]; if progressive { count } else { 0 }],
                known: [None; 64],
            }
        };
        let components = told.iter().map(component).collect();
        Ok(Self { components, units, progressive, short: false })
    }

    /// Whether each component had a scan.
    fn has_begun(&self) -> bool {
        self.components.iter().all(|component| component.quantization.is_some())
    }

    /// Whether there is no more to tell.
    fn is_whole(&self) -> bool {
        let all_bits = |component: &Component<T>| component.known == [Some(0); 64];
        self.has_begun() && (!self.progressive || self.components.iter().all(all_bits))
    }

    fn finish(mut self) -> Option<Decoded<T>> {
        if self.progressive {
            self.components.iter_mut().try_for_each(Component::transform)?;
        }
        let planes = self.components.into_iter().map(|component| component.plane).collect();
        Some(Decoded { planes, short: self.short })
    }
}

/// Pixels of a side when blocks of eight come out that small.
pub(in crate::imaging::decode::jpeg) fn smaller(side: usize, size: usize) -> usize {
    (side * size).div_ceil(8)
}

/// Bytes that planes and coefficients will take.
fn memory<T>(units: (usize, usize), told: &[Told], progressive: bool, size: usize) -> u64 {
    let block = size * size * size_of::<T>() + if progressive { size_of::<Block>() } else { 0 };
    let in_unit: usize = told.iter().map(|told| told.across * told.down).sum();
    [units.0, units.1, in_unit, block]
        .iter()
        .fold(1_u64, |bytes, factor| bytes.saturating_mul(*factor as u64))
}

impl<T: Sample> Component<T> {
    /// Checks that a scan tells something new. So no stream, however many its scans, makes a block be
    /// walked more than once for each bit of each coefficient.
    pub(in crate::imaging::decode::jpeg) fn begin(
        &mut self,
        tables: &Tables,
        band: Band,
        progressive: bool,
    ) -> Option<()> {
        if self.quantization.is_none() {
            let table = tables.quantizations.get(self.told.quantization)?;
            self.quantization = Some((*table)?);
        } else if !progressive {
            return None;
        }
        if !progressive {
            return Some(());
        }
        let right = match band.first {
            0 => band.last == 0,
            first => first <= band.last && band.last < 64 && self.known.first()?.is_some(),
        };
        if !right || band.low > MAX_LOW {
            return None;
        }
        for known in self.known.get_mut(band.first..=band.last)? {
            let next = match *known {
                None => band.before == 0,
                Some(low) => band.before == low && low.checked_sub(1)? == band.low,
            };
            if !next {
                return None;
            }
            *known = Some(band.low);
        }
        Some(())
    }

    /// Puts the samples of a block at its place. `last` is the last coefficient, in the order they are
    /// coded, that may not be zero.
    #[inline]
    pub(in crate::imaging::decode::jpeg) fn put(
        &mut self,
        (x, y): (usize, usize),
        block: &Block,
        last: usize,
    ) -> Option<()> {
        let quantization = self.quantization.as_ref()?;
        let plane = &mut self.plane;
        match (self.size, last) {
            (8, 0) => {
                let even = cosine::even::<T>(*block.first()?, *quantization.first()?);
                plane.put(x, y, &[[even; 8]; 8])
            }
            (8, 1..cosine::LOW) => plane.put(x, y, &cosine::inverse_low::<T>(block, quantization)),
            (8, _) => plane.put(x, y, &cosine::inverse::<T>(block, quantization)),
            (4, _) => plane.put(x, y, &cosine::inverse_4::<T>(block, quantization)),
            (2, _) => plane.put(x, y, &cosine::inverse_2::<T>(block, quantization)),
            _ => {
                let even = cosine::even::<T>(*block.first()?, *quantization.first()?);
                plane.put(x, y, &[[even]])
            }
        }
    }

    /// Turns the coefficients of all scans to samples.
    fn transform(&mut self) -> Option<()> {
        let coefficients = std::mem::take(&mut self.coefficients);
        for (y, row) in coefficients.chunks_exact(self.across.max(1)).enumerate() {
            for (x, block) in row.iter().enumerate() {
                let is_even = block.iter().skip(1).all(|value| *value == 0);
                self.put((x, y), block, if is_even { 0 } else { 63 })?;
            }
        }
        Some(())
    }
}
