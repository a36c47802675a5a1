//! What real files get wrong, a case each: read where it can be read one way only, else refused.

use dicom_core::{Tag, VR};
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::{Problem, Scanner};
use lastra::dicom::syntax::Encoding;

use super::scan_events::{Event, Recorder, events, scan};

const IMPLICIT: Encoding = Encoding::ImplicitLittle;
const EXPLICIT: Encoding = Encoding::ExplicitLittle;
const BIG: Encoding = Encoding::ExplicitBig;

/// Events in short: `tag VR bytes`, `tag VR *length` for bulk values, brackets.
fn told(bytes: &[u8], encoding: Encoding) -> String {
    let short: Vec<String> = events(bytes, encoding, Limits::DEFAULT)
        .iter()
        .map(|event| match event {
            Event::Inline(element, value) => {
                format!("{} {} {}", element.tag, element.vr.to_string(), value.escape_ascii())
            }
            Event::Bulk(element) => {
                let length = element.value.end - element.value.start;
                format!("{} {} *{length}", element.tag, element.vr.to_string())
            }
            Event::Sequence(element) => format!("{} [", element.tag),
            Event::Item => "(".to_owned(),
            Event::EndItem => ")".to_owned(),
            Event::EndSequence => "]".to_owned(),
            Event::Fragments(element) => format!("{} <", element.tag),
            Event::OffsetTable(table) => format!("table {}", table.escape_ascii()),
            Event::Fragment { head, .. } => format!("fragment {}", head.escape_ascii()),
            Event::EndFragments(_) => ">".to_owned(),
        })
        .collect();
    short.join(", ")
}

fn problem(bytes: &[u8], encoding: Encoding) -> (u64, Problem) {
    let error = scan(bytes, encoding, Limits::DEFAULT).1.unwrap_err();
    (error.offset, error.problem)
}

#[test]
fn implicit_vrs_come_from_the_dictionary() {
    for (header, vr) in [
        (b"\x10\0\x10\0", "PN"),
        (b"\x08\0\0\0", "UL"),     // group length
        (b"\x09\0\0\0", "UL"),     // of a private group
        (b"\x09\0\x10\0", "LO"),   // private creator
        (b"\x09\0\x01\x10", "UN"), // private attribute
        (b"\x02\x60\x10\0", "US"), // overlay rows, repeating group
        (b"\x02\x60\0\x30", "OW"), // overlay data
        (b"\x01\x60\0\x30", "UN"), // private group that looks repeating
        (b"\0\x54\x10\x10", "OW"), // waveform data
        (b"\x28\0\x06\x30", "OW"), // LUT data
        (b"\x28\0\x06\x01", "US"), // smallest pixel value
        (b"\xfc\xff\xfc\xff", "OB"),
        (b"\x08\0\xff\xff", "UN"),
    ] {
        let bytes = [&header[..], b"\0\0\0\0"].concat();
        let told = told(&bytes, IMPLICIT);
        assert_eq!(told.split(' ').nth(1), Some(vr), "{told}");
    }
}

#[test]
fn pixel_representation_makes_values_signed_in_items_too() {
    let signed = b"\x28\0\x03\x01\x02\0\0\0\x01\0";
    let smallest = b"\x28\0\x06\x01\x02\0\0\0\xff\xff";
    let item = [&b"\x28\0\0\x30\x12\0\0\0\xfe\xff\0\xe0\x0a\0\0\0"[..], smallest].concat();
    let bytes = [&smallest[..], signed, smallest, &item].concat();
    let told = told(&bytes, IMPLICIT);
    let vrs: Vec<&str> = told.split(", ").filter_map(|event| event.split(' ').nth(1)).collect();
    assert_eq!(vrs, ["US", "US", "SS", "[", "SS"]);
}

