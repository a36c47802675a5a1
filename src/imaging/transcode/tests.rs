//! Pictures of every shape through every encoder and back, and other decoders' opinion.

use proptest::prelude::*;

use super::{Target, Transcoded, transcode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes};
use crate::imaging::render::StoredFrame;

const NATIVE: &str = "1.2.840.10008.1.2.1";

#[derive(Debug, Clone)]
struct Case {
    attributes: PixelAttributes,
    words: Vec<u32>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let size = usize::from(self.attributes.bits_allocated / 8);
        self.words.iter().flat_map(|word| word.to_le_bytes()[..size].to_vec()).collect()
    }

    fn stored(&self) -> StoredFrame {
        StoredFrame { transfer_syntax: NATIVE.into(), bytes: self.bytes().into(), index: 0 }
    }

    fn to(&self, target: Target) -> Result<Transcoded, ImagingError> {
        transcode(&self.attributes, &self.stored(), target)
    }

    /// Native bytes of what `coded` decodes to.
    fn back(&self, coded: &Transcoded, target: Target) -> Transcoded {
        let form = &coded.form;
        let attributes = form.attributes(self.attributes.columns, self.attributes.rows);
        let transfer_syntax = target.uid().to_owned();
        let bytes = coded.bytes.clone().into();
        let stored = StoredFrame { transfer_syntax, bytes, index: 0 };
        transcode(&attributes, &stored, Target::Native).unwrap()
    }
}

fn attributes(
    columns: u16,
    rows: u16,
    samples: u16,
    allocated: u16,
    stored: u16,
) -> PixelAttributes {
    PixelAttributes {
        rows,
        columns,
        samples_per_pixel: samples,
        bits_allocated: allocated,
        bits_stored: stored,
        high_bit: stored - 1,
        photometric: if samples == 3 { Photometric::Rgb } else { Photometric::Monochrome2 },
        frames: 1,
        ..PixelAttributes::default()
    }
}

