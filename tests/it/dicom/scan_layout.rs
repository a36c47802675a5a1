//! Layouts: what is kept of an object's places, and reading its header by them.
#![expect(clippy::cast_possible_truncation, reason = "the numbers of small test data")]

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use dicom_core::{Tag, VR};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use lastra::dicom::frames::FrameTable;
use lastra::dicom::header::PixelShape;
use lastra::dicom::layout::{BulkValue, Layout, LayoutError, Piece, Pixels};
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, LayoutCollector};
use lastra::dicom::scan::{Element, Scanner};
use lastra::dicom::syntax::{EXPLICIT_LITTLE, Encoding};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::scan_events::{Event, Recorder, events};
use super::scan_writer::{LIMITS, data_sets, write};

const LITTLE: Encoding = Encoding::ExplicitLittle;
const START: u64 = 332;

fn explicit(group: u16, element: u16, vr: [u8; 2], length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes(), vr].concat();
    bytes.extend([0, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(value);
    bytes
}

fn item(element: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [0xFFFE_u16.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value);
    bytes
}

/// Two waveforms of 10 kB in a sequence, pixel data in two fragments of 10 kB, something after it.
fn large() -> Vec<u8> {
    let waveform = explicit(0x5400, 0x1010, *b"OW", 10_000, &[1; 10_000]);
    let waveforms = [item(0xE000, &waveform), item(0xE000, &waveform)].concat();
    [
        explicit(0x5400, 0x0100, *b"SQ", waveforms.len() as u32, &waveforms),
        explicit(0x7FE0, 0x0010, *b"OB", u32::MAX, &[]),
        item(0xE000, &[]),
        item(0xE000, &[0xFF; 10_000]),
        item(0xE000, &[0xFE; 10_000]),
        item(0xE0DD, &[]),
        explicit(0xFFFC, 0xFFFC, *b"OB", 4, &[0; 4]),
    ]
    .concat()
}

fn layout_of(data_set: &[u8], deflated: Option<u64>) -> Layout {
    let mut collector = LayoutCollector::default();
    let mut scanner = Scanner::new(LITTLE, Limits::DEFAULT);
    scanner.push(data_set, &mut collector).unwrap();
    scanner.finish(&mut collector).unwrap();
    let inflated_bytes = data_set.len() as u64;
    let bytes = deflated.unwrap_or(inflated_bytes);
    let place = DataSetPlace { start: START, bytes, deflated: deflated.is_some(), inflated_bytes };
    let shape = PixelShape { frames: 2, ..PixelShape::default() };
    collector.finish().unwrap().layout(place, &shape)
}

fn pieces(blob: &[u8], ranges: &[Range<u64>]) -> Vec<Piece> {
    ranges
        .iter()
        .map(|range| Piece {
            start: range.start,
            bytes: Bytes::copy_from_slice(&blob[range.start as usize..range.end as usize]),
        })
        .collect()
}

fn blob(data_set: &[u8]) -> Vec<u8> {
    [&[0; START as usize][..], data_set].concat()
}

/// The events with encapsulated values as one bulk element each.
fn with_fragments_as_bulk(events: Vec<Event>) -> Vec<Event> {
    let mut open: Option<Element> = None;
    let mut out = Vec::new();
    for event in events {
        match (event, open.take()) {
            (Event::EndFragments(end), Some(mut element)) => {
                element.value.end = end;
                out.push(Event::Bulk(element));
            }
            (Event::Fragments(element), None) | (_, Some(element)) => open = Some(element),
            (event, None) => out.push(event),
        }
    }
    out
}

#[test]
fn a_header_is_read_without_its_bulk_values() {
    let data_set = large();
    let layout = layout_of(&data_set, None);
    let paths: Vec<&str> = layout.bulk.iter().map(|bulk| bulk.path.as_str()).collect();
    assert_eq!(paths, ["54000100/1/54001010", "54000100/2/54001010", "7FE00010"]);
    let pixels = layout.bulk("7FE00010").unwrap();
    assert_eq!(pixels.value, layout.pixels.as_ref().unwrap().value);

    let ranges = layout.header_ranges();
    let read: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    assert_eq!((ranges.len(), read), (4, data_set.len() as u64 - 20_000 - 20_032));

    let mut recorder = Recorder::default();
    let pieces = pieces(&blob(&data_set), &ranges);
    layout.scan_header(LITTLE, Limits::DEFAULT, &pieces, &mut recorder).unwrap();
    assert_eq!(recorder.0, with_fragments_as_bulk(events(&data_set, LITTLE, Limits::DEFAULT)));
}

#[test]
fn a_deflated_header_is_read_whole() {
    let data_set = large();
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&data_set).unwrap();
    let deflated = encoder.finish().unwrap();
    let layout = layout_of(&data_set, Some(deflated.len() as u64));

    let ranges = layout.header_ranges();
    let all = START..START + deflated.len() as u64;
    assert_eq!(ranges, std::slice::from_ref(&all));
    let mut recorder = Recorder::default();
    let pieces = pieces(&blob(&deflated), &ranges);
    let encoding = Encoding::DeflatedExplicitLittle;
    layout.scan_header(encoding, Limits::DEFAULT, &pieces, &mut recorder).unwrap();
    assert_eq!(recorder.0, with_fragments_as_bulk(events(&data_set, LITTLE, Limits::DEFAULT)));
}

