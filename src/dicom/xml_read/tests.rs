//! The Native DICOM Model in, a data set out; and what is none.

#![allow(clippy::indexing_slicing, reason = "tests may panic")]

use dicom_core::Tag;
use proptest::prelude::*;

use super::{XmlReadError, read};
use crate::dicom::json_read::tests::{made, tell};
use crate::dicom::limits::Limits;
use crate::dicom::native::Native;
use crate::dicom::write::tests::{bytes, json};
use crate::dicom::write::{DataSet, DataSetWriter};
use crate::dicom::xml::XmlWriter;

fn data_set(document: &[u8]) -> Result<DataSet, XmlReadError> {
    let mut writer = DataSetWriter::default();
    read(document, Limits::DEFAULT, &mut writer).map(|()| writer.finish())
}

fn as_json(attributes: &str) -> String {
    let document = format!("<NativeDicomModel>{attributes}</NativeDicomModel>");
    json(&bytes(&data_set(document.as_bytes()).unwrap()))
}

#[test]
fn what_others_write_is_read() {
    for (attributes, expected) in [
        // As dcm2xml writes it: line ends between elements, private attributes without their block.
        (
            "\n<DicomAttribute tag=\"00080060\" vr=\"CS\" keyword=\"Modality\">\n<Value number=\"1\">CT</Value>\n</DicomAttribute>\n<DicomAttribute tag=\"00090011\" vr=\"LO\"><Value number=\"1\">ACME</Value></DicomAttribute><DicomAttribute tag=\"00090001\" vr=\"LO\" privateCreator=\"ACME\"><Value number=\"1\">x</Value></DicomAttribute>",
            r#"{"00080060":{"vr":"CS","Value":["CT"]},"00090011":{"vr":"LO","Value":["ACME"]},"00091101":{"vr":"LO","Value":["x"]}}"#,
        ),
        // A creator that is only named; two attributes of one number in two of its blocks.
        (
            r#"<DicomAttribute tag="00090001" vr="LO" privateCreator="B"><Value number="1">1</Value></DicomAttribute><DicomAttribute tag="00090001" vr="LO" privateCreator="B"><Value number="1">2</Value></DicomAttribute>"#,
            r#"{"00090010":{"vr":"LO","Value":["B"]},"00090011":{"vr":"LO","Value":["B"]},"00091001":{"vr":"LO","Value":["1"]},"00091101":{"vr":"LO","Value":["2"]}}"#,
        ),
        // Values by number, with gaps; a block given beside its creator.
        (
            r#"<DicomAttribute tag="00080008" vr="CS"><Value number="2">B</Value><Value number="4">D</Value></DicomAttribute><DicomAttribute tag="00092002" vr="US" privateCreator="C"><Value number="1">7</Value></DicomAttribute>"#,
            r#"{"00080008":{"vr":"CS","Value":[null,"B",null,"D"]},"00090020":{"vr":"LO","Value":["C"]},"00092002":{"vr":"US","Value":[7]}}"#,
        ),
        // References, CDATA, elements the model does not have, a namespace prefix.
        (
            r#"<x:DicomAttribute xmlns:x="y" tag="00104000" vr="LT"><Value number="1">a&amp;&#x62;<![CDATA[<c>]]></Value><Note>no</Note></x:DicomAttribute><Other><DicomAttribute tag="00080060" vr="CS"/></Other>"#,
            r#"{"00104000":{"vr":"LT","Value":["a&b<c>"]}}"#,
        ),
        (
            r#"<DicomAttribute tag="00100010" vr="PN"><PersonName number="1"><Alphabetic><FamilyName>R</FamilyName><NameSuffix>Jr</NameSuffix></Alphabetic><Phonetic><GivenName>y</GivenName></Phonetic></PersonName></DicomAttribute><DicomAttribute tag="00281201" vr="OW"><InlineBinary>AQ
I=</InlineBinary></DicomAttribute><DicomAttribute tag="00081140" vr="SQ"><Item number="1"/></DicomAttribute>"#,
            r#"{"00081140":{"vr":"SQ","Value":[{}]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"R^^^^Jr","Phonetic":"^y"}]},"00281201":{"vr":"OW","InlineBinary":"AQI="}}"#,
        ),
    ] {
        assert_eq!(as_json(attributes), expected);
    }
}

