//! Any text as DICOM JSON: data sets the scanner reads, or an error; and XML that is read back.
#![no_main]

use lastra::dicom::json::JsonWriter;
use lastra::dicom::json_read::JsonReader;
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::dicom::write::{DataSetWriter, Piece, element_header};
use lastra::dicom::{xml, xml_read};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { depth: 20, elements: 10_000, ..Limits::DEFAULT };

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = JsonReader::new(bytes, LIMITS) else { return };
    loop {
        let mut writer = DataSetWriter::default();
        if !matches!(reader.object(&mut writer), Ok(true)) {
            break;
        }
        let mut data_set = Vec::new();
        for piece in writer.finish().pieces() {
            match piece {
                Piece::Bytes(bytes) => data_set.extend_from_slice(&bytes),
                Piece::Hole(hole) => {
                    data_set.extend(element_header(hole.tag, hole.vr, 0).expect("empty"));
                }
            }
        }
        let limits = Limits { depth: 64, ..Limits::DEFAULT };
        let mut json = JsonWriter::new(Encoding::ExplicitLittle, "http://localhost/");
        let mut scanner = Scanner::new(Encoding::ExplicitLittle, limits);
        scanner.push(&data_set, &mut json).expect("written to be scanned");
        scanner.finish(&mut json).expect("written to be scanned");
        let json = json.finish().expect("bounded");
        let document = xml::from_json(&json, Limits::DEFAULT).expect("our own JSON");
        let mut again = DataSetWriter::default();
        xml_read::read(document.as_bytes(), Limits::DEFAULT, &mut again).expect("our own XML");
    }
});
