//! The rules of colour, and streams made here.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::decode::jpeg::picture::{self, Decoded};
use crate::imaging::decode::jpeg::{is_ybr, lossless};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::Photometric;

#[test]
fn colours_follow_the_code_stream_and_then_the_header() {
    let plain = Jpeg { components: vec![1, 2, 3], ..Jpeg::default() };
    let jfif = Jpeg { jfif: true, ..plain.clone() };
    let adobe = |transform| Jpeg { adobe: Some(transform), ..plain.clone() };
    let named = Jpeg { components: b"RGB".to_vec(), ..plain.clone() };
    for (header, photometric, ybr) in [
        (&plain, Photometric::Rgb, false),
        (&plain, Photometric::YbrFull422, true),
        (&plain, Photometric::Other("?".into()), true),
        (&jfif, Photometric::Rgb, true),
        (&adobe(0), Photometric::YbrFull422, false),
        (&adobe(1), Photometric::Rgb, true),
        (&named, Photometric::YbrFull422, false),
    ] {
        assert_eq!(is_ybr(header, &photometric), ybr, "{header:?} {photometric:?}");
    }
}

/// A picture of flat blocks: of each component the sampling factors.
#[derive(Clone)]
struct Mosaic {
    width: u16,
    height: u16,
    factors: Vec<(u8, u8)>,
    /// Units from one restart marker to the next, 0 for none.
    interval: u16,
    /// Units after which the data ends.
    units: usize,
    /// What the mean is multiplied by; more than a byte is written as words.
    factor: u16,
    /// Before the frame header.
    before: Vec<u8>,
    without_tables: bool,
    rows_behind: bool,
}

/// Three components of 24 by 40 pixels.
fn mosaic(factors: &[(u8, u8)]) -> Mosaic {
    Mosaic {
        width: 24,
        height: 40,
        factors: factors.to_vec(),
        interval: 0,
        units: usize::MAX,
        factor: 8,
        before: Vec::new(),
        without_tables: false,
        rows_behind: false,
    }
}

/// The mean of a block: its component, column and row tell it.
fn mean(component: usize, x: usize, y: usize) -> i32 {
    i32::try_from(component * 40 + x * 9 + y * 17).unwrap() - 100
}

impl Mosaic {
    fn most(&self) -> (u16, u16) {
        let most = |factor: fn(&(u8, u8)) -> u8| self.factors.iter().map(factor).max().unwrap();
        (most(|factors| factors.0).into(), most(|factors| factors.1).into())
    }

