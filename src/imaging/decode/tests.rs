//! Known bytes to known samples.

use bytes::Bytes;

use super::{Detail, Frame, Samples, StoredBits, cost, decode};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::{Photometric, PixelAttributes, PixelKind, PixelVr};
use crate::imaging::render::StoredFrame;

const LITTLE: &str = "1.2.840.10008.1.2.1";
const BIG: &str = "1.2.840.10008.1.2.2";
const RLE: &str = "1.2.840.10008.1.2.5";

fn grey(columns: u16, rows: u16, allocated: u16, stored: u16) -> PixelAttributes {
    PixelAttributes {
        rows,
        columns,
        samples_per_pixel: 1,
        bits_allocated: allocated,
        bits_stored: stored,
        high_bit: stored.saturating_sub(1),
        frames: 1,
        tallness: 1.0,
        ..PixelAttributes::default()
    }
}

fn color(columns: u16, rows: u16, photometric: Photometric) -> PixelAttributes {
    PixelAttributes { samples_per_pixel: 3, photometric, ..grey(columns, rows, 8, 8) }
}

fn run(attributes: &PixelAttributes, syntax: &str, bytes: &[u8]) -> Result<Frame, ImagingError> {
    let bytes = Bytes::copy_from_slice(bytes);
    decode(
        attributes,
        &StoredFrame { transfer_syntax: syntax.to_owned(), bytes, index: 0 },
        Detail::Full,
    )
}

#[test]
fn native_samples_of_every_width_and_order() {
    let bits = run(&grey(5, 2, 1, 1), LITTLE, &[0b0110_0001, 0b10]).unwrap();
    assert_eq!(bits.data, Samples::U8(vec![1, 0, 0, 0, 0, 1, 1, 0, 0, 1]));
    let words = run(&grey(2, 1, 16, 16), LITTLE, &[1, 2, 3, 4]).unwrap();
    assert_eq!(words.data, Samples::U16(vec![0x0201, 0x0403]));
    let words = run(&grey(2, 1, 16, 16), BIG, &[1, 2, 3, 4]).unwrap();
    assert_eq!(words.data, Samples::U16(vec![0x0102, 0x0304]));
    let long = run(&grey(1, 1, 32, 32), BIG, &[1, 2, 3, 4]).unwrap();
    assert_eq!(long.data, Samples::U32(vec![0x0102_0304]));
    let float = PixelAttributes { kind: PixelKind::Float, ..grey(1, 1, 32, 32) };
    let float = run(&float, LITTLE, &1.5_f32.to_le_bytes()).unwrap();
    assert_eq!(float.data, Samples::F32(vec![1.5]));
}

#[test]
fn octets_in_big_endian_words_are_swapped_and_those_in_bytes_are_not() {
    let words = grey(4, 1, 8, 8);
    let swapped = run(&words, BIG, &[2, 1, 4, 3]).unwrap();
    assert_eq!(swapped.data, Samples::U8(vec![1, 2, 3, 4]));
    let bytes = PixelAttributes { pixel_vr: PixelVr::Bytes, ..words };
    assert_eq!(run(&bytes, BIG, &[2, 1, 4, 3]).unwrap().data, Samples::U8(vec![2, 1, 4, 3]));
    let bits = run(&grey(16, 1, 1, 1), BIG, &[0, 1]).unwrap();
    assert_eq!(bits.data, Samples::U8([vec![1], vec![0; 15]].concat()));
}