#[test]
fn vrs_the_standard_may_add_are_read_as_unknown() {
    let long = b"\x09\0\x01\x10ZZ\0\0\x02\0\0\0ab";
    let short = b"\x09\0\x01\x10ZZ\x02\0ab";
    assert_eq!(told(long, EXPLICIT), "(0009,1001) UN ab");
    assert_eq!(told(short, EXPLICIT), "(0009,1001) UN ab");
    for vr in [b"\0\0", b"??", b"pn", b"1A", b"  "] {
        let first = b"\x08\0\x60\0CS\x02\0CT";
        let bytes = [&first[..], b"\x09\0\x01\x10", vr, b"\x02\0ab"].concat();
        assert_eq!(problem(&bytes, EXPLICIT), (10, Problem::BadVr(Tag(0x0009, 0x1001))));
    }
}

#[test]
fn items_are_read_in_the_form_they_are_written_in() {
    let sequence = b"\x08\0\x40\x11SQ\0\0\x12\0\0\0\xfe\xff\0\xe0\x0a\0\0\0";
    let implicit = b"\x08\0\x60\0\x02\0\0\0CT";
    let bytes = [&sequence[..], implicit].concat();
    assert_eq!(told(&bytes, EXPLICIT), "(0008,1140) [, (, (0008,0060) CS CT, ), ]");

    let unknown = b"\x09\0\x01\x10UN\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\x0a\0\0\0";
    let explicit = b"\x08\0\x60\0CS\x02\0CT";
    let end = b"\xfe\xff\xdd\xe0\0\0\0\0";
    for item in [implicit, explicit] {
        let bytes = [&unknown[..], item, end].concat();
        assert_eq!(told(&bytes, EXPLICIT), "(0009,1001) [, (, (0008,0060) CS CT, ), ]");
    }
}

#[test]
fn a_data_set_is_read_in_the_form_it_is_written_in() {
    let implicit = b"\x08\0\x60\0\x02\0\0\0CT\x10\0\x10\0\0\0\0\0";
    let explicit = b"\x08\0\x60\0CS\x02\0CT\x10\0\x10\0PN\0\0";
    for bytes in [implicit, explicit] {
        for encoding in [IMPLICIT, EXPLICIT] {
            assert_eq!(told(bytes, encoding), "(0008,0060) CS CT, (0010,0010) PN ");
        }
    }
}

#[test]
fn unknown_sequences_in_big_endian_are_little_and_turned() {
    let bytes = [
        &b"\0\x09\x10\x01UN\0\0\xff\xff\xff\xff"[..],
        b"\xfe\xff\0\xe0\x0a\0\0\0\x28\0\x10\0\x02\0\0\0\x02\x01",
        b"\xfe\xff\xdd\xe0\0\0\0\0\0\x28\0\x11US\0\x02\x01\x02",
    ]
    .concat();
    let expected = "(0009,1001) [, (, (0028,0010) US \\x01\\x02, ), ], (0028,0011) US \\x01\\x02";
    assert_eq!(told(&bytes, BIG), expected);
}

#[test]
fn unknown_values_of_defined_length_stay_values() {
    let bytes = b"\x08\0\x40\x11UN\0\0\x08\0\0\0\xfe\xff\0\xe0\0\0\0\0";
    assert_eq!(told(bytes, EXPLICIT), "(0008,1140) UN \\xfe\\xff\\x00\\xe0\\x00\\x00\\x00\\x00");
}