#[test]
fn documents_in_other_encodings_are_read() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><NativeDicomModel><DicomAttribute tag=\"00104000\" vr=\"LT\"><Value number=\"1\">\xE8</Value></DicomAttribute></NativeDicomModel>";
    assert_eq!(data_set(latin).unwrap().text(Tag(0x10, 0x4000)), Some("è"));
    let utf16: Vec<u8> =
        "\u{FEFF}<NativeDicomModel/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(data_set(&utf16).is_ok());
    assert_eq!(data_set(b"<NativeDicomModel>\xFF</NativeDicomModel>"), Err(XmlReadError::Encoding));
}

#[test]
fn hostile_documents_are_refused() {
    let entity = b"<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><NativeDicomModel><DicomAttribute tag=\"00104000\" vr=\"LT\"><Value number=\"1\">&a;</Value></DicomAttribute></NativeDicomModel>";
    assert_eq!(data_set(entity), Err(XmlReadError::Entity));
    let unknown = b"<NativeDicomModel><DicomAttribute tag=\"00104000\" vr=\"LT\"><Value number=\"1\">&a;</Value></DicomAttribute></NativeDicomModel>";
    assert_eq!(data_set(unknown), Err(XmlReadError::Entity));
    let deep = format!(
        "<NativeDicomModel>{}",
        r#"<DicomAttribute tag="00081140" vr="SQ"><Item number="1">"#.repeat(100_000)
    );
    assert_eq!(data_set(deep.as_bytes()), Err(XmlReadError::TooDeep));
    let gap = r#"<DicomAttribute tag="00080008" vr="CS"><Value number="4000000000">B</Value></DicomAttribute>"#;
    assert!(as_json(gap).len() < 10_000);
    for (document, expected) in [
        (&b"<html/>"[..], XmlReadError::NotNative),
        (b"", XmlReadError::NotNative),
        (b"no XML", XmlReadError::NotNative),
    ] {
        assert_eq!(data_set(document), Err(expected));
    }
    for document in [&b"<NativeDicomModel>"[..], b"<NativeDicomModel></a>", b"<NativeDicomModel"] {
        assert!(matches!(data_set(document), Err(XmlReadError::Syntax { .. })), "{document:?}");
    }
}

#[test]
fn unusable_attributes_are_told() {
    let document = br#"<NativeDicomModel><DicomAttribute tag="x" vr="CS"/><DicomAttribute tag="00280010" vr="US"><Value number="1">a</Value></DicomAttribute><DicomAttribute tag="7FE00010" vr="OW"><BulkData/></DicomAttribute></NativeDicomModel>"#;
    let told: Vec<String> =
        data_set(document).unwrap().discarded.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "(FFFF,FFFF) is no tag",
            "(0028,0010) holds what is no number of its representation",
            "(7FE0,0010) has BulkData without uri"
        ]
    );
}

proptest! {
    #[test]
    fn written_and_read_again_is_the_same_data_set(made in made()) {
        let (mut writer, mut xml) = (DataSetWriter::default(), XmlWriter::default());
        tell(&made, &mut writer);
        tell(&made, &mut xml);
        let again = data_set(xml.finish().as_bytes()).unwrap();
        prop_assert!(again.discarded.is_empty(), "{:?}", again.discarded);
        prop_assert_eq!(bytes(&again), bytes(&writer.finish()));
    }

    #[test]
    fn any_cut_and_any_change_is_a_data_set_or_an_error(made in made(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut xml = XmlWriter::default();
        tell(&made, &mut xml);
        let mut text = xml.finish().into_bytes();
        let spot = at.index(text.len());
        let _ = data_set(&text[..spot]);
        text[spot] = byte;
        if let Ok(data_set) = data_set(&text) {
            let _ = bytes(&data_set);
        }
    }

    #[test]
    fn any_bytes_are_a_data_set_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = data_set(&bytes);
        let mut writer = DataSetWriter::default();
        writer.begin_sequence(Tag(8, 8));
        let _ = read(&bytes, Limits::DEFAULT, &mut writer);
        let _ = writer.finish();
    }
}
