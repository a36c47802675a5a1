//! DICOM JSON in, a data set out; and what is none.

#![allow(clippy::indexing_slicing, reason = "tests may panic")]

use std::fmt::Write;

use dicom_core::{Tag, VR};
use proptest::prelude::*;

use super::{JsonReadError, JsonReader};
use crate::dicom::limits::Limits;
use crate::dicom::native::Native;
use crate::dicom::write::tests::{bytes, json};
use crate::dicom::write::{DataSet, DataSetWriter};

/// All objects of a text.
fn read(text: &str) -> Result<Vec<DataSet>, JsonReadError> {
    let mut reader = JsonReader::new(text.as_bytes(), Limits::DEFAULT)?;
    let mut all = Vec::new();
    loop {
        let mut writer = DataSetWriter::default();
        if !reader.object(&mut writer)? {
            return Ok(all);
        }
        all.push(writer.finish());
    }
}

/// The one object of a text, read and written as JSON again.
fn again(text: &str) -> String {
    let all = read(text).unwrap();
    assert_eq!(all.len(), 1);
    json(&bytes(&all[0]))
}

#[test]
fn what_we_write_we_read() {
    let text = r#"{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080008":{"vr":"CS","Value":["A",null,"B"]},"00080060":{"vr":"CS"},"00090010":{"vr":"LO","Value":["ACME"]},"00091001":{"vr":"UN","InlineBinary":"AQID/w=="},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Wang^Xiao","Ideographic":"王^小東"},{"Phonetic":"x"}]},"00180050":{"vr":"DS","Value":[1.50]},"00189087":{"vr":"FD","Value":["NaN","-Infinity",0.1]},"00200013":{"vr":"IS","Value":[-7]},"00209165":{"vr":"AT","Value":["7FE00010"]},"00281201":{"vr":"OW","InlineBinary":"AQIDBA=="},"00400275":{"vr":"SQ","Value":[{"00400009":{"vr":"SH","Value":["ü"]},"00400100":{"vr":"SQ","Value":[{}]}},{}]},"00420010":{"vr":"ST","Value":["a\\b\n\"c\""]},"00720082":{"vr":"SV","Value":["-9223372036854775808"]}}"#;
    assert_eq!(again(text), text);
}

#[test]
fn what_others_write_is_read_too() {
    for (text, expected) in [
        // The value before its representation, also of a sequence.
        (
            r#"[{"00081140":{"Value":[{"00081155":{"Value":["1.2"],"vr":"UI"}}],"vr":"SQ"},"00080060":{"vr":"CS","Value":["CT"]}}]"#,
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}}]}}"#,
        ),
        // No representation; a value without an array; a name as a string; numbers as strings.
        (
            r#" { "00100010" : {"Value": "Rossi^A" }, "00280010": {"vr":"US","Value":["512"]}, "00080060":{"vr":"cs","Value":["CT"]} } "#,
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Rossi^A"}]},"00280010":{"vr":"US","Value":[512]}}"#,
        ),
        // File Meta Information and group lengths are no part of the data set.
        (
            r#"{"00020010":{"vr":"UI","Value":["1.2"]},"00080000":{"vr":"UL","Value":[8]},"00080060":{"vr":"CS","Value":["CT"]}}"#,
            r#"{"00080060":{"vr":"CS","Value":["CT"]}}"#,
        ),
        // Of a name that comes twice the first counts; null is an empty item.
        (
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"00080060":{"vr":"CS","Value":["MR"]},"00081140":{"vr":"SQ","Value":[null]}}"#,
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"00081140":{"vr":"SQ","Value":[{}]}}"#,
        ),
        (
            r#"{"00104000":{"vr":"LT","Value":["\u00e8\ud83d\ude00\ud83d"]}}"#,
            "{\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR 192\"]},\"00104000\":{\"vr\":\"LT\",\"Value\":[\"è😀\u{FFFD}\"]}}",
        ),
    ] {
        assert_eq!(again(text), expected);
    }
    assert_eq!(read("[]").unwrap().len(), 0);
    assert_eq!(read("\u{FEFF}[{},{}]").unwrap().len(), 2);
}

