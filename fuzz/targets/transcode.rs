//! Any bytes as a native or RLE frame of any shape, to any transfer syntax: the same samples come
//! back, or there is an error.
#![no_main]

use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::pixels::PixelCollector;
use lastra::imaging::render::StoredFrame;
use lastra::imaging::transcode::Target;
use lastra::imaging::transcode::transcode;
use lastra::imaging::transcode::transcoding_cost;
use libfuzzer_sys::fuzz_target;

const SYNTAXES: [&str; 3] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"];

/// What one frame may be admitted for.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

// Source and target, how long the header is, a header in Explicit VR Little Endian, and the frame.
fuzz_target!(|bytes: &[u8]| {
    let [syntax, target, header, rest @ ..] = bytes else { return };
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
    if transcoding_cost(&attributes, &frame) <= MAX_BYTES {
        // What is encoded is decoded and compared inside.
        let _ =
            transcode(&attributes, &frame, Target::ALL[usize::from(*target) % Target::ALL.len()]);
    }
});
