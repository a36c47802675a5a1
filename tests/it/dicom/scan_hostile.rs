//! Input made to hurt: each is refused early, for its own reason.

use std::io::Write;

use dicom_core::Tag;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::{Problem, ScanError};
use lastra::dicom::syntax::Encoding;

use super::scan_events::{Event, scan};

fn refusal(bytes: &[u8], encoding: Encoding, limits: Limits) -> ScanError {
    scan(bytes, encoding, limits).1.unwrap_err()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_hundred_thousand_nested_sequences_are_refused_at_the_limit() {
    let implicit = b"\x08\0\x40\x11\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";
    let explicit = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";
    let unknown = b"\x09\0\x40\x11UN\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";
    for (nested, encoding) in [
        (&implicit[..], Encoding::ImplicitLittle),
        (explicit, Encoding::ExplicitLittle),
        (unknown, Encoding::ExplicitLittle),
    ] {
        let error = refusal(&nested.repeat(100_000), encoding, Limits::DEFAULT);
        assert_eq!(error.problem, Problem::TooDeep(64));
        assert!(error.offset <= 64 * 20);
        // One less is read, and told to be cut short.
        let error = refusal(&nested.repeat(64), encoding, Limits::DEFAULT);
        assert!(matches!(error.problem, Problem::Truncated(_)));
    }
}

#[test]
fn an_announced_length_takes_no_memory() {
    let header = b"\x7f\xe0\0\x10OW\0\0\xff\xff\xff\xfe";
    let (events, result) = scan(header, Encoding::ExplicitBig, Limits::DEFAULT);
    let Event::Bulk(element) = &events[0] else { panic!("{events:?}") };
    assert_eq!(element.value, 12..12 + 0xFFFF_FFFE);
    assert_eq!(result.unwrap_err().problem, Problem::Truncated(Tag(0x7FE0, 0x0010)));

    // A value that would be kept is gathered as it comes, not as it is announced.
    let limits = Limits { inline_bytes: u32::MAX, header_bytes: u64::MAX, ..Limits::DEFAULT };
    let header = b"\x08\0\x81\0UT\0\0\xfe\xff\xff\xff";
    let error = refusal(header, Encoding::ExplicitLittle, limits);
    assert_eq!(error.problem, Problem::Truncated(Tag(0x0008, 0x0081)));
}

#[test]
fn an_endless_list_of_elements_is_refused() {
    let limits = Limits { elements: 1000, ..Limits::DEFAULT };
    let element = b"\x08\0\x05\0\0\0\0\0";
    let error = refusal(&element.repeat(2000), Encoding::ImplicitLittle, limits);
    assert_eq!((error.problem, error.offset), (Problem::TooMany(1000), 8000));

    let items =
        [&b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"[..], &b"\xfe\xff\0\xe0\0\0\0\0".repeat(2000)[..]];
    let error = refusal(&items.concat(), Encoding::ExplicitLittle, limits);
    assert_eq!(error.problem, Problem::TooMany(1000));

    let fragments =
        [&b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"[..], &b"\xfe\xff\0\xe0\0\0\0\0".repeat(2000)[..]];
    let error = refusal(&fragments.concat(), Encoding::ExplicitLittle, limits);
    assert_eq!(error.problem, Problem::TooMany(1000));
}

#[test]
fn header_values_have_a_limit_together() {
    let limits = Limits { header_bytes: 1000, ..Limits::DEFAULT };
    let element = b"\x08\0\x81\0UT\0\0\x0a\0\0\0abcdefghij".repeat(200);
    let error = refusal(&element, Encoding::ExplicitLittle, limits);
    assert_eq!((error.problem, error.offset), (Problem::HeaderTooLarge(1000), 2200));
}

#[test]
fn what_inflates_without_end_is_refused() {
    let header = b"\x7f\xe0\0\x10OW\0\0\xfe\xff\xff\xff";
    let bomb = deflate(&[&header[..], &vec![0; 32 << 20]].concat());
    let limits = Limits { inflate_ratio: 100, ..Limits::DEFAULT };
    let error = refusal(&bomb, Encoding::DeflatedExplicitLittle, limits);
    assert_eq!(error.problem, Problem::InflateBomb);
    assert!(error.offset < (1 << 20) + bomb.len() as u64 * 100 + 65_536);

    let limits = Limits { inflate_bytes: 5 << 20, ..Limits::DEFAULT };
    let error = refusal(&bomb, Encoding::DeflatedExplicitLittle, limits);
    assert_eq!(error.problem, Problem::InflateBomb);
    assert!(error.offset <= (5 << 20) + 65_536);
}

#[test]
fn a_damaged_or_unfinished_deflate_stream_is_refused() {
    let stream = deflate(b"\x08\0\x05\0CS\0\0");
    let deflated = Encoding::DeflatedExplicitLittle;
    for (bytes, problem) in [
        (b"\x07\xff\xff".to_vec(), Problem::BadDeflate),
        (stream[..stream.len() - 1].to_vec(), Problem::BadDeflate),
        ([&stream[..], b"12345678\x01"].concat(), Problem::BadDeflate),
        (deflate(b"\x08\0\x05\0CS\x04\0IS"), Problem::Truncated(Tag(0x0008, 0x0005))),
        (Vec::new(), Problem::BadDeflate),
    ] {
        assert_eq!(refusal(&bytes, deflated, Limits::DEFAULT).problem, problem, "{bytes:?}");
    }
    for trailer in [&b"\0"[..], b"\0\0\0", b"gzip\x08\0\0\0", b"zlib\0"] {
        let bytes = [&stream[..], trailer].concat();
        assert_eq!(scan(&bytes, deflated, Limits::DEFAULT).1, Ok(8));
    }
}