/// Pictures with slopes, edges, runs and noise. `wild`: bits beside the value are set too.
fn cases(wild: bool) -> impl Strategy<Value = Case> {
    let bits = prop_oneof![(Just(8_u16), 1_u16..=8), (Just(16_u16), 1_u16..=16)];
    let samples = prop_oneof![2 => Just(1_u16), 1 => Just(3)];
    (1_u16..70, 1_u16..50, bits, samples, any::<bool>(), any::<u32>(), 0_u32..17).prop_map(
        move |(columns, rows, (allocated, stored), samples, signed, seed, noise)| {
            let mut attributes = attributes(columns, rows, samples, allocated, stored);
            attributes.signed = signed && samples == 1;
            let count = u32::from(columns) * u32::from(rows) * u32::from(samples);
            let mut state = seed;
            let words = (0..count).map(|place| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let flat = if place / 23 % 3 == 0 { seed } else { place * (seed % 7) };
                let spread =
                    if noise == 0 { 0 } else { (state >> 16) & (u32::MAX >> (32 - noise)) };
                let word = flat.wrapping_add(spread);
                let all = u32::MAX >> (32 - u32::from(allocated));
                if wild {
                    return word & all;
                }
                let spare = 32 - u32::from(stored);
                let value = if attributes.signed {
                    ((word << spare).cast_signed() >> spare).cast_unsigned()
                } else {
                    word << spare >> spare
                };
                value & all
            });
            let words = words.collect();
            Case { attributes, words }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_picture_comes_back_from_every_encoder(case in cases(false)) {
        for target in Target::ALL {
            let coded = case.to(target).unwrap();
            let back = case.back(&coded, target);
            prop_assert_eq!(&back.bytes, &case.bytes(), "{:?}", target);
            prop_assert_eq!(coded.form.bits_stored, case.attributes.bits_stored);
            prop_assert_eq!(back.form.photometric, case.attributes.photometric.clone());
        }
    }

    #[test]
    fn bits_beside_the_value_are_kept_too(case in cases(true)) {
        prop_assume!(!case.attributes.signed);
        for target in Target::ALL {
            let coded = case.to(target).unwrap();
            prop_assert_eq!(&case.back(&coded, target).bytes, &case.bytes(), "{:?}", target);
        }
    }

    #[test]
    fn charls_reads_what_is_written_as_jpeg_ls(case in cases(false)) {
        let coded = case.to(Target::JpegLs).unwrap();
        let decoded = charls::CharLS::default().decode(&coded.bytes).unwrap();
        let stored = u32::from(case.attributes.bits_stored.max(2));
        let mask = u32::MAX >> (32 - stored);
        let size = if stored > 8 { 2 } else { 1 };
        let expected: Vec<u8> =
            case.words.iter().flat_map(|w| (w & mask).to_le_bytes()[..size].to_vec()).collect();
        prop_assert_eq!(decoded, expected);
    }
}

#[test]
fn the_smallest_and_the_flattest_pictures_come_back() {
    for (columns, rows) in [(1, 1), (1, 9), (9, 1), (2, 2), (64, 64), (65, 129), (257, 3)] {
        for (allocated, stored) in [(8, 8), (16, 12), (16, 16)] {
            for samples in [1, 3] {
                for word in [0, 1, u32::MAX >> (32 - u32::from(stored))] {
                    let attributes = attributes(columns, rows, samples, allocated, stored);
                    let count = u32::from(columns) * u32::from(rows) * u32::from(samples);
                    let case = Case { attributes, words: vec![word; count as usize] };
                    for target in Target::ALL {
                        let coded = case.to(target).unwrap();
                        assert_eq!(case.back(&coded, target).bytes, case.bytes(), "{target:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_widest_steps_of_16_bits_come_back() {
    let words = (0..64 * 64).map(|place| [0, 0x8000, 0xFFFF, 0x7FFF, 1][place % 5]).collect();
    let case = Case { attributes: attributes(64, 64, 1, 16, 16), words };
    for target in Target::ALL {
        let coded = case.to(target).unwrap();
        assert_eq!(case.back(&coded, target).bytes, case.bytes(), "{target:?}");
    }
}

#[test]
fn samples_of_32_bits_are_given_native_and_as_rle_only() {
    let words = (0..15_u32).map(|place| place.wrapping_mul(0x1357_9BDF)).collect();
    let case = Case { attributes: attributes(5, 3, 1, 32, 32), words };
    for target in Target::ALL {
        match (target, case.to(target)) {
            (Target::Native | Target::Rle, Ok(coded)) => {
                assert_eq!(case.back(&coded, target).bytes, case.bytes(), "{target:?}");
            }
            (_, Err(ImagingError::Unsupported(_))) => {}
            (target, other) => panic!("{target:?}: {other:?}"),
        }
    }
}

#[test]
fn signs_that_are_not_repeated_come_back_as_the_same_values() {
    let mut attributes = attributes(2, 1, 1, 16, 12);
    attributes.signed = true;
    let case = Case { attributes, words: vec![0x0FF5, 0x0001] };
    for target in [Target::JpegLossless, Target::JpegLs, Target::Htj2k] {
        let back = case.back(&case.to(target).unwrap(), target);
        assert_eq!(back.bytes, [0xF5, 0xFF, 1, 0], "{target:?}");
    }
    let rle = case.to(Target::Rle).unwrap();
    assert_eq!(case.back(&rle, Target::Rle).bytes, case.bytes(), "RLE keeps words");
}

/// The lengths of the tile-parts, as the main header lists them (TLM).
fn listed_lengths(stream: &[u8]) -> Vec<usize> {
    let marker = stream.windows(2).position(|pair| pair == [0xFF, 0x55]).unwrap();
    let length = usize::from(u16::from_be_bytes([stream[marker + 2], stream[marker + 3]]));
    let entries = &stream[marker + 6..marker + 2 + length];
    let number = |entry: &[u8]| u32::from_be_bytes(entry[1..].try_into().unwrap()) as usize;
    entries.chunks(5).map(number).collect()
}

#[test]
fn a_beginning_of_an_htj2k_frame_is_a_smaller_picture() {
    let attributes = attributes(512, 512, 1, 16, 12);
    let words = (0..512_u32 * 512)
        .map(|place| {
            let (x, y) = (place % 512, place / 512);
            let noise = place.wrapping_mul(2_654_435_761) >> 27;
            ((x * x + y * y) / 160 + noise) & 0xFFF
        })
        .collect();
    let case = Case { attributes, words };
    let whole = case.to(Target::Htj2kProgressive).unwrap().bytes;
    let lengths = listed_lengths(&whole);
    assert_eq!(lengths.len(), 4, "64, 128, 256, 512 pixels across");
    let first = whole.windows(2).position(|pair| pair == [0xFF, 0x90]).unwrap();
    assert_eq!(first + lengths.iter().sum::<usize>() + 2, whole.len());
    let picture = |bytes: &[u8], halvings| {
        let parameters = jpeg2k::DecodeParameters::new().strict(false).reduce(halvings);
        let image = jpeg2k::Image::from_bytes_with(bytes, parameters).unwrap();
        (image.width(), image.components()[0].data().to_vec())
    };
    for (parts, halvings) in [(1, 3), (2, 2), (3, 1)] {
        // What a viewer fetches with a range, and the end of the code stream.
        let end = first + lengths[..parts].iter().sum::<usize>();
        let beginning = [&whole[..end], &[0xFF, 0xD9]].concat();
        assert!(end < whole.len() >> (halvings.min(2)), "{end} of {} bytes", whole.len());
        let small = picture(&beginning, halvings);
        assert_eq!(small.0, 512 >> halvings);
        assert!(small == picture(&whole, halvings), "all of it is there already");
    }
}
