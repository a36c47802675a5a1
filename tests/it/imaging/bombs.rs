//! Code streams that promise far more than they hold, each codec's: an error, at once, in little
//! memory. The child process that tries them is held to an address space by the kernel.

use std::process::Command;
use std::time::{Duration, Instant};

use lastra::imaging::decode::{Detail, cost, decode};
use lastra::imaging::pixels::{Photometric, PixelAttributes};
use lastra::imaging::render::StoredFrame;

use super::object::{open, pydicom_data, pydicom_more};

/// Set in the child process.
const CHILD: &str = "LASTRA_BOMBS";

/// Address space of the child. Starting the test binary takes part of it (threads' stacks mostly).
const ADDRESS_SPACE_KIB: u64 = 2 * 1024 * 1024;

/// None may take longer, on a busy machine and with little optimization.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn bombs_are_refused_within_the_memory_a_frame_may_take() {
    if std::env::var_os(CHILD).is_some() {
        return try_them();
    }
    let test = "imaging::bombs::bombs_are_refused_within_the_memory_a_frame_may_take";
    let limited =
        format!("ulimit -v {ADDRESS_SPACE_KIB} && exec \"$0\" --exact {test} --nocapture");
    let tried = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout);
    assert!(tried.status.success(), "{said}{}", String::from_utf8_lossy(&tried.stderr));
    assert!(said.contains("bombs tried"), "{said}");
}

fn try_them() {
    let bombs = bombs();
    for (name, attributes, frame) in &bombs {
        // What the pool would refuse is not tried; the largest frame it admits by default is.
        if cost(attributes, frame) > 512 * 1024 * 1024 {
            println!("{name}: refused by its cost");
            continue;
        }
        let begun = Instant::now();
        let decoded = decode(attributes, frame, Detail::Full);
        let took = begun.elapsed();
        let error = decoded.map(|frame| (frame.width, frame.height)).expect_err(name);
        println!("{name}: {took:?}: {error}");
        assert!(took < LONGEST, "{name} took {took:?}");
    }
    println!("{} bombs tried", bombs.len());
}

fn header(columns: u16, rows: u16, samples: u16, bits: u16) -> PixelAttributes {
    PixelAttributes {
        rows,
        columns,
        samples_per_pixel: samples,
        bits_allocated: bits.next_multiple_of(8),
        bits_stored: bits,
        high_bit: bits - 1,
        photometric: if samples == 3 { Photometric::Rgb } else { Photometric::Monochrome2 },
        frames: 1,
        tallness: 1.0,
        ..PixelAttributes::default()
    }
}

fn frame(syntax: &str, bytes: Vec<u8>) -> StoredFrame {
    let transfer_syntax = format!("1.2.840.10008.1.2{syntax}");
    StoredFrame { transfer_syntax, bytes: bytes.into(), index: 0 }
}

type Bomb = (String, PixelAttributes, StoredFrame);

fn bombs() -> Vec<Bomb> {
    let mut bombs = Vec::new();
    // As large as the header promises, and nothing in it.
    for (columns, rows) in [(65_535, 65_535), (16_000, 16_000), (7_000, 7_000)] {
        for (name, syntax, bytes) in empty_streams(columns, rows) {
            let name = format!("{name} of {columns}x{rows}, empty");
            for (samples, bits) in [(1, 16), (3, 8)] {
                let attributes = header(columns, rows, samples, bits);
                bombs.push((name.clone(), attributes, frame(syntax, bytes.clone())));
            }
        }
    }
    // Real streams of a small picture, whose sizes were made absurd: header and stream disagree.
    for (name, at, size) in [
        ("JPGExtended.dcm", &[0xFF, 0xC1][..], 5),
        ("SC_rgb_jpeg_dcmtk.dcm", &[0xFF, 0xC0], 5),
        ("MR_small_jpeg_ls_lossless.dcm", &[0xFF, 0xF7], 5),
        ("JPEG2000.dcm", &[0xFF, 0x51], 8),
        ("MR_small_jp2klossless.dcm", &[0xFF, 0x51], 8),
    ] {
        let object = open(&pydicom_data().join("test_files").join(name)).unwrap();
        let stored = object.frame(0);
        let mut bytes = stored.bytes.to_vec();
        let place = bytes.windows(2).position(|two| two == at).unwrap();
        let wide = if size == 8 { 6..14 } else { 5..9 };
        for byte in &mut bytes[place + wide.start..place + wide.end] {
            *byte = 0x7F;
        }
        bombs.push((
            format!("{name}, its stream 0x7F7F across"),
            object.attributes,
            StoredFrame { bytes: bytes.into(), ..stored },
        ));
    }
    // As long as a picture of that size may be, and nothing in it: all memory is taken, and no more.
    for (name, process, precision) in [("baseline", 0xC0, 8), ("progressive", 0xC2, 12)] {
        let attributes = header(4_000, 4_000, 3, precision.into());
        bombs.push((
            format!("JPEG {name} of zeros"),
            attributes,
            of_zeros(process, precision, 4_000),
        ));
    }
    // One short scan again and again, in a progressive JPEG of 7000 by 7000.
    bombs.push(("JPEG of 10 000 scans".to_owned(), header(7_000, 7_000, 1, 8), many_scans(7_000)));
    let object = open(&pydicom_more("JPEG-LL.dcm")).unwrap();
    let bytes = object.frame(0).bytes;
    let short = StoredFrame { bytes: bytes.slice(..bytes.len() / 10), ..object.frame(0) };
    bombs.push(("JPEG lossless, a tenth of it".to_owned(), object.attributes, short));
    bombs
}