#[test]
fn undefined_lengths_are_sequences_or_fragments() {
    let items = b"\xfe\xff\0\xe0\x02\0\0\0ab\xfe\xff\0\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0";
    for vr in ["OB", "OW", "UN"] {
        let header = [b"\xe0\x7f\x10\0", vr.as_bytes(), b"\0\0\xff\xff\xff\xff"].concat();
        let expected = "(7FE0,0010) <, table ab, fragment , >";
        assert_eq!(told(&[&header[..], items].concat(), EXPLICIT), expected);
    }
    let icon = [
        &b"\x88\0\0\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"[..],
        b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff",
        items,
        b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",
    ];
    let expected = "(0088,0200) [, (, (7FE0,0010) <, table ab, fragment , >, ), ]";
    assert_eq!(told(&icon.concat(), EXPLICIT), expected);

    // Implicit VR: only a sequence can be, even where the dictionary has another VR.
    let name = b"\x10\0\x10\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0";
    assert_eq!(told(name, IMPLICIT), "(0010,0010) [, ]");
    let text = b"\x08\0\x81\0UT\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0";
    assert_eq!(problem(text, EXPLICIT), (0, Problem::BadVr(Tag(0x0008, 0x0081))));
}

#[test]
fn delimiters_stand_where_something_ends() {
    let element = b"\x08\0\x60\0CS\x02\0CT";
    for end in [b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xfe\xff\x0d\xe0\0\0\0\0"] {
        // At the very end of the data set, padding or not.
        assert_eq!(told(&[&element[..], end].concat(), EXPLICIT), "(0008,0060) CS CT");
        assert_eq!(told(&[&element[..], end, b"\0\0\0"].concat(), EXPLICIT), "(0008,0060) CS CT");
        let (offset, problem) = problem(&[&element[..], end, element].concat(), EXPLICIT);
        assert_eq!((offset, matches!(problem, Problem::Misplaced(_))), (10, true));
    }
    // At the end of an item and a sequence that have lengths, counted in.
    let delimited = [
        &b"\x08\0\x40\x11SQ\0\0\x22\0\0\0\xfe\xff\0\xe0\x12\0\0\0"[..],
        element,
        b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",
    ];
    let expected = "(0008,1140) [, (, (0008,0060) CS CT, ), ]";
    assert_eq!(told(&delimited.concat(), EXPLICIT), expected);
    // A length that is not zero is not looked at.
    let odd = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\x04\x03\x02\x01";
    assert_eq!(told(odd, EXPLICIT), "(0008,1140) [, ]");
}

#[test]
fn what_stands_where_it_may_not_is_refused() {
    let open = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff";
    let item = b"\xfe\xff\0\xe0\xff\xff\xff\xff";
    let sequence_end = b"\xfe\xff\xdd\xe0\0\0\0\0";
    let element = b"\x08\0\x60\0CS\x02\0CT";
    let misplaced = |tag| Problem::Misplaced(tag);
    for (bytes, offset, expected) in [
        (vec![&item[..]], 0, misplaced(Tag(0xFFFE, 0xE000))),
        (vec![&open[..], element], 12, misplaced(Tag(0x0008, 0x0060))),
        (vec![&open[..], item, sequence_end], 20, misplaced(Tag(0xFFFE, 0xE0DD))),
        (vec![&open[..], item, item], 20, misplaced(Tag(0xFFFE, 0xE000))),
        (vec![&open[..], b"\xfe\xff\x0d\xe0\0\0\0\0"], 12, misplaced(Tag(0xFFFE, 0xE00D))),
        (vec![&element[..], &[0; 9], b"\x01"], 10, misplaced(Tag(0, 0))),
    ] {
        assert_eq!(problem(&bytes.concat(), EXPLICIT), (offset, expected));
    }
}

#[test]
fn nothing_reaches_past_what_holds_it() {
    let element = b"\x08\0\x60\0CS\x02\0CT";
    let sequence = |length: u8, item: u8| {
        let header = [b'S', b'Q', 0, 0, length, 0, 0, 0, 0xFE, 0xFF, 0, 0xE0, item, 0, 0, 0];
        [&b"\x08\0\x40\x11"[..], &header, element, element].concat()
    };
    let overlong = |tag| Problem::Overlong(tag);
    assert_eq!(problem(&sequence(18, 9), EXPLICIT), (20, overlong(Tag(0x0008, 0x0060))));
    assert_eq!(problem(&sequence(18, 11), EXPLICIT), (12, overlong(Tag(0xFFFE, 0xE000))));
    assert_eq!(problem(&sequence(18, 4), EXPLICIT), (20, overlong(Tag(0x0008, 0x1140))));
    assert_eq!(problem(&sequence(4, 0), EXPLICIT), (12, overlong(Tag(0x0008, 0x1140))));
    assert!(told(&sequence(18, 10), EXPLICIT).ends_with("), ], (0008,0060) CS CT"));
}

