//! Tables and frame header of a code stream (ISO/IEC 10918-1 §B.2.2, §B.2.4).

use crate::imaging::decode::codestream::Jpeg;
use crate::imaging::decode::jpeg::bits::{Class, Code};
use crate::imaging::decode::jpeg::blocks::ZIGZAG;
use crate::imaging::decode::jpeg::standard;

/// Huffman tables of one code stream. Real ones have eight for each scan at most; filling one takes
/// time.
const MAX_CODES: usize = 400;

/// What coefficients are multiplied by, in rows.
pub(in crate::imaging::decode::jpeg) type Quantization = [u16; 64];

/// Tables as the segments before a scan leave them.
#[derive(Debug, Default)]
pub(in crate::imaging::decode::jpeg) struct Tables {
    pub quantizations: [Option<Quantization>; 4],
    pub dc: [Option<Box<Code>>; 4],
    pub ac: [Option<Box<Code>>; 4],
    /// Coded units from one restart marker to the next, 0 for none.
    pub interval: u32,
    codes: usize,
    /// Of Motion JPEG, which leaves the standard's tables out.
    motion: bool,
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
            0xE0 => {
                self.motion |= standard::is_motion(body);
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Puts in what may be left out before a scan.
    pub(in crate::imaging::decode::jpeg) fn complete(&mut self) {
        if !self.motion {
            return;
        }
        for (chrominance, (dc, ac)) in
            [false, true].into_iter().zip(self.dc.iter_mut().zip(&mut self.ac))
        {
            if dc.is_none() {
                *dc = standard::dc(chrominance).map(Box::new);
            }
            if ac.is_none() {
                *ac = standard::ac(chrominance).map(Box::new);
            }
        }
    }

    fn read_quantizations(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let wide = match kind >> 4 {
                0 => false,
                1 => true,
                _ => return None,
            };
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
            let (class, codes) = match kind >> 4 {
                0 => (Class::Differences, &mut self.dc),
                1 => (Class::Runs, &mut self.ac),
                _ => return None,
            };
            let code = Code::new(class, counts, symbols)?;
            *codes.get_mut(usize::from(kind & 0xF))? = Some(Box::new(code));
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

/// The components of a frame header, if they are those memory was admitted for.
pub(in crate::imaging::decode::jpeg) fn components(
    header: &Jpeg,
    body: &[u8],
) -> Option<Vec<Told>> {
    let count = usize::from(*body.get(5)?);
    let told = body.get(6..)?.as_chunks::<3>().0.iter().take(count).map(|[id, factors, table]| {
        let (across, down) = (usize::from(factors >> 4), usize::from(factors & 0xF));
        let right = (1..=4).contains(&across) && (1..=4).contains(&down);
        right.then_some(Told { id: *id, across, down, quantization: usize::from(*table) })
    });
    let mut told: Vec<Told> = told.collect::<Option<_>>()?;
    // Alone its factors say nothing (§A.2.2).
    if let [only] = told.as_mut_slice() {
        (only.across, only.down) = (1, 1);
    }
    let ids = told.iter().map(|one| one.id);
    (told.len() == count && count > 0 && ids.eq(header.components.iter().copied())).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::{Jpeg, Tables, Told, components};

    #[test]
    fn quantization_comes_in_bytes_or_words_and_in_the_order_of_the_codes() {
        let mut tables = Tables::default();
        let bytes: Vec<u8> = std::iter::once(2).chain(1..=64).collect();
        let words = (0..64_u16).flat_map(|entry| (300 + entry).to_be_bytes());
        let words: Vec<u8> = std::iter::once(0x13).chain(words).collect();
        assert_eq!(tables.read(0xDB, &[bytes.clone(), words].concat()), Some(()));
        let told = tables.quantizations;
        assert_eq!(told[2].unwrap()[..3], [1, 2, 6]);
        assert_eq!(told[2].unwrap()[8], 3);
        assert_eq!((told[3].unwrap()[0], told[3].unwrap()[63]), (300, 363));
        for bad in [&[0x20][..], &[4], &bytes[..60]] {
            let padded = [bad, &[1; 128]].concat();
            let body = if bad.len() == 60 { bad } else { &padded };
            assert_eq!(tables.read(0xDB, body), None);
        }
    }

    #[test]
    fn tables_left_out_are_the_standards_in_motion_jpeg_only() {
        let mut tables = Tables::default();
        tables.complete();
        assert!(tables.dc[0].is_none());
        assert_eq!(tables.read(0xE0, b"AVI1\0\0\0\0"), Some(()));
        tables.complete();
        assert!(tables.dc[1].is_some() && tables.ac[0].is_some() && tables.ac[1].is_some());
        assert!(tables.dc[2].is_none());
    }

    #[test]
    fn tables_without_end_are_refused() {
        let mut tables = Tables::default();
        let table = [&[0, 1][..], &[0; 15], &[0]].concat();
        assert_eq!(tables.read(0xC4, &table.repeat(400)), Some(()));
        assert_eq!(tables.read(0xC4, &table), None);
    }

    #[test]
    fn components_have_factors_of_one_to_four() {
        let body = |factors: u8| [8, 0, 1, 0, 1, 2, 1, factors, 0, 2, 0x11, 1];
        let named = |ids: &[u8]| Jpeg { components: ids.to_vec(), ..Jpeg::default() };
        let two = named(&[1, 2]);
        assert_eq!(components(&named(&[1]), &body(0x42)), None, "memory was asked for one");
        let first = Told { id: 1, across: 4, down: 2, quantization: 0 };
        assert_eq!(components(&two, &body(0x42)).unwrap()[0], first);
        for bad in [0x01, 0x10, 0x51, 0x15] {
            assert_eq!(components(&two, &body(bad)), None);
        }
        assert_eq!(components(&two, &body(0x11)[..11]), None, "one is missing");
        let alone = components(&named(&[7]), &[8, 0, 1, 0, 1, 1, 7, 0x22, 3]).unwrap();
        assert_eq!(alone, [Told { id: 7, across: 1, down: 1, quantization: 3 }]);
    }
}
