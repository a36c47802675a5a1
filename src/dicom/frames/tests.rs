//! Frame tables by hand.

use bytes::Bytes;

use super::{FrameCollector, FramePlace, FrameTable, MAX_FRAGMENTS};
use crate::dicom::header::PixelShape;

const CT: PixelShape =
    PixelShape { rows: 512, columns: 512, samples: 1, bits_allocated: 16, frames: 2 };
const SEGMENTATION: PixelShape =
    PixelShape { rows: 3, columns: 3, samples: 1, bits_allocated: 1, frames: 3 };

const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xDB];
const REST: &[u8] = &[1, 2, 3, 4];

/// Fragments of 10 bytes from offset 100 on, with those first bytes.
fn collector(heads: &[&[u8]]) -> FrameCollector {
    let mut collector = FrameCollector::new();
    for (number, head) in (0_u64..).zip(heads) {
        let start = 100 + number * 18;
        collector.fragment(start, &(start + 8..start + 18), head);
    }
    collector
}

fn shape(frames: u32) -> PixelShape {
    PixelShape { frames, ..CT }
}

/// First fragments, or nothing when the table is unknown.
fn firsts(collector: &FrameCollector, frames: u32) -> Option<Vec<u32>> {
    match collector.table(&shape(frames)) {
        FrameTable::Encapsulated { first_fragment, .. } => Some(first_fragment),
        _ => None,
    }
}

