//! What is collected of objects written by hand.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::{Header, HeaderCollector, HeaderRequest, PixelShape};
use crate::dicom::feed::element;
use crate::dicom::feed::scan;
use crate::dicom::feed::sequence;
use crate::dicom::limits::Limits;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;

fn header(pieces: &[Vec<u8>]) -> Header {
    let mut collector = HeaderCollector::new(Encoding::ExplicitLittle);
    scan(pieces, &mut collector);
    collector.finish()
}

#[test]
fn an_object_tells_of_itself_at_every_level() {
    let step = element(tags::SCHEDULED_PROCEDURE_STEP_ID, "SH", b"SPS1");
    let procedure = element(tags::REQUESTED_PROCEDURE_ID, "SH", b"RP1 ");
    let header = header(&[
        element(tags::SPECIFIC_CHARACTER_SET, "CS", b"ISO_IR 101"),
        element(tags::SOP_CLASS_UID, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
        element(tags::SOP_INSTANCE_UID, "UI", b"1.2.3.4\0"),
        element(tags::STUDY_DATE, "DA", b"2026.01.02"),
        element(tags::STUDY_TIME, "TM", b"10:15:30"),
        element(tags::ACCESSION_NUMBER, "SH", b"A1"),
        element(tags::MODALITY, "CS", b"CT"),
        element(tags::REFERRING_PHYSICIAN_NAME, "PN", b"House^Gregory "),
        element(tags::STUDY_DESCRIPTION, "LO", b"Thorax"),
        element(tags::SERIES_DESCRIPTION, "LO", b"Lung\\soft"),
        element(tags::PATIENT_NAME, "PN", b"Wa\xb3\xeasa^Lech=X"),
        element(tags::PATIENT_ID, "LO", b" P1 "),
        element(tags::PATIENT_BIRTH_DATE, "DA", b"19430929"),
        element(tags::PATIENT_SEX, "CS", b"M "),
        element(tags::BODY_PART_EXAMINED, "CS", b"CHEST "),
        element(tags::STUDY_INSTANCE_UID, "UI", b"1.2.3\0"),
        element(tags::SERIES_INSTANCE_UID, "UI", b"1.2.3.1\0"),
        element(tags::STUDY_ID, "SH", b"S1"),
        element(tags::SERIES_NUMBER, "IS", b"007 "),
        element(tags::INSTANCE_NUMBER, "IS", b"+1"),
        element(tags::PERFORMED_PROCEDURE_STEP_START_DATE, "DA", b"20260103"),
        element(tags::PERFORMED_PROCEDURE_STEP_START_TIME, "TM", b"1016"),
        sequence(tags::REQUEST_ATTRIBUTES_SEQUENCE, &[[step, procedure].concat(), vec![]]),
    ]);

    assert_eq!(header.sop_class.unwrap().as_str(), "1.2.840.10008.5.1.4.1.1.2");
    assert_eq!(header.sop_instance.unwrap().as_str(), "1.2.3.4");
    assert_eq!(header.study_uid.unwrap().as_str(), "1.2.3");
    assert_eq!(header.series_uid.unwrap().as_str(), "1.2.3.1");
    assert_eq!(header.patient_id.value, "P1");
    assert_eq!(header.patient.name, "Wałęsa^Lech=X");
    assert_eq!((&*header.patient.birth_date, &*header.patient.sex), ("19430929", "M"));
    assert_eq!((&*header.study.date, &*header.study.time), ("20260102", "101530"));
    assert_eq!((&*header.study.accession_number, &*header.study.id), ("A1", "S1"));
    assert_eq!(header.study.referring_physician, "House^Gregory");
    assert_eq!(header.study.description, "Thorax");
    assert_eq!((&*header.series.modality, &*header.series.number), ("CT", "7"));
    assert_eq!((&*header.series.description, &*header.series.body_part), ("Lung\\soft", "CHEST"));
    assert_eq!(
        (&*header.series.performed_date, &*header.series.performed_time),
        ("20260103", "1016")
    );
    let first = HeaderRequest { scheduled_step_id: "SPS1".into(), procedure_id: "RP1".into() };
    assert_eq!(header.series.requests, [first, HeaderRequest::default()]);
    assert_eq!((&*header.instance.number, header.instance.frames), ("1", 0));

    assert_eq!(
        header.patient.attributes,
        concat!(
            r#"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Wałęsa^Lech","Ideographic":"X"}]},"#,
            r#""00100020":{"vr":"LO","Value":[" P1"]},"#,
            r#""00100030":{"vr":"DA","Value":["19430929"]},"#,
            r#""00100040":{"vr":"CS","Value":["M"]}}"#
        )
    );
    assert!(header.series.attributes.contains(concat!(
        r#""00400275":{"vr":"SQ","Value":[{"00400009":{"vr":"SH","Value":["SPS1"]},"#,
        r#""00401001":{"vr":"SH","Value":["RP1"]}},{}]}"#
    )));
    assert_eq!(
        header.instance.attributes,
        concat!(
            r#"{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"#,
            r#""00080018":{"vr":"UI","Value":["1.2.3.4"]},"00200013":{"vr":"IS","Value":[1]}}"#
        )
    );
}

#[test]
fn an_empty_object_has_empty_facts() {
    let empty = header(&[]);
    assert_eq!(empty.patient.attributes, "{}");
    assert_eq!(empty.instance.attributes, "{}");
    assert_eq!((empty.study_uid, empty.instance.frames), (None, 0));
}

#[test]
fn identifiers_sent_as_unknown_are_read_all_the_same() {
    let header = header(&[
        element(tags::STUDY_INSTANCE_UID, "UN", b"1.2.3\0"),
        element(tags::SERIES_NUMBER, "UN", b"3 "),
        element(tags::ROWS, "UN", &[0, 2]),
        element(tags::REQUEST_ATTRIBUTES_SEQUENCE, "UN", b"opaque"),
    ]);
    assert_eq!(header.study_uid.unwrap().as_str(), "1.2.3");
    assert_eq!((&*header.series.number, header.pixels.rows), ("3", 512));
    assert_eq!(header.study.attributes, r#"{"0020000D":{"vr":"UI","Value":["1.2.3"]}}"#);
    assert_eq!(header.series.attributes, r#"{"00200011":{"vr":"IS","Value":[3]}}"#);
}

#[test]
fn only_the_top_of_the_data_set_tells_facts() {
    let uid = element(tags::STUDY_INSTANCE_UID, "UI", b"9.9\0");
    let name = element(tags::PATIENT_NAME, "PN", b"Nobody");
    let header = header(&[
        sequence(tags::REFERENCED_STUDY_SEQUENCE, &[[name.clone(), uid.clone()].concat()]),
        sequence(tags::REQUEST_ATTRIBUTES_SEQUENCE, &[sequence(Tag(0x0040, 0x0008), &[uid])]),
    ]);
    assert_eq!((header.study_uid, &*header.patient.name), (None, ""));
    assert_eq!(header.patient.attributes, "{}");
}

#[test]
fn the_issuer_is_the_named_one_or_else_the_universal_one() {
    let entity = |text: &[u8]| element(tags::UNIVERSAL_ENTITY_ID, "UT", text);
    let qualifiers = sequence(
        tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
        &[entity(b"2.16.840.1 "), entity(b"other ")],
    );
    let id = element(tags::PATIENT_ID, "LO", b"P1");
    let named = element(tags::ISSUER_OF_PATIENT_ID, "LO", b"HOSPITAL");
    let issuer = |pieces: &[Vec<u8>]| header(pieces).patient_id.issuer;
    assert_eq!(issuer(&[id.clone(), named, qualifiers.clone()]), "HOSPITAL");
    assert_eq!(issuer(&[id.clone(), qualifiers]), "2.16.840.1");
    assert_eq!(issuer(&[id]), "");
}

#[test]
fn pixels_are_described_as_they_lie_there() {
    let us = |tag, value: u16| element(tag, "US", &value.to_le_bytes());
    let shape = [
        us(tags::SAMPLES_PER_PIXEL, 3),
        element(tags::PHOTOMETRIC_INTERPRETATION, "CS", b"YBR_FULL_422"),
        element(tags::NUMBER_OF_FRAMES, "IS", b"2 "),
        us(tags::ROWS, 4),
        us(tags::COLUMNS, 6),
        us(tags::BITS_ALLOCATED, 8),
    ];
    let described =
        |samples| PixelShape { rows: 4, columns: 6, samples, bits_allocated: 8, frames: 2 };
    let mut native = shape.to_vec();
    native.push(element(tags::PIXEL_DATA, "OB", &[0; 96]));
    let native = header(&native);
    assert_eq!((native.pixels, native.instance.frames), (described(2), 2));

    let mut pixels = element(tags::PIXEL_DATA, "OB", b"");
    pixels.truncate(pixels.len() - 4);
    pixels.extend([0xFF; 4]);
    pixels.extend([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    let mut encapsulated = shape.to_vec();
    encapsulated.push(pixels);
    let encapsulated = header(&encapsulated);
    assert_eq!((encapsulated.pixels, encapsulated.instance.frames), (described(3), 2));

    let bare = header(&[element(tags::PIXEL_DATA, "OW", &[0; 2])]);
    assert_eq!((bare.pixels.samples, bare.pixels.frames, bare.instance.frames), (1, 1, 1));
}

#[test]
fn of_two_the_first_with_a_value_counts() {
    let header = header(&[
        element(tags::PATIENT_ID, "LO", b""),
        element(tags::PATIENT_ID, "LO", b"P1"),
        element(tags::PATIENT_ID, "LO", b"P2"),
    ]);
    assert_eq!(header.patient_id.value, "P1");
}

proptest! {
    #[test]
    fn any_bytes_leave_valid_attributes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut collector = HeaderCollector::new(Encoding::ImplicitLittle);
        let mut scanner = Scanner::new(Encoding::ImplicitLittle, Limits::DEFAULT);
        let _ = scanner.push(&bytes, &mut collector);
        let _ = scanner.finish(&mut collector);
        let header = collector.finish();
        for text in [header.patient.attributes, header.study.attributes] {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
