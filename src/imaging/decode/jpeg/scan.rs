//! One scan: units of one component's blocks, or of several components' in turn (ISO/IEC 10918-1
//! §A.2, §E.2.3 and the following).

use crate::imaging::decode::jpeg::bits::{Bits, Code};
use crate::imaging::decode::jpeg::blocks::{self, Band};
use crate::imaging::decode::jpeg::cosine::Sample;
use crate::imaging::decode::jpeg::picture::{Component, Picture};
use crate::imaging::decode::jpeg::tables::Tables;

/// One component's part of a scan.
struct Part<'a> {
    component: usize,
    dc: Option<&'a Code>,
    ac: Option<&'a Code>,
    /// The last block's mean.
    direct: i32,
}

struct Reader<'a> {
    bits: Bits<'a>,
    band: Band,
    progressive: bool,
    /// Blocks without more of the band (§G.1.2.2).
    empty: u32,
}

impl Reader<'_> {
    /// Begins anew behind a restart marker (§F.2.1.3.1, §G.1.2.2).
    fn restart(&mut self, number: u8, parts: &mut [Part<'_>]) -> Option<()> {
        self.bits.restart(number)?;
        self.empty = 0;
        for part in parts {
            part.direct = 0;
        }
        Some(())
    }
}

impl<T: Sample> Picture<T> {
    /// Decodes a scan; gives what follows it.
    pub(in crate::imaging::decode::jpeg) fn scan<'a>(
        &mut self,
        tables: &mut Tables,
        body: &[u8],
        data: &'a [u8],
    ) -> Option<&'a [u8]> {
        let (count, body) = body.split_first()?;
        let (selectors, body) = body.split_at_checked(usize::from(*count).checked_mul(2)?)?;
        let [first, last, bits] = *body.first_chunk::<3>()?;
        let band = Band {
            first: first.into(),
            last: last.into(),
            before: bits >> 4,
            low: if self.progressive { bits & 0xF } else { 0 },
        };
        tables.complete();
        let mut parts = Vec::with_capacity(4);
        for [id, selector] in selectors.as_chunks::<2>().0 {
            let component =
                self.components.iter().position(|component| component.told.id == *id)?;
            if parts.iter().any(|part: &Part<'_>| part.component == component) {
                return None;
            }
            parts.push(Part {
                component,
                dc: tables.dc.get(usize::from(selector >> 4)).and_then(Option::as_deref),
                ac: tables.ac.get(usize::from(selector & 0xF)).and_then(Option::as_deref),
                direct: 0,
            });
            self.components.get_mut(component)?.begin(tables, band, self.progressive)?;
        }
        // Only means of several components may come together (§G.1.1.1.1).
        if self.progressive && band.first > 0 && parts.len() != 1 {
            return None;
        }
        let mut reader =
            Reader { bits: Bits::new(data), band, progressive: self.progressive, empty: 0 };
        self.units(tables.interval, &mut reader, &mut parts)?;
        Some(reader.bits.after())
    }

    /// Decodes a scan's units, rows of them from the left. When the data comes to its end in the last
    /// row, and there are others, that is how the picture is: every reader shows it.
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
        let (mut left, mut restarts) = (interval, 0_u8);
        for y in 0..down {
            for x in 0..across {
                let is_due = interval > 0 && left == 0;
                let unit = if is_due { reader.restart(restarts, parts) } else { Some(()) }
                    .and_then(|()| self.unit(reader, parts, alone.is_some(), (x, y)));
                if unit.is_none() {
                    // Less than the longest code with its number; in front of a restart, of a byte.
                    let left = if is_due { 8 } else { 32 };
                    self.short = y > 0 && y + 1 == down && reader.bits.ended(left);
                    return self.short.then_some(());
                }
                if is_due {
                    restarts = (restarts + 1) % 8;
                    left = interval;
                }
                left = left.saturating_sub(1);
            }
        }
        Some(())
    }

    /// Decodes one unit.
    #[inline]
    fn unit(
        &mut self,
        reader: &mut Reader<'_>,
        parts: &mut [Part<'_>],
        alone: bool,
        (x, y): (usize, usize),
    ) -> Option<()> {
        for part in parts {
            let component = self.components.get_mut(part.component)?;
            if alone {
                return component.block(reader, part, (x, y));
            }
            let (wide, high) = (component.told.across, component.told.down);
            for y in y * high..(y + 1) * high {
                for x in x * wide..(x + 1) * wide {
                    component.block(reader, part, (x, y))?;
                }
            }
        }
        Some(())
    }
}

impl<T: Sample> Component<T> {
    /// Decodes one block.
    #[inline]
    fn block(
        &mut self,
        reader: &mut Reader<'_>,
        part: &mut Part<'_>,
        (x, y): (usize, usize),
    ) -> Option<()> {
        let Reader { bits, band, progressive, empty } = reader;
        if !*progressive {
            let mut block = [0; 64];
            let last = blocks::sequential(bits, part.dc?, part.ac?, &mut part.direct, &mut block)?;
            return self.put((x, y), &block, last);
        }
        let block = self.coefficients.get_mut(y * self.across + x)?;
        match (band.first, band.before) {
            (0, 0) => blocks::dc_first(bits, part.dc?, &mut part.direct, band.low, block),
            (0, _) => blocks::dc_more(bits, band.low, block),
            (_, 0) => blocks::ac_first(bits, part.ac?, *band, empty, block),
            _ => blocks::ac_more(bits, part.ac?, *band, empty, block),
        }
    }
}