fn basic(offsets: &[u32]) -> Vec<u8> {
    offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

fn extended(offsets: &[u64]) -> Vec<u8> {
    offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

#[test]
fn native_frames_lie_end_to_end() {
    let table = FrameTable::native(1_048_576, &CT);
    let value = 1000..1000 + 1_048_576;
    for (frame, expected) in [(0, Some(1000..525_288)), (1, Some(525_288..1_049_576)), (2, None)] {
        let place = table.place(frame, &value);
        assert_eq!(place.map(|place| place.ranges), expected.map(|range| vec![range]));
    }
}

#[test]
fn frames_of_bits_may_begin_inside_a_byte() {
    let table = FrameTable::native(4, &SEGMENTATION);
    let places: Vec<_> = (0..4)
        .map(|frame| table.place(frame, &(10..14)))
        .map(|place| place.map(|place| (place.ranges, place.bit_offset, place.bits)))
        .collect();
    let expected = [(10..12, 0), (11..13, 1), (12..14, 2)]
        .map(|(range, offset)| Some((vec![range], offset, Some(9))));
    assert_eq!(places, [expected[0].clone(), expected[1].clone(), expected[2].clone(), None]);
}

#[test]
fn bit_packed_frames_are_shifted_to_begin_at_a_byte() {
    let stored = Bytes::from_static(&[0b1010_1111, 0b0000_0110]);
    for (bit_offset, bits, expected) in [
        (0, 16, vec![0b1010_1111, 0b0000_0110]),
        (0, 12, vec![0b1010_1111, 0b0000_0110]),
        (4, 8, vec![0b0110_1010]),
        (4, 5, vec![0b0000_1010]),
        (3, 9, vec![0b1101_0101, 0]),
    ] {
        let place = FramePlace { ranges: vec![], bit_offset, bits: Some(bits), turned: false };
        assert_eq!(place.taken_of(stored.clone()), expected, "{bit_offset} {bits}");
    }
}

/// Every frame of a table, of big endian words that are the bytes given, turned.
fn in_big_words(table: &FrameTable, bytes: &[u8]) -> Vec<Vec<u8>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut stored: Vec<u8> = pairs.iter().flat_map(|[low, high]| [*high, *low]).collect();
    stored.extend(rest);
    // The value begins at an odd place of the data set: words are counted from its own beginning.
    let value = 11..11 + stored.len() as u64;
    let frames = (0..table.count().unwrap()).map(|index| {
        let place = table.place(index, &value).unwrap().in_words(&value);
        let [range] = place.ranges.as_slice() else { panic!("{place:?}") };
        let read =
            usize::try_from(range.start - 11).unwrap()..usize::try_from(range.end - 11).unwrap();
        place.taken_of(Bytes::copy_from_slice(stored.get(read).unwrap())).to_vec()
    });
    frames.collect()
}

#[test]
fn frames_that_begin_inside_a_big_endian_word_have_both_its_halves() {
    let three = PixelShape { rows: 1, columns: 3, samples: 1, bits_allocated: 8, frames: 3 };
    let table = FrameTable::native(10, &three);
    let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let expected = [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
    assert_eq!(in_big_words(&table, &bytes), expected);
    // A value that should have been even: its last byte has no other half.
    assert_eq!(in_big_words(&table, &bytes[..9]), expected);

    let bits = PixelShape { rows: 1, columns: 9, samples: 1, bits_allocated: 1, frames: 3 };
    let table = FrameTable::native(4, &bits);
    // 27 bits, the first of each frame set: bits 0, 9 and 18.
    let bytes = (1_u32 | 1 << 9 | 1 << 18).to_le_bytes();
    assert_eq!(in_big_words(&table, &bytes), [[1, 0], [1, 0], [1, 0]]);
}

#[test]
fn frames_of_whole_big_endian_words_stay_as_they_are_stored() {
    let value = 10..10 + 1_048_576;
    let place = FrameTable::native(1_048_576, &CT).place(1, &value).unwrap();
    assert_eq!(place.clone().in_words(&value), place);
    let native = "1.2.840.10008.1.2.2";
    assert_eq!(place.syntax(native), native);
}

#[test]
fn native_tables_are_as_long_as_the_value_allows() {
    let (frame_bits, frame) = (512 * 512 * 16, 524_288);
    for (bytes, count) in [
        (2 * frame, Some(2)),
        (2 * frame + 1, Some(2)),
        (9 * frame, Some(2)), // longer than the shape says
        (frame, Some(1)),
        (frame + 1, Some(1)),
        (frame + 2, None), // neither two frames nor one
        (frame - 1, None),
        (0, None),
    ] {
        let expected =
            count.map_or(FrameTable::Unknown, |count| FrameTable::Native { frame_bits, count });
        assert_eq!(FrameTable::native(bytes, &CT), expected, "{bytes} bytes");
    }
    for shape in [
        PixelShape { rows: 0, ..CT },
        PixelShape { bits_allocated: 0, ..CT },
        PixelShape {
            rows: 65_535,
            columns: 65_535,
            samples: 65_535,
            bits_allocated: 65_535,
            frames: u32::MAX,
        },
    ] {
        assert_eq!(FrameTable::native(1000, &shape), FrameTable::Unknown);
    }
    let unsaid = PixelShape { frames: 0, ..CT };
    assert_eq!(FrameTable::native(frame, &unsaid).count(), Some(1));
}

#[test]
fn as_many_fragments_as_frames_are_one_each() {
    assert_eq!(firsts(&collector(&[REST, REST, REST]), 3), Some(vec![0, 1, 2]));
}

#[test]
fn one_frame_has_all_fragments() {
    assert_eq!(firsts(&collector(&[REST, REST, REST]), 1), Some(vec![0]));
    assert_eq!(firsts(&collector(&[REST, REST, REST]), 0), Some(vec![0]));
}

#[test]
fn code_streams_tell_frames_apart() {
    let fragments = collector(&[JPEG, REST, JPEG, REST, REST]);
    assert_eq!(firsts(&fragments, 2), Some(vec![0, 2]));
    assert_eq!(firsts(&fragments, 3), None);
    assert_eq!(firsts(&collector(&[REST, JPEG, JPEG]), 2), None);
    assert_eq!(firsts(&collector(&[]), 1), None);
}

#[test]
fn an_offset_table_that_fits_is_believed() {
    let mut fragments = collector(&[JPEG, JPEG, JPEG, JPEG]);
    fragments.offset_table(&basic(&[0, 36]));
    assert_eq!(firsts(&fragments, 2), Some(vec![0, 2]));
    fragments.extended_offset_table(&extended(&[0, 54]));
    assert_eq!(firsts(&fragments, 2), Some(vec![0, 3]));
}

#[test]
fn an_offset_table_that_does_not_fit_is_not() {
    for table in [
        basic(&[0, 35]),         // between two items
        basic(&[18, 36]),        // not from the first
        basic(&[0, 0]),          // twice the same
        basic(&[0, 72]),         // past the last
        basic(&[0, 18, 36]),     // more than there are frames
        basic(&[0]),             // fewer
        vec![0, 0, 0, 0, 36, 0], // half a number
        basic(&[0, u32::MAX]),
    ] {
        let mut fragments = collector(&[JPEG, JPEG, REST, REST]);
        fragments.offset_table(&table);
        assert_eq!(firsts(&fragments, 2), Some(vec![0, 1]), "{table:?}");
        fragments.extended_offset_table(&extended(&[0, u64::MAX]));
        assert_eq!(firsts(&fragments, 2), Some(vec![0, 1]), "{table:?}");
    }
}

#[test]
fn a_frame_is_its_fragments_without_item_headers() {
    let table = collector(&[JPEG, REST, JPEG, REST, REST]).table(&shape(2));
    assert_eq!(table.count(), Some(2));
    let ranges = |frame| table.place(frame, &(0..0)).map(|place| place.ranges);
    assert_eq!(ranges(0), Some(vec![108..118, 126..136]));
    assert_eq!(ranges(1), Some(vec![144..154, 162..172, 180..190]));
    assert_eq!(ranges(2), None);
    assert_eq!(ranges(u32::MAX), None);
}

#[test]
fn more_fragments_than_are_kept_leave_the_table_unknown() {
    let mut collector = FrameCollector::new();
    for start in (0..=MAX_FRAGMENTS as u64).map(|number| number * 8) {
        collector.fragment(start, &(start + 8..start + 8), &[]);
    }
    assert_eq!(collector.table(&shape(1)), FrameTable::Unknown);
}
