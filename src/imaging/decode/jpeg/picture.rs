//! The planes of a picture coded with cosines: baseline, extended (8 and 12 bits) and progressive,
//! scan by scan.

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::jpeg::bits::{Bits, Code};
use crate::imaging::decode::jpeg::blocks::{self, Band, Block};
use crate::imaging::decode::jpeg::colors::Plane;
use crate::imaging::decode::jpeg::cosine::{Sample, inverse};
use crate::imaging::decode::jpeg::tables::{Quantization, Tables, Told, components};
use crate::imaging::error::ImagingError;

/// Bits of a coefficient that may come one by one (ISO/IEC 10918-1 §G.1.1.1.2).
const MAX_LOW: u8 = 13;

fn damaged() -> ImagingError {
    ImagingError::damaged("the JPEG is cut short or damaged")
}

/// Decodes a code stream whose header was read already.
pub(in crate::imaging::decode::jpeg) fn decode<T: Sample>(
    header: &Jpeg,
    bytes: &[u8],
) -> Result<Vec<Plane<T>>, ImagingError> {
    let mut rest = bytes.get(2..).ok_or_else(damaged)?;
    let mut tables = Tables::default();
    let mut picture: Option<Picture<T>> = None;
    loop {
        if let Some(whole) = picture.take_if(|picture| picture.ends(rest)) {
            return whole.finish().ok_or_else(damaged);
        }
        let (marker, body, after) = codestream::segment(rest).ok_or_else(damaged)?;
        rest = after;
        match (marker, &mut picture) {
            (0xC0..=0xC2, None) => {
                let told = components(body).ok_or_else(damaged)?;
                picture = Some(Picture::new(header, marker == 0xC2, &told)?);
            }
            (0xC0..=0xC2, Some(_)) | (0xDA, None) => return Err(damaged()),
            (0xDA, Some(picture)) => {
                rest = picture.scan(&tables, body, rest).ok_or_else(damaged)?;
            }
            _ => tables.read(marker, body).ok_or_else(damaged)?,
        }
    }
}

struct Picture<T> {
    components: Vec<Component<T>>,
    /// Coded units across and down when a scan holds several components.
    units: (usize, usize),
    progressive: bool,
}

struct Component<T> {
    told: Told,
    plane: Plane<T>,
    /// Blocks across and down that hold some of the picture.
    blocks: (usize, usize),
    quantization: Option<Quantization>,
    /// Of a progressive picture, until its end.
    coefficients: Vec<Block>,
    /// Of each coefficient the bits below those known; `None` for nothing known.
    known: [Option<u8>; 64],
}

/// One component's part of a scan.
struct Part<'a> {
    component: usize,
    dc: Option<&'a Code>,
    ac: Option<&'a Code>,
    /// The last block's mean.
    direct: i32,
}

impl<T: Sample> Picture<T> {
    fn new(header: &Jpeg, progressive: bool, told: &[Told]) -> Result<Self, ImagingError> {
        let across = told.iter().map(|told| told.across).max().unwrap_or(1);
        let down = told.iter().map(|told| told.down).max().unwrap_or(1);
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        let units = (width.div_ceil(across * 8), height.div_ceil(down * 8));
        let component = |told: &Told| {
            if across % told.across != 0 || down % told.down != 0 {
                return Err(ImagingError::Unsupported(format!(
                    "JPEG components of {} by {} samples where others have {across} by {down}",
                    told.across, told.down
                )));
            }
            let (wide, high) =
                ((width * told.across).div_ceil(across), (height * told.down).div_ceil(down));
            let padded = (units.0 * told.across, units.1 * told.down);
            let count = padded.0 * padded.1;
            Ok(Component {
                told: *told,
                plane: Plane {
                    width: wide,
                    height: high,
                    stride: padded.0 * 8,
                    spread: (across / told.across, down / told.down),
                    samples: vec![T::default(); count * 64],
                },
                blocks: (wide.div_ceil(8), high.div_ceil(8)),
                quantization: None,
                coefficients: vec![[0; 64]; if progressive { count } else { 0 }],
                known: [None; 64],
            })
        };
        let components = told.iter().map(component).collect::<Result<_, _>>()?;
        Ok(Self { components, units, progressive })
    }

    /// Whether all is there: a sequential picture when each component had its scan, a progressive one
    /// at its end marker.
    fn ends(&self, rest: &[u8]) -> bool {
        let begun = self.components.iter().all(|component| component.quantization.is_some());
        begun && (!self.progressive || rest.starts_with(&[0xFF, 0xD9]))
    }

