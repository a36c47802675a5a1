//! Any bytes as a frame of any shape and transfer syntax: a picture or an error, in bounded memory.
#![no_main]

use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::decode::cost;
use lastra::imaging::pixels::PixelCollector;
use lastra::imaging::render::StoredFrame;
use lastra::imaging::render::draw;
use lastra::imaging::subtraction::difference::{Average, Space};
use libfuzzer_sys::fuzz_target;

const SYNTAXES: [&str; 12] = [
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.1.98",
];

/// What one frame may be admitted for.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

// The syntax, how long the header is, a header in Explicit VR Little Endian, and the frame.
fuzz_target!(|bytes: &[u8]| {
    let [syntax, header, rest @ ..] = bytes else { return };
    let (header, frame) = rest.split_at(usize::from(*header).min(rest.len()));
    let mut collector = PixelCollector::new(Encoding::ExplicitLittle);
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
    let _ = scanner.push(header, &mut collector);
    let attributes = collector.finish();
    let frame = StoredFrame {
        transfer_syntax: SYNTAXES[usize::from(*syntax) % SYNTAXES.len()].to_owned(),
        bytes: frame.to_vec().into(),
        index: 0,
    };
    if cost(&attributes, &frame) <= MAX_BYTES {
        let _ = draw(&attributes, &frame, None, None);
        let _ = draw(&attributes, &frame, Some((50, 50)), None);
        let operands = attributes.masks.operands(1, attributes.frames);
        let average = || Average::default().add(&attributes, &frame, Space::Own)?.finish();
        if let (Ok(Some(operands)), Ok(contrast), Ok(mask)) = (operands, average(), average()) {
            let _ = contrast.less(&mask, operands.shift);
        }
    }
});
