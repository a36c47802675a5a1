//! Command sets, Accept headers, queries and ranges as strangers send them.
#![no_main]

use lastra::dicomweb::accept;
use lastra::dicomweb::frame_list;
use lastra::dicomweb::qido_params;
use lastra::dimse::command::Command;
use lastra::http::query_string::QueryString;
use lastra::http::range::Asked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::parse(bytes) {
        let _ = Command::parse(&command.to_bytes()).expect("what is written is read");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = accept::parse(text);
    let _ = frame_list::parse(text);
    let _ = Asked::parse(text, 1000);
    if let Ok(query) = QueryString::parse(text) {
        let _ = qido_params::parse(&query);
    }
});
