//! Facts read from our own sample report, and from spoilt ones.

use proptest::prelude::*;

use super::{CdaError, ClinicalDocument};
use crate::people::identifier::IdentifierKind;

const REPORT: &str = include_str!("../../../../sample-studies/cda-report/referto.xml");

#[test]
fn a_report_says_what_it_is_of_whom_and_about_which_images() {
    let report = ClinicalDocument::parse(REPORT.as_bytes()).unwrap();
    assert!(report.is_radiology_report());
    assert_eq!(report.id.extension, "PROVA.RX2600417.1");
    assert_eq!(report.set_id.as_ref(), Some(&report.id));
    assert_eq!((report.version, report.replaces.len()), (Some(1), 0));
    assert_eq!(report.title, "Referto di radiologia: radiografia del torace");
    assert_eq!(report.effective_time, "20260302113000+0100");
    assert_eq!((report.confidentiality.as_str(), report.language.as_str()), ("N", "it-IT"));
    assert_eq!(report.patient.name(), "Esempi^Anna Lucìa");
    assert_eq!(
        (report.patient.sex.as_str(), report.patient.birth_date.as_str()),
        ("F", "19680621")
    );
    let ids = report.patient.identifiers();
    assert_eq!(ids[0].kind, IdentifierKind::CodiceFiscale);
    assert!(ids[0].identifies());
    assert_eq!((ids[1].kind, ids[1].value.as_str()), (IdentifierKind::Local, "P0001042"));
    assert_eq!(report.authors, ["Dott.ssa Chiara Refertini"]);
    assert_eq!(report.custodian.name, "Ospedale di Prova");
    assert!(report.orders[0].is_nre() && !report.orders[1].is_nre());
    assert_eq!(report.orders[1].extension, "RX2600417");
    let [study] = report.studies.as_slice() else { panic!("{:?}", report.studies) };
    assert_eq!(study.uid, "2.25.324285592026785104557929812395579159519");
    assert_eq!(study.series[0].instances, ["2.25.254803139315067929080509269185504222726"]);
    let codes: Vec<&str> = report.sections.iter().map(|section| section.code.as_str()).collect();
    assert_eq!(codes, ["121181", "18785-6", "55111-9", "18782-3", "55110-1", "18783-1"]);
    assert!(report.plain_text().contains("piccola opacità nodulare"));
}

#[test]
fn requirement_8_the_instance_level_is_read_by_nesting_whatever_its_code_says() {
    // Official samples carry the series' code at the image's place.
    let mislabelled = REPORT.replace("code=\"1.2.840.10008.5.1.4.1.1.1.1\"", "code=\"113015\"");
    assert_ne!(mislabelled, REPORT);
    let (right, wrong) = (
        ClinicalDocument::parse(REPORT.as_bytes()),
        ClinicalDocument::parse(mislabelled.as_bytes()),
    );
    assert_eq!(right.unwrap().studies, wrong.unwrap().studies);
}

#[test]
fn requirement_37_versions_are_read_with_what_they_replace() {
    let second = REPORT
        .replace("<versionNumber value=\"1\"/>", "<versionNumber value=\"2\"/>")
        .replace(
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"",
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.2\"",
        )
        .replace(
            "<componentOf>",
            "<relatedDocument typeCode=\"RPLC\"><parentDocument>\
            <id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"/>\
            </parentDocument></relatedDocument><componentOf>",
        );
    let report = ClinicalDocument::parse(second.as_bytes()).unwrap();
    assert_eq!(report.version, Some(2));
    assert_eq!(report.replaces.len(), 1);
    assert_eq!(report.set_id.map(|id| id.extension).as_deref(), Some("PROVA.RX2600417.1"));
    assert_eq!(report.id.extension, "PROVA.RX2600417.2");
}

#[test]
fn other_documents_are_told_apart_and_empty_ones_are_read() {
    for text in ["<a/>", "<ClinicalDocument/>", "<ClinicalDocument xmlns='urn:other'/>"] {
        assert_eq!(ClinicalDocument::parse(text.as_bytes()), Err(CdaError::OtherRoot), "{text}");
    }
    let empty = ClinicalDocument::parse(b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>").unwrap();
    assert_eq!(empty, ClinicalDocument::default());
}

#[test]
fn nothing_of_a_person_is_printed_for_logs() {
    let printed = format!("{:?}", ClinicalDocument::parse(REPORT.as_bytes()).unwrap());
    for secret in ["SMPNLC68H61H501I", "Esempi", "19680621", "opacità"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

proptest! {
    #[test]
    fn a_report_cut_or_spoilt_anywhere_is_answered(cut in 0..REPORT.len(), byte in any::<u8>()) {
        let mut bytes = REPORT.as_bytes().to_vec();
        prop_assert!(ClinicalDocument::parse(&bytes[..cut]).is_err());
        bytes[cut] = byte;
        let _ = ClinicalDocument::parse(&bytes);
    }
}
