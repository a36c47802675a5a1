//! Known answers of the drawing rules.

use bytes::Bytes;

use super::{StoredFrame, Window, WindowFunction, draw};
use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{
    Lut, LutState, Palette, Photometric, PixelAttributes, PixelKind, ValueRules,
};

/// A frame of one row of 16-bit values.
fn grey(values: &[u16]) -> (PixelAttributes, StoredFrame) {
    let attributes = PixelAttributes {
        rows: 1,
        columns: values.len().try_into().unwrap(),
        samples_per_pixel: 1,
        bits_allocated: 16,
        bits_stored: 16,
        high_bit: 15,
        frames: 1,
        tallness: 1.0,
        ..PixelAttributes::default()
    };
    (attributes, stored(values.iter().flat_map(|value| value.to_le_bytes()).collect()))
}

fn color(photometric: Photometric, bytes: &[u8]) -> (PixelAttributes, StoredFrame) {
    let (attributes, _) = grey(&vec![0; bytes.len() / 3]);
    let attributes = PixelAttributes {
        samples_per_pixel: 3,
        bits_allocated: 8,
        bits_stored: 8,
        high_bit: 7,
        photometric,
        ..attributes
    };
    (attributes, stored(bytes.to_vec()))
}

fn stored(bytes: Vec<u8>) -> StoredFrame {
    let transfer_syntax = "1.2.840.10008.1.2.1".to_owned();
    StoredFrame { transfer_syntax, bytes: Bytes::from(bytes), index: 0 }
}

fn levels(attributes: &PixelAttributes, frame: &StoredFrame) -> Vec<u8> {
    draw(attributes, frame, None, None).unwrap().data
}

fn window(center: f64, width: f64, function: WindowFunction) -> Window {
    Window { center, width, function }
}

#[test]
fn windows_give_the_levels_of_their_formulas() {
    // Worked out by hand from PS3.3 §C.11.2.1.2 and §C.11.2.1.3 with center 100 and width 101
    // (LINEAR) or 100.
    let (attributes, frame) = grey(&[0, 49, 50, 75, 99, 100, 149, 150, 200]);
    let drawn = |request| draw(&attributes, &frame, None, request).unwrap().data;
    // ((x - 99.5) / 100 + 0.5) · 255
    let linear = drawn(Some(window(100.0, 101.0, WindowFunction::Linear)));
    assert_eq!(linear, [0, 0, 1, 65, 126, 129, 254, 255, 255]);
    // ((x - 100) / 100 + 0.5) · 255
    let exact = drawn(Some(window(100.0, 100.0, WindowFunction::LinearExact)));
    assert_eq!(exact, [0, 0, 0, 64, 125, 128, 252, 255, 255]);
    // 255 / (1 + e^(-4 (x - 100) / 100))
    let sigmoid = drawn(Some(window(100.0, 100.0, WindowFunction::Sigmoid)));
    assert_eq!(sigmoid, [5, 29, 30, 69, 125, 128, 224, 225, 250]);
}

#[test]
fn a_linear_width_of_one_is_a_threshold() {
    let (attributes, frame) = grey(&[98, 99, 100, 101]);
    let drawn = draw(&attributes, &frame, None, Some(window(100.0, 1.0, WindowFunction::Linear)));
    assert_eq!(drawn.unwrap().data, [0, 0, 255, 255]);
}

#[test]
fn windows_that_cannot_be_are_passed_over() {
    let (attributes, frame) = grey(&[0, 50, 100]);
    for width in [0.0, -5.0, f64::NAN, f64::INFINITY] {
        let drawn =
            draw(&attributes, &frame, None, Some(window(50.0, width, WindowFunction::Linear)));
        assert_eq!(drawn.unwrap().data, [0, 128, 255], "width {width}: automatic");
    }
}

#[test]
fn a_requests_window_comes_before_the_objects_and_that_before_its_lut() {
    let (mut attributes, frame) = grey(&[0, 1, 2]);
    attributes.voi_lut = LutState::Read(Lut { first: 0, bits: 8, entries: vec![7, 8, 9] });
    assert_eq!(levels(&attributes, &frame), [7, 8, 9]);
    attributes.values.window = Some((1.0, 2.0));
    attributes.values.function = Some(WindowFunction::LinearExact);
    assert_eq!(levels(&attributes, &frame), [0, 128, 255]);
    let request = Some(window(100.0, 2.0, WindowFunction::LinearExact));
    assert_eq!(draw(&attributes, &frame, None, request).unwrap().data, [0, 0, 0]);
}

