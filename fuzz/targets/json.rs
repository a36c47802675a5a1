//! Any bytes through the JSON writer and the header facts: JSON that parses, facts that are text.
#![no_main]

use lastra::dicom::header::HeaderCollector;
use lastra::dicom::json::JsonWriter;
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let encoding = match first % 3 {
        0 => Encoding::ExplicitLittle,
        1 => Encoding::ImplicitLittle,
        _ => Encoding::ExplicitBig,
    };
    let limits = Limits { elements: 10_000, inflate_bytes: 1 << 20, ..Limits::DEFAULT };
    let mut json = JsonWriter::new(encoding, "http://localhost/bulkdata/");
    let mut header = HeaderCollector::new(encoding);
    let mut scanner = Scanner::new(encoding, limits);
    let scanned = scanner.push(rest, &mut json).and_then(|()| scanner.finish(&mut json).map(drop));
    let text = json.finish().expect("bounded");
    serde_json::from_slice::<serde_json::Value>(&text).expect("JSON");
    if scanned.is_ok() {
        let mut scanner = Scanner::new(encoding, limits);
        scanner.push(rest, &mut header).expect("scanned before");
        scanner.finish(&mut header).expect("scanned before");
        for text in [header.finish().patient.attributes] {
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
        }
    }
});