#[test]
fn pieces_of_something_else_are_an_error() {
    let data_set = large();
    let layout = layout_of(&data_set, None);
    let ranges = layout.header_ranges();
    for missing in 0..ranges.len() {
        let mut ranges = ranges.clone();
        ranges.remove(missing);
        let pieces = pieces(&blob(&data_set), &ranges);
        let mut recorder = Recorder::default();
        layout.scan_header(LITTLE, Limits::DEFAULT, &pieces, &mut recorder).unwrap_err();
    }
}

#[test]
fn frames_are_found_by_their_fragments() {
    let layout = layout_of(&large(), None);
    let value = layout.pixels.as_ref().unwrap().value.start;
    let place = layout.frame(1, EXPLICIT_LITTLE).unwrap();
    assert_eq!((place.bit_offset, place.bits), (0, None));
    let start = value + 8 + 8 + 10_000 + 8;
    let second = start..start + 10_000;
    assert_eq!(place.ranges, std::slice::from_ref(&second));
    assert_eq!(layout.blob_range(&place.ranges[0]).start, START + start);
    assert_eq!(layout.frame(2, EXPLICIT_LITTLE), None);
}

fn ranges() -> impl Strategy<Value = Range<u64>> {
    (any::<u64>(), any::<u32>()).prop_map(|(start, length)| {
        let start = start >> 1;
        start..start + u64::from(length)
    })
}

fn frame_tables() -> impl Strategy<Value = FrameTable> {
    prop_oneof![
        Just(FrameTable::Unknown),
        (any::<u64>(), any::<u32>())
            .prop_map(|(frame_bits, count)| FrameTable::Native { frame_bits, count }),
        (vec(ranges(), 0..9), vec(any::<u32>(), 0..9)).prop_map(|(fragments, first_fragment)| {
            FrameTable::Encapsulated { fragments, first_fragment }
        }),
    ]
}

fn layouts() -> impl Strategy<Value = Layout> {
    let vrs = prop::sample::select(vec![VR::OB, VR::OW, VR::UN, VR::UT]);
    let bulk = ("[0-9A-F/]{0,30}", vrs, ranges()).prop_map(|(path, vr, value)| BulkValue {
        path,
        vr,
        value,
    });
    let pixels = (any::<(u16, u16)>(), ranges(), frame_tables()).prop_map(
        |((group, element), value, frames)| Pixels { tag: Tag(group, element), value, frames },
    );
    let numbers = (any::<u64>(), any::<u64>(), any::<bool>(), any::<u64>());
    (numbers, vec(bulk, 0..5), prop::option::of(pixels)).prop_map(|(numbers, bulk, pixels)| {
        let (data_set_start, data_set_bytes, deflated, inflated_bytes) = numbers;
        Layout { data_set_start, data_set_bytes, deflated, inflated_bytes, bulk, pixels }
    })
}

proptest! {
    #[test]
    fn a_layout_comes_back_from_its_bytes(layout in layouts()) {
        prop_assert_eq!(Layout::from_bytes(&layout.to_bytes()), Ok(layout));
    }

    #[test]
    fn a_layout_cut_short_or_followed_by_more_is_damaged(
        layout in layouts(),
        kept in any::<Index>(),
    ) {
        let mut bytes = layout.to_bytes();
        let kept = &bytes[..kept.index(bytes.len())];
        prop_assert_eq!(Layout::from_bytes(kept), Err(LayoutError::Damaged));
        bytes.push(0);
        prop_assert_eq!(Layout::from_bytes(&bytes), Err(LayoutError::Damaged));
    }

    #[test]
    fn noise_is_no_layout_or_one(mut bytes in vec(any::<u8>(), 1..200)) {
        bytes[0] = 1;
        let _ = Layout::from_bytes(&bytes);
    }

    #[test]
    fn skipping_bulk_values_changes_nothing(nodes in data_sets(), most in 1_u64..50) {
        let (bytes, expected) = write(&nodes, LITTLE);
        let mut recorder = Recorder::default();
        let mut scanner = Scanner::new(LITTLE, LIMITS);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let skipped = scanner.skippable().min(most).min(rest.len() as u64);
            scanner.skip(skipped);
            rest = &rest[skipped as usize..];
            if let Some((byte, left)) = rest.split_first() && scanner.skippable() == 0 {
                scanner.push(&[*byte], &mut recorder).unwrap();
                rest = left;
            }
        }
        prop_assert_eq!(scanner.finish(&mut recorder), Ok(bytes.len() as u64));
        prop_assert_eq!(recorder.0, expected);
    }

    #[test]
    fn any_object_is_read_by_its_header_ranges(nodes in data_sets()) {
        let (data_set, _) = write(&nodes, LITTLE);
        let layout = layout_of(&data_set, None);
        let pieces = pieces(&blob(&data_set), &layout.header_ranges());
        let mut recorder = Recorder::default();
        layout.scan_header(LITTLE, Limits::DEFAULT, &pieces, &mut recorder).unwrap();
        let events = events(&data_set, LITTLE, Limits::DEFAULT);
        prop_assert_eq!(recorder.0, with_fragments_as_bulk(events));
    }
}

#[test]
fn another_version_is_told() {
    assert_eq!(Layout::from_bytes(&[9, 0, 0]), Err(LayoutError::Version(9)));
    assert_eq!(Layout::from_bytes(&[]), Err(LayoutError::Damaged));
}
