//! The Store Instances Response, sequence by sequence.

use super::{
    CANNOT_UNDERSTAND, DOES_NOT_MATCH, Ended, Failure, MALFORMED, Names, OUT_OF_RESOURCES,
    TOO_LARGE, module, reason, status,
};
use crate::archive::error::ArchiveError;
use crate::archive::ingest::Receipt;
use crate::blobs::error::BlobError;
use crate::dicom::uid::Uid;
use crate::dicomweb::address::Urls;
use crate::http::base::Base;
use crate::model::path::InstancePath;
use crate::model::study::Outcome;

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn stored(study: &str, instance: &str, outcome: Outcome) -> Ended {
    let path = InstancePath { study: uid(study), series: uid("1.5"), instance: uid(instance) };
    let sop_class = uid("1.2.840.10008.5.1.4.1.1.2");
    let (data_set_sha256, data_set_bytes) = ([0; 32], 1);
    let receipt = Receipt { outcome, path, sop_class, data_set_sha256, data_set_bytes };
    Ended::Stored { receipt, left_out: Vec::new() }
}

fn failed(instance: Option<&str>, reason: u16) -> Ended {
    let sop_class = instance.map(|_| uid("1.2.840.10008.5.1.4.1.1.2"));
    let names = Names { sop_class, sop_instance: instance.map(uid) };
    Ended::Failed(names, Failure { reason, comment: "x".repeat(100) })
}

#[test]
fn the_status_says_whether_all_some_or_none_is_stored() {
    let good = || stored("1.2", "1.3", Outcome::Stored);
    for (ended, expected) in [
        (vec![good()], 200),
        (vec![good(), stored("1.2", "1.4", Outcome::AlreadyHere)], 200),
        (vec![good(), stored("1.2", "1.3", Outcome::KeptBeside)], 202),
        (vec![good(), failed(Some("1.4"), DOES_NOT_MATCH)], 202),
        (vec![failed(Some("1.4"), DOES_NOT_MATCH)], 409),
        (vec![failed(None, CANNOT_UNDERSTAND), failed(None, OUT_OF_RESOURCES)], 409),
        (vec![failed(None, OUT_OF_RESOURCES)], 503),
        (vec![failed(None, TOO_LARGE)], 413),
        (vec![failed(None, MALFORMED)], 400),
        (vec![failed(None, MALFORMED), failed(None, TOO_LARGE)], 409),
        (vec![], 409),
    ] {
        assert_eq!(status(&ended).as_u16(), expected, "{ended:?}");
    }
}

#[test]
fn every_part_is_in_exactly_one_sequence() {
    let ended = [
        stored("1.2", "1.3", Outcome::Stored),
        failed(Some("1.4"), DOES_NOT_MATCH),
        failed(None, CANNOT_UNDERSTAND),
        stored("1.2", "1.6", Outcome::KeptBeside),
    ];
    let urls = Urls::new(&Base("https://pacs.example".to_owned()));
    let module = module(&ended, None, &urls);
    let study = "https://pacs.example/dicom-web/studies/1.2";
    assert_eq!(module["00081190"]["Value"][0], study);
    let references = &module["00081199"]["Value"];
    assert_eq!(references.as_array().unwrap().len(), 2);
    assert_eq!(references[0]["00081155"]["Value"][0], "1.3");
    let instance = format!("{study}/series/1.5/instances/1.3");
    assert_eq!(references[0]["00081190"]["Value"][0], instance);
    assert!(references[0].get("00081196").is_none());
    assert_eq!(references[1]["00081196"]["Value"][0], 0x0111);
    let failures = &module["00081198"]["Value"];
    assert_eq!(failures.as_array().unwrap().len(), 1);
    assert_eq!(failures[0]["00081155"]["Value"][0], "1.4");
    assert_eq!(failures[0]["00081197"]["Value"][0], 0xA900);
    let comment = &failures[0]["00741048"]["Value"][0]["00000902"]["Value"][0];
    assert_eq!(comment.as_str().unwrap().len(), 64);
    let other = &module["0008119A"]["Value"];
    assert_eq!(other.as_array().unwrap().len(), 1);
    assert_eq!(other[0]["00081197"]["Value"][0], 0xC000);
}

#[test]
fn the_study_url_is_empty_when_several_studies_came_and_the_addressed_one_otherwise() {
    let urls = Urls::new(&Base("http://h".to_owned()));
    let ended = [stored("1.2", "1.3", Outcome::Stored), stored("1.9", "1.4", Outcome::Stored)];
    assert!(module(&ended, None, &urls)["00081190"].get("Value").is_none());
    let addressed = module(&[failed(None, CANNOT_UNDERSTAND)], Some(&uid("1.7")), &urls);
    assert_eq!(addressed["00081190"]["Value"][0], "http://h/dicom-web/studies/1.7");
}

#[test]
fn each_archive_error_has_its_reason() {
    for (error, expected) in [
        (ArchiveError::Blobs(BlobError::NoRoom), 0xA700),
        (ArchiveError::Mismatch("x".into()), 0xA900),
        (ArchiveError::Unidentified("x".into()), 0xA900),
        (ArchiveError::Denied, 0x0124),
        (ArchiveError::Stopping, 0x0110),
    ] {
        assert_eq!(reason(&error), expected, "{error}");
    }
}
