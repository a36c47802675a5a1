//! The codec on messages as senders write them, and on what they should not write.

use proptest::prelude::*;

use super::{Message, MessageError, Separators};

const ADT: &str = "MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ADT^A01^ADT_A01|1|P|2.5|||||ITA|UNICODE UTF-8\r\
    EVN|A01|20260302\rPID|1||P1^^^OSP&1.2.3&ISO^MR~RSSMRA79B11C566R^^^MEF||Rossi&De^Mario^^^Dott.||19790211|M\r";

#[test]
fn fields_repetitions_components_and_subcomponents_are_found_by_number() {
    let message = Message::parse(ADT.as_bytes()).unwrap();
    let msh = message.segment("MSH").unwrap();
    assert_eq!((msh.field(1), msh.field(2), msh.field(3)), ("|", "^~\\&", "RIS"));
    assert_eq!((msh.component(9, 2).as_str(), msh.text(10).as_str()), ("A01", "1"));
    assert_eq!((msh.field(0), msh.field(99)), ("", ""));
    let pid = message.segment("PID").unwrap();
    let ids: Vec<_> = pid.repetitions(3).collect();
    assert_eq!((ids[0].component(1).as_str(), ids[0].subcomponent(4, 2).as_str()), ("P1", "1.2.3"));
    assert_eq!(ids[1].component(4), "MEF");
    assert_eq!((pid.component(5, 1).as_str(), pid.component(5, 2).as_str()), ("Rossi", "Mario"));
    assert_eq!(pid.repetitions(4).count(), 0);
    assert!(message.segment("ZZZ").is_none());
}

#[test]
fn segments_end_as_senders_end_them_and_other_separators_work() {
    for text in [ADT.replace('\r', "\n"), ADT.replace('\r', "\r\n"), ADT.trim_end().to_owned()] {
        assert_eq!(Message::parse(text.as_bytes()).unwrap().segments().count(), 3);
    }
    let odd = "MSH$%*?!$A$B\rPID$1$$a!b%c*d?S?e";
    let message = Message::parse(odd.as_bytes()).unwrap();
    let pid = message.segment("PID").unwrap();
    let all: Vec<_> = pid.repetitions(3).collect();
    assert_eq!((all[0].subcomponent(1, 2).as_str(), all[0].component(2).as_str()), ("b", "c"));
    assert_eq!(all[1].component(1), "d%e");
}

#[test]
fn escapes_are_resolved_and_written() {
    let separators = Separators::RECOMMENDED;
    for (raw, text) in [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("riga\\.br\\due", "riga\ndue"),
        ("\\XE0\\ \\XC3A0\\", "à à"),
        ("\\H\\forte\\N\\", "forte"),
        ("\\Zxy\\a", "a"),
        ("aperto \\ solo", "aperto \\ solo"),
        ("\\XZZ\\a\\X1\\b", "a\u{1}b"),
    ] {
        assert_eq!(separators.unescape(raw), text, "{raw}");
    }
    assert_eq!(
        separators.escape("a|b^c&d~e\\f\r\n"),
        "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\X0D\\\\X0A\\"
    );
    let bare = Separators { escape: None, subcomponent: None, ..separators };
    assert_eq!(bare.escape("a|b\rc"), "a b c");
}

#[test]
fn text_is_read_by_its_character_set() {
    let pid = b"\rPID|1||||Citt\xE0";
    let with = |charset: &str| {
        let mut bytes = format!("MSH|^~\\&|||||||||||||||{}|{charset}", "").into_bytes();
        bytes.extend(pid);
        Message::parse(&bytes).map(|message| message.segment("PID").map(|pid| pid.text(5)))
    };
    for charset in ["8859/1", "8859/15", "", "ASCII", "8859/1~UNICODE UTF-8"] {
        assert_eq!(with(charset).unwrap().as_deref(), Some("Città"), "{charset}");
    }
    for charset in ["UNICODE UTF-8", "KLINGON"] {
        assert!(matches!(with(charset), Err(MessageError::Charset(_))), "{charset}");
    }
}

#[test]
fn what_is_no_message_is_refused_with_its_reason() {
    for (text, error) in [
        ("", MessageError::NoHeader),
        ("PID|1", MessageError::NoHeader),
        ("MSH", MessageError::Separators),
        ("MSH|", MessageError::Separators),
        ("MSH|^^\\&|", MessageError::Separators),
        ("MSHa^~\\&a", MessageError::Separators),
        ("MSH|^~\\&|\rPI|1", MessageError::Segment(2)),
        ("MSH|^~\\&|\rnot a segment", MessageError::Segment(2)),
    ] {
        assert_eq!(Message::parse(text.as_bytes()).unwrap_err(), error, "{text}");
    }
    let many = format!("MSH|^~\\&|\r{}", "ZZZ\r".repeat(super::MAX_SEGMENTS));
    assert_eq!(Message::parse(many.as_bytes()).unwrap_err(), MessageError::TooMany);
}

#[test]
fn an_empty_quote_means_removed_and_reads_as_nothing() {
    let message = Message::parse(b"MSH|^~\\&|\rPID|1||\"\"||\"\"^Mario").unwrap();
    let pid = message.segment("PID").unwrap();
    assert_eq!(pid.repetitions(3).count(), 0);
    assert_eq!((pid.component(5, 1).as_str(), pid.component(5, 2).as_str()), ("", "Mario"));
}

proptest! {
    #[test]
    fn what_is_escaped_comes_back(text in "[a-z|^~&\\\\\r\n àX.]{0,20}") {
        let separators = Separators::RECOMMENDED;
        prop_assert_eq!(separators.unescape(&separators.escape(&text)), text.clone());
        let message = format!("MSH|^~\\&|{}|next", separators.escape(&text));
        let message = Message::parse(message.as_bytes()).unwrap();
        let msh = message.segment("MSH").unwrap();
        prop_assert_eq!(msh.field(4), "next");
        if !text.is_empty() {
            prop_assert_eq!(msh.text(3), text);
        }
    }

    #[test]
    fn any_bytes_are_answered(head in "MSH\\|\\^~\\\\&\\||", rest in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = head.into_bytes();
        bytes.extend(rest);
        if let Ok(message) = Message::parse(&bytes) {
            for segment in message.segments() {
                let _ = (segment.text(3), segment.component(5, 2));
            }
        }
    }
}
