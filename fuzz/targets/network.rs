//! PDUs, command sets, Accept headers, queries and ranges as strangers send them.
#![no_main]

use bytes::Bytes;
use lastra::dicomweb::accept;
use lastra::dicomweb::frame_list;
use lastra::dicomweb::qido_params;
use lastra::dimse::command::CommandSet;
use lastra::dimse::encode;
use lastra::dimse::message::Assembler;
use lastra::dimse::negotiate::Answer;
use lastra::dimse::negotiate::Rules;
use lastra::dimse::negotiate::answer;
use lastra::dimse::pdu::Decoder;
use lastra::dimse::pdu::Event;
use lastra::http::query_string::QueryString;
use lastra::http::range::Asked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (whole, whole_broke) = data_bytes(bytes, bytes.len().max(1));
    // The first byte also says how the network cuts the rest: that may make no difference.
    let cut = usize::from(bytes.first().copied().unwrap_or(0)) + 1;
    let (pieces, pieces_broke) = data_bytes(bytes, cut);
    assert_eq!((whole, whole_broke), (pieces, pieces_broke), "cut every {cut} bytes");
    if let Ok(command) = CommandSet::parse(&Bytes::copy_from_slice(bytes)) {
        let again = CommandSet::parse(&command.to_bytes().into()).expect("what is written is read");
        assert_eq!(again.to_bytes(), command.to_bytes());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = accept::parse(text);
    let _ = frame_list::parse(text);
    let _ = Asked::parse(text, 1000);
    if let Ok(query) = QueryString::parse(text) {
        let _ = qido_params::parse(&query);
    }
});

/// What a connection that says `bytes`, `cut` at a time, has of data sets, and whether it broke.
fn data_bytes(bytes: &[u8], cut: usize) -> (Vec<u8>, bool) {
    let rules = Rules { accept_called: vec![], accept_calling: vec![], max_pdu_bytes: 4096 };
    let (mut decoder, mut assembler) = (Decoder::new(rules.max_pdu_bytes), Assembler::default());
    let mut data = Vec::new();
    for piece in bytes.chunks(cut) {
        decoder.buffer().extend_from_slice(piece);
        loop {
            match decoder.decode() {
                Ok(Some(Event::Data(piece))) => {
                    if !piece.command {
                        data.extend_from_slice(&piece.bytes);
                    }
                    // An order that is wrong would end a real association.
                    let _ = assembler.take(piece);
                }
                Ok(Some(Event::AssociateRequest(request))) => {
                    if let Answer::Accept(accepted) = answer(&request, &rules) {
                        let _ = encode::associate_accept(accepted.reply);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return (data, true),
            }
        }
    }
    (data, false)
}
