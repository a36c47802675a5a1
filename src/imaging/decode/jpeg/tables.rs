//! Tables and frame header of a code stream (ISO/IEC 10918-1 §B.2.2, §B.2.4).

use crate::imaging::decode::jpeg::bits::Code;
use crate::imaging::decode::jpeg::blocks::ZIGZAG;

/// Huffman tables of one code stream. Real ones have eight for each scan at most; filling one takes
/// time.
const MAX_CODES: usize = 400;

/// What coefficients are multiplied by, in rows.
pub(in crate::imaging::decode::jpeg) type Quantization = [u16; 64];

/// Tables as the segments before a scan leave them.
#[derive(Default)]
pub(in crate::imaging::decode::jpeg) struct Tables {
    pub quantizations: [Option<Quantization>; 4],
    pub dc: [Option<Code>; 4],
    pub ac: [Option<Code>; 4],
    /// Coded units from one restart marker to the next, 0 for none.
    pub interval: u32,
    codes: usize,
}

impl Tables {
    /// Reads a segment if it is of tables.
    pub(in crate::imaging::decode::jpeg) fn read(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        match marker {
            0xDB => self.read_quantizations(body),
            0xC4 => self.read_codes(body),
            0xDD => {
                self.interval = u16::from_be_bytes(*body.first_chunk()?).into();
                Some(())
            }
            _ => Some(()),
        }
    }

    fn read_quantizations(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let wide = kind >> 4 != 0;
            let (entries, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            let mut table = [0; 64];
            for (index, place) in ZIGZAG.iter().enumerate() {
                *table.get_mut(usize::from(*place))? = if wide {
                    u16::from_be_bytes(*entries.get(index * 2..)?.first_chunk()?)
                } else {
                    u16::from(*entries.get(index)?)
                };
            }
            *self.quantizations.get_mut(usize::from(kind & 0xF))? = Some(table);
            body = rest;
        }
        Some(())
    }

    fn read_codes(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let counts = rest.first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.get(16..)?.split_at_checked(total)?;
            let codes = match kind >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *codes.get_mut(usize::from(kind & 0xF))? = Some(Code::new(counts, symbols)?);
            self.codes += 1;
            if self.codes > MAX_CODES {
                return None;
            }
            body = rest;
        }
        Some(())
    }
}

/// A component as the frame header tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::decode::jpeg) struct Told {
    pub id: u8,
    /// Sampling factors across and down, 1 to 4.
    pub across: usize,
    pub down: usize,
    pub quantization: usize,
}

/// The components of a frame header.
pub(in crate::imaging::decode::jpeg) fn components(body: &[u8]) -> Option<Vec<Told>> {
    let count = usize::from(*body.get(5)?);
    let told = body.get(6..)?.as_chunks::<3>().0.iter().take(count).map(|[id, factors, table]| {
        let (across, down) = (usize::from(factors >> 4), usize::from(factors & 0xF));
        let right = (1..=4).contains(&across) && (1..=4).contains(&down);
        right.then_some(Told { id: *id, across, down, quantization: usize::from(*table) })
    });
    let told: Vec<Told> = told.collect::<Option<_>>()?;
    (told.len() == count && count > 0).then_some(told)
}
