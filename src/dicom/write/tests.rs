//! What is written is what the scanner reads back.

use dicom_core::{Tag, VR};

use super::{DataSet, DataSetWriter, Piece, element_header};
use crate::dicom::json::JsonWriter;
use crate::dicom::limits::Limits;
use crate::dicom::native::Native;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;

/// The bytes of a data set; what lies elsewhere is its URI.
pub(crate) fn bytes(data_set: &DataSet) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in data_set.pieces() {
        match piece {
            Piece::Bytes(bytes) => out.extend_from_slice(&bytes),
            Piece::Hole(hole) => {
                let mut value = hole.uri.into_bytes();
                value.resize(value.len().next_multiple_of(2), 0);
                out.extend(element_header(hole.tag, hole.vr, value.len() as u64).unwrap());
                out.extend(value);
            }
        }
    }
    out
}

/// A data set as DICOM JSON.
pub(crate) fn json(bytes: &[u8]) -> String {
    let mut writer = JsonWriter::new(Encoding::ExplicitLittle, "http://h/");
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
    scanner.push(bytes, &mut writer).unwrap();
    scanner.finish(&mut writer).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn text(writer: &mut DataSetWriter, tag: Tag, vr: VR, values: &[&str]) {
    writer.begin(tag, vr);
    for value in values {
        writer.value(Some(value));
    }
    writer.end();
}

#[test]
fn elements_are_sorted_padded_and_named_in_utf_8() {
    let mut writer = DataSetWriter::default();
    text(&mut writer, Tag(0x10, 0x10), VR::PN, &["Rossi^Nicolò"]);
    text(&mut writer, Tag(8, 0x18), VR::UI, &["1.2"]);
    text(&mut writer, Tag(8, 0x18), VR::UI, &["1.3"]);
    text(&mut writer, Tag(2, 0x10), VR::UI, &["1.2.840"]);
    writer.begin_sequence(Tag(8, 0x1140));
    writer.begin_item();
    text(&mut writer, Tag(8, 0x1155), VR::UI, &["1.9"]);
    text(&mut writer, Tag(8, 0x1150), VR::UI, &["1.8"]);
    writer.end_item();
    writer.begin_item();
    writer.end_item();
    writer.end_sequence();
    writer.begin_sequence(Tag(8, 0x1110));
    writer.end_sequence();
    let data_set = writer.finish();
    assert_eq!(
        json(&bytes(&data_set)),
        r#"{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080018":{"vr":"UI","Value":["1.2"]},"00081110":{"vr":"SQ"},"00081140":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.8"]},"00081155":{"vr":"UI","Value":["1.9"]}},{}]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Rossi^Nicolò"}]}}"#
    );
    assert_eq!(data_set.text(Tag(8, 0x18)), Some("1.2"));
    assert_eq!(data_set.value(Tag(8, 0x1140)), None);
}

#[test]
fn holes_keep_their_places_when_elements_are_sorted() {
    let mut writer = DataSetWriter::default();
    let bulk = |writer: &mut DataSetWriter, tag: Tag, uri: &str| {
        writer.begin(tag, VR::OB);
        writer.bulk(uri);
        writer.end();
    };
    bulk(&mut writer, Tag(0x7FE0, 0x10), "pixels");
    writer.begin_sequence(Tag(0x88, 0x200));
    writer.begin_item();
    bulk(&mut writer, Tag(0x7FE0, 0x10), "icon pixels");
    bulk(&mut writer, Tag(0x42, 0x11), "a");
    text(&mut writer, Tag(8, 8), VR::CS, &["X"]);
    writer.end_item();
    writer.end_sequence();
    let data_set = writer.finish();
    let uris: Vec<_> = data_set.holes().map(|hole| (hole.uri.as_str(), hole.depth)).collect();
    assert_eq!(uris, [("a", 1), ("icon pixels", 1), ("pixels", 0)]);
    assert_eq!(data_set.hole(Tag(0x7FE0, 0x10)).unwrap().uri, "pixels");
    assert_eq!(data_set.hole(Tag(0x88, 0x200)), None);
    let b64 = |text: &str| {
        let mut out = Vec::new();
        crate::dicom::json_value::write_base64(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    };
    let expected = format!(
        r#"{{"00880200":{{"vr":"SQ","Value":[{{"00080008":{{"vr":"CS","Value":["X"]}},"00420011":{{"vr":"OB","InlineBinary":"{}"}},"7FE00010":{{"vr":"OB","InlineBinary":"{}"}}}}]}},"7FE00010":{{"vr":"OB","BulkDataURI":"http://h/7FE00010"}}}}"#,
        b64("a\0"),
        b64("icon pixels\0"),
    );
    assert_eq!(json(&bytes(&data_set)), expected);
}

#[test]
fn what_cannot_be_written_is_left_out_and_told() {
    let mut writer = DataSetWriter::default();
    text(&mut writer, Tag(0x28, 0x10), VR::US, &["many"]);
    writer.begin(Tag(0x28, 0x11), VR::US);
    writer.binary(&[1, 2, 3]);
    writer.end();
    text(&mut writer, Tag(8, 0x60), VR::CS, &["CT"]);
    let data_set = writer.finish();
    let told: Vec<String> = data_set.discarded.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "(0028,0010) holds what is no number of its representation",
            "(0028,0011) is cut inside a number"
        ]
    );
    assert_eq!(json(&bytes(&data_set)), r#"{"00080060":{"vr":"CS","Value":["CT"]}}"#);
}

#[test]
fn pixel_data_that_claims_to_be_a_sequence_is_left_out() {
    let mut writer = DataSetWriter::default();
    text(&mut writer, Tag(8, 0x60), VR::CS, &["CT"]);
    writer.begin_sequence(Tag(0x7FE0, 0x10));
    writer.begin_item();
    text(&mut writer, Tag(8, 0x1155), VR::UI, &["1.2"]);
    writer.end_item();
    writer.end_sequence();
    let data_set = writer.finish();
    assert_eq!(data_set.discarded.first().map(|it| it.top), Some(Tag(0x7FE0, 0x10)));
    assert_eq!(json(&bytes(&data_set)), r#"{"00080060":{"vr":"CS","Value":["CT"]}}"#);
}

#[test]
fn a_text_too_long_for_its_representation_goes_as_un() {
    let mut writer = DataSetWriter::default();
    let long = "x".repeat(70_000);
    text(&mut writer, Tag(8, 0x103E), VR::LO, &[&long]);
    let data_set = writer.finish();
    assert!(bytes(&data_set).starts_with(&[8, 0, 0x3E, 0x10, b'U', b'N', 0, 0, 0x70, 0x11, 1, 0]));
    assert_eq!(data_set.text(Tag(8, 0x103E)), Some(long.as_str()));
}

#[test]
fn attributes_can_be_added_and_are_only_where_they_are_missing() {
    let mut data_set = DataSet::default();
    data_set.put(Tag(0x28, 0x10), VR::US, &5_u16.to_le_bytes());
    data_set.put_missing(Tag(0x28, 0x10), VR::US, &6_u16.to_le_bytes());
    data_set.put(Tag(0x28, 4), VR::CS, b"");
    data_set.put_missing(Tag(0x28, 4), VR::CS, b"RGB");
    assert_eq!(data_set.short(Tag(0x28, 0x10)), Some(5));
    assert_eq!(data_set.text(Tag(0x28, 4)), Some("RGB"));
}
