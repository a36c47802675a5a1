//! Known answers of mask subtraction.

use proptest::prelude::*;

use super::difference::{Average, Difference, Plane, Space};
use super::{MAX_AVERAGED, Masks, Operands, Said, Shift};
use crate::imaging::decode::Samples;
use crate::imaging::pixels::{Lut, LutState, Photometric, PixelAttributes};
use crate::imaging::render::StoredFrame;

fn said(operation: &str) -> Said {
    Said { operation: operation.to_owned(), ..Said::default() }
}

fn masks(items: Vec<Said>) -> Masks {
    let items = items.into_iter().filter_map(Said::mask).collect();
    Masks { items, recommended: true, ..Masks::default() }
}

/// Contrast and mask frames of a frame of ten.
fn made_of(masks: &Masks, frame: u32) -> Option<(Vec<u32>, Vec<u32>)> {
    let operands = masks.operands(frame, 10).unwrap();
    operands.map(|Operands { contrast, mask, .. }| (contrast, mask))
}

#[test]
fn each_frame_has_the_mask_its_operation_gives_it() {
    let average = masks(vec![Said { frames: vec![1, 2, 99], ..said("AVG_SUB") }]);
    assert_eq!(made_of(&average, 1), Some((vec![1], vec![1, 2])), "of frames that are there");
    assert_eq!(made_of(&average, 10), Some((vec![10], vec![1, 2])));
    assert_eq!(made_of(&average, 11), None);

    let interval = masks(vec![Said { offset: Some(2), ..said("TID") }]);
    assert_eq!(made_of(&interval, 2), None, "there is no frame 0");
    assert_eq!(made_of(&interval, 3), Some((vec![3], vec![1])));
    let next = masks(vec![Said { offset: Some(-1), ..said("TID") }]);
    assert_eq!(made_of(&next, 9), Some((vec![9], vec![10])));
    assert_eq!(made_of(&next, 10), None);
    assert_eq!(made_of(&masks(vec![said("TID")]), 5), Some((vec![5], vec![4])), "1 is the default");

    let reversed = Said { offset: Some(1), ranges: vec![5, 8], ..said("REV_TID") };
    let reversed = masks(vec![reversed]);
    let backwards = [(4, None), (5, Some(4)), (6, Some(3)), (7, Some(2)), (8, Some(1)), (9, None)];
    for (frame, mask) in backwards {
        assert_eq!(made_of(&reversed, frame).map(|(_, mask)| mask[0]), mask, "frame {frame}");
    }
    assert_eq!(made_of(&masks(vec![said("REV_TID")]), 5), None, "it needs a range");
    for other in ["NONE", "", "SOMETHING"] {
        assert_eq!(made_of(&masks(vec![said(other)]), 5), None);
    }
}

#[test]
fn contrast_frames_are_averaged_as_far_as_there_are_any() {
    let averaged = Said { frames: vec![1], averaged: Some(3), ..said("AVG_SUB") };
    let ranged = Said { ranges: vec![9, 10], ..averaged.clone() };
    assert_eq!(made_of(&masks(vec![averaged.clone()]), 8), Some((vec![8, 9, 10], vec![1])));
    assert_eq!(made_of(&masks(vec![averaged]), 9), None, "ends at the last frame less 2");
    assert_eq!(made_of(&masks(vec![ranged]), 9), Some((vec![9, 10], vec![1])));
}

#[test]
fn the_first_item_that_is_for_a_frame_counts() {
    let item = |ranges: Vec<u16>, mask| Said { ranges, frames: vec![mask], ..said("AVG_SUB") };
    let masks = masks(vec![item(vec![4, 5, 8, 9], 1), item(vec![5, 10], 2)]);
    let of = |frame| made_of(&masks, frame).map(|(_, mask)| mask[0]);
    assert_eq!([3, 4, 5, 6, 8, 10].map(of), [None, Some(1), Some(1), Some(2), Some(1), Some(2)]);
}

