//! STOW-RS: what the answer names as stored is there byte for byte, and nothing else is
//! (PS3.18 §10.5).

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use futures::stream;
use lastra::dicom::part10::MetaFields;
use lastra::dicom::part10::write_prefix;
use lastra::dicom::uid::Uid;
use reqwest::Body;
use serde_json::Value;

use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::server::client;
use crate::support::tools::python;

const RELATED: &str = r#"multipart/related; type="application/dicom"; boundary=lastra-test"#;

/// The object as a Part 10 file.
fn file(object: &Object) -> Vec<u8> {
    let uid = |text: &str| Uid::parse(text).unwrap();
    let (class, instance) = (uid(&object.sop_class), uid(&object.sop_instance));
    let mut bytes = write_prefix(&MetaFields {
        sop_class: &class,
        sop_instance: &instance,
        transfer_syntax: &uid(EXPLICIT_LITTLE),
        source_ae: None,
    });
    bytes.extend_from_slice(&object.data_set());
    bytes
}

/// A part, with its closing line end.
fn part(header: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("--lastra-test\r\n{header}\r\n\r\n").as_bytes(), bytes, b"\r\n"].concat()
}

fn dicom(object: &Object) -> Vec<u8> {
    part("Content-Type: application/dicom", &file(object))
}

fn closed(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat().as_slice(), b"--lastra-test--\r\n"].concat()
}

async fn post(server: &Server, path: &str, kind: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = client().post(format!("{}{path}", server.dicomweb()));
    let response = request.header("content-type", kind).body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The values of `tag` in the items of a sequence.
fn items<'a>(module: &'a Value, sequence: &str, tag: &str) -> Vec<&'a Value> {
    let items = module[sequence]["Value"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| &item[tag]["Value"][0]).collect()
}

const FAILED: &str = "00081198";
const REFERENCED: &str = "00081199";
const OTHER: &str = "0008119A";
const INSTANCE: &str = "00081155";
const REASON: &str = "00081197";

async fn is_there(server: &Server, object: &Object) {
    let file = server.file(&object.path()).await;
    assert!(data_set_of(&file) == object.data_set(), "{}", object.path());
}

async fn is_not_there(server: &Server, object: &Object) {
    assert_eq!(server.get(&object.path()).await.status(), 404);
}

