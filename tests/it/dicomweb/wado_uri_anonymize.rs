//! WADO-URI `anonymize=yes`: nothing that identifies leaves, pixels stay, what belonged together
//! still does.

use std::process::Command;

use crate::dicomweb::looking::{stow, study_file};
use crate::support::objects::{Object, item, text_element};
use crate::support::server::{Server, client};
use crate::support::tools::python;

const CHECK: &str = include_str!("anonymized.py");

async fn anonymized(server: &Server, object: &Object, more: &str) -> reqwest::Response {
    let url = format!(
        "http://{}/wado?requestType=WADO&studyUID={}&seriesUID={}&objectUID={}\
         &contentType=application/dicom&anonymize=yes{more}",
        server.http, object.study, object.series, object.sop_instance
    );
    client().get(url).send().await.unwrap()
}

fn has(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// A slice that tells whose it is wherever it can.
fn telling(instance: u32) -> Object {
    let mut object = Object::ct("SEGRETO-ID", 1, 1, instance);
    let nested = [
        text_element(0x0008_1155, b"UI", "1.2.77777.1"),
        text_element(0x0010_0010, b"PN", "SEGRETO^NESTED"),
        text_element(0x0011_1001, b"LO", "SEGRETO PRIVATE"),
    ];
    let requests = text_element(0x0040_0007, b"LO", "SEGRETO STEP");
    object
        .text(0x0008_0080, b"LO", "SEGRETO HOSPITAL")
        .text(0x0008_0090, b"PN", "SEGRETO^REFERRING")
        .text(0x0008_1030, b"LO", "SEGRETO STUDY")
        .bytes(0x0008_1140, b"SQ", item(&nested.concat()))
        .text(0x0010_0030, b"DA", "19610203")
        .text(0x0010_4000, b"LT", "SEGRETO COMMENT")
        .text(0x0009_0010, b"LO", "SEGRETO CREATOR")
        .text(0x0009_1001, b"UN", "SEGRETO VALUE")
        .text(0x0018_1000, b"LO", "SEGRETO SERIAL")
        .text(0x0020_0052, b"UI", "1.2.77777.2")
        .bytes(0x0040_0275, b"SQ", item(&requests))
        .text(0x6000_3000, b"OW", "SEGRETO OVERLAY")
        .text(0x6000_4000, b"LT", "SEGRETO OVERLAY");
    object
}

#[tokio::test]
async fn nothing_that_identifies_leaves_and_pixels_stay() {
    let server = Server::start();
    let objects = [telling(1), telling(2)];
    assert_eq!(server.store(&objects).await, [0, 0]);
    let (mut files, mut frames) = (Vec::new(), Vec::new());
    for object in &objects {
        let answer = anonymized(&server, object, "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/dicom");
        assert!(!answer.headers().contains_key("content-location"));
        let length = answer.content_length();
        let file = answer.bytes().await.unwrap().to_vec();
        assert_eq!(length, Some(file.len() as u64));
        for value in [
            "SEGRETO",
            "Prova",
            "Nicol",
            "19610203",
            "20260301",
            "101500",
            "ACC1",
            "1.2.77777",
            "1.2.826.0.1.3680043.10.999",
        ] {
            assert!(!has(&file, value), "{value} left");
        }
        for value in ["Basic Application Confidentiality Profile", "113100", "REMOVED"] {
            assert!(has(&file, value), "{value}");
        }
        let original = object.data_set();
        assert!(file.ends_with(&original[original.len() - 512..]), "the pixels");
        let at = memchr::memmem::find(&file, b"\x20\0\x52\0UI").unwrap();
        frames.push(file[at..at + 50].to_vec());
        files.push(file);
    }
    assert!(frames[0] == frames[1], "one frame of reference still");
    assert!(files[0] != files[1]);

    // The same after a restart: the secret is the archive's.
    let server = server.stop_and_restart();
    let again = anonymized(&server, &objects[0], "").await.bytes().await.unwrap();
    assert!(again == files[0]);
    let other = Server::start();
    other.store(&objects[..1]).await;
    assert!(anonymized(&other, &objects[0], "").await.bytes().await.unwrap() != files[0]);
    let rle = anonymized(&server, &objects[0], "&transferSyntax=1.2.840.10008.1.2.5").await;
    assert_eq!(rle.status(), 200);
    assert!(!has(&rle.bytes().await.unwrap(), "SEGRETO"));
    let never = anonymized(&server, &objects[0], "&transferSyntax=1.2.840.10008.1.2.2").await;
    assert_eq!(never.status(), 406);
}

#[tokio::test]
async fn pixels_that_show_whose_they_are_do_not_leave() {
    let server = Server::start();
    let mut object = Object::ct("P1", 1, 1, 1);
    object.text(0x0028_0301, b"CS", "YES");
    server.store(std::slice::from_ref(&object)).await;
    let answer = anonymized(&server, &object, "").await;
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("(0028,0301)"));
}

#[tokio::test]
async fn pydicom_and_a_validator_read_what_leaves() {
    let server = Server::start();
    let names = [
        "ct-chest/ct-01.dcm",
        "mr-head/t1-01.dcm",
        "us-loop/us-1.dcm",
        "sr-report/report.dcm",
        "sr-report/key-images.dcm",
    ];
    let files = names.map(study_file);
    for file in &files {
        stow(&server, file).await;
    }
    let mut command = Command::new(python());
    command.args(["-c", CHECK, &format!("http://{}/wado", server.http)]).args(&files);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