    /// The code stream with its end marker; one scan, all components together, the tables of §K.3.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        bytes.extend(&self.before);
        let [high, low] = self.factor.to_be_bytes();
        if high == 0 {
            bytes.extend([0xFF, 0xDB, 0, 67, 0]);
            bytes.extend([low; 64]);
        } else {
            bytes.extend([0xFF, 0xDB, 0, 131, 0x10]);
            bytes.extend([high, low].repeat(64));
        }
        let height = if self.rows_behind { [0; 2] } else { self.height.to_be_bytes() };
        let count = u8::try_from(self.factors.len()).unwrap();
        bytes.extend([0xFF, 0xC1, 0, 8 + 3 * count, 8, height[0], height[1]]);
        bytes.extend(self.width.to_be_bytes());
        bytes.push(count);
        for (id, (across, down)) in (1..).zip(&self.factors) {
            bytes.extend([id, across << 4 | down, 0]);
        }
        if !self.without_tables {
            // Means: sizes 0 to 11, four bits each. Others: one code, the end.
            let mut counts = [0; 16];
            counts[3] = 12;
            bytes.extend([0xFF, 0xC4, 0, 31, 0]);
            bytes.extend(counts);
            bytes.extend(0..12);
            counts = [0; 16];
            counts[0] = 1;
            bytes.extend([0xFF, 0xC4, 0, 20, 0x10]);
            bytes.extend(counts);
            bytes.push(0);
        }
        if self.interval > 0 {
            bytes.extend([0xFF, 0xDD, 0, 4]);
            bytes.extend(self.interval.to_be_bytes());
        }
        bytes.extend([0xFF, 0xDA, 0, 6 + 2 * count, count]);
        (1..=count).for_each(|id| bytes.extend([id, 0]));
        bytes.extend([0, 63, 0]);
        self.scan(&mut bytes);
        if self.rows_behind {
            bytes.extend([0xFF, 0xDC, 0, 4]);
            bytes.extend(self.height.to_be_bytes());
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    fn scan(&self, bytes: &mut Vec<u8>) {
        let (across, down) = self.most();
        let columns = usize::from(self.width.div_ceil(across * 8));
        let rows = usize::from(self.height.div_ceil(down * 8));
        let mut bits = String::new();
        let mut before = vec![0; self.factors.len()];
        for unit in 0..(columns * rows).min(self.units) {
            if self.interval > 0 && unit > 0 && unit % usize::from(self.interval) == 0 {
                padded(&mut bits, bytes);
                let number = (unit / usize::from(self.interval) - 1) % 8;
                bytes.extend([0xFF, 0xD0 | u8::try_from(number).unwrap()]);
                before.fill(0);
            }
            for (component, (across, down)) in self.factors.iter().enumerate() {
                let (across, down) = (usize::from(*across), usize::from(*down));
                for block in 0..across * down {
                    let x = unit % columns * across + block % across;
                    let y = unit / columns * down + block / across;
                    let value = mean(component, x, y);
                    self.write(&mut bits, value - before[component]);
                    before[component] = value;
                }
            }
        }
        padded(&mut bits, bytes);
    }

    /// A difference of means, and the end of the block.
    fn write(&self, bits: &mut String, difference: i32) {
        let size = usize::try_from(32 - difference.unsigned_abs().leading_zeros()).unwrap();
        // Tables K.3 and K.5.
        let standard = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110"];
        let plain = format!("{size:04b}");
        bits.push_str(if self.without_tables { standard[size] } else { &plain });
        let number = if difference < 0 { difference + (1 << size) - 1 } else { difference };
        if size > 0 {
            write!(bits, "{number:0size$b}").unwrap();
        }
        bits.push_str(if self.without_tables { "1010" } else { "0" });
    }

    /// What a component's block comes out as.
    fn level(&self, component: usize, x: usize, y: usize) -> u8 {
        let value = (mean(component, x, y) * i32::from(self.factor) + 4).div_euclid(8);
        u8::try_from((value + 128).clamp(0, 255)).unwrap()
    }
}

/// Bits to bytes, with ones at the end and a zero after each FF.
fn padded(bits: &mut String, bytes: &mut Vec<u8>) {
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for at in (0..bits.len()).step_by(8) {
        let byte = u8::from_str_radix(&bits[at..at + 8], 2).unwrap();
        bytes.push(byte);
        bytes.extend((byte == 0xFF).then_some(0));
    }
    bits.clear();
}

fn run(bytes: &[u8], size: usize) -> Result<Decoded<u8>, ImagingError> {
    picture::decode(&codestream::jpeg(bytes)?, bytes, size)
}

/// Every sample of every plane is its block's.
fn assert_is(mosaic: &Mosaic, decoded: &Decoded<u8>, size: usize) {
    assert_eq!(decoded.planes.len(), mosaic.factors.len());
    let (across, down) = mosaic.most();
    for (component, (plane, factors)) in decoded.planes.iter().zip(&mosaic.factors).enumerate() {
        let side = |side: u16, own: u8, most: u16| {
            (usize::from(side) * size).div_ceil(8) * usize::from(own) / usize::from(most)
        };
        assert!(plane.width >= side(mosaic.width, factors.0, across));
        assert!(plane.height >= side(mosaic.height, factors.1, down));
        for y in 0..plane.height {
            for x in 0..plane.width {
                let expected = mosaic.level(component, x / size, y / size);
                let sample = plane.samples[y * plane.stride + x];
                assert_eq!(sample, expected, "component {component}, {x} {y} of {size}");
            }
        }
    }
}

#[test]
fn components_of_any_sampling_are_put_together() {
    for factors in [
        &[(1, 1)][..],
        &[(1, 1), (1, 1), (1, 1)],
        &[(2, 2), (1, 1), (1, 1)],
        &[(2, 1), (1, 1), (1, 1)],
        &[(1, 2), (1, 1), (1, 1)],
        &[(4, 1), (1, 1), (1, 1)],
        &[(3, 2), (2, 1), (1, 2)],
        &[(1, 1), (2, 2), (4, 4)],
    ] {
        for size in [8, 4, 2, 1] {
            let mosaic = mosaic(factors);
            assert_is(&mosaic, &run(&mosaic.bytes(), size).unwrap(), size);
        }
    }
    // Alone its factors say nothing: blocks come in rows all the same.
    let mut bytes = mosaic(&[(1, 1)]).bytes();
    let place = bytes.windows(2).position(|two| two == [0xFF, 0xC1]).unwrap();
    bytes[place + 11] = 0x22;
    assert_is(&mosaic(&[(1, 1)]), &run(&bytes, 8).unwrap(), 8);
}

#[test]
fn restart_markers_must_be_there_and_in_order() {
    let mosaic = Mosaic { interval: 2, ..mosaic(&[(1, 1), (1, 1), (1, 1)]) };
    let whole = mosaic.bytes();
    assert_is(&mosaic, &run(&whole, 8).unwrap(), 8);
    let places: Vec<usize> = (1..whole.len())
        .filter(|at| whole[at - 1] == 0xFF && (0xD0..=0xD7).contains(&whole[*at]))
        .collect();
    assert_eq!(places.len(), 7);
    for place in places {
        let mut wrong = whole.clone();
        wrong[place] ^= 1;
        assert!(run(&wrong, 8).is_err());
        wrong.drain(place - 1..=place);
        assert!(run(&wrong, 8).is_err());
    }
    let mut behind = whole.clone();
    behind.splice(whole.len() - 2.., [0xFF, 0xD7, 0xFF, 0xD9]);
    assert_is(&mosaic, &run(&behind, 8).unwrap(), 8);
}

#[test]
fn what_the_standard_and_real_streams_leave_open_is_taken() {
    let plain = mosaic(&[(2, 2), (1, 1), (1, 1)]);
    let rows_behind = Mosaic { rows_behind: true, ..plain.clone() };
    assert_is(&plain, &run(&rows_behind.bytes(), 8).unwrap(), 8);
    let words = Mosaic { factor: 300, ..plain.clone() };
    assert_is(&words, &run(&words.bytes(), 8).unwrap(), 8);
    let filled = Mosaic { before: vec![0xFF, 0xFF, 0xFF, 0xFE, 0, 4, 1, 2, 0xFF], ..plain.clone() };
    assert_is(&plain, &run(&filled.bytes(), 8).unwrap(), 8);
    let bytes = plain.bytes();
    assert_is(&plain, &run(&bytes[..bytes.len() - 2], 8).unwrap(), 8);
    assert_is(&plain, &run(&[&bytes[..], &[0]].concat(), 8).unwrap(), 8);
}

#[test]
fn tables_may_be_left_out_of_motion_jpeg_only() {
    let plain = Mosaic { without_tables: true, ..mosaic(&[(1, 1), (1, 1), (1, 1)]) };
    assert!(run(&plain.bytes(), 8).is_err());
    let motion = Mosaic { before: b"\xFF\xE0\0\x06AVI1".to_vec(), ..plain };
    assert_is(&motion, &run(&motion.bytes(), 8).unwrap(), 8);
}

#[test]
fn only_the_last_row_may_be_missing_and_it_is_told() {
    let whole = mosaic(&[(1, 1), (1, 1), (1, 1)]);
    let units = 3 * 5;
    for there in 0..units {
        let short = Mosaic { units: there, ..whole.clone() };
        let decoded = run(&short.bytes(), 8);
        if there < units - 3 {
            assert!(decoded.is_err(), "{there} units");
            continue;
        }
        let decoded = decoded.unwrap();
        assert!(decoded.short);
        let last = &decoded.planes[2].samples[24 * 39..];
        for (x, sample) in last.iter().enumerate() {
            let is_there = 12 + x / 8 < there;
            assert_eq!(*sample, if is_there { whole.level(2, x / 8, 4) } else { 128 });
        }
        // A file cut short has no end marker, and is no picture.
        let bytes = short.bytes();
        assert!(run(&bytes[..bytes.len() - 2], 8).is_err());
    }
    assert!(!run(&whole.bytes(), 8).unwrap().short);
    let alone = Mosaic { height: 8, units: 2, ..whole };
    assert!(run(&alone.bytes(), 8).is_err(), "nothing but a last row");
}

#[test]
fn no_more_memory_is_taken_than_a_frame_may() {
    let huge =
        Mosaic { width: 65_535, height: 65_535, units: 1, ..mosaic(&[(4, 4), (1, 1), (1, 1)]) };
    assert!(matches!(run(&huge.bytes(), 8), Err(ImagingError::TooLarge { .. })));
}

/// 19 by 11 pixels, 4:2:0, as libjpeg-turbo encodes them in ten scans.
fn progressive() -> Vec<u8> {
    let pairs = PROGRESSIVE.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn a_progressive_picture_may_lack_its_end_but_no_scan() {
    let whole = progressive();
    let decoded = run(&whole, 8).unwrap();
    let first: Vec<u8> = decoded.planes.iter().map(|plane| plane.samples[0]).collect();
    assert_eq!(
        run(&whole[..whole.len() - 2], 8).unwrap().planes[0].samples,
        decoded.planes[0].samples
    );
    assert_eq!(first.len(), 3);
    for end in (0..whole.len() - 40).step_by(7) {
        assert!(run(&whole[..end], 8).is_err(), "cut at {end}");
    }
}

const PROGRESSIVE: &str = "\
    ffd8ffdb004300140e0f120f0d14121012171514181e32211e1c1c1e3d2c2e243249404c4b47404645505a736250\
    556d5645466488656d777b8182814e608d978c7d96737e817cffdb0043011517171e1a1e3b21213b7c5346537c7c\
    7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c\
    7c7cffc2001108000b001303012200021101031101ffc40017000003010000000000000000000000000000020304\
    ffc400160101010100000000000000000000000000030002ffda000c0301000210031000000148ea8e6428397fff\
    c4001b10000300020300000000000000000000000001020311121321ffda000801010001050259bcacc770a56aa5\
    1c51ffc400191100020301000000000000000000000000001203223151ffda0008010301013f0195170a70ffc400\
    17110101010100000000000000000000000002001112ffda0008010201013f01046dc8bfffc40016100101010000\
    0000000000000000000000003110ffda0008010100063f02d888ffc4001910000301010100000000000000000000\
    00000111311041ffda0008010100013f2167819704d3384a4288ffda000c03010002000300000010cbcfffc40016\
    1101010100000000000000000000000000010011ffda0008010301013f1078c1c4ffc40016110101010000000000\
    0000000000000000004161ffda0008010201013f1098c9ffc4001810010003010000000000000000000000000010\
    114121ffda0008010100013f108c2ab0c8304a8e1fffd9";

proptest! {
    #[test]
    fn no_stream_makes_the_decoder_panic(
        which in 0..4_usize,
        size in 0..4_u32,
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        end in any::<Index>(),
    ) {
        let mut bytes = match which {
            0 => mosaic(&[(2, 2), (1, 1), (1, 1)]).bytes(),
            1 => Mosaic { interval: 3, ..mosaic(&[(1, 1)]) }.bytes(),
            2 => Mosaic { rows_behind: true, ..mosaic(&[(3, 2), (2, 1)]) }.bytes(),
            _ => progressive(),
        };
        for (place, byte) in changes {
            let length = if byte & 1 == 0 { bytes.len().min(60) } else { bytes.len() };
            bytes[place.index(length)] = byte;
        }
        if end.index(3) == 0 {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(header) = codestream::jpeg(&bytes)
            && usize::from(header.width) * usize::from(header.height) < 1 << 16
        {
            let _ = picture::decode::<u8>(&header, &bytes, 1 << size);
            let _ = picture::decode::<u16>(&header, &bytes, 8);
            let _ = lossless::decode::<u16>(&header, &bytes);
            bytes.iter_mut().filter(|byte| **byte == 0xC1).for_each(|byte| *byte = 0xC3);
            let _ = lossless::decode::<u8>(&header, &bytes);
        }
    }
}
