//! Requests for storage commitment, as JSON, XML, and in parts: read whole or refused, never more
//! references than a request may have.
#![no_main]

use lastra::dicomweb::commitment_request::{MAX_REFERENCES, references};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let media = if first & 1 == 0 { "application/dicom+json" } else { "application/dicom+xml" };
    let boundary = (first & 2 != 0).then_some("cut");
    if let Ok(found) = references(body, media, boundary) {
        assert!((1..=MAX_REFERENCES).contains(&found.len()));
        // What was read is named by UIDs that the store can be asked for.
        for reference in &found {
            assert!(!reference.sop_class.as_str().is_empty());
            assert!(!reference.instance.as_str().is_empty());
            assert!(lastra::model::commitment::Reference::parse(&reference.to_text()).is_some());
        }
    }
});
