//! STOW-RS under hostile bodies: refused with a reason, in bounded memory, and others are served.

use serde_json::Value;

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;

const DICOM: &str = r#"multipart/related; type="application/dicom"; boundary=cut"#;
const JSON: &str = r#"multipart/related; type="application/dicom+json"; boundary=cut"#;

async fn post(server: &Server, kind: &str, body: Vec<u8>) -> (u16, Value) {
    let request = client().post(format!("{}/studies", server.dicomweb()));
    let response = request.header("content-type", kind).body(body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
}

/// A stranger's object is still taken, and is all there is.
async fn is_well(server: &Server) {
    let object = Object::ct("P1", 9, 1, 1);
    let part = b"--cut\r\nContent-Type: application/dicom\r\n\r\n";
    let body = [&part[..], &object.file(), b"\r\n--cut--"].concat();
    assert_eq!(post(server, DICOM, body).await.0, 200);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bodies_that_trick_the_boundary_are_refused() {
    let server = Server::start();
    let file = Object::ct("P1", 1, 1, 1).file();
    let part = |header: &str, bytes: &[u8]| {
        [format!("--cut\r\n{header}\r\n\r\n").as_bytes(), bytes].concat()
    };
    let end = b"\r\n--cut--".to_vec();
    let length =
        |length: usize| format!("Content-Type: application/dicom\r\nContent-Length: {length}");
    for (body, expected) in [
        // A header, a preamble, a line behind the boundary that never ends.
        (part(&"X: y\r\n".repeat(100_000), &file), 400),
        (vec![b'x'; 4 << 20], 400),
        ([&b"--cut"[..], &vec![b' '; 1 << 20]].concat(), 400),
        // Lengths that lie: too short, too long, beyond all bounds.
        ([part(&length(700), &file), end.clone()].concat(), 409),
        ([part(&length(file.len() + 4), &file), end.clone()].concat(), 409),
        ([part(&length(usize::MAX), &file), end.clone()].concat(), 409),
        // No closing boundary; the boundary of somebody else.
        (part("Content-Type: application/dicom", &file), 409),
        ([part("Content-Type: application/dicom", &file), b"\r\n--other--".to_vec()].concat(), 409),
    ] {
        let (status, module) = post(&server, DICOM, body).await;
        assert_eq!(status, expected, "{module}");
    }
    is_well(&server).await;
}

#[tokio::test]
async fn a_bomb_of_parts_is_bounded() {
    let server = Server::start();
    let before = server.peak_kib();
    let body = [b"--cut\r\n\r\n\r\n".repeat(100_001), b"--cut--".to_vec()].concat();
    let (status, module) = post(&server, DICOM, body).await;
    assert_eq!(status, 409);
    let failures = module["0008119A"]["Value"].as_array().unwrap();
    assert_eq!(failures.len(), 100_001);
    assert_eq!(failures[100_000]["00081197"]["Value"][0], 0xA713);
    let objects = format!("[{}{{}}]", "{},".repeat(20_000));
    let body = format!("--cut\r\nContent-Type: application/dicom+json\r\n\r\n{objects}\r\n--cut--");
    assert_eq!(post(&server, JSON, body.into_bytes()).await.0, 409);
    assert!(server.peak_kib() < before + 512 * 1024, "{} KiB more", server.peak_kib() - before);
    is_well(&server).await;
}

#[tokio::test]
async fn metadata_with_a_million_holes_waits_for_none_of_them() {
    let server = Server::start();
    let hole = |n: u32| format!(r#"{{"00420011":{{"vr":"OB","BulkDataURI":"{n}"}}}}"#);
    let holes: Vec<String> = (0..200_000).map(hole).collect();
    let object = format!(r#"[{{"00081140":{{"vr":"SQ","Value":[{}]}}}}]"#, holes.join(","));
    let body = format!(
        "--cut\r\nContent-Type: application/dicom+json\r\n\r\n{object}\r\n\
         --cut\r\nContent-Location: 7\r\n\r\nx\r\n--cut--"
    );
    let (status, module) = post(&server, JSON, body.into_bytes()).await;
    assert_eq!(status, 409, "{module}");
    is_well(&server).await;
}
