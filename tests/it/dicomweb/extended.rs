//! Attributes the administrator declares: searched and answered, also of objects that came before.

use serde_json::Value;

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::until;

const DECLARED: &str = "
[[attributes]]
attribute = 'InstitutionName'
level = 'series'
[[attributes]]
attribute = '00101002.00100020'
level = 'patient'
[[attributes]]
attribute = '00231001'
creator = 'ACME'
level = 'study'
vr = 'LO'
[[attributes]]
attribute = 'OperatorsName'
level = 'instance'
[[attributes]]
attribute = 'DateOfLastCalibration'
level = 'series'
";

/// An object of a study of its own; `block` is where its private attributes stand.
fn object(number: u32, institution: &str, block: u16) -> Object {
    let mut object = Object::ct(&format!("P{number}"), number, 1, 1);
    let mut other = vec![0xFE, 0xFF, 0x00, 0xE0, 12, 0, 0, 0];
    other.extend_from_slice(&[0x10, 0x00, 0x20, 0x00]);
    other.extend_from_slice(b"LO\x04\x00");
    other.extend_from_slice(format!("OLD{number}").as_bytes());
    let tag = |element: u16| (0x0023 << 16) | u32::from(element);
    object
        .text(0x0008_0080, b"LO", institution)
        .text(0x0008_1070, b"PN", &format!("Tecnìco{number}^Anna"))
        .text(0x0018_1200, b"DA", &format!("2026010{number}"))
        .bytes(0x0010_1002, b"SQ", other)
        .text(tag(block), b"LO", "ACME")
        .text(tag((block << 8) | 1), b"LO", &format!("X{number}"));
    object
}

async fn found(server: &Server, query: &str) -> Vec<String> {
    let answers = server.json(&format!("/studies?{query}")).await;
    let mut ids: Vec<String> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["00100020"]["Value"][0].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

async fn check(server: &Server) {
    for (query, expected) in [
        ("InstitutionName=Ospedale%20A", vec!["P1", "P3"]),
        ("00080080=Ospedale*", vec!["P1", "P2", "P3"]),
        ("InstitutionName=ospedale*", vec![]),
        ("OtherPatientIDsSequence.PatientID=OLD2", vec!["P2"]),
        ("00101002.00100020=OLD%3F&PatientID=P3", vec!["P3"]),
        ("00230010=ACME&00231001=X1", vec!["P1"]),
        ("002300E1=ACME&0023E101=X2", vec!["P2"]),
        ("00230010=OTHER&00231001=X1", vec!["P1", "P2", "P3"]),
        ("OperatorsName=tecnico3%5EANNA", vec!["P3"]),
        ("DateOfLastCalibration=20260102-20260103", vec!["P2", "P3"]),
        ("InstitutionName=%22%22&emptyvaluematching=true", vec![]),
        (
            "InstitutionName=Ospedale%20A%5COspedale%20B&multiplevaluematching=true",
            vec!["P1", "P2", "P3"],
        ),
    ] {
        assert_eq!(found(server, query).await, expected, "{query}");
    }
    let answers = server.json("/studies?PatientID=P2&00230010=ACME&includefield=00231001").await;
    assert_eq!(answers[0]["00231001"]["Value"][0], "X2");
    assert_eq!(answers[0]["00230010"]["Value"][0], "ACME", "PS3.18 §10.6.3.3.1");
    let answers = server.json("/series?PatientID=P2&includefield=InstitutionName").await;
    assert_eq!(answers[0]["00080080"]["Value"][0], "Ospedale B");
    let answers: Value = server.json("/studies?OtherPatientIDsSequence.PatientID=OLD2").await;
    assert_eq!(answers[0]["00101002"]["Value"][0]["00100020"]["Value"][0], "OLD2");
    assert_eq!(answers[0]["00100010"]["Value"][0]["Alphabetic"], "Prova^Nicolò");
}

#[tokio::test]
async fn declared_attributes_are_searched_in_what_comes_and_in_what_is_there() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    server.store(&[object(1, "Ospedale A", 0x10), object(2, "Ospedale B", 0x12)]).await;
    let ignored = server.get("/studies?00101002.00100020=OLD1").await;
    assert!(ignored.headers()["warning"].to_str().unwrap().ends_with("00101002.00100020"));

    std::fs::write(file.path(), DECLARED).unwrap();
    server = server.stop_and_restart();
    until("what was there is read again", || async {
        let response = server.get("/studies?InstitutionName=Ospedale*").await;
        !response.headers().contains_key("warning")
    })
    .await;
    server.store(&[object(3, "Ospedale A", 0x11)]).await;
    check(&server).await;

    // Once is enough, and a kill takes nothing away.
    server = server.kill_and_restart();
    check(&server).await;
}

#[test]
fn what_cannot_be_declared_stops_the_start_with_its_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[[attributes]]\nattribute = 'PixelData'\nlevel = 'instance'\n")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(["serve", "--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0", "-c"])
        .arg(file.path())
        .arg("--data")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("PixelData"), "{said}");
}
