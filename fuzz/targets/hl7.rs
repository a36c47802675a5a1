//! CDA documents, HL7 version 2 messages and their frames, and identifiers, as strangers send them.
#![no_main]

use lastra::hl7::cda::document::ClinicalDocument;
use lastra::hl7::cda::rad;
use lastra::hl7::cda::xml::Document;
use lastra::hl7::v2::ack;
use lastra::hl7::v2::adt::PatientEvent;
use lastra::hl7::v2::header::Header;
use lastra::hl7::v2::message::Message;
use lastra::hl7::v2::mllp::Decoder;
use lastra::hl7::v2::order::OrderMessage;
use lastra::hl7::v2::report::ResultMessage;
use lastra::people::codice_fiscale::CodiceFiscale;
use lastra::people::identifier::Identifier;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::parse(bytes) {
        let _ = rad::validate(&document);
        if let Ok(facts) = ClinicalDocument::of(&document) {
            let _ = facts.plain_text();
        }
    }
    if let Ok(message) = Message::parse(bytes) {
        let header = Header::of(&message).expect("a message has a header");
        let _ = PatientEvent::of(&message, &header);
        let _ = OrderMessage::of(&message, &header);
        let _ = ResultMessage::of(&message, &header);
        // What is told is ASCII, whatever the sender's character set.
        let text: String = bytes.iter().filter(|b| b.is_ascii()).map(|b| char::from(*b)).collect();
        let notice = ack::Notice {
            place: "ORC^1^1".to_owned(),
            code: "already-done",
            meaning: "Examination already done",
            parameters: vec![text.clone(); 11],
            short: text.clone(),
            text,
        };
        let taken = ack::Outcome::Taken(vec![notice]);
        let answer = ack::answer(Some(&header), &taken, "1", "20260101000000");
        if let Some(answer) = answer {
            Message::parse(answer.as_bytes()).expect("what is answered is a message");
        }
    }
    let cut = usize::from(bytes.first().copied().unwrap_or(0)) + 1;
    assert_eq!(frames(bytes, bytes.len().max(1)), frames(bytes, cut), "cut every {cut} bytes");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = CodiceFiscale::parse(text);
    // What was cut is not believed; what is left reads the same from then on.
    let again = |read: &Identifier| Identifier::read(&read.value, &read.assigner);
    if let Some(read) = Identifier::read(text, "").as_ref().and_then(again) {
        assert_eq!(again(&read), Some(read));
    }
});

/// The messages of a stream, and whether it broke.
fn frames(bytes: &[u8], cut: usize) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::new(1 << 20);
    let mut messages = Vec::new();
    for piece in bytes.chunks(cut) {
        if decoder.push(piece, &mut messages).is_err() {
            return (messages, true);
        }
    }
    (messages, false)
}