#[test]
fn a_frames_own_shift_goes_before_that_of_all_and_of_the_item() {
    let item = |id| Said { frames: vec![1], shift: Some((1.0, 1.0)), id, ..said("AVG_SUB") };
    let shift = |down| Shift { down, left: 0.0 };
    let down = |id, frame| {
        let mut masks = masks(vec![item(id)]);
        masks.shifts.insert((None, 7), shift(2.0));
        masks.shifts.insert((Some(3), 7), shift(3.0));
        masks.operands(frame, 10).unwrap().unwrap().shift.down
    };
    let found = [(Some(7), 4), (Some(7), 5), (Some(8), 4), (None, 4)].map(|(id, at)| down(id, at));
    assert_eq!(found.map(f64::from).map(|down| format!("{down}")), ["3", "2", "1", "1"]);
}

#[test]
fn averages_of_very_many_frames_are_refused() {
    let many = vec![1; MAX_AVERAGED + 9];
    let mask = masks(vec![Said { frames: many, ..said("AVG_SUB") }]);
    assert!(mask.operands(1, 10).is_err());
    let averaged = Some(u16::MAX);
    let contrast =
        masks(vec![Said { averaged, frames: vec![1], ranges: vec![1, 9], ..said("AVG_SUB") }]);
    assert!(contrast.operands(1, 70_000).is_err());
    assert!(contrast.operands(1, 10).is_ok(), "there are not so many");
}

fn attributes(columns: u16, rows: u16) -> PixelAttributes {
    PixelAttributes {
        rows,
        columns,
        samples_per_pixel: 1,
        bits_allocated: 8,
        bits_stored: 8,
        high_bit: 7,
        frames: 9,
        tallness: 1.0,
        photometric: Photometric::Monochrome2,
        ..PixelAttributes::default()
    }
}

fn average(attributes: &PixelAttributes, frames: &[&[u8]], space: Space) -> Plane {
    let mut average = Average::default();
    for bytes in frames {
        let transfer_syntax = "1.2.840.10008.1.2.1".to_owned();
        let frame = StoredFrame { transfer_syntax, bytes: bytes.to_vec().into(), index: 0 };
        average = average.add(attributes, &frame, space).unwrap();
    }
    average.finish().unwrap()
}

fn values(difference: &Difference) -> &[f32] {
    let Samples::F32(values) = &difference.frame.data else { panic!() };
    values
}

fn is(number: f64, wanted: f64) -> bool {
    (number - wanted).abs() < 1e-6
}

#[test]
fn averages_are_subtracted_in_fractions() {
    let attributes = attributes(3, 1);
    let contrast = average(&attributes, &[&[10, 20, 30]], Space::Own);
    let mask = average(&attributes, &[&[10, 10, 10], &[11, 30, 10]], Space::Own);
    let difference = contrast.less(&mask, Shift::default()).unwrap();
    assert_eq!(values(&difference), [-0.5, 0.0, 20.0]);
    assert!(is(difference.window.center, 0.0) && is(difference.window.width, 40.0));
    assert!(is(difference.all.width, 510.0));
}

#[test]
fn noise_alone_is_not_blown_up() {
    let attributes = attributes(2, 1);
    let plane = average(&attributes, &[&[10, 20]], Space::Own);
    let difference = plane.clone().less(&plane, Shift::default()).unwrap();
    assert_eq!(values(&difference), [0.0, 0.0]);
    assert!(is(difference.window.width, 255.0 / 16.0));
}

#[test]
fn a_positive_shift_moves_the_mask_down_and_to_the_left() {
    let attributes = attributes(3, 2);
    let mask = average(&attributes, &[&[10, 20, 30, 40, 50, 60]], Space::Own);
    let moved = |down: f32, left: f32| {
        let zero = average(&attributes, &[&[0; 6]], Space::Own);
        let difference = zero.less(&mask, Shift { down, left }).unwrap();
        let negated: Vec<f32> = values(&difference).iter().map(|value| -value).collect();
        negated
    };
    let same = |got: Vec<f32>, wanted: [f32; 6]| {
        let equal = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4 || (a.is_nan() && b.is_nan());
        assert!(got.iter().zip(&wanted).all(equal), "{got:?} for {wanted:?}");
    };
    let none = f32::NAN;
    same(moved(1.0, 0.0), [none, none, none, 10.0, 20.0, 30.0]);
    same(moved(0.0, 1.0), [20.0, 30.0, none, 50.0, 60.0, none]);
    same(moved(0.0, 0.5), [15.0, 25.0, none, 45.0, 55.0, none]);
    same(moved(-0.25, -0.5), [none, 22.5, 32.5, none, none, none]);
    same(moved(1e30, -1e30), [none; 6]);
}