#[test]
fn planes_are_interleaved() {
    let planar = PixelAttributes { planar: true, ..color(2, 1, Photometric::Rgb) };
    let frame = run(&planar, LITTLE, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(frame.data, Samples::U8(vec![1, 3, 5, 2, 4, 6]));
}

#[test]
fn halved_chrominance_is_shared_by_two_pixels() {
    let frame = run(&color(2, 1, Photometric::YbrFull422), LITTLE, &[10, 20, 30, 40]).unwrap();
    assert_eq!(frame.data, Samples::U8(vec![10, 30, 40, 20, 30, 40]));
    assert_eq!(frame.photometric, Photometric::YbrFull);
    // Says 4:2:2 and has everything.
    let whole = [10, 30, 40, 20, 31, 41];
    let frame = run(&color(2, 1, Photometric::YbrFull422), LITTLE, &whole).unwrap();
    assert_eq!(frame.data, Samples::U8(whole.to_vec()));
}

#[test]
fn stored_bits_are_masked_shifted_and_extended() {
    let signed = StoredBits { stored: 12, shift: 0, signed: true };
    assert_eq!([0x0FFF, 0xF800, 0x07FF].map(|word| signed.value(word)), [-1, -2048, 2047]);
    let high = StoredBits { stored: 12, shift: 4, signed: false };
    assert_eq!([0xFFFF, 0x001F].map(|word| high.value(word)), [4095, 1]);
    let all = StoredBits { stored: 32, shift: 0, signed: true };
    assert_eq!([u32::MAX, 0x8000_0000].map(|word| all.value(word)), [-1, -2_147_483_648]);
    assert_eq!(all.range(), (-2_147_483_648, 2_147_483_647));
    assert_eq!(high.range(), (0, 4095));
}

#[test]
fn the_quick_way_to_a_stored_value_gives_the_same() {
    for (stored, shift, signed) in
        [(1, 0, true), (8, 0, false), (12, 4, true), (10, 2, false), (16, 0, true), (16, 0, false)]
    {
        let bits = StoredBits { stored, shift, signed };
        let same = (0..=0xFFFF).all(|word| i64::from(bits.narrow(word)) == bits.value(word));
        assert!(same, "{bits:?}");
    }
}

/// An RLE frame of these segments.
fn rle(segments: &[&[u8]]) -> Vec<u8> {
    let mut header = vec![u32::try_from(segments.len()).unwrap()];
    let mut at = 64;
    for segment in segments {
        header.push(at);
        at += u32::try_from(segment.len()).unwrap();
    }
    header.resize(16, 0);
    let header = header.iter().flat_map(|number| number.to_le_bytes());
    header.chain(segments.concat()).collect()
}

#[test]
fn run_lengths_of_16_and_32_bits_come_highest_byte_first() {
    let frame = run(&grey(2, 1, 16, 16), RLE, &rle(&[&[1, 1, 2], &[1, 3, 4]])).unwrap();
    assert_eq!(frame.data, Samples::U16(vec![0x0103, 0x0204]));
    let planes: [&[u8]; 4] = [&[0, 1], &[0, 2], &[0, 3], &[0, 4]];
    let frame = run(&grey(1, 1, 32, 32), RLE, &rle(&planes)).unwrap();
    assert_eq!(frame.data, Samples::U32(vec![0x0102_0304]));
}

#[test]
fn run_lengths_keep_the_objects_colours() {
    let planes: [&[u8]; 3] = [&[0, 150], &[0, 44], &[0, 21]];
    let frame = run(&color(1, 1, Photometric::YbrFull), RLE, &rle(&planes)).unwrap();
    assert_eq!(frame.data, Samples::U8(vec![150, 44, 21]));
    assert_eq!(frame.photometric, Photometric::YbrFull);
}

#[test]
fn hostile_run_lengths_are_damaged_not_followed() {
    let attributes = grey(4, 4, 8, 8);
    let good = rle(&[&[0xF1, 7]]);
    assert!(run(&attributes, RLE, &good).is_ok());
    let number = |at: usize, number: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        bytes
    };
    let frames = [
        number(0, 0),
        number(0, 15),
        number(0, u32::MAX),
        number(4, 0),
        number(4, u32::MAX),
        vec![1],
    ];
    for bytes in frames {
        assert!(matches!(run(&attributes, RLE, &bytes), Err(ImagingError::Damaged(_))));
    }
}

#[test]
fn frames_of_absurd_size_are_refused_before_memory_is_taken() {
    let huge = grey(65_535, 65_535, 16, 16);
    for syntax in [LITTLE, RLE, "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.4.90"] {
        let refused = run(&huge, syntax, &[0; 100]).unwrap_err();
        assert!(matches!(refused, ImagingError::TooLarge { .. }), "{syntax}: {refused}");
    }
    let none = run(&grey(0, 5, 8, 8), LITTLE, &[]).unwrap_err();
    assert!(matches!(none, ImagingError::Damaged(_)));
}

#[test]
fn short_frames_and_odd_formats_are_errors() {
    let short = run(&grey(4, 4, 16, 16), LITTLE, &[0; 31]).unwrap_err();
    assert_eq!(short, ImagingError::Damaged("the frame has 31 of 32 bytes".to_owned()));
    let packed = run(&grey(4, 4, 12, 12), LITTLE, &[0; 24]).unwrap_err();
    assert!(matches!(packed, ImagingError::Unsupported(_)));
    for (syntax, word) in [
        ("1.2.840.10008.1.2.4.102", "H.264 video"),
        ("1.2.840.10008.1.2.4.100.1", "MPEG-2 video"),
        ("1.2.840.10008.1.2.4.108", "H.265 video"),
        ("1.2.840.10008.1.2.4.94", "JPIP"),
        ("1.2.3", "1.2.3"),
    ] {
        let refused = run(&grey(4, 4, 8, 8), syntax, &[0; 16]).unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
        assert_eq!(super::check_syntax(syntax), Err(refused), "told before anything is read");
    }
    assert_eq!(super::check_syntax(RLE), Ok(()));
}