#[test]
fn values_are_rescaled_before_the_window() {
    let (mut attributes, frame) = grey(&[0xFFFF, 0, 1]);
    attributes.signed = true;
    attributes.values = ValueRules {
        rescale: Some((2.0, -10.0)),
        window: Some((-10.0, 4.0)),
        function: Some(WindowFunction::LinearExact),
        ..ValueRules::default()
    };
    assert_eq!(levels(&attributes, &frame), [0, 128, 255], "-12, -10, -8");
}

#[test]
fn a_modality_lut_maps_and_clamps() {
    let (mut attributes, frame) = grey(&[0, 10, 11, 12, 99]);
    attributes.modality_lut =
        LutState::Read(Lut { first: 10, bits: 16, entries: vec![100, 300, 200] });
    attributes.values.window = Some((200.0, 200.0));
    attributes.values.function = Some(WindowFunction::LinearExact);
    assert_eq!(levels(&attributes, &frame), [0, 0, 255, 128, 128]);
    attributes.modality_lut = LutState::Unusable;
    let refused = draw(&attributes, &frame, None, None).unwrap_err();
    assert!(matches!(refused, ImagingError::Unsupported(_)));
}

#[test]
fn monochrome1_is_inverted_once_also_with_its_lut_shape() {
    let (mut attributes, frame) = grey(&[0, 50, 100]);
    attributes.photometric = Photometric::Monochrome1;
    assert_eq!(levels(&attributes, &frame), [255, 127, 0]);
    attributes.inverse = true;
    assert_eq!(levels(&attributes, &frame), [255, 127, 0]);
    attributes.photometric = Photometric::Monochrome2;
    assert_eq!(levels(&attributes, &frame), [255, 127, 0], "INVERSE alone inverts too");
}

#[test]
fn padding_is_black_and_does_not_widen_the_automatic_window() {
    let (mut attributes, frame) = grey(&[63_536, 0, 50, 100]);
    attributes.padding = Some((63_536, 63_536));
    assert_eq!(levels(&attributes, &frame), [0, 0, 128, 255]);
    attributes.photometric = Photometric::Monochrome1;
    assert_eq!(levels(&attributes, &frame), [0, 255, 127, 0]);
    attributes.padding = Some((40, 63_536));
    assert_eq!(levels(&attributes, &frame)[2], 0, "a range");
}

#[test]
fn the_automatic_window_ignores_a_few_wild_values() {
    let mut values = vec![0_u16; 500];
    values.extend([100; 500]);
    values.push(65_535);
    let (attributes, frame) = grey(&values);
    let levels = levels(&attributes, &frame);
    assert_eq!((levels[0], levels[600], levels[1000]), (0, 255, 255));
}

#[test]
fn a_picture_of_little_but_one_value_shows_the_rest() {
    let mut values = vec![0_u16; 5000];
    values[77] = 9;
    let (attributes, frame) = grey(&values);
    let levels = levels(&attributes, &frame);
    assert_eq!((levels[0], levels[77]), (0, 255));
    let (attributes, frame) = grey(&[300; 9]);
    assert_eq!(draw(&attributes, &frame, None, None).unwrap().data, [0; 9]);
}

#[test]
fn eight_bit_values_without_a_window_are_levels_already() {
    let (mut attributes, _) = grey(&[0; 3]);
    (attributes.bits_allocated, attributes.bits_stored, attributes.high_bit) = (8, 8, 7);
    assert_eq!(levels(&attributes, &stored(vec![10, 20, 30])), [10, 20, 30]);
    (attributes.bits_allocated, attributes.bits_stored, attributes.high_bit) = (1, 1, 0);
    assert_eq!(levels(&attributes, &stored(vec![0b101])), [255, 0, 255], "a segmentation");
}

