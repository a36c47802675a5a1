//! Any bytes as a code stream of a small picture, so that all effort goes into the codecs: decoded or
//! refused, at most as large as its header allows. The same bytes as a GIF.
//!
//! The corpus is worth filling with real streams first: `LASTRA_SEEDS=fuzz/corpus/codecs` makes the
//! test `imaging::table` write one for every file it makes.
#![no_main]

use lastra::imaging::decode::{Detail, cost, decode};
use lastra::imaging::gif::{Frames, describe};
use lastra::imaging::pixels::{Photometric, PixelAttributes};
use lastra::imaging::render::StoredFrame;
use libfuzzer_sys::fuzz_target;

/// By the first byte of the input.
const SYNTAXES: [&str; 9] = [
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.110",
];

/// What one frame of that size may be admitted for.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

// The syntax, the header in bits, and the frame.
fuzz_target!(|bytes: &[u8]| {
    let [syntax, shape, stream @ ..] = bytes else { return };
    let bits = [8, 12, 16, 32][usize::from(shape >> 1 & 3)];
    let color = shape & 1 != 0;
    let attributes = PixelAttributes {
        rows: 37,
        columns: 43,
        samples_per_pixel: if color { 3 } else { 1 },
        bits_allocated: if bits == 12 { 16 } else { bits },
        bits_stored: bits,
        high_bit: bits - 1,
        signed: shape & 8 != 0,
        planar: shape & 16 != 0,
        photometric: if color { Photometric::YbrFull } else { Photometric::Monochrome2 },
        frames: 1,
        tallness: 1.0,
        ..PixelAttributes::default()
    };
    let file = stream.to_vec().into();
    if let Ok(told) = describe(&file)
        && u64::from(told.rows) * u64::from(told.columns) <= MAX_BYTES
        && let Ok(mut frames) = Frames::of(&file, &told)
    {
        let samples =
            usize::from(told.rows) * usize::from(told.columns) * usize::from(told.samples);
        for _ in 0..4 {
            let Ok(Some(frame)) = frames.next_frame() else { break };
            assert_eq!(frame.len(), samples);
        }
    }
    let frame = StoredFrame {
        transfer_syntax: SYNTAXES[usize::from(*syntax) % SYNTAXES.len()].to_owned(),
        bytes: stream.to_vec().into(),
        index: 0,
    };
    assert!(cost(&attributes, &frame) <= MAX_BYTES + stream.len() as u64);
    for detail in [Detail::Full, Detail::AtLeast { width: 10, height: 8 }] {
        if let Ok(decoded) = decode(&attributes, &frame, detail) {
            let pixels = u64::from(decoded.width) * u64::from(decoded.height);
            assert!(pixels <= attributes.pixels() * 4);
            let samples = pixels * u64::from(decoded.samples_per_pixel);
            assert_eq!(decoded.data.len() as u64, samples);
        }
    }
});