#[test]
fn attributes_that_make_no_sense_are_told_and_the_others_stay() {
    let text = r#"{"PatientName":{"vr":"PN"},"00080016":"1.2","00080018":{"vr":"UI","Value":[true]},"00081140":{"vr":"SQ","InlineBinary":""},"00281201":{"vr":"OW","InlineBinary":"?"},"00280010":{"vr":"US","Value":[[1]]},"00080060":{"vr":"CS","Value":["CT"]}}"#;
    let all = read(text).unwrap();
    assert_eq!(json(&bytes(&all[0])), r#"{"00080060":{"vr":"CS","Value":["CT"]}}"#);
    let told: Vec<String> = all[0].discarded.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "(FFFF,FFFF) is no tag",
            "(0008,0016) is no attribute object",
            "(0008,0018) has true or false among its values",
            "(0008,1140) is a sequence without items",
            "(0028,1201) has InlineBinary that is no base64",
            "(0028,0010) has an array among its values",
        ]
    );
}

#[test]
fn bulk_data_leaves_its_address() {
    let all = read(r#"[{"7FE00010":{"vr":"OW","BulkDataURI":"http:\/\/a/b?c"}}]"#).unwrap();
    let hole = all[0].hole(Tag(0x7FE0, 0x10)).unwrap();
    assert_eq!((hole.uri.as_str(), hole.vr), ("http://a/b?c", VR::OW));
}

#[test]
fn what_is_no_json_is_told_with_its_byte() {
    for (text, offset) in [
        ("", 0),
        ("5", 0),
        (r#"[{"00080060":{"vr":"CS","Value":["CT"]}"#, 39),
        (r#"[{"00080060":{"vr":"CS" "Value":[]}}]"#, 24),
        ("[{}] x", 5),
        ("[{} {}]", 4),
        ("{\"0008", 6),
        ("{\"00080060\":{\"vr\":\"C\u{1}S\"}}", 20),
        (r#"{"a":nul}"#, 5),
        (r#"{"00080060":{"vr":"CS","Value":["\x"]}}"#, 35),
    ] {
        let Err(JsonReadError::Syntax { offset: at, .. }) = read(text) else { panic!("{text}") };
        assert_eq!(at, offset, "{text}");
    }
    let not_utf8 = JsonReader::new(b"{\"\xFF\"}", Limits::DEFAULT).unwrap_err();
    assert_eq!(not_utf8, JsonReadError::NotUtf8(2));
}

#[test]
fn bombs_are_refused() {
    let deep = r#"{"00081140":{"vr":"SQ","Value":["#.repeat(100_000);
    assert_eq!(read(&deep).unwrap_err(), JsonReadError::TooDeep);
    let unordered = r#"{"00081140":{"Value":["#.repeat(100_000);
    assert_eq!(read(&unordered).unwrap_err(), JsonReadError::TooDeep);
    let brackets = format!("{{\"x\":{}", "[".repeat(1_000_000));
    assert_eq!(read(&brackets).unwrap_err(), JsonReadError::TooDeep);
    // Nested so that each level is looked at once more for those around it.
    let level = r#"{"00081140":{"Value":["#;
    let end = r#"],"vr":"SQ"}}"#;
    let filling =
        format!("{{\"00104000\":{{\"vr\":\"LT\",\"Value\":[\"{}\"]}}}}", "x".repeat(100_000));
    let again = format!("{}{filling}{}", level.repeat(60), end.repeat(60));
    assert_eq!(read(&again).unwrap_err(), JsonReadError::TooMany);
    let limits = Limits { elements: 2, ..Limits::DEFAULT };
    let mut reader = JsonReader::new(br#"{"a":1,"b":2,"c":3}"#, limits).unwrap();
    let read = reader.object(&mut DataSetWriter::default());
    assert_eq!(read, Err(JsonReadError::TooMany));
}

/// Attributes of a data set, made up.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    Text(Tag, VR, Vec<String>),
    Binary(Tag, VR, Vec<u8>),
    Items(Tag, Vec<Vec<Made>>),
}

/// Behind (0008,0005), which says how text before it cannot be read.
fn tag() -> impl Strategy<Value = Tag> {
    (5_u16..40, 1_u16..60).prop_map(|(group, element)| Tag(group * 2, element))
}

pub(crate) fn made() -> impl Strategy<Value = Vec<Made>> {
    let word = "[A-Z][A-Z0-9]{0,5}";
    let free = "[A-Za-zàß<>&\"'^王][A-Za-zàß<>&\"' ,;^王]{0,8}[a-z<&>]";
    let number = "-?[1-9][0-9]{0,3}";
    let leaf = prop_oneof![
        (tag(), Just(VR::CS), prop::collection::vec(word, 0..3))
            .prop_map(|(t, v, x)| Made::Text(t, v, x)),
        (tag(), Just(VR::LO), prop::collection::vec(free, 0..3))
            .prop_map(|(t, v, x)| Made::Text(t, v, x)),
        (tag(), Just(VR::PN), prop::collection::vec(free, 0..3))
            .prop_map(|(t, v, x)| Made::Text(t, v, x)),
        (tag(), Just(VR::UT), prop::collection::vec(free, 0..2))
            .prop_map(|(t, v, x)| Made::Text(t, v, x)),
        (
            tag(),
            prop::sample::select(vec![VR::IS, VR::SS, VR::SL, VR::FD, VR::DS, VR::SV]),
            prop::collection::vec(number, 0..4)
        )
            .prop_map(|(t, v, x)| Made::Text(t, v, x)),
        (
            tag(),
            prop::sample::select(vec![VR::OB, VR::UN]),
            prop::collection::vec(any::<u8>(), 0..9)
        )
            .prop_map(|(t, v, x)| Made::Binary(t, v, x)),
    ];
    let element = leaf.prop_recursive(3, 24, 4, |inner| {
        let item = prop::collection::vec(inner, 0..4);
        (tag(), prop::collection::vec(item, 0..3)).prop_map(|(t, items)| Made::Items(t, items))
    });
    prop::collection::vec(element, 0..8)
}

pub(crate) fn tell(made: &[Made], to: &mut dyn Native) {
    for element in made {
        match element {
            Made::Text(tag, vr, values) => {
                to.begin(*tag, *vr);
                for value in values {
                    to.value(Some(value));
                }
                to.end();
            }
            Made::Binary(tag, vr, bytes) => {
                to.begin(*tag, *vr);
                to.binary(bytes);
                to.end();
            }
            Made::Items(tag, items) => {
                to.begin_sequence(*tag);
                for item in items {
                    to.begin_item();
                    tell(item, to);
                    to.end_item();
                }
                to.end_sequence();
            }
        }
    }
}

proptest! {
    #[test]
    fn written_and_read_again_is_the_same_data_set(made in made()) {
        let mut writer = DataSetWriter::default();
        tell(&made, &mut writer);
        let first = bytes(&writer.finish());
        let text = json(&first);
        let second = read(&text).unwrap();
        prop_assert!(second[0].discarded.is_empty(), "{:?}", second[0].discarded);
        prop_assert_eq!(json(&bytes(&second[0])), text);
        prop_assert_eq!(bytes(&second[0]), first);
    }

    #[test]
    fn any_cut_and_any_change_is_objects_or_an_error(made in made(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut writer = DataSetWriter::default();
        tell(&made, &mut writer);
        let mut text = String::from("[");
        let _ = write!(text, "{}]", json(&bytes(&writer.finish())));
        let mut text = text.into_bytes();
        let spot = at.index(text.len());
        for text in [&text[..spot].to_vec(), { text[spot] = byte; &text }] {
            let Ok(mut reader) = JsonReader::new(text, Limits::DEFAULT) else { continue };
            let mut writer = DataSetWriter::default();
            while let Ok(true) = reader.object(&mut writer) {
                let _ = json(&bytes(&std::mem::take(&mut writer).finish()));
            }
        }
    }
}