    /// Decodes a scan; gives what follows it.
    fn scan<'a>(&mut self, tables: &Tables, body: &[u8], data: &'a [u8]) -> Option<&'a [u8]> {
        let (count, body) = body.split_first()?;
        let (selectors, body) = body.split_at_checked(usize::from(*count).checked_mul(2)?)?;
        let [first, last, bits] = *body.first_chunk::<3>()?;
        let band = Band {
            first: first.into(),
            last: last.into(),
            before: bits >> 4,
            low: if self.progressive { bits & 0xF } else { 0 },
        };
        let mut parts = Vec::with_capacity(4);
        for [id, selector] in selectors.as_chunks::<2>().0 {
            let component =
                self.components.iter().position(|component| component.told.id == *id)?;
            if parts.iter().any(|part: &Part<'_>| part.component == component) {
                return None;
            }
            parts.push(Part {
                component,
                dc: tables.dc.get(usize::from(selector >> 4)).and_then(Option::as_ref),
                ac: tables.ac.get(usize::from(selector & 0xF)).and_then(Option::as_ref),
                direct: 0,
            });
            self.components.get_mut(component)?.begin(tables, band, self.progressive)?;
        }
        if self.progressive && band.first > 0 && parts.len() != 1 {
            return None;
        }
        let mut reader =
            Reader { bits: Bits::new(data), band, progressive: self.progressive, empty: 0 };
        self.units(tables.interval, &mut reader, &mut parts)?;
        Some(reader.bits.after())
    }

    /// Decodes a scan's units, rows of them from the left.
    fn units(
        &mut self,
        interval: u32,
        reader: &mut Reader<'_>,
        parts: &mut [Part<'_>],
    ) -> Option<()> {
        let alone = match &*parts {
            [] => return None,
            [part] => Some(self.components.get(part.component)?.blocks),
            _ => None,
        };
        let (across, down) = alone.unwrap_or(self.units);
        let mut left = interval;
        for y in 0..down {
            for x in 0..across {
                if interval > 0 && left == 0 {
                    reader.bits.restart()?;
                    reader.empty = 0;
                    parts.iter_mut().for_each(|part| part.direct = 0);
                    left = interval;
                }
                left = left.saturating_sub(1);
                for part in &mut *parts {
                    let component = self.components.get_mut(part.component)?;
                    if alone.is_some() {
                        component.block(reader, part, x, y)?;
                        continue;
                    }
                    let (wide, high) = (component.told.across, component.told.down);
                    for y in y * high..(y + 1) * high {
                        for x in x * wide..(x + 1) * wide {
                            component.block(reader, part, x, y)?;
                        }
                    }
                }
            }
        }
        Some(())
    }

    fn finish(mut self) -> Option<Vec<Plane<T>>> {
        if self.progressive {
            self.components.iter_mut().try_for_each(Component::transform)?;
        }
        Some(self.components.into_iter().map(|component| component.plane).collect())
    }
}

struct Reader<'a> {
    bits: Bits<'a>,
    band: Band,
    progressive: bool,
    /// Blocks without more of the band (§G.1.2.2).
    empty: u32,
}

impl<T: Sample> Component<T> {
    /// Checks that a scan tells something new. So no stream, however many its scans, makes a block be
    /// walked more than once for each bit of each coefficient.
    fn begin(&mut self, tables: &Tables, band: Band, progressive: bool) -> Option<()> {
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

    /// Decodes one block.
    #[inline]
    fn block(
        &mut self,
        reader: &mut Reader<'_>,
        part: &mut Part<'_>,
        x: usize,
        y: usize,
    ) -> Option<()> {
        let Reader { bits, band, progressive, empty } = reader;
        if !*progressive {
            let mut block = [0; 64];
            blocks::sequential(bits, part.dc?, part.ac?, &mut part.direct, &mut block)?;
            let samples = inverse::<T>(&block, self.quantization.as_ref()?);
            return self.plane.put(x, y, &samples);
        }
        let block = self.coefficients.get_mut(y * (self.plane.stride / 8) + x)?;
        match (band.first, band.before) {
            (0, 0) => blocks::dc_first(bits, part.dc?, &mut part.direct, band.low, block),
            (0, _) => blocks::dc_more(bits, band.low, block),
            (_, 0) => blocks::ac_first(bits, part.ac?, *band, empty, block),
            _ => blocks::ac_more(bits, part.ac?, *band, empty, block),
        }
    }

    /// Turns the coefficients of all scans to samples.
    fn transform(&mut self) -> Option<()> {
        let quantization = self.quantization.as_ref()?;
        let across = self.plane.stride / 8;
        for (y, row) in self.coefficients.chunks_exact(across.max(1)).enumerate() {
            for (x, block) in row.iter().enumerate() {
                self.plane.put(x, y, &inverse::<T>(block, quantization))?;
            }
        }
        Some(())
    }
}
