//! Any query string as a search of any type, and any bytes as a transaction: refused or read, in bounds.
#![no_main]

use lastra::fascicolo::manifest_name::study_named_by;
use lastra::fhir::asked::Asked;
use lastra::fhir::asked::MOST_COUNT;
use lastra::fhir::bringing::read;
use lastra::fhir::cursor::Cursor;
use lastra::fhir::dates::days;
use lastra::fhir::dates::micros;
use lastra::fhir::kind::Kind;
use lastra::fhir::tokens::MOST_VALUES;
use lastra::fhir::tokens::values;
use lastra::http::query_string::QueryString;
use lastra::model::ids;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(refused) = read(bytes) {
        assert!(matches!(refused.status.as_u16(), 400 | 422));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (days(text), micros(text), Cursor::parse(text));
    let _ = (ids::person(text), ids::link(text), ids::document(text), ids::study(text));
    let _ = (ids::manifest(text), study_named_by(text));
    if let Ok(values) = values(text) {
        assert!(values.len() <= MOST_VALUES);
    }
    let Ok(query) = QueryString::parse(text) else { return };
    for kind in Kind::ALL {
        match Asked::parse(kind, &query, text.len() % 2 == 0) {
            Ok(asked) => assert!(asked.count <= MOST_COUNT),
            Err(refused) => assert_eq!(refused.status.as_u16(), 400),
        }
    }
});
