//! Any bytes as a Native DICOM Model document: a data set the scanner reads, or an error.
#![no_main]

use lastra::dicom::json::JsonWriter;
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::dicom::write::{DataSetWriter, Piece};
use lastra::dicom::xml_read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 20, elements: 10_000, ..Limits::DEFAULT };
    let mut writer = DataSetWriter::default();
    if xml_read::read(bytes, limits, &mut writer).is_err() {
        return;
    }
    let mut json = JsonWriter::new(Encoding::ExplicitLittle, "http://localhost/");
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
    for piece in writer.finish().pieces() {
        if let Piece::Bytes(bytes) = piece {
            scanner.push(&bytes, &mut json).expect("written to be scanned");
        } else {
            return;
        }
    }
    scanner.finish(&mut json).expect("written to be scanned");
});
