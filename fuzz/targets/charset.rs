//! Any bytes under any Specific Character Set decode to text.
#![no_main]

use lastra::dicom::charset::Charset;
use lastra::dicom::person_name::fold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (terms, text) = bytes.split_at(at);
    let charset = Charset::parse(terms);
    charset.decode_values(text);
    for name in charset.decode_name_values(text) {
        let folded = fold(&name);
        assert_eq!(fold(&folded), folded, "folding twice changes nothing");
    }
});