#[test]
fn bits_that_are_none_of_the_value_are_not_drawn() {
    let (mut attributes, frame) = grey(&[0xF000, 0x1800, 0x0FFF]);
    (attributes.bits_stored, attributes.high_bit) = (12, 11);
    attributes.values.window = Some((2047.5, 4095.0));
    attributes.values.function = Some(WindowFunction::LinearExact);
    assert_eq!(levels(&attributes, &frame), [0, 128, 255]);
}

#[test]
fn floats_and_wide_integers_are_drawn_and_nan_is_black() {
    let (mut attributes, _) = grey(&[0; 4]);
    attributes.bits_allocated = 32;
    attributes.kind = PixelKind::Float;
    let floats = [0.0_f32, 0.5, 1.0, f32::NAN];
    let frame = stored(floats.iter().flat_map(|value| value.to_le_bytes()).collect());
    assert_eq!(levels(&attributes, &frame), [0, 128, 255, 0]);
    attributes.kind = PixelKind::Integer;
    attributes.bits_stored = 32;
    attributes.high_bit = 31;
    let words = [0_u32, 500_000, 1_000_000, 1_000_000];
    let frame = stored(words.iter().flat_map(|value| value.to_le_bytes()).collect());
    let levels = levels(&attributes, &frame);
    assert_eq!((levels[0], levels[2]), (0, 255));
    assert!(levels[1].abs_diff(128) <= 1);
}

#[test]
fn pure_green_is_green() {
    // Y, Cb, Cr of (0, 255, 0), rounded.
    for (photometric, bytes) in [
        (Photometric::YbrFull, &[150, 44, 21][..]),
        (Photometric::Rgb, &[0, 255, 0]),
        (Photometric::YbrPartial422, &[145, 54, 34]),
    ] {
        let (attributes, frame) = color(photometric.clone(), bytes);
        let pixel = levels(&attributes, &frame);
        let near = pixel.iter().zip([0, 255, 0]).all(|(one, other)| one.abs_diff(other) <= 1);
        assert!(near, "{photometric:?}: {pixel:?}");
    }
    let (mut attributes, frame) = color(Photometric::YbrFull422, &[150, 150, 44, 21, 0, 0]);
    attributes.columns = 2;
    let frame = stored(frame.bytes.slice(..4).to_vec());
    let pixels = levels(&attributes, &frame);
    assert_eq!(pixels.len(), 6);
    assert!(pixels[1] >= 254 && pixels[4] >= 254, "{pixels:?}");
}

#[test]
fn sixteen_bit_colours_keep_their_upper_half() {
    let (mut attributes, _) = color(Photometric::Rgb, &[0; 3]);
    (attributes.bits_allocated, attributes.bits_stored, attributes.high_bit) = (16, 16, 15);
    let frame = stored(vec![0xFF, 0x80, 0, 0x40, 0xFF, 0xFF]);
    assert_eq!(levels(&attributes, &frame), [0x80, 0x40, 0xFF]);
}

#[test]
fn a_palette_gives_its_colours_from_its_first_value_on() {
    let (mut attributes, frame) = grey(&[0, 5, 6, 99]);
    attributes.photometric = Photometric::PaletteColor;
    let table = |entries: [u16; 2]| Lut { first: 5, bits: 16, entries: entries.to_vec() };
    attributes.palette = Palette::Read(Box::new([
        table([0xFF00, 0x0100]),
        table([0x8000, 0x0200]),
        table([0x0000, 0x0300]),
    ]));
    let expected = [[255, 128, 0], [255, 128, 0], [1, 2, 3], [1, 2, 3]].concat();
    assert_eq!(levels(&attributes, &frame), expected);
    attributes.palette = Palette::Absent;
    assert!(draw(&attributes, &frame, None, None).is_err(), "never as grey");
}

#[test]
fn colours_nobody_knows_are_refused_not_guessed() {
    let (attributes, frame) = color(Photometric::Other("HSV".into()), &[1, 2, 3]);
    let refused = draw(&attributes, &frame, None, None).unwrap_err();
    assert!(matches!(refused, ImagingError::Unsupported(_)));
}

fn size(columns: u16, rows: u16, tallness: f64, viewport: Option<(u32, u32)>) -> (u32, u32) {
    let attributes = PixelAttributes { rows, columns, tallness, ..PixelAttributes::default() };
    super::picture_size(&attributes, viewport)
}

