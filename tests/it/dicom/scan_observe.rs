//! What is noted of an object's bulk values and pixels while it is scanned.

use dicom_core::{Tag, VR};
use lastra::dicom::frames::FrameTable;
use lastra::dicom::header::PixelShape;
use lastra::dicom::layout::Layout;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, LayoutCollector, MAX_BULK_VALUES, MAX_PATH_BYTES};
use lastra::dicom::scan::{Element, Problem, Scanner, Value, Visit};
use lastra::dicom::syntax::Encoding;

const PIXELS: &[u8] = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff";
const TABLE: &[u8] = b"\xfe\xff\0\xe0\x08\0\0\0\0\0\0\0\x0c\0\0\0";
const FRAGMENT: &[u8] = b"\xfe\xff\0\xe0\x04\0\0\0abcd";
const END: &[u8] = b"\xfe\xff\xdd\xe0\0\0\0\0";

fn layout(data_set: &[&[u8]], frames: u32) -> Layout {
    let data_set = data_set.concat();
    let mut collector = LayoutCollector::default();
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
    scanner.push(&data_set, &mut collector).unwrap();
    let bytes = scanner.finish(&mut collector).unwrap();
    let place = DataSetPlace { start: 0, bytes, deflated: false, inflated_bytes: bytes };
    let shape = PixelShape { frames, ..PixelShape::default() };
    collector.finish().unwrap().layout(place, &shape)
}

fn first_fragments(layout: &Layout) -> &[u32] {
    match &layout.pixels.as_ref().unwrap().frames {
        FrameTable::Encapsulated { first_fragment, .. } => first_fragment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_icon_is_bulk_but_not_the_pixels() {
    let icon = [
        &b"\x88\0\0\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"[..],
        PIXELS,
        TABLE,
        FRAGMENT,
        FRAGMENT,
        FRAGMENT,
        END,
        b"\xfe\xff\x0d\xe0\0\0\0\0",
        END,
    ]
    .concat();
    let only_icon = layout(&[&icon], 1);
    assert_eq!((only_icon.bulk.len(), &only_icon.pixels), (1, &None));

    let empty_table = b"\xfe\xff\0\xe0\0\0\0\0";
    let both = layout(&[&icon, PIXELS, empty_table, FRAGMENT, FRAGMENT, END], 2);
    let paths: Vec<&str> = both.bulk.iter().map(|bulk| bulk.path.as_str()).collect();
    assert_eq!(paths, ["00880200/1/7FE00010", "7FE00010"]);
    assert_eq!(first_fragments(&both), [0, 1]);
    let end = (icon.len() + 12 + 8 + 24 + 8) as u64;
    assert_eq!(both.pixels.unwrap().value, icon.len() as u64 + 12..end);
}

#[test]
fn the_offset_tables_of_the_data_set_are_used() {
    let basic = layout(&[PIXELS, TABLE, FRAGMENT, FRAGMENT, FRAGMENT, END], 2);
    assert_eq!(first_fragments(&basic), [0, 1]);

    let offsets = [0_u64.to_le_bytes(), 24_u64.to_le_bytes()].concat();
    let extended = [&b"\xe0\x7f\x01\0OV\0\0\x10\0\0\0"[..], &offsets].concat();
    let both = layout(&[&extended, PIXELS, TABLE, FRAGMENT, FRAGMENT, FRAGMENT, END], 2);
    assert_eq!(first_fragments(&both), [0, 2]);
}

#[test]
fn of_several_pixel_data_the_first_counts() {
    let native = b"\xe0\x7f\x10\0OW\0\0\x02\0\0\0ab";
    let layout = layout(&[native, PIXELS, TABLE, FRAGMENT, END], 1);
    assert_eq!(layout.pixels.as_ref().unwrap().value, 12..14);
    assert_eq!(layout.bulk("7FE00010").unwrap().value, 12..14);
}

#[test]
fn pixels_without_a_shape_have_a_place_but_no_frames() {
    let float = layout(&[b"\xe0\x7f\x08\0OF\0\0\x04\0\0\0abcd"], 1);
    let pixels = float.pixels.unwrap();
    assert_eq!((pixels.tag, pixels.value), (Tag(0x7FE0, 0x0008), 12..16));
    assert_eq!(pixels.frames, FrameTable::Unknown);
}

/// Tells a collector of bulk values until it gives up; how many it took.
fn bulk_values(collector: &mut LayoutCollector, depth: u16) -> usize {
    let element =
        Element { tag: Tag(0x5400, 0x1010), vr: VR::OW, start: 7, value: 19..9000, depth };
    (0..=MAX_BULK_VALUES)
        .position(|_| {
            collector.element(&element, Value::Bulk);
            collector.refusal().is_some()
        })
        .unwrap()
}

#[test]
fn an_object_of_endless_bulk_values_is_refused() {
    let mut collector = LayoutCollector::default();
    assert_eq!(bulk_values(&mut collector, 0), MAX_BULK_VALUES);
    let refusal = collector.finish().unwrap_err();
    assert_eq!(refusal.problem, Problem::TooMany(MAX_BULK_VALUES as u64));

    let mut collector = LayoutCollector::default();
    let sequence =
        Element { tag: Tag(0x0040, 0xA730), vr: VR::SQ, start: 0, value: 8..8, depth: 0 };
    for _ in 0..64 {
        collector.begin_sequence(&sequence);
        collector.begin_item();
    }
    let path = 64 * "0040A730/1/".len() + "54001010".len();
    assert_eq!(bulk_values(&mut collector, 64), MAX_PATH_BYTES / path);
}
