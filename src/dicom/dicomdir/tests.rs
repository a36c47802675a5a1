//! Directories read back by their offsets, as whoever opens a File-set does.

use dicom_core::Tag;
use proptest::prelude::*;

use super::{Directory, Facts, Referenced, heard};
use crate::dicom::feed::{element, scan, sequence};
use crate::dicom::syntax::Encoding;
use crate::dicom::tree::Tree;

/// What a record of a directory says: its type, its file, and its bytes.
#[derive(Debug)]
struct Record<'a> {
    kind: String,
    file: String,
    body: &'a [u8],
    next: usize,
    lower: usize,
}

fn word(bytes: &[u8], at: usize) -> usize {
    let bytes = bytes.get(at..at + 4).unwrap();
    u32::from_le_bytes(bytes.try_into().unwrap()) as usize
}

/// The top elements of an item or data set in Explicit VR Little Endian.
fn elements(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        let head = bytes.get(at..at + 8).unwrap();
        let half = |at: usize| {
            let bytes = head.get(at..at + 2).unwrap();
            u32::from(u16::from_le_bytes(bytes.try_into().unwrap()))
        };
        let tag = (half(0) << 16) | half(2);
        let (length, value) = if matches!(head.get(4..6).unwrap(), b"SQ" | b"UT" | b"OB" | b"OW") {
            (word(bytes, at + 8), at + 12)
        } else {
            (half(6) as usize, at + 8)
        };
        all.push((tag, bytes.get(value..value + length).unwrap()));
        at = value + length;
    }
    all
}

fn record(file: &[u8], at: usize) -> Record<'_> {
    assert_eq!(file.get(at..at + 4), Some(&[0xFE, 0xFF, 0x00, 0xE0][..]), "an item at {at}");
    let body = file.get(at + 8..at + 8 + word(file, at + 4)).unwrap();
    let all = elements(body);
    assert!(all.is_sorted_by(|one, next| one.0 < next.0), "tags in order");
    let value = |tag: u32| all.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value);
    let text = |tag: u32| {
        let bytes = value(tag).unwrap_or_default();
        String::from_utf8(bytes.to_vec()).unwrap().trim_end_matches([' ', '\0']).to_owned()
    };
    Record {
        kind: text(0x0004_1430),
        file: text(0x0004_1500),
        body,
        next: word(value(0x0004_1400).unwrap(), 0),
        lower: word(value(0x0004_1420).unwrap(), 0),
    }
}

/// Kinds and files of all records, deepest last, each below the one it hangs from.
fn walked(file: &[u8]) -> Vec<(usize, String, String)> {
    let root = elements(file.get(start(file)..).unwrap());
    let first = root.iter().find(|(tag, _)| *tag == 0x0004_1200).unwrap().1;
    let mut all = Vec::new();
    let mut waiting = vec![(0, word(first, 0))];
    while let Some((depth, at)) = waiting.pop() {
        if at == 0 {
            continue;
        }
        let record = record(file, at);
        waiting.push((depth, record.next));
        waiting.push((depth + 1, record.lower));
        all.push((depth, record.kind, record.file));
    }
    all
}

/// Where the data set begins.
fn start(file: &[u8]) -> usize {
    144 + word(file, 140)
}

fn facts(class: &str, more: &[Vec<u8>]) -> Facts {
    let mut pieces = vec![element(Tag(0x0010, 0x0020), "LO", b"P1")];
    pieces.extend_from_slice(more);
    let mut tree = Tree::with_sequences(Encoding::ExplicitLittle, heard(class));
    scan(&pieces, &mut tree);
    Facts::of(tree.root(), class, true)
}

const CLASSES: [&str; 6] = [
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.4.2",
    "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.5.1.4.1.1.481.10",
    "1.2.840.99999.7",
];

proptest! {
    #[test]
    fn every_file_is_found_by_following_the_offsets_once_and_in_order(
        series in proptest::collection::vec(
            proptest::collection::vec(0_usize..CLASSES.len(), 1..6), 0..6),
        label in "[A-Z_ àè]{0,16}",
    ) {
        let mut directory = Directory::default();
        let mut expected = Vec::new();
        if !series.is_empty() {
            expected.push((0, String::new()));
            expected.push((1, String::new()));
        }
        for (number, kinds) in series.iter().enumerate() {
            expected.push((2, String::new()));
            for (instance, class) in kinds.iter().enumerate() {
                let class = CLASSES.get(*class).unwrap();
                let file_id = [format!("SE{number}"), format!("IM{instance}")];
                let label = [
                    element(Tag(0x0008, 0x0005), "CS", b"ISO_IR 192"),
                    element(Tag(0x0070, 0x0080), "CS", label.as_bytes()),
                ];
                let referenced = Referenced {
                    file_id: &file_id,
                    sop_class: class,
                    sop_instance: "1.2.3",
                    transfer_syntax: "1.2.840.10008.1.2.1",
                };
                directory.add(i64::try_from(number).unwrap(), facts(class, &label), &referenced);
                expected.push((3, file_id.join("\\")));
            }
        }
        let file = directory.finish().unwrap();
        let walked: Vec<(usize, String)> =
            walked(&file).into_iter().map(|(depth, _, file)| (depth, file)).collect();
        prop_assert_eq!(walked, expected);
    }
}