#[test]
fn a_data_set_cut_short_tells_where() {
    let bytes = [
        &b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"[..],
        b"\x08\0\x60\0CS\x02\0CT\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",
        b"\xe0\x7f\x10\0OB\0\0\x02\0\0\0ab",
    ]
    .concat();
    let sequence = Tag(0x0008, 0x1140);
    let pixels = Tag(0x7FE0, 0x0010);
    for (kept, inside) in [
        (3, Tag(0, 0)),
        (6, sequence),
        (12, sequence),
        (20, sequence),
        (27, sequence),
        (28, Tag(0x0008, 0x0060)),
        (40, sequence),
        (50, pixels),
        (59, pixels),
    ] {
        let expected = (kept as u64, Problem::Truncated(inside));
        assert_eq!(problem(&bytes[..kept], EXPLICIT), expected, "{kept} bytes");
    }
}

#[test]
fn odd_lengths_and_disorder_are_read() {
    let bytes = b"\x10\0\x10\0PN\x01\0A\x08\0\x60\0CS\x03\0ABC\x10\0\x10\0PN\0\0";
    assert_eq!(told(bytes, EXPLICIT), "(0010,0010) PN A, (0008,0060) CS ABC, (0010,0010) PN ");
    let meta = b"\x02\0\x10\0UI\x02\x001\0";
    assert_eq!(told(meta, EXPLICIT), "(0002,0010) UI 1\\x00");
}

#[test]
fn bulk_is_what_nobody_reads_in_a_header() {
    let value = |tag: [u8; 4], vr: VR, length: u32| {
        let mut bytes = [&tag[..], vr.to_string().as_bytes(), &[0, 0]].concat();
        bytes.extend(length.to_le_bytes());
        bytes.resize(bytes.len() + length as usize, b'a');
        matches!(events(&bytes, EXPLICIT, Limits::DEFAULT)[0], Event::Bulk(_))
    };
    for (tag, vr, length, bulk) in [
        (*b"\xe0\x7f\x10\0", VR::OW, 2, true),
        (*b"\xe0\x7f\x08\0", VR::OF, 4, true),
        (*b"\xe0\x7f\x09\0", VR::OD, 0, true),
        (*b"\xe0\x7f\x01\0", VR::OV, 100_000, false),
        (*b"\xe0\x7f\x02\0", VR::OV, 100_000, false),
        (*b"\x09\0\x01\x10", VR::OB, 4096, false),
        (*b"\x09\0\x01\x10", VR::UN, 4097, true),
        (*b"\x08\0\x81\0", VR::UT, 65_536, false),
        (*b"\x08\0\x81\0", VR::UT, 65_537, true),
    ] {
        assert_eq!(value(tag, vr, length), bulk, "{vr:?} of {length}");
    }
}

#[test]
fn after_an_error_there_is_only_that_error() {
    let mut scanner = Scanner::new(EXPLICIT, Limits::DEFAULT);
    let mut recorder = Recorder::default();
    let error = scanner.push(b"\xfe\xff\0\xe0\0\0\0\0\0\0\0\0", &mut recorder).unwrap_err();
    assert_eq!(scanner.push(b"\x08\0\x60\0CS\x02\0CT", &mut recorder), Err(error.clone()));
    assert_eq!(scanner.finish(&mut recorder), Err(error));
    assert_eq!((scanner.skippable(), recorder.0.len()), (0, 0));
}
