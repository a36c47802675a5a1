//! What a rewritten data set keeps, and what it changes.
#![allow(clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};

use super::{Change, Changes, PixelChange, Rewriter, Segment};
use crate::dicom::feed::{element, sequence};
use crate::dicom::limits::Limits;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;

const ROWS: Tag = Tag(0x0028, 0x0010);
const PIXELS: Tag = Tag(0x7FE0, 0x0010);

fn changes(elements: &[(Tag, Change)], pixels: Option<PixelChange>) -> Changes {
    let elements: BTreeMap<_, _> = elements.iter().cloned().collect();
    Changes { elements, pixels: pixels.map(|change| (PIXELS, change)) }
}

/// The new data set, `NEW` where the pixels go.
fn rewritten(source: &[u8], encoding: Encoding, changes: Changes) -> Vec<u8> {
    let mut rewriter = Rewriter::new(encoding, changes, false);
    let mut scanner = Scanner::new(encoding, Limits::DEFAULT);
    for piece in source.chunks(7) {
        scanner.push(piece, &mut rewriter).unwrap();
    }
    let end = scanner.finish(&mut rewriter).unwrap();
    let mut out = Vec::new();
    for segment in rewriter.finish(end).unwrap() {
        match segment {
            Segment::Bytes(bytes) => out.extend(bytes),
            Segment::Source { range, word } => {
                let from = usize::try_from(range.start).unwrap();
                let to = usize::try_from(range.end).unwrap();
                for chunk in source[from..to].chunks(word) {
                    out.extend(chunk.iter().rev());
                }
            }
            Segment::Pixels => out.extend(b"NEW!"),
        }
    }
    out
}

fn source() -> Vec<Vec<u8>> {
    vec![
        element(Tag(0x0008, 0x0060), "CS", b"CT"),
        sequence(Tag(0x0008, 0x1140), &[element(ROWS, "US", &[9, 0])]),
        element(ROWS, "US", &[2, 0]),
        element(PIXELS, "OW", &[1, 2, 3, 4]),
        element(Tag(0xFFFC, 0xFFFC), "OB", &[0, 0]),
    ]
}

#[test]
fn what_does_not_change_is_copied_byte_for_byte() {
    let source = source().concat();
    assert_eq!(rewritten(&source, Encoding::ExplicitLittle, changes(&[], None)), source);
}

#[test]
fn elements_at_the_top_change_in_their_place() {
    let mut parts = source();
    let set = |value: &[u8]| Change::Set(VR::US, value.to_vec());
    let changed = changes(
        &[
            (ROWS, set(&[7, 7])),
            (Tag(0x0008, 0x0060), Change::Default(VR::CS, b"MR".to_vec())),
            (Tag(0x0008, 0x0061), Change::Remove),
            (Tag(0x0028, 0x0004), Change::Default(VR::CS, b"RGB".to_vec())),
            (Tag(0xFFFE, 0x0000), Change::Set(VR::LO, b"x".to_vec())),
        ],
        Some(PixelChange::New { vr: VR::OB, bytes: None }),
    );
    let got = rewritten(&parts.concat(), Encoding::ExplicitLittle, changed);
    parts[2] = [element(Tag(0x0028, 0x0004), "CS", b"RGB "), element(ROWS, "US", &[7, 7])].concat();
    let mut pixels = element(PIXELS, "OB", &[]);
    pixels.truncate(8);
    pixels.extend([0xFF; 4]);
    pixels.extend(b"NEW!");
    parts[3] = pixels;
    parts.push(element(Tag(0xFFFE, 0x0000), "LO", b"x "));
    assert_eq!(got, parts.concat());
}

#[test]
fn a_sequence_can_be_left_out() {
    let mut parts = source();
    let changed = changes(&[(Tag(0x0008, 0x1140), Change::Remove)], None);
    let got = rewritten(&parts.concat(), Encoding::ExplicitLittle, changed);
    parts.remove(1);
    assert_eq!(got, parts.concat());
}

/// An implicit VR element.
fn implicit(tag: Tag, value: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes
}