#[test]
fn deflated_frames_inflate_no_further_than_they_need() {
    use std::io::Write;
    let deflate = |bytes: &[u8]| {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let syntax = "1.2.840.10008.1.2.8.1";
    let attributes = grey(2, 2, 8, 8);
    let frame = run(&attributes, syntax, &deflate(&[1, 2, 3, 4])).unwrap();
    assert_eq!(frame.data, Samples::U8(vec![1, 2, 3, 4]));
    let bomb = run(&attributes, syntax, &deflate(&vec![9; 10_000_000])).unwrap();
    assert_eq!(bomb.data.len(), 4);
    assert!(run(&attributes, syntax, &deflate(&[1])).is_err());
    assert!(run(&attributes, syntax, &[0xFF; 9]).is_err());
}

#[test]
fn a_code_stream_of_another_size_than_its_header_is_refused() {
    let raster = crate::imaging::encode::Raster {
        width: 64,
        height: 64,
        channels: 1,
        data: vec![100; 64 * 64],
    };
    let format = crate::imaging::render::Format::Jpeg;
    let jpeg = crate::imaging::encode::encode(&raster, format, 90, None).unwrap();
    let syntax = "1.2.840.10008.1.2.4.50";
    assert!(run(&grey(64, 64, 8, 8), syntax, &jpeg).is_ok());
    assert!(run(&grey(64, 60, 8, 8), syntax, &jpeg).is_ok(), "nearly the same is drawn");
    for (columns, rows) in [(8, 8), (4096, 4096)] {
        let refused = run(&grey(columns, rows, 8, 8), syntax, &jpeg).unwrap_err();
        assert!(refused.to_string().contains("64x64"), "{refused}");
    }
}

#[test]
fn drawing_costs_what_the_larger_of_header_and_code_stream_needs() {
    let syntax = "1.2.840.10008.1.2.4.50";
    let stored = |width: u8, height: u8| {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0, height, 0, width, 3];
        bytes.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 0xFF, 0xDA, 0, 3, 0]);
        StoredFrame { transfer_syntax: syntax.to_owned(), bytes: bytes.into(), index: 0 }
    };
    let attributes = grey(10, 10, 8, 8);
    let bytes = stored(1, 1).bytes.len() as u64;
    assert_eq!(cost(&attributes, &stored(20, 20)), 32 * 32 * 3 * 8 + bytes);
    assert_eq!(cost(&attributes, &stored(5, 5)), 32 * 32 * 3 * 8 + bytes);
    assert_eq!(cost(&attributes, &stored(200, 200)), 100 * 8 + bytes, "refused undecoded");
}

#[test]
fn an_encapsulated_uncompressed_frame_is_native_and_a_pad_byte_is_none_of_it() {
    let frame = run(&grey(3, 1, 8, 8), "1.2.840.10008.1.2.1.98", &[1, 2, 3, 0]).unwrap();
    assert_eq!(frame.data, Samples::U8(vec![1, 2, 3]));
}

#[test]
fn a_code_streams_precision_counts_unless_the_headers_bits_hold_a_sign() {
    let header = PixelAttributes { signed: true, ..grey(2, 1, 16, 12) };
    let extended = StoredBits::coded(&header, 16, &Samples::U16(vec![5, 0xFFFE]));
    assert_eq!((extended.value(5), extended.value(0xFFFE)), (5, -2));
    let masked = StoredBits::coded(&header, 16, &Samples::U16(vec![5, 0x0FFE]));
    assert_eq!((masked.value(5), masked.value(0x0FFE)), (5, -2));
    let fewer = StoredBits::coded(&grey(2, 1, 16, 8), 12, &Samples::U16(vec![5, 0x0FFE]));
    assert_eq!(fewer.value(0x0FFE), 0x0FFE);
}

#[test]
fn double_floats_are_read_in_both_byte_orders() {
    let double = PixelAttributes { kind: PixelKind::Double, ..grey(1, 1, 64, 64) };
    for (syntax, bytes) in [(LITTLE, (-2.5_f64).to_le_bytes()), (BIG, (-2.5_f64).to_be_bytes())] {
        assert_eq!(run(&double, syntax, &bytes).unwrap().data, Samples::F64(vec![-2.5]));
    }
}
