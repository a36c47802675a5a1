//! Known answers of presentation states.

use dicom_core::Tag;
use proptest::prelude::*;

use super::parse::parse;
use super::{GRAYSCALE, Presentation};
use crate::dicom::feed::{element, scan, sequence};
use crate::dicom::limits::Limits;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;
use crate::dicom::tree::Tree;
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};
use crate::imaging::render::{Dressing, RenderRequest, StoredFrame, picture};
use crate::imaging::view::View;

fn state(elements: &[Vec<u8>]) -> Presentation {
    let mut all = vec![element(Tag(0x0008, 0x0016), "UI", format!("{GRAYSCALE}\0").as_bytes())];
    all.extend_from_slice(elements);
    let mut tree = Tree::new(Encoding::ExplicitLittle);
    scan(&all, &mut tree);
    parse(tree.root())
}

/// An image of 4 by 2 pixels with the values 0 to 7 times 30, MONOCHROME1 on purpose.
fn drawn(state: &Presentation, view: View) -> Raster {
    try_drawn(state, view).unwrap()
}

fn try_drawn(state: &Presentation, view: View) -> Result<Raster, ImagingError> {
    let attributes = PixelAttributes {
        rows: 2,
        columns: 4,
        samples_per_pixel: 1,
        bits_allocated: 8,
        bits_stored: 8,
        high_bit: 7,
        frames: 1,
        tallness: 1.0,
        photometric: Photometric::Monochrome1,
        ..PixelAttributes::default()
    };
    let bytes: Vec<u8> = (0..8).map(|n| n * 30).collect();
    let transfer_syntax = "1.2.840.10008.1.2.1".to_owned();
    let frame = StoredFrame { transfer_syntax, bytes: bytes.into(), index: 0 };
    let presented = Some(Box::new(state.of("1.2.3", 1)));
    let request = RenderRequest { view, ..RenderRequest::default() };
    let dressing = Dressing { presented, ..Dressing::default() };
    picture(&attributes, &frame, &request, &dressing).map(|(raster, _)| raster)
}

fn target(instance: &str) -> Vec<u8> {
    let uid = element(Tag(0x0008, 0x1155), "UI", format!("{instance}\0").as_bytes());
    sequence(Tag(0x0008, 0x1140), &[uid])
}

fn text(tag: Tag, vr: &str, value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(b' ');
    }
    element(tag, vr, &bytes)
}

#[test]
fn a_state_that_says_something_of_everything_is_drawn() {
    let mut tree = Tree::new(Encoding::ExplicitLittle);
    scan(&[everything()], &mut tree);
    let picture = drawn(&parse(tree.root()), View::default());
    assert_eq!((picture.width, picture.height), (6, 12), "turned, three times as large");
}

#[test]
fn an_empty_state_shows_all_values_as_they_are_whatever_the_image_says() {
    assert_eq!(drawn(&state(&[]), View::default()).data, [0, 30, 60, 90, 120, 150, 180, 210]);
    let inverse = text(Tag(0x2050, 0x0020), "CS", "INVERSE");
    let levels = drawn(&state(&[inverse]), View::default()).data;
    assert_eq!(levels, [255, 225, 195, 165, 135, 105, 75, 45]);
}

#[test]
fn the_window_of_the_image_it_is_for_is_taken() {
    let window = |instance: &str, center: &str| {
        let rule = [
            target(instance),
            text(Tag(0x0028, 0x1050), "DS", center),
            text(Tag(0x0028, 0x1051), "DS", "2"),
        ];
        rule.concat()
    };
    let state =
        state(&[sequence(Tag(0x0028, 0x3110), &[window("9.9", "10"), window("1.2.3", "100")])]);
    assert_eq!(drawn(&state, View::default()).data, [0, 0, 0, 0, 255, 255, 255, 255]);
}

#[test]
fn a_bitmap_shutter_hides_what_its_plane_has_ones_for() {
    let plane = |group: u16, bits: u8| {
        [
            element(Tag(group, 0x0010), "US", &[2, 0]),
            element(Tag(group, 0x0011), "US", &[4, 0]),
            element(Tag(group, 0x0050), "SS", &[1, 0, 1, 0]),
            element(Tag(group, 0x3000), "OW", &[bits, 0]),
        ]
        .concat()
    };
    let shape = |shape: &str| {
        vec![
            text(Tag(0x0018, 0x1600), "CS", shape),
            element(Tag(0x0018, 0x1622), "US", &0x8080_u16.to_le_bytes()),
            element(Tag(0x0018, 0x1623), "US", &0x6002_u16.to_le_bytes()),
            // Another plane, which no layer shows and which is no shutter.
            plane(0x6000, 0xFF),
            plane(0x6002, 0b1000_0011),
        ]
    };
    let levels = drawn(&state(&shape("BITMAP")), View::default()).data;
    assert_eq!(levels, [128, 128, 60, 90, 120, 150, 180, 128]);
    let levels = drawn(&state(&shape("OTHER")), View::default()).data;
    assert_eq!(levels, [0, 30, 60, 90, 120, 150, 180, 210]);
}