/// The record of one file that says `more`.
fn leaf(class: &str, more: &[Vec<u8>]) -> (String, Vec<u8>) {
    let mut directory = Directory::default();
    let file_id = ["A".to_owned()];
    let referenced = Referenced {
        file_id: &file_id,
        sop_class: class,
        sop_instance: "1.2.3",
        transfer_syntax: "1.2.840.10008.1.2.1",
    };
    directory.add(1, facts(class, more), &referenced);
    let file = directory.finish().unwrap();
    let all = elements(file.get(start(&file)..).unwrap());
    let mut record = record(&file, word(all.first().map(|_| first(&all)).unwrap(), 0));
    while record.lower != 0 {
        record = self::record(&file, record.lower);
    }
    (record.kind, record.body.to_vec())
}

fn first<'a>(all: &[(u32, &'a [u8])]) -> &'a [u8] {
    all.iter().find(|(tag, _)| *tag == 0x0004_1200).unwrap().1
}

#[test]
fn a_presentation_says_which_series_and_images_it_is_of() {
    let ui = |tag, uid: &str| element(tag, "UI", uid.as_bytes());
    let image = [
        ui(Tag(0x0008, 0x1150), "1.2.840.10008.5.1.4.1.1.2\0"),
        ui(Tag(0x0008, 0x1155), "1.2.77\0\0"),
        element(Tag(0x0008, 0x1160), "IS", b"2\\3 "),
        element(Tag(0x0008, 0x1190), "UR", b"http://elsewhere"),
    ]
    .concat();
    let series =
        [sequence(Tag(0x0008, 0x1140), &[image]), ui(Tag(0x0020, 0x000E), "1.2.7\0")].concat();
    let series = sequence(Tag(0x0008, 0x1115), &[series]);
    let (kind, body) = leaf(CLASSES[1], &[series]);
    assert_eq!(kind, "PRESENTATION");
    let mut tree = Tree::new(Encoding::ExplicitLittle);
    scan(&[body], &mut tree);
    let series = tree.root().first(Tag(0x0008, 0x1115)).unwrap();
    assert_eq!(series.text(Tag(0x0020, 0x000E)).as_deref(), Some("1.2.7"));
    let image = series.first(Tag(0x0008, 0x1140)).unwrap();
    assert_eq!(image.text(Tag(0x0008, 0x1155)).as_deref(), Some("1.2.77"));
    assert_eq!(image.text(Tag(0x0008, 0x1160)).as_deref(), Some("2\\3"));
    assert!(!image.has(Tag(0x0008, 0x1190)), "where it is fetched is no matter of a medium");
    // Of other objects the same sequence is left out.
    let (_, body) = leaf(CLASSES[0], &[sequence(Tag(0x0008, 0x1115), &[Vec::new()])]);
    assert!(elements(&body).iter().all(|(tag, _)| *tag != 0x0008_1115));
}

#[test]
fn a_blending_says_what_it_blends() {
    let ui = |tag, uid: &str| element(tag, "UI", uid.as_bytes());
    let series = sequence(Tag(0x0008, 0x1115), &[ui(Tag(0x0020, 0x000E), "1.2.7\0")]);
    let input = [
        series,
        ui(Tag(0x0020, 0x000D), "1.2\0"),
        element(Tag(0x0070, 0x0405), "CS", b"UNDERLYING"),
    ]
    .concat();
    let (_, body) =
        leaf("1.2.840.10008.5.1.4.1.1.11.4", &[sequence(Tag(0x0070, 0x0402), &[input])]);
    let mut tree = Tree::new(Encoding::ExplicitLittle);
    scan(&[body], &mut tree);
    let input = tree.root().first(Tag(0x0070, 0x0402)).unwrap();
    assert_eq!(input.text(Tag(0x0070, 0x0405)).as_deref(), Some("UNDERLYING"));
    assert!(input.first(Tag(0x0008, 0x1115)).is_some());
}

#[test]
fn numbers_of_a_spectroscopy_stay_numbers() {
    let (kind, body) = leaf(
        CLASSES[2],
        &[
            element(Tag(0x0028, 0x0010), "US", &[16, 0]),
            element(Tag(0x0028, 0x9001), "UL", &[1, 2, 0, 0]),
        ],
    );
    assert_eq!(kind, "SPECTROSCOPY");
    let all = elements(&body);
    let value = |tag: u32| all.iter().find(|(known, _)| *known == tag).unwrap().1;
    assert_eq!((value(0x0028_0010), value(0x0028_9001)), (&[16, 0][..], &[1, 2, 0, 0][..]));
}
