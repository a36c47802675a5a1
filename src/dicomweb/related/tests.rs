//! Bodies seen in the field, cut anywhere; bodies nobody should send.

use proptest::prelude::*;

use super::{Event, Head, MAX_HEADER_BYTES, Reader, RelatedError};

/// Content type and bytes.
type Part = (String, Vec<u8>);

/// Parts of a body, the bytes joined; whether it ended as it must.
fn read(body: &[u8], cut: usize) -> (Vec<Part>, Result<(), RelatedError>) {
    let mut reader = Reader::new("b").unwrap();
    let (mut whole, mut open): (Vec<Part>, Option<Part>) = (vec![], None);
    for piece in body.chunks(cut.max(1)) {
        reader.push(piece);
        loop {
            match reader.event() {
                Ok(Some(Event::Part(head))) => open = Some((head.content_type, Vec::new())),
                Ok(Some(Event::Bytes(bytes))) => open.as_mut().unwrap().1.extend_from_slice(&bytes),
                Ok(Some(Event::PartEnd)) => whole.push(open.take().unwrap()),
                Ok(Some(Event::End)) => {}
                Ok(None) => break,
                Err(error) => return (whole, Err(error)),
            }
        }
    }
    (whole, reader.finish())
}

fn part(kind: &str, bytes: &[u8]) -> Part {
    (kind.to_owned(), bytes.to_vec())
}

#[test]
fn bodies_seen_in_the_field_come_apart_however_they_are_cut() {
    for (body, expected) in [
        ("--b\r\nContent-Type: x\r\n\r\none\r\n--b--\r\n", vec![part("x", b"one")]),
        ("\r\n--b\r\ncontent-type:x\r\n\r\none\r\n--b--", vec![part("x", b"one")]),
        ("preamble\r\n--b \t\r\n\r\none\r\n--b--epilogue", vec![part("", b"one")]),
        (
            "--b\r\nContent-Type: x\r\n\r\none\r\n--b\r\nContent-Type: y\r\n\r\n\r\n--b--",
            vec![part("x", b"one"), part("y", b"")],
        ),
        // What only looks like a delimiter belongs to the part.
        ("--b\r\n\r\none\r\n--bc\r\n--b--", vec![part("", b"one\r\n--bc")]),
        // A stated length is believed, whatever lies within it.
        (
            "--b\r\nContent-Length: 13\r\n\r\none\r\n--b--\r\n1\r\n--b--",
            vec![part("", b"one\r\n--b--\r\n1")],
        ),
        ("--b\r\nContent-Length: 0\r\n\r\n\r\n--b--", vec![part("", b"")]),
        ("--b--", vec![]),
    ] {
        for cut in 1..=body.len() {
            assert_eq!(
                read(body.as_bytes(), cut),
                (expected.clone(), Ok(())),
                "{body:?} cut {cut}"
            );
        }
    }
}

#[test]
fn a_part_that_does_not_end_at_a_delimiter_is_never_reported_whole() {
    for (body, error) in [
        ("--b\r\n\r\none", RelatedError::Cut),
        ("--b\r\n\r\none\r\n--", RelatedError::Cut),
        ("--b\r\n\r\none\r\n--b", RelatedError::Cut),
        ("--b\r\nContent-Length: 9\r\n\r\none\r\n", RelatedError::Cut),
        ("--b\r\nContent-Length: 2\r\n\r\none\r\n--b--", RelatedError::NoDelimiter),
        ("no boundary at all", RelatedError::Cut),
    ] {
        for cut in 1..=body.len() {
            assert_eq!(read(body.as_bytes(), cut), (vec![], Err(error)), "{body:?} cut {cut}");
        }
    }
}

#[test]
fn headers_and_preambles_are_bounded() {
    let long = "x".repeat(MAX_HEADER_BYTES + 1);
    let (_, end) = read(format!("--b\r\nContent-Type: {long}").as_bytes(), 4096);
    assert_eq!(end, Err(RelatedError::HeaderTooLong));
    let (_, end) = read(long.as_bytes(), 4096);
    assert_eq!(end, Err(RelatedError::NoDelimiter));
    for boundary in ["", " ", "a\r\n", "é", &"x".repeat(71)] {
        assert_eq!(Reader::new(boundary).err(), Some(RelatedError::Boundary), "{boundary:?}");
    }
}

#[test]
fn what_a_part_says_of_itself_is_heard() {
    let mut reader = Reader::new("b").unwrap();
    reader.push(b"--b\r\nCONTENT-TYPE:  a/b; c=\"d\" \r\nContent-Location: u\r\nX: y\r\ncontent-length: 7\r\n\r\n");
    let head = Head {
        content_type: "a/b; c=\"d\"".to_owned(),
        content_length: Some(7),
        content_location: "u".to_owned(),
    };
    assert_eq!(reader.event(), Ok(Some(Event::Part(head))));
}

proptest! {
    #[test]
    fn parts_come_back_whatever_they_hold_and_however_they_are_cut(
        parts in proptest::collection::vec(
            (proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..200), any::<bool>()),
            0..5,
        ),
        cut in 1_usize..64,
    ) {
        let mut body = Vec::new();
        let mut expected = Vec::new();
        for (bytes, counted) in parts {
            // Without a length a part must not hold its own delimiter (RFC 2046 §5.1.1).
            let counted = counted || memchr::memmem::find(&bytes, b"\r\n--b").is_some()
                || b"\r\n--b".iter().enumerate().any(|(n, _)| bytes.ends_with(&b"\r\n--b"[..n]) && n > 0);
            body.extend_from_slice(b"--b\r\nContent-Type: t\r\n");
            if counted {
                body.extend_from_slice(format!("Content-Length: {}\r\n", bytes.len()).as_bytes());
            }
            body.extend_from_slice(b"\r\n");
            body.extend_from_slice(&bytes);
            body.extend_from_slice(b"\r\n");
            expected.push(("t".to_owned(), bytes));
        }
        body.extend_from_slice(b"--b--\r\n");
        prop_assert_eq!(read(&body, cut), (expected, Ok(())));
    }

    #[test]
    fn any_bytes_end_in_events_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 1_usize..64) {
        let body = [b"--b\r\n".as_slice(), &bytes].concat();
        let (whole, pieces) = (read(&body, body.len()), read(&body, cut));
        prop_assert_eq!(whole, pieces);
    }
}
