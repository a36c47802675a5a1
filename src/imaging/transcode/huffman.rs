//! A Huffman code made to measure (ISO/IEC 10918-1 §K.2), for the 17 categories of lossless JPEG.

/// Categories of a difference: how many bits it has (ISO/IEC 10918-1 Table H.2).
pub(in crate::imaging::transcode) const CATEGORIES: usize = 17;
/// The longest code (ISO/IEC 10918-1 §B.2.4.2).
const LONGEST: usize = 16;

/// A code: for each category its bits and their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::imaging::transcode) struct Huffman {
    /// How many codes have 1, 2, … 16 bits.
    pub(in crate::imaging::transcode) counts: [u8; LONGEST],
    /// Categories, those of the shortest codes first.
    pub(in crate::imaging::transcode) order: Vec<u8>,
    /// Code and width by category.
    pub(in crate::imaging::transcode) codes: [(u32, u32); CATEGORIES],
}

impl Huffman {
    /// The best code for categories that come so often. No code is all ones.
    pub(in crate::imaging::transcode) fn of(frequencies: &[u64; CATEGORIES]) -> Self {
        let lengths = lengths(frequencies);
        let mut order: Vec<(usize, u8)> = Vec::with_capacity(CATEGORIES);
        for (category, length) in (0_u8..).zip(&lengths).take(CATEGORIES) {
            if *length > 0 {
                order.push((*length, category));
            }
        }
        order.sort_unstable();
        let mut counts = [0_u8; LONGEST];
        let mut codes = [(0, 0); CATEGORIES];
        let (mut code, mut width) = (0_u32, 0_usize);
        for (length, category) in &order {
            code <<= length.saturating_sub(width);
            width = *length;
            if let Some(place) = codes.get_mut(usize::from(*category)) {
                *place = (code, u32::try_from(width).unwrap_or(0));
            }
            if let Some(count) = counts.get_mut(width.saturating_sub(1)) {
                *count = count.saturating_add(1);
            }
            code = code.saturating_add(1);
        }
        Self { counts, order: order.into_iter().map(|(_, category)| category).collect(), codes }
    }
}

/// Code lengths; the last entry is a code that is never used, which takes the all-ones code.
fn lengths(frequencies: &[u64; CATEGORIES]) -> [usize; CATEGORIES + 1] {
    let mut weights: Vec<u64> = frequencies.to_vec();
    weights.push(1);
    loop {
        let lengths = tree(&weights);
        if lengths.iter().all(|length| *length <= LONGEST) {
            return lengths;
        }
        // Rare: a code grew too long. Flatter weights give a shorter one.
        for weight in weights.iter_mut().filter(|weight| **weight > 0) {
            *weight = (*weight / 2).max(1);
        }
    }
}

/// Depth of each weight in its Huffman tree; the unused code is the deepest of all.
fn tree(weights: &[u64]) -> [usize; CATEGORIES + 1] {
    let mut lengths = [0; CATEGORIES + 1];
    let last = weights.len().saturating_sub(1);
    // Each group: weight, whether the unused code is in it, members.
    let mut groups: Vec<(u64, bool, Vec<usize>)> = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
        .map(|(index, weight)| {
            let unused = index == last;
            (if unused { 0 } else { *weight }, unused, vec![index])
        })
        .collect();
    while groups.len() > 1 {
        groups.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let (Some(one), Some(two)) = (groups.pop(), groups.pop()) else { break };
        let mut members = one.2;
        members.extend(two.2);
        for member in &members {
            if let Some(length) = lengths.get_mut(*member) {
                *length += 1;
            }
        }
        groups.push((one.0.saturating_add(two.0), one.1 || two.1, members));
    }
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CATEGORIES, Huffman};

    proptest! {
        #[test]
        fn every_category_that_comes_has_a_code_and_none_begins_another(
            frequencies in prop::array::uniform17(prop_oneof![Just(0_u64), 1_u64..20, 0_u64..1 << 40]),
        ) {
            let huffman = Huffman::of(&frequencies);
            let used: Vec<_> = (0..CATEGORIES).filter(|index| frequencies[*index] > 0).collect();
            prop_assert_eq!(huffman.order.len(), used.len());
            for a in &used {
                let (code, width) = huffman.codes[*a];
                prop_assert!((1..=16).contains(&width));
                prop_assert!(code < (1 << width) - 1, "all ones");
                for b in used.iter().filter(|b| *b != a) {
                    let (other, longer) = huffman.codes[*b];
                    prop_assert!(longer < width || other >> (longer - width) != code);
                }
            }
        }
    }
}