#[test]
fn the_part_shown_is_turned_and_then_flipped() {
    let sl = |x: i32, y: i32| [x.to_le_bytes(), y.to_le_bytes()].concat();
    // The two middle columns.
    let area = [
        element(Tag(0x0070, 0x0052), "SL", &sl(2, 1)),
        element(Tag(0x0070, 0x0053), "SL", &sl(3, 2)),
        text(Tag(0x0070, 0x0100), "CS", "SCALE TO FIT"),
    ];
    let area = sequence(Tag(0x0070, 0x005A), &[area.concat()]);
    let rotation = element(Tag(0x0070, 0x0042), "US", &90_u16.to_le_bytes());
    let flip = text(Tag(0x0070, 0x0041), "CS", "Y");
    let plain = drawn(&state(std::slice::from_ref(&area)), View::default());
    assert_eq!((plain.width, plain.data), (2, vec![30, 60, 150, 180]));
    let turned = drawn(&state(&[rotation.clone(), area.clone()]), View::default());
    assert_eq!(turned.data, [150, 30, 180, 60]);
    let flipped = drawn(&state(&[flip, rotation, area.clone()]), View::default());
    assert_eq!(flipped.data, [30, 150, 60, 180]);
    let larger = drawn(&state(&[area]), View::within(8, 4));
    assert_eq!((larger.width, larger.height), (4, 4));
}

#[test]
fn an_area_larger_than_the_image_has_black_around_it() {
    let sl = |x: i32, y: i32| [x.to_le_bytes(), y.to_le_bytes()].concat();
    let area = [
        element(Tag(0x0070, 0x0052), "SL", &sl(0, 1)),
        element(Tag(0x0070, 0x0053), "SL", &sl(5, 2)),
    ];
    let picture =
        drawn(&state(&[sequence(Tag(0x0070, 0x005A), &[area.concat()])]), View::default());
    assert_eq!(picture.data, [0, 0, 30, 60, 90, 0, 0, 120, 150, 180, 210, 0]);
    // Numbers that no picture can have are held within bounds.
    let far = [
        element(Tag(0x0070, 0x0052), "SL", &sl(i32::MIN, i32::MIN)),
        element(Tag(0x0070, 0x0053), "SL", &sl(i32::MAX, i32::MAX)),
    ];
    let picture =
        drawn(&state(&[sequence(Tag(0x0070, 0x005A), &[far.concat()])]), View::within(20, 20));
    assert_eq!((picture.width, picture.height), (20, 20));
}

#[test]
fn a_shutter_hides_what_is_outside_it() {
    let is = |tag, value: &str| text(tag, "IS", value);
    let shutter = [
        text(Tag(0x0018, 0x1600), "CS", "RECTANGULAR"),
        is(Tag(0x0018, 0x1602), "1"),
        is(Tag(0x0018, 0x1604), "4"),
        is(Tag(0x0018, 0x1606), "0"),
        is(Tag(0x0018, 0x1608), "2"),
        element(Tag(0x0018, 0x1622), "US", &0x6400_u16.to_le_bytes()),
    ];
    let picture = drawn(&state(&shutter), View::default());
    assert_eq!(picture.data, [100, 30, 60, 100, 100, 100, 100, 100]);
}