#[test]
fn pictures_fit_their_viewport_keep_their_shape_and_never_grow() {
    assert_eq!(size(512, 512, 1.0, Some((192, 192))), (192, 192));
    assert_eq!(size(2500, 2048, 1.0, Some((192, 192))), (192, 157));
    assert_eq!(size(100, 50, 1.0, Some((192, 192))), (100, 50));
    assert_eq!(size(100, 50, 1.0, None), (100, 50));
    assert_eq!(size(512, 512, 2.0, None), (256, 512), "tall pixels");
    assert_eq!(size(512, 512, 0.5, None), (512, 256), "wide pixels");
    assert_eq!(size(65_535, 1, 1.0, Some((10, 10))), (10, 1));
    assert_eq!(size(10, 10, 1.0, Some((0, 0))), (1, 1));
}

#[test]
fn a_smaller_picture_is_the_average_of_the_larger() {
    let (mut attributes, frame) = grey(&[0, 100, 200, 320]);
    attributes.values.window = Some((150.0, 300.0));
    attributes.values.function = Some(WindowFunction::LinearExact);
    let small = draw(&attributes, &frame, Some((2, 1)), None).unwrap();
    let expected = Raster { width: 2, height: 1, channels: 1, data: vec![43, 221] };
    assert_eq!(small, expected, "50 and 260 of 300");
    // Signed values and those with padding are averaged as what they are.
    let (mut signed, frame) = grey(&[0xFFFF, 1, 0x8000, 10]);
    signed.signed = true;
    signed.values.window = Some((0.0, 20.0));
    signed.values.function = Some(WindowFunction::LinearExact);
    assert_eq!(draw(&signed, &frame, Some((2, 1)), None).unwrap().data, [128, 0]);
    signed.padding = Some((-32_768, -32_768));
    assert_eq!(draw(&signed, &frame, Some((2, 1)), None).unwrap().data, [128, 255]);
}

#[test]
fn a_supplemental_palette_colours_only_the_values_it_begins_with() {
    let (mut attributes, frame) = grey(&[0, 100, 200, 201]);
    attributes.values.window = Some((50.0, 100.0));
    attributes.values.function = Some(WindowFunction::LinearExact);
    let table = |entries: [u16; 2]| Lut { first: 200, bits: 8, entries: entries.to_vec() };
    attributes.palette = Palette::Read(Box::new([table([255, 1]), table([0, 2]), table([0, 3])]));
    assert_eq!(levels(&attributes, &frame), [0, 255, 255, 255], "grey unless it says colour");
    attributes.supplemental = true;
    let expected = [[0; 3], [255; 3], [255, 0, 0], [1, 2, 3]].concat();
    assert_eq!(levels(&attributes, &frame), expected);
}

#[test]
fn padding_of_floats_is_black_and_does_not_widen_the_automatic_window() {
    let (mut attributes, _) = grey(&[0; 4]);
    (attributes.bits_allocated, attributes.kind) = (64, PixelKind::Double);
    let doubles = [-1e30_f64, 0.0, 1.0, 2.0];
    let frame = stored(doubles.iter().flat_map(|value| value.to_le_bytes()).collect());
    attributes.real_padding = Some((-1e30, -1e30));
    assert_eq!(levels(&attributes, &frame), [0, 0, 128, 255]);
}

#[test]
fn a_frame_is_drawn_by_its_own_window_and_rescale_and_else_by_the_shared_ones() {
    let (mut attributes, frame) = grey(&[0, 10, 20]);
    let rules = |slope, center| ValueRules {
        rescale: Some((slope, 0.0)),
        window: Some((center, 20.0)),
        function: Some(WindowFunction::LinearExact),
        ..ValueRules::default()
    };
    attributes.values = rules(1.0, 10.0);
    attributes.per_frame = vec![ValueRules::default(), rules(2.0, 10.0)];
    assert_eq!(levels(&attributes, &frame), [0, 128, 255]);
    assert_eq!(levels(&attributes, &StoredFrame { index: 1, ..frame.clone() }), [0, 255, 255]);
    assert_eq!(levels(&attributes, &StoredFrame { index: 2, ..frame }), [0, 128, 255]);
}
