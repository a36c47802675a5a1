//! Whole objects as DICOM JSON.

use dicom_core::{Tag, VR};
use proptest::prelude::*;

use super::{Bulk, JsonLimits, JsonWriter};
use crate::dicom::feed::element;
use crate::dicom::feed::scan;
use crate::dicom::feed::scan_within;
use crate::dicom::feed::sequence;
use crate::dicom::limits::Limits;
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

const MODALITY: Tag = Tag(0x0008, 0x0060);
const NAME: Tag = Tag(0x0010, 0x0010);
const CHARSET: Tag = Tag(0x0008, 0x0005);
const REFERENCES: Tag = Tag(0x0008, 0x1140);

fn json(pieces: &[Vec<u8>]) -> String {
    let mut writer = JsonWriter::new(Encoding::ExplicitLittle, "/i/1.2/bulkdata/");
    scan(pieces, &mut writer);
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn attributes(pieces: &[Vec<u8>]) -> String {
    let mut writer = JsonWriter::attributes(Encoding::ExplicitLittle);
    scan_within(Limits::DEFAULT, pieces, &mut writer);
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[test]
fn group_lengths_and_the_meta_header_are_no_part_of_it() {
    let text = json(&[
        element(Tag(0x0002, 0x0010), "UI", b"1.2\0"),
        element(Tag(0x0008, 0x0000), "UL", &[8, 0, 0, 0]),
        element(MODALITY, "CS", b"CT"),
        element(Tag(0x0009, 0x0000), "UL", &[8, 0, 0, 0]),
        element(Tag(0x0009, 0x0010), "LO", b"CREATOR "),
    ]);
    assert_eq!(
        text,
        r#"{"00080060":{"vr":"CS","Value":["CT"]},"00090010":{"vr":"LO","Value":["CREATOR"]}}"#
    );
    assert_eq!(json(&[]), "{}");
}

#[test]
fn empty_attributes_sequences_and_items_are_kept_empty() {
    let text = json(&[
        element(MODALITY, "CS", b""),
        sequence(REFERENCES, &[vec![], element(MODALITY, "CS", b"MR"), vec![]]),
        sequence(Tag(0x0040, 0x0275), &[]),
    ]);
    assert_eq!(
        text,
        concat!(
            r#"{"00080060":{"vr":"CS"},"#,
            r#""00081140":{"vr":"SQ","Value":[{},{"00080060":{"vr":"CS","Value":["MR"]}},{}]},"#,
            r#""00400275":{"vr":"SQ"}}"#
        )
    );
}

#[test]
fn items_may_change_the_character_set_and_inherit_it_else() {
    let name = |bytes: &[u8]| element(NAME, "PN", bytes);
    let latin2 = [element(CHARSET, "CS", b"ISO_IR 101"), name(b"\xb3")].concat();
    let text = json(&[
        element(CHARSET, "CS", b"ISO_IR 100"),
        sequence(REFERENCES, &[latin2, name(b"\xb3")]),
        name(b"\xe9"),
    ]);
    let utf8 = r#""00080005":{"vr":"CS","Value":["ISO_IR 192"]}"#;
    let person =
        |name: &str| format!(r#""00100010":{{"vr":"PN","Value":[{{"Alphabetic":"{name}"}}]}}"#);
    assert_eq!(
        text,
        format!(
            r#"{{{utf8},"00081140":{{"vr":"SQ","Value":[{{{utf8},{}}},{{{}}}]}},{}}}"#,
            person("ł"),
            person("³"),
            person("é")
        )
    );
    assert_eq!(json(&[element(CHARSET, "CS", b"")]), r#"{"00080005":{"vr":"CS"}}"#);
}

#[test]
fn bulk_values_are_linked_by_tags_and_item_numbers() {
    let bulk = element(Tag(0x5400, 0x1010), "OW", &[0; 300]);
    let text = json(&[
        sequence(Tag(0x5400, 0x0100), &[vec![], bulk]),
        element(Tag(0x7FE0, 0x0010), "OW", &[1, 2]),
    ]);
    assert_eq!(
        text,
        concat!(
            r#"{"54000100":{"vr":"SQ","Value":[{},{"54001010":{"vr":"OW","#,
            r#""BulkDataURI":"/i/1.2/bulkdata/54000100/2/54001010"}}]},"#,
            r#""7FE00010":{"vr":"OW","BulkDataURI":"/i/1.2/bulkdata/7FE00010"}}"#
        )
    );
}

#[test]
fn encapsulated_pixels_are_linked_too() {
    let mut pixels = element(Tag(0x7FE0, 0x0010), "OB", b"");
    pixels.truncate(pixels.len() - 4);
    pixels.extend([0xFF; 4]);
    pixels.extend([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]);
    pixels.extend([0xFE, 0xFF, 0x00, 0xE0, 2, 0, 0, 0, 9, 9]);
    pixels.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    assert_eq!(
        json(&[pixels]),
        r#"{"7FE00010":{"vr":"OB","BulkDataURI":"/i/1.2/bulkdata/7FE00010"}}"#
    );
}

#[test]
fn disorder_is_put_right_and_the_first_of_two_is_kept() {
    let item = [element(NAME, "PN", b"B"), element(MODALITY, "CS", b"MR")].concat();
    let text = json(&[
        element(NAME, "PN", b"A1"),
        sequence(REFERENCES, &[item]),
        element(MODALITY, "CS", b"CT"),
        element(NAME, "PN", b"A2"),
    ]);
    assert_eq!(
        text,
        concat!(
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"#,
            r#""00081140":{"vr":"SQ","Value":[{"00080060":{"vr":"CS","Value":["MR"]},"#,
            r#""00100010":{"vr":"PN","Value":[{"Alphabetic":"B"}]}}]},"#,
            r#""00100010":{"vr":"PN","Value":[{"Alphabetic":"A1"}]}}"#
        )
    );
}

#[test]
fn writers_append_so_that_many_objects_make_one_array() {
    let mut out = b"[".to_vec();
    for modality in [b"CT", b"MR"] {
        if out.len() > 1 {
            out.push(b',');
        }
        let mut writer = JsonWriter::appending(out, Encoding::ExplicitLittle, "");
        scan(&[element(MODALITY, "CS", modality)], &mut writer);
        out = writer.finish().unwrap();
    }
    out.push(b']');
    let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(parsed.pointer("/1/00080060/Value/0").unwrap(), "MR");
}

#[test]
fn attributes_for_the_index_are_bounded() {
    let long = vec![b'x'; JsonWriter::MAX_ATTRIBUTE_BYTES];
    let long_item = element(Tag(0x0008, 0x0104), "UT", &long);
    let ct = element(MODALITY, "CS", b"CT");
    let text = attributes(&[
        element(CHARSET, "CS", b"ISO_IR 101"),
        element(Tag(0x0008, 0x0018), "UT", &long),
        ct.clone(),
        sequence(REFERENCES, &[ct.clone(), long_item, ct, vec![]]),
        element(NAME, "PN", b"\xb3"),
        element(Tag(0x7FE0, 0x0010), "OW", &[0, 0]),
    ]);
    assert_eq!(
        text,
        concat!(
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"#,
            r#""00100010":{"vr":"PN","Value":[{"Alphabetic":"ł"}]}}"#
        )
    );
}

#[test]
fn an_object_past_the_limit_is_refused() {
    let begin = |object| {
        let limits = JsonLimits { object, attribute: object };
        JsonWriter::begin(b"[".to_vec(), Encoding::ExplicitLittle, Bulk::LeftOut, limits)
    };
    let pieces = [
        element(MODALITY, "CS", b"CT"),
        sequence(REFERENCES, &[element(NAME, "PN", b"A"), element(NAME, "PN", b"B")]),
    ];
    for (limit, fits) in [(1000, true), (80, false), (20, false), (0, false)] {
        let mut writer = begin(limit);
        scan(&pieces, &mut writer);
        assert_eq!(writer.finish().is_ok(), fits, "{limit}");
    }
}

#[test]
fn a_scan_that_breaks_off_leaves_valid_json() {
    let mut writer = JsonWriter::new(Encoding::ExplicitLittle, "");
    let element = at(REFERENCES, VR::SQ);
    writer.begin_sequence(&element);
    writer.begin_item();
    writer.begin_sequence(&element);
    writer.begin_item();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let inner = r#"{"00081140":{"vr":"SQ","Value":[{}]}}"#;
    assert_eq!(text, format!(r#"{{"00081140":{{"vr":"SQ","Value":[{inner}]}}}}"#));
}

#[test]
fn sequences_under_un_are_little_endian_in_big_endian_objects() {
    let mut writer = JsonWriter::new(Encoding::ExplicitBig, "");
    let rows = at(Tag(0x0028, 0x0010), VR::US);
    writer.begin_sequence(&at(Tag(0x0009, 0x1001), VR::UN));
    writer.begin_item();
    writer.element(&rows, Value::Inline(&[1, 0]));
    writer.end_item();
    writer.end_sequence();
    writer.element(&rows, Value::Inline(&[0, 1]));
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let rows = r#""00280010":{"vr":"US","Value":[1]}"#;
    assert_eq!(text, format!(r#"{{"00091001":{{"vr":"SQ","Value":[{{{rows}}}]}},{rows}}}"#));
}

fn at(tag: Tag, vr: VR) -> Element {
    Element { tag, vr, start: 0, value: 0..0, depth: 0 }
}

/// A call to a visitor, in any order a broken scanner might make them.
#[derive(Debug, Clone)]
enum Call {
    Element(Tag, VR, Vec<u8>),
    Bulk(Tag, VR),
    BeginSequence(Tag),
    BeginItem,
    EndItem,
    EndSequence,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let tag = || (0_u16..6, 0_u16..8).prop_map(|(group, element)| Tag(group, element));
    let vr = || {
        prop::sample::select(vec![
            VR::AE,
            VR::AT,
            VR::CS,
            VR::DS,
            VR::FD,
            VR::FL,
            VR::IS,
            VR::LO,
            VR::LT,
            VR::OB,
            VR::OW,
            VR::PN,
            VR::SL,
            VR::SQ,
            VR::SS,
            VR::SV,
            VR::UI,
            VR::UN,
            VR::US,
            VR::UT,
            VR::UV,
        ])
    };
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        "[-+0-9.eE\\\\ ]{0,20}".prop_map(String::into_bytes),
        "[a=^\\\\\" ]{0,12}".prop_map(String::into_bytes),
    ];
    let call = prop_oneof![
        8 => (tag(), vr(), bytes).prop_map(|(tag, vr, bytes)| Call::Element(tag, vr, bytes)),
        1 => (tag(), vr()).prop_map(|(tag, vr)| Call::Bulk(tag, vr)),
        2 => tag().prop_map(Call::BeginSequence),
        4 => Just(Call::BeginItem),
        2 => Just(Call::EndItem),
        1 => Just(Call::EndSequence),
    ];
    prop::collection::vec(call, 0..60)
}

fn tell(calls: &[Call], visit: &mut dyn Visit) {
    for call in calls {
        match call {
            Call::Element(tag, vr, bytes) => visit.element(&at(*tag, *vr), Value::Inline(bytes)),
            Call::Bulk(tag, vr) => visit.element(&at(*tag, *vr), Value::Bulk),
            Call::BeginSequence(tag) => visit.begin_sequence(&at(*tag, VR::SQ)),
            Call::BeginItem => visit.begin_item(),
            Call::EndItem => visit.end_item(),
            Call::EndSequence => visit.end_sequence(),
        }
    }
}

/// A JSON value whose objects' names must ascend, each once; a value, however it reads, is no name.
struct InOrder;

impl<'de> serde::Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> serde::de::Visitor<'de> for InOrder {
    type Value = Self;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DICOM JSON")
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut last = String::new();
        while let Some((name, Self)) = map.next_entry::<String, Self>()? {
            // Names that are not tags (vr, Value, Alphabetic …) come in no order of theirs.
            if name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                assert!(last < name, "{last} before {name}");
                last = name;
            }
        }
        Ok(Self)
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut values: A) -> Result<Self, A::Error> {
        while values.next_element::<Self>()?.is_some() {}
        Ok(Self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(Self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(Self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(Self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(Self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(Self)
    }
}

proptest! {
    #[test]
    fn whatever_is_visited_the_text_is_valid_json_in_order(
        calls in calls(),
        encoding in prop::sample::select(vec![Encoding::ExplicitLittle, Encoding::ExplicitBig]),
    ) {
        for mut writer in [JsonWriter::new(encoding, "/b\"\\/"), JsonWriter::attributes(encoding)] {
            tell(&calls, &mut writer);
            let text = writer.finish().unwrap();
            let parsed = serde_json::from_slice::<serde_json::Value>(&text);
            prop_assert!(parsed.is_ok(), "{:?}: {}", parsed, String::from_utf8_lossy(&text));
            serde_json::from_slice::<InOrder>(&text).unwrap();
        }
    }
}