#[test]
fn implicit_elements_get_their_vr_and_group_lengths_go() {
    let long = vec![b'x'; 0x1_0000];
    let item = implicit(ROWS, &[9, 0]);
    let mut inner = vec![0xFE, 0xFF, 0, 0xE0];
    inner.extend(u32::try_from(item.len()).unwrap().to_le_bytes());
    inner.extend(&item);
    let source = [
        implicit(Tag(0x0008, 0), &[4, 0, 0, 0]),
        implicit(Tag(0x0008, 0x0060), b"CT"),
        implicit(Tag(0x0008, 0x1140), &inner),
        implicit(Tag(0x0009, 0x0010), b"MINE"),
        implicit(Tag(0x0009, 0x1001), &[1, 2]),
        implicit(Tag(0x0010, 0x4000), &long),
        implicit(PIXELS, &[1, 2, 3, 4]),
    ]
    .concat();
    let kept = changes(&[], Some(PixelChange::Kept { word: 1 }));
    let got = rewritten(&source, Encoding::ImplicitLittle, kept);
    let mut images = element(Tag(0x0008, 0x1140), "SQ", &[]);
    images.truncate(8);
    images.extend([0xFF; 4]);
    images.extend(super::ITEM);
    images.extend(element(ROWS, "US", &[9, 0]));
    images.extend(super::ITEM_END);
    images.extend(super::SEQUENCE_END);
    let expected = [
        element(Tag(0x0008, 0x0060), "CS", b"CT"),
        images,
        element(Tag(0x0009, 0x0010), "LO", b"MINE"),
        element(Tag(0x0009, 0x1001), "UN", &[1, 2]),
        element(Tag(0x0010, 0x4000), "UN", &long),
        element(PIXELS, "OW", &[1, 2, 3, 4]),
    ]
    .concat();
    assert!(got == expected, "{:?}\n{:?}", &got[..120], &expected[..120]);
}

#[test]
fn big_endian_numbers_are_turned_and_pixels_in_their_own_words() {
    let big = |tag: Tag, vr: &str, value: &[u8]| {
        let mut bytes = [tag.0.to_be_bytes(), tag.1.to_be_bytes()].concat();
        bytes.extend(vr.as_bytes());
        let length = u16::try_from(value.len()).unwrap();
        match vr {
            "OW" | "OB" => {
                bytes.extend([0, 0, 0, 0]);
                bytes.extend(length.to_be_bytes());
            }
            _ => bytes.extend(length.to_be_bytes()),
        }
        bytes.extend(value);
        bytes
    };
    let source = [
        big(Tag(0x0008, 0x0060), "CS", b"CT"),
        big(ROWS, "US", &[1, 2]),
        big(Tag(0x0028, 0x1050), "DS", b"40"),
        big(Tag(0x0028, 0x9001), "UL", &[1, 2, 3, 4]),
        big(PIXELS, "OW", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ]
    .concat();
    for (word, turned) in [(2, [2, 1, 4, 3, 6, 5, 8, 7]), (4, [4, 3, 2, 1, 8, 7, 6, 5])] {
        let kept = changes(&[], Some(PixelChange::Kept { word }));
        let expected = [
            element(Tag(0x0008, 0x0060), "CS", b"CT"),
            element(ROWS, "US", &[2, 1]),
            element(Tag(0x0028, 0x1050), "DS", b"40"),
            element(Tag(0x0028, 0x9001), "UL", &[4, 3, 2, 1]),
            element(PIXELS, "OW", &turned),
        ]
        .concat();
        assert_eq!(rewritten(&source, Encoding::ExplicitBig, kept), expected);
    }
}

#[test]
fn a_copied_data_set_in_implicit_vr_shows() {
    let source = [implicit(Tag(0x0008, 0x0060), b"CT"), implicit(PIXELS, &[1, 2])].concat();
    let mut rewriter = Rewriter::new(Encoding::ExplicitLittle, changes(&[], None), false);
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
    scanner.push(&source, &mut rewriter).unwrap();
    let end = scanner.finish(&mut rewriter).unwrap();
    assert!(rewriter.finish(end).is_err());
}
