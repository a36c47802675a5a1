//! One block's coefficients out of the bits: all at once (ISO/IEC 10918-1 §F.2), or in the scans of a
//! progressive picture (§G.1, §G.2).

use crate::imaging::decode::jpeg::bits::{Bits, Code};

/// A block's coefficients in rows, not multiplied yet.
pub(in crate::imaging::decode::jpeg) type Block = [i16; 64];

/// Which coefficients a scan holds, in the order they are coded, and which of their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::decode::jpeg) struct Band {
    pub first: usize,
    pub last: usize,
    /// Bits below the one coded before, 0 if none was; and below the one coded here.
    pub before: u8,
    pub low: u8,
}

/// A block of a sequential picture, whose coefficients are all zero yet. Gives the place in the order
/// they are coded of the last that is not.
#[inline]
pub(in crate::imaging::decode::jpeg) fn sequential(
    bits: &mut Bits<'_>,
    dc: &Code,
    ac: &Code,
    direct: &mut i32,
    block: &mut Block,
) -> Option<usize> {
    let mut held = *bits;
    let last = coefficients(&mut held, dc, ac, direct, block);
    *bits = held;
    last
}

#[inline]
fn coefficients(
    bits: &mut Bits<'_>,
    dc: &Code,
    ac: &Code,
    direct: &mut i32,
    block: &mut Block,
) -> Option<usize> {
    dc_first(bits, dc, direct, 0, block)?;
    let mut last = 0_usize;
    while last < 63 {
        let step = bits.step(ac)?;
        let next = last + usize::from(step.places);
        if next > 63 {
            // The end, or more zeros than there are places; a number there is damage.
            return (step.value == 0).then_some(last);
        }
        last = next;
        *block.get_mut(usize::from(ZIGZAG.get(last)? & 63))? = step.value;
    }
    Some(last)
}

/// The first bits of the mean. It is coded as the difference from the block before.
#[inline]
pub(in crate::imaging::decode::jpeg) fn dc_first(
    bits: &mut Bits<'_>,
    dc: &Code,
    direct: &mut i32,
    low: u8,
    block: &mut Block,
) -> Option<()> {
    *direct = direct.wrapping_add(bits.step(dc)?.value.into());
    put(block, 0, direct.wrapping_shl(low.into()))
}

/// One more bit of the mean.
pub(in crate::imaging::decode::jpeg) fn dc_more(
    bits: &mut Bits<'_>,
    low: u8,
    block: &mut Block,
) -> Option<()> {
    let bit = one(bits)?;
    if let (true, Some(value)) = (bit, block.first_mut()) {
        *value |= 1_i16.wrapping_shl(low.into());
    }
    Some(())
}

/// The first bits of other coefficients. `empty` is how many blocks have no more of them.
pub(in crate::imaging::decode::jpeg) fn ac_first(
    bits: &mut Bits<'_>,
    ac: &Code,
    band: Band,
    empty: &mut u32,
    block: &mut Block,
) -> Option<()> {
    if *empty > 0 {
        *empty -= 1;
        return Some(());
    }
    let mut index = band.first;
    while index <= band.last {
        let symbol = bits.symbol(ac)?;
        let (zeros, size) = (symbol >> 4, symbol & 0xF);
        if size == 0 {
            if zeros < 15 {
                *empty = run(bits, zeros)? - 1;
                break;
            }
            index += 16;
            continue;
        }
        index += usize::from(zeros);
        if index > band.last {
            return None;
        }
        put(block, index, bits.signed(size)?.wrapping_shl(band.low.into()))?;
        index += 1;
    }
    Some(())
}

/// One more bit of other coefficients; those zero before may begin.
pub(in crate::imaging::decode::jpeg) fn ac_more(
    bits: &mut Bits<'_>,
    ac: &Code,
    band: Band,
    empty: &mut u32,
    block: &mut Block,
) -> Option<()> {
    let bit = 1_i16.wrapping_shl(band.low.into());
    let mut index = band.first;
    if *empty == 0 {
        while index <= band.last {
            let symbol = bits.symbol(ac)?;
            let (mut zeros, size) = (symbol >> 4, symbol & 0xF);
            let value = match size {
                0 if zeros < 15 => {
                    *empty = run(bits, zeros)?;
                    break;
                }
                0 => 0,
                1 if one(bits)? => bit,
                1 => bit.wrapping_neg(),
                _ => return None,
            };
            while index <= band.last {
                let old = block.get_mut(usize::from(*ZIGZAG.get(index)?))?;
                index += 1;
                if *old != 0 {
                    correct(bits, bit, old)?;
                } else if zeros == 0 {
                    *old = value;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
    }
    if *empty > 0 {
        for place in ZIGZAG.get(index..=band.last).unwrap_or_default() {
            let old = block.get_mut(usize::from(*place))?;
            if *old != 0 {
                correct(bits, bit, old)?;
            }
        }
        *empty -= 1;
    }
    Some(())
}

/// One more bit of a coefficient that is not zero.
fn correct(bits: &mut Bits<'_>, bit: i16, value: &mut i16) -> Option<()> {
    if one(bits)? && *value & bit == 0 {
        *value = value.wrapping_add(if *value > 0 { bit } else { bit.wrapping_neg() });
    }
    Some(())
}

fn one(bits: &mut Bits<'_>) -> Option<bool> {
    Some(bits.number(1)? == 1)
}

/// Blocks without more of the band, this one included.
fn run(bits: &mut Bits<'_>, width: u8) -> Option<u32> {
    Some((1_u32 << width.min(14)) + bits.number(width.into())?)
}

fn put(block: &mut Block, index: usize, value: i32) -> Option<()> {
    let limits = (i16::MIN.into(), i16::MAX.into());
    let value = i16::try_from(value.clamp(limits.0, limits.1)).ok()?;
    *block.get_mut(usize::from(*ZIGZAG.get(index)?))? = value;
    Some(())
}

/// Place in rows of each coefficient in the order they are coded.
pub(in crate::imaging::decode::jpeg) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

#[cfg(test)]
mod tests {
    use super::ZIGZAG;

    #[test]
    fn every_coefficient_has_its_place() {
        let mut places = ZIGZAG.to_vec();
        places.sort_unstable();
        assert_eq!(places, (0..64).collect::<Vec<u8>>());
    }
}
