//! Texts of PDFs and FHIR reports, as strangers send them.
#![no_main]

use lastra::documents::pdf_text;
use lastra::fascicolo::recognise::recognise;
use lastra::hl7::fhir_report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(pdf_text::text(bytes).chars().count() <= pdf_text::MOST_TEXT);
    let _ = fhir_report::read(bytes);
    let _ = recognise(bytes);
});