#[test]
fn intensities_are_subtracted_as_logarithms_and_padding_not_at_all() {
    let mut attributes = attributes(2, 1);
    attributes.proportional = true;
    // Half the intensity is the same difference wherever it was.
    let contrast = average(&attributes, &[&[31, 127]], Space::Own);
    let mask = average(&attributes, &[&[63, 255]], Space::Own);
    let difference = contrast.less(&mask, Shift::default()).unwrap();
    let expected = 0.5_f32.ln() / 256_f32.ln() * 255.0;
    for value in values(&difference) {
        assert!((value - expected).abs() < 1e-3, "{value} for {expected}");
    }
    attributes.proportional = false;
    attributes.padding = Some((0, 3));
    let contrast = average(&attributes, &[&[2, 9]], Space::Own);
    let mask = average(&attributes, &[&[4, 4]], Space::Own);
    let difference = contrast.less(&mask, Shift::default()).unwrap();
    assert!(values(&difference)[0].is_nan());
    assert!(is(values(&difference)[1].into(), 5.0));
}

#[test]
fn a_states_modality_lut_is_asked_and_an_images_own_is_not() {
    let mut attributes = attributes(2, 1);
    let entries = (0..256).map(|value| value * 2).collect();
    attributes.modality_lut = LutState::Read(Lut { first: 0, bits: 16, entries });
    for (space, expected) in [(Space::Own, [5.0, -1.0]), (Space::Modality, [10.0, -2.0])] {
        let contrast = average(&attributes, &[&[9, 3]], space);
        let mask = average(&attributes, &[&[4, 4]], space);
        assert_eq!(values(&contrast.less(&mask, Shift::default()).unwrap()), expected);
    }
}

#[test]
fn colours_and_frames_of_several_sizes_are_refused() {
    let colour =
        PixelAttributes { samples_per_pixel: 3, photometric: Photometric::Rgb, ..attributes(1, 1) };
    let transfer_syntax = "1.2.840.10008.1.2.1".to_owned();
    let frame = StoredFrame { transfer_syntax, bytes: vec![0; 3].into(), index: 0 };
    assert!(Average::default().add(&colour, &frame, Space::Own).is_err());
    let (small, large) = (attributes(1, 1), attributes(2, 1));
    let small = average(&small, &[&[0]], Space::Own);
    assert!(small.less(&average(&large, &[&[0, 0]], Space::Own), Shift::default()).is_err());
    assert!(Average::default().finish().is_err());
}

proptest! {
    #[test]
    fn no_module_panics_and_every_frame_asked_for_is_there(
        operation in "AVG_SUB|TID|REV_TID",
        ranges in proptest::collection::vec(any::<u16>(), 0..6),
        mask_frames in proptest::collection::vec(any::<u16>(), 0..6),
        averaged in proptest::option::of(any::<u16>()),
        offset in proptest::option::of(any::<i16>()),
        (down, left) in (any::<f32>(), any::<f32>()),
        frame in any::<u32>(),
        frames in 0..400_u32,
    ) {
        let said = Said { operation, ranges, frames: mask_frames, averaged, shift: Some((down, left)), offset, id: None };
        let masks = masks(vec![said]);
        for frame in [frame, frame % 400] {
            if let Ok(Some(operands)) = masks.operands(frame, frames) {
                let mut all = operands.contrast.iter().chain(&operands.mask);
                prop_assert!(all.all(|number| (1..=frames).contains(number)));
                prop_assert_eq!(operands.contrast.first(), Some(&frame));
                prop_assert!(operands.shift.down.is_finite() && operands.shift.left.is_finite());
            }
        }
    }
}