#[tokio::test]
async fn what_is_stored_comes_back_byte_for_byte_and_can_be_sent_again() {
    let server = Server::start();
    let objects: Vec<_> = (1..=20).map(|n| Object::ct("P1", 1, 1, n)).collect();
    let body = closed(&objects.iter().map(dicom).collect::<Vec<_>>());
    for _ in 0..2 {
        let (status, module) = post(&server, "/studies", RELATED, body.clone()).await;
        assert_eq!(status, 200, "{module}");
        let stored = items(&module, REFERENCED, INSTANCE);
        assert!(stored.iter().zip(&objects).all(|(uid, object)| **uid == *object.sop_instance));
        assert_eq!(stored.len(), objects.len());
        let study = format!("{}/studies/{}", server.dicomweb(), objects[0].study);
        assert_eq!(module["00081190"]["Value"][0], study);
    }
    for object in &objects {
        is_there(&server, object).await;
    }
    let (first, again) = (file(&objects[0]), server.file(&objects[0].path()).await);
    assert!(first == again, "preamble and meta header stay too");
    let urls = &post(&server, "/studies", RELATED, body).await.1[REFERENCED]["Value"];
    let url = urls[3]["00081190"]["Value"][0].as_str().unwrap();
    assert_eq!(client().get(url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn each_part_is_judged_by_itself() {
    let server = Server::start();
    let (good, stranger) = (Object::ct("P1", 1, 1, 1), Object::ct("P1", 2, 1, 1));
    let mut nameless = Object::ct("P1", 1, 1, 2);
    nameless.without(0x0020_000D);
    let cut = &file(&Object::ct("P1", 1, 1, 3))[..700];
    let parts = [
        dicom(&stranger),
        part("Content-Type: text/plain", b"hello"),
        dicom(&good),
        dicom(&nameless),
        part("Content-Type: application/dicom", b"no DICOM at all"),
        part("Content-Type: application/dicom", cut),
    ];
    let path = format!("/studies/{}", good.study);
    let (status, module) = post(&server, &path, RELATED, closed(&parts)).await;
    assert_eq!(status, 202, "{module}");
    assert_eq!(items(&module, REFERENCED, INSTANCE), [good.sop_instance.as_str()]);
    assert_eq!(items(&module, FAILED, REASON), [0xA900, 0xA900, 0xC000]);
    assert_eq!(items(&module, OTHER, REASON), [0xC000, 0xC000]);
    let comment = &module[FAILED]["Value"][0]["00741048"]["Value"][0]["00000902"]["Value"][0];
    assert!(comment.as_str().unwrap().contains("(0020,000D)"), "{comment}");
    is_there(&server, &good).await;
    is_not_there(&server, &stranger).await;
    is_not_there(&server, &nameless).await;

    let (status, module) = post(&server, &path, RELATED, closed(&[dicom(&stranger)])).await;
    assert_eq!((status, module[REFERENCED].is_null()), (409, true));
}

#[tokio::test]
async fn other_bytes_under_a_known_name_are_kept_with_a_warning() {
    let server = Server::start();
    let first = Object::ct("P1", 1, 1, 1);
    let mut second = first.clone();
    second.text(0x0008_103E, b"LO", "anders");
    assert_eq!(post(&server, "/studies", RELATED, closed(&[dicom(&first)])).await.0, 200);
    let (status, module) = post(&server, "/studies", RELATED, closed(&[dicom(&second)])).await;
    assert_eq!(status, 202);
    assert_eq!(items(&module, REFERENCED, "00081196"), [0x0111]);
    is_there(&server, &first).await;
}

#[tokio::test]
async fn bytes_that_look_like_a_boundary_cannot_cut_an_object_whose_length_is_told() {
    let server = Server::start();
    let mut object = Object::ct("P1", 1, 1, 1);
    object.bytes(0x7FE0_0010, b"OW", b"\r\n--lastra-test--\r\n\r\n--lastra-test\r\n  ".repeat(14));
    let bytes = file(&object);
    let header = format!("Content-Type: application/dicom\r\nContent-Length: {}", bytes.len());
    let (status, module) =
        post(&server, "/studies", RELATED, closed(&[part(&header, &bytes)])).await;
    assert_eq!(status, 200, "{module}");
    is_there(&server, &object).await;
}

#[tokio::test]
async fn a_body_without_its_end_stores_what_was_whole_and_says_so() {
    let server = Server::start();
    let (first, second) = (Object::ct("P1", 1, 1, 1), Object::ct("P1", 1, 1, 2));
    let mut body = [dicom(&first), dicom(&second)].concat();
    // Even an object that is whole is not believed before its delimiter.
    body.truncate(body.len() - 2);
    let (status, module) = post(&server, "/studies", RELATED, body).await;
    assert_eq!(status, 202, "{module}");
    assert_eq!(items(&module, REFERENCED, INSTANCE), [first.sop_instance.as_str()]);
    assert_eq!(items(&module, OTHER, REASON), [0xC000]);
    is_there(&server, &first).await;
    is_not_there(&server, &second).await;
}

#[tokio::test]
async fn one_file_may_be_the_body() {
    let server = Server::start();
    let object = Object::ct("P1", 1, 1, 1);
    let (status, module) = post(&server, "/studies", "application/dicom", file(&object)).await;
    assert_eq!(status, 200, "{module}");
    is_there(&server, &object).await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_why() {
    let server = Server::start();
    let body = closed(&[dicom(&Object::ct("P1", 1, 1, 1))]);
    for (kind, body, expected) in [
        ("multipart/related; type=\"application/dicom\"", body.clone(), 400),
        (RELATED, b"no parts".to_vec(), 400),
        (RELATED, closed(&[]), 400),
        ("application/dicom", b"no DICOM".to_vec(), 409),
        ("text/plain", body.clone(), 415),
        ("multipart/related; type=\"text/plain\"; boundary=lastra-test", body.clone(), 415),
    ] {
        assert_eq!(post(&server, "/studies", kind, body).await.0, expected, "{kind}");
    }
    let request = client().post(format!("{}/studies", server.dicomweb()));
    let request = request.header("content-type", RELATED).header("accept", "image/png");
    assert_eq!(request.body(body).send().await.unwrap().status(), 406);
    assert_eq!(server.json("/studies").await.as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_large_body_passes_through_in_constant_memory() {
    let server = Server::start();
    let mut object = Object::ct("P1", 1, 1, 1);
    object.bytes(0x7FE0_0010, b"OW", vec![7; 512 * 1024]);
    let head = file(&object);
    let before = server.peak_kib();
    // One part of 256 MiB: the pixel data is lengthened in its header and in the stream.
    let more: usize = 512;
    let length = u32::try_from(512 * 1024 * (more + 1)).unwrap();
    let at = head.len() - 512 * 1024 - 4;
    let head = [&head[..at], &length.to_le_bytes(), &head[at + 4..]].concat();
    let opening = part("Content-Type: application/dicom", &head);
    let opening = Bytes::copy_from_slice(&opening[..opening.len() - 2]);
    let piece = Bytes::from(vec![7; 512 * 1024]);
    let pieces = std::iter::once(opening)
        .chain(std::iter::repeat_n(piece, more))
        .chain([Bytes::from_static(b"\r\n--lastra-test--\r\n")]);
    let body = Body::wrap_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)));
    let (status, module) = post(&server, "/studies", RELATED, body).await;
    assert_eq!(status, 200, "{module}");
    assert!(server.peak_kib() < before + 48 * 1024, "{} KiB", server.peak_kib());
    let length = server.get(&object.path()).await.content_length();
    assert!(length.is_none_or(|length| length > 256 * 1024 * 1024));
}

#[tokio::test]
async fn the_stock_client_stores() {
    let server = Server::start();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies/mr-head");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/stow_client.py");
    let run =
        Command::new(python()).arg(script).arg(server.dicomweb()).arg(samples).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}