/// Headers with hardly a byte of data behind them.
fn empty_streams(columns: u16, rows: u16) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let [h1, h0] = rows.to_be_bytes();
    let [w1, w0] = columns.to_be_bytes();
    let jpeg = |process: u8, precision: u8, scan: &[u8]| {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, process, 0, 11, precision, h1, h0, w1, w0];
        bytes.extend([1, 1, 0x11, 0]);
        bytes.extend(HUFFMAN);
        bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0]);
        bytes.extend(scan);
        bytes.extend([0, 0, 0, 0xFF, 0xD9]);
        bytes
    };
    let mut j2k = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    for number in [u32::from(columns), rows.into(), 0, 0, columns.into(), rows.into(), 0, 0] {
        j2k.extend(number.to_be_bytes());
    }
    j2k.extend([0, 1, 15, 1, 1]);
    j2k.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
    j2k.extend([0xFF, 0x5C, 0, 19, 0x40]);
    j2k.extend([0x40; 16]);
    j2k.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 14, 0, 1, 0xFF, 0x93, 0xFF, 0xD9]);
    let rle = [[1_u32, 64].map(u32::to_le_bytes).concat(), vec![0; 56], vec![0x81, 7]].concat();
    vec![
        ("JPEG baseline", ".4.50", jpeg(0xC0, 8, &[0, 63, 0])),
        ("JPEG progressive", ".4.50", jpeg(0xC2, 8, &[0, 0, 0])),
        ("JPEG extended", ".4.51", jpeg(0xC1, 12, &[0, 63, 0])),
        ("JPEG lossless", ".4.70", jpeg(0xC3, 16, &[1, 0, 0])),
        ("JPEG-LS", ".4.80", jpeg(0xF7, 16, &[0, 0, 0])),
        ("JPEG 2000", ".4.90", j2k),
        ("RLE", ".5", rle),
        ("deflated image frame", ".8.1", vec![0x03, 0]),
        ("native", ".1", vec![0; 64]),
        // 12 bytes of signature, then a size header of 2^30 by 2^30.
        (
            "JPEG XL",
            ".4.110",
            vec![0xFF, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ),
    ]
}

/// A table for DC 0 and AC 0 with one code each.
const HUFFMAN: [u8; 44] = {
    let mut table = [0; 44];
    table[0] = 0xFF;
    table[1] = 0xC4;
    table[3] = 20;
    table[5] = 1;
    // Counts of 16 lengths from 5 on, one symbol 0.
    table[22] = 0xFF;
    table[23] = 0xC4;
    table[25] = 20;
    table[26] = 0x10;
    table[27] = 1;
    table
};

/// A JPEG of three components, subsampled, whose scan has hardly a byte, behind a long comment.
fn of_zeros(process: u8, precision: u8, size: u16) -> StoredFrame {
    let [high, low] = size.to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xFE, 0xFF, 0xFF];
    bytes.resize(bytes.len() + 0xFFFD, 0);
    bytes.extend([0xFF, 0xDB, 0, 67, 0]);
    bytes.extend([1; 64]);
    bytes.extend([0xFF, process, 0, 17, precision, high, low, high, low, 3]);
    bytes.extend([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    bytes.extend(HUFFMAN);
    let last = if process == 0xC2 { 0 } else { 63 };
    bytes.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, last, 0, 0, 0, 0, 0xFF, 0xD9]);
    frame(".4.51", bytes)
}

/// A progressive JPEG of one component whose DC scan is repeated.
fn many_scans(size: u16) -> StoredFrame {
    let [high, low] = size.to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0];
    bytes.extend(HUFFMAN);
    for _ in 0..10_000 {
        bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 0]);
    }
    frame(".4.50", bytes)
}