#[test]
fn graphics_are_drawn_where_their_units_say() {
    let fl = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let graphic = |units: &str, points: &[f32]| {
        let object = [
            text(Tag(0x0070, 0x0005), "CS", units),
            element(Tag(0x0070, 0x0020), "US", &2_u16.to_le_bytes()),
            element(Tag(0x0070, 0x0022), "FL", &fl(points)),
            text(Tag(0x0070, 0x0023), "CS", "POLYLINE"),
        ];
        let annotation = [
            text(Tag(0x0070, 0x0002), "CS", "LAYER"),
            sequence(Tag(0x0070, 0x0009), &[object.concat()]),
        ];
        let layer =
            [text(Tag(0x0070, 0x0002), "CS", "LAYER"), text(Tag(0x0070, 0x0062), "IS", "1")];
        state(&[
            sequence(Tag(0x0070, 0x0001), &[annotation.concat()]),
            sequence(Tag(0x0070, 0x0060), &[layer.concat()]),
        ])
    };
    // A vertical line through the middle of the image, in both ways to say it.
    for state in
        [graphic("PIXEL", &[2.0, 0.0, 2.0, 2.0]), graphic("DISPLAY", &[0.5, 0.0, 0.5, 1.0])]
    {
        let picture = drawn(&state, View::within(401, 401));
        let level = |x: usize, y: usize| picture.data[y * 401 + x];
        assert_eq!((picture.width, picture.height), (401, 201));
        for y in [10, 100, 190] {
            assert_eq!(level(200, y), 255, "row {y}");
            assert!(level(199, y) < 60, "its edge in row {y}: {}", level(199, y));
        }
    }
}

/// A state that says something of everything.
fn everything() -> Vec<u8> {
    let fl = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let sl = |x: i32, y: i32| [x.to_le_bytes(), y.to_le_bytes()].concat();
    let graphic = [
        element(Tag(0x0070, 0x0022), "FL", &fl(&[1.0, 1.0, 3.0, 1.0, 2.0, 0.0, 2.0, 2.0])),
        text(Tag(0x0070, 0x0023), "CS", "ELLIPSE"),
        text(Tag(0x0070, 0x0024), "CS", "Y"),
    ];
    let note = [
        text(Tag(0x0070, 0x0006), "ST", "note"),
        element(Tag(0x0070, 0x0010), "FL", &fl(&[0.0, 0.0])),
        element(Tag(0x0070, 0x0011), "FL", &fl(&[4.0, 2.0])),
        element(Tag(0x0070, 0x0014), "FL", &fl(&[2.0, 1.0])),
        text(Tag(0x0070, 0x0015), "CS", "Y"),
    ];
    let annotation = [
        sequence(Tag(0x0070, 0x0008), &[note.concat()]),
        sequence(Tag(0x0070, 0x0009), &[graphic.concat()]),
    ];
    let area = [
        element(Tag(0x0070, 0x0052), "SL", &sl(1, 1)),
        element(Tag(0x0070, 0x0053), "SL", &sl(4, 2)),
        text(Tag(0x0070, 0x0100), "CS", "MAGNIFY"),
        element(Tag(0x0070, 0x0103), "FL", &fl(&[3.0])),
    ];
    let table = [
        element(Tag(0x0028, 0x3002), "US", &[4, 0, 0, 0, 8, 0]),
        element(Tag(0x0028, 0x3006), "US", &[0, 0, 90, 0, 180, 0, 255, 0]),
    ];
    let plane = [
        element(Tag(0x6000, 0x0010), "US", &[2, 0]),
        element(Tag(0x6000, 0x0011), "US", &[4, 0]),
        element(Tag(0x6000, 0x0050), "SS", &[1, 0, 1, 0]),
        text(Tag(0x6000, 0x1001), "CS", "A"),
        element(Tag(0x6000, 0x3000), "OW", &[0x5A, 0]),
    ];
    let elements = [
        text(Tag(0x0018, 0x1600), "CS", "CIRCULAR\\POLYGONAL"),
        text(Tag(0x0018, 0x1610), "IS", "1\\2"),
        text(Tag(0x0018, 0x1612), "IS", "2"),
        text(Tag(0x0018, 0x1620), "IS", "1\\1\\1\\4\\2\\4\\2\\1"),
        sequence(Tag(0x0028, 0x3000), &[table.concat()]),
        element(Tag(0x0070, 0x0042), "US", &90_u16.to_le_bytes()),
        sequence(Tag(0x0070, 0x0001), &[annotation.concat()]),
        sequence(Tag(0x0070, 0x005A), &[area.concat()]),
        sequence(Tag(0x0070, 0x0060), &[text(Tag(0x0070, 0x0002), "CS", "A")]),
        sequence(Tag(0x2050, 0x0010), &[table.concat()]),
        plane.concat(),
    ];
    elements.concat()
}

proptest! {
    #[test]
    fn no_state_panics_or_draws_without_bound(
        spoilt in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let mut bytes = everything();
        for (at, byte) in spoilt {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        let _ = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT).push(&bytes, &mut tree);
        if let Ok(picture) = try_drawn(&parse(tree.root()), View::within(40, 30)) {
            prop_assert!(picture.width <= 40 && picture.height <= 30);
        }
    }
}
