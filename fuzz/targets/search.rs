//! Any query string as a search, and any name by ear: refused or read, and then in bounds.
#![no_main]

use lastra::dicom::phonetic::MAX_WORDS;
use lastra::dicom::phonetic::sound;
use lastra::dicom::phonetic::words;
use lastra::dicomweb::qido_params::MAX_OFFSET;
use lastra::dicomweb::qido_params::parse;
use lastra::http::query_string::QueryString;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let words = words(text);
    assert!(words.len() <= MAX_WORDS);
    assert!(words.iter().all(|word| sound(word).len() <= 64));
    let Ok(query) = QueryString::parse(text) else { return };
    match parse(&query) {
        Ok(search) => assert!(search.offset <= MAX_OFFSET),
        Err(problem) => assert_eq!(problem.status, 400),
    }
});
