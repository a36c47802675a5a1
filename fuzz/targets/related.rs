//! Any bytes as a multipart body, whole and in pieces: the same parts, and none without an end.
#![no_main]

use bytes::BytesMut;
use lastra::dicomweb::related::{Event, Reader, RelatedError};
use libfuzzer_sys::fuzz_target;

/// What a body is, fed in pieces of that size.
fn parts(body: &[u8], size: usize) -> (Vec<Vec<u8>>, Option<RelatedError>) {
    let mut reader = Reader::new("cut").expect("a boundary");
    let (mut parts, mut open) = (Vec::new(), BytesMut::new());
    for piece in body.chunks(size) {
        reader.push(piece);
        loop {
            match reader.event() {
                Ok(Some(Event::Part(_))) => open.clear(),
                Ok(Some(Event::Bytes(bytes))) => open.extend_from_slice(&bytes),
                Ok(Some(Event::PartEnd)) => parts.push(open.split().to_vec()),
                Ok(Some(Event::End) | None) => break,
                Err(error) => return (parts, Some(error)),
            }
        }
    }
    (parts, reader.finish().err())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let whole = parts(body, usize::MAX);
    let pieces = parts(body, usize::from(*first).max(1));
    // A header over the limit is found earlier in small pieces.
    if !matches!(whole.1, Some(RelatedError::HeaderTooLong | RelatedError::NoDelimiter)) {
        assert_eq!(whole, pieces);
    }
});
