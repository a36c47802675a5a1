//! Promises 3, 4 and 5 on every documented route, on both kinds of stores: memory does not grow with the
//! object, no more is read than the answer needs, and what cannot be read on never ends as if complete.
//! Pictures of all frames are left out of the first: drawing so many takes too long here.
//!
//! The table is held against the OpenAPI document, and that against the router (a unit test beside it):
//! a new route fails here until the table says what it reads.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::StreamExt;
use lastra::http::openapi::DOCUMENT;

use crate::fascicolo::world::{ANNA, REPORT};
use crate::on_both_stores;
use crate::support::objects::FRAME_BYTES;
use crate::support::objects::Object;
use crate::support::server::{Server, client, whole};
use crate::support::stores::Stores;

on_both_stores! {
    no_route_reads_more_than_its_answer_needs_nor_ends_short,
    no_route_takes_memory_for_a_large_object,
}

/// What of a stored object an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Rows alone.
    Rows,
    /// The header.
    Header,
    /// One frame, and the header to draw it.
    Frame,
    /// All frames, each drawn.
    Drawings,
    /// Everything.
    All,
    /// A document beside the objects.
    Report,
}
use Needs::{All, Drawings, Frame, Header, Report, Rows};

const JSON: &str = "application/dicom+json";
const ANY: &str = "*/*";
const DICOM: &str = "application/dicom; transfer-syntax=*";
const DICOMS: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
const ZIP: &str = "application/zip; transfer-syntax=*";
const OCTETS: &str = "application/octet-stream";
const OCTET_PARTS: &str = "multipart/related; type=\"application/octet-stream\"";
const JPEG: &str = "image/jpeg";
const JPEGS: &str = "multipart/related; type=\"image/jpeg\"";

/// Method and path as documented, how it is asked, what it needs.
const READING: &[(&str, &str, Needs)] = &[
    ("OPTIONS /dicom-web", ANY, Rows),
    ("OPTIONS /dicom-web/", ANY, Rows),
    ("GET /dicom-web/studies", JSON, Rows),
    ("GET /dicom-web/series", JSON, Rows),
    ("GET /dicom-web/instances", JSON, Rows),
    ("GET /dicom-web/studies/{study}/series", JSON, Rows),
    ("GET /dicom-web/studies/{study}/instances", JSON, Rows),
    ("GET /dicom-web/studies/{study}/series/{series}/instances", JSON, Rows),
    ("GET /dicom-web/studies/{study}", DICOMS, All),
    ("GET /dicom-web/studies/{study}", ZIP, All),
    ("GET /dicom-web/studies/{study}/series/{series}", DICOMS, All),
    ("GET /dicom-web/studies/{study}/series/{series}/instances/{instance}", DICOM, All),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
        OCTETS,
        Frame,
    ),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/bulkdata/{*value}",
        OCTETS,
        All,
    ),
    ("GET /dicom-web/studies/{study}/pixeldata", OCTET_PARTS, All),
    ("GET /dicom-web/studies/{study}/series/{series}/pixeldata", OCTET_PARTS, All),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/pixeldata",
        OCTET_PARTS,
        All,
    ),
    ("GET /dicom-web/studies/{study}/metadata", JSON, Header),
    ("GET /dicom-web/studies/{study}/series/{series}/metadata", JSON, Header),
    ("GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/metadata", JSON, Header),
    ("GET /dicom-web/studies/{study}/manifest", "application/dicom", Header),
    ("GET /dicom-web/studies/{study}/rendered", JPEGS, Drawings),
    ("GET /dicom-web/studies/{study}/series/{series}/rendered", JPEGS, Drawings),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/rendered",
        JPEGS,
        Drawings,
    ),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered",
        JPEG,
        Frame,
    ),
    ("GET /dicom-web/studies/{study}/thumbnail", JPEG, Frame),
    ("GET /dicom-web/studies/{study}/series/{series}/thumbnail", JPEG, Frame),
    ("GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/thumbnail", JPEG, Frame),
    (
        "GET /dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail",
        JPEG,
        Frame,
    ),
    ("GET /wado", "application/dicom", All),
    ("GET /dicom-web/commitment-requests/{transaction}", JSON, Rows),
    ("GET /bin", ANY, Rows),
    ("GET /people", ANY, Rows),
    ("GET /people/{person}", ANY, Rows),
    ("GET /people/{person}/fascicolo", ANY, Rows),
    ("GET /people/{person}/alike", ANY, Rows),
    ("GET /links", ANY, Rows),
    ("GET /queue", ANY, Rows),
    ("GET /documents/{document}", ANY, Rows),
    ("GET /documents/{document}/content", ANY, Report),
    ("GET /documents/{document}/rendered", ANY, Report),
    ("GET /completeness", ANY, Rows),
    ("GET /priors", ANY, Rows),
    ("GET /reports", ANY, Rows),
    ("GET /changes", ANY, Rows),
    ("GET /openapi.json", ANY, Rows),
    ("GET /healthz", ANY, Rows),
    ("GET /readyz", ANY, Rows),
    ("GET /metrics", ANY, Rows),
];

/// What takes objects in: as much as comes.
const STORING: &[&str] = &["POST /dicom-web/studies", "POST /dicom-web/studies/{study}"];

/// What changes rows, and gives or takes no object; a document's length is bounded.
const CHANGING: &[&str] = &[
    "POST /people/{person}/merges",
    "POST /merges/{merge}/undo",
    "POST /links",
    "POST /links/{link}/undo",
    "POST /queue/{item}",
    "POST /documents",
    "POST /dicom-web/commitment-requests/{transaction}",
    "POST /bin/studies/{study}/restore",
    "POST /bin/studies/{study}/series/{series}/restore",
    "POST /bin/studies/{study}/series/{series}/instances/{instance}/restore",
    "DELETE /dicom-web/studies/{study}",
    "DELETE /dicom-web/studies/{study}/series/{series}",
    "DELETE /dicom-web/studies/{study}/series/{series}/instances/{instance}",
];

#[test]
fn every_documented_operation_is_in_the_table() {
    let mut documented = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for method in ["get", "options", "post", "put", "delete"] {
            if item.get(method).is_some() {
                documented.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let table = READING.iter().map(|(name, ..)| *name).chain(STORING.iter().copied());
    let table: BTreeSet<String> =
        table.chain(CHANGING.iter().copied()).map(str::to_owned).collect();
    assert_eq!(table, documented);
}

const FRAMES: usize = 64;
/// More than any header here; what is read around a frame to draw it.
const HEADER_BYTES: usize = 64 * 1024;

/// The address of a documented path, for this object.
fn address(server: &Server, path: &str, object: &Object, frame: usize) -> String {
    let path = path
        .replace("{study}", &object.study)
        .replace("{series}", &object.series)
        .replace("{instance}", &object.sop_instance)
        .replace("{frames}", &frame.to_string())
        .replace("{*value}", "7FE00010")
        .replace("{transaction}", "2.25.1")
        .replace("{person}", "1")
        .replace("{document}", "1");
    let query = match path.as_str() {
        "/wado" => format!(
            "?requestType=WADO&studyUID={}&seriesUID={}&objectUID={}&contentType=application/dicom",
            object.study, object.series, object.sop_instance
        ),
        "/priors" => "?person=P1&modality=CT".to_owned(),
        "/reports" => "?words=referto".to_owned(),
        "/people" => format!("?identifier={ANNA}"),
        "/links" => "?document=1".to_owned(),
        _ => String::new(),
    };
    format!("http://{}{path}{query}", server.http)
}

async fn no_route_reads_more_than_its_answer_needs_nor_ends_short(stores: Stores) {
    // No job reads meanwhile, and no picture is answered from memory.
    let server = stores.server_with(&[
        ("LASTRA_ARCHIVE__QUIET_S", "3600"),
        ("LASTRA_ARCHIVE__RENDER_CACHE_MIB", "0"),
        ("LASTRA_LOG__LEVEL", "off"),
    ]);
    let object = Object::multi_frame(FRAMES);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let report = client().post(format!("http://{}/documents", server.http)).body(REPORT);
    assert_eq!(report.send().await.unwrap().status(), 201);
    let file = object.file().len();
    let mut good = Vec::new();
    for (name, accept, needs) in READING {
        let (method, path) = name.split_once(' ').unwrap();
        let url = address(&server, path, &object, FRAMES - 4);
        let before = server.metric("lastra_blob_read_bytes_total").await;
        let answer = whole(method, &url, accept).await;
        let bytes = server.metric("lastra_blob_read_bytes_total").await - before;
        let most = match needs {
            Rows => 0,
            Header => HEADER_BYTES,
            Frame => FRAME_BYTES + HEADER_BYTES,
            Drawings | All => file + HEADER_BYTES,
            Report => REPORT.len(),
        };
        assert!(bytes <= most as f64, "{name} {accept}: {bytes} bytes read, {most} are enough");
        // Nobody asked for a commitment.
        let is_there = !path.ends_with("{transaction}");
        assert_eq!(answer.is_ok(), is_there, "{name} {accept}: {answer:?}");
        good.push(answer);
    }

    // Only the header and the first frames are left.
    let blob = std::fs::OpenOptions::new().write(true).open(&server.instance_blobs()[0]).unwrap();
    blob.set_len((file / 4) as u64).unwrap();
    for ((name, accept, needs), good) in READING.iter().zip(good) {
        let (method, path) = name.split_once(' ').unwrap();
        let url = address(&server, path, &object, FRAMES - 4);
        let answer = whole(method, &url, accept).await;
        let is_drawn = path.ends_with("/rendered") || path.ends_with("/thumbnail");
        match (&answer, needs) {
            (_, Rows | Report) => assert_eq!(answer.is_ok(), good.is_ok(), "{name}: {answer:?}"),
            (Ok(body), Header) => assert!(good.as_ref() == Ok(body), "{name}: another answer"),
            // A picture made before may be kept.
            (Ok(body), Frame | Drawings) if is_drawn => {
                assert!(good.as_ref() == Ok(body), "{name}: another picture");
            }
            (Ok(body), _) => panic!("{name} {accept} ended as if complete: {} bytes", body.len()),
            (Err(error), Header) => panic!("{name} {accept}: the header is there: {error}"),
            (Err(_), _) => {}
        }
    }
}

/// Above what a small object takes, whatever the object's size.
const ALLOWED_KIB: u64 = 64 * 1024;
const LARGE_FRAME_BYTES: usize = 512 * 512 * 2;
const LARGE_FRAMES: usize = 400;

/// Sends a multi-frame object of so many frames to a route that stores; its pixels are made up on the way.
async fn stow(server: &Server, path: &str, instance: u32, frames: usize) -> Object {
    let mut object = Object::ct("P1", 1, 1, instance);
    object
        .text(0x0028_0008, b"IS", &frames.to_string())
        .number(0x0028_0010, 512)
        .number(0x0028_0011, 512)
        .without(0x7FE0_0010);
    let mut head = object.file();
    head.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    head.extend_from_slice(&u32::try_from(frames * LARGE_FRAME_BYTES).unwrap().to_le_bytes());
    let frame = Bytes::from(vec![0x5A; LARGE_FRAME_BYTES]);
    let pieces = std::iter::once(Bytes::from(head)).chain(std::iter::repeat_n(frame, frames));
    let body = futures::stream::iter(pieces.map(Ok::<_, std::io::Error>));
    let request = client()
        .post(address(server, path, &object, 1))
        .header("content-type", "application/dicom")
        .header("accept", JSON)
        .body(reqwest::Body::wrap_stream(body));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    object
}

/// Asks every route that draws no more than a frame, and drops what comes.
async fn ask_all(server: &Server, object: &Object, frames: usize) {
    for (name, accept, needs) in READING {
        if *needs == Drawings {
            continue;
        }
        let (method, path) = name.split_once(' ').unwrap();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = client().request(method, address(server, path, object, frames));
        let response = request.header("accept", *accept).send().await.unwrap();
        let beside = matches!(needs, Rows | Report);
        assert!(beside || response.status() == 200, "{name}: {}", response.status());
        let mut body = response.bytes_stream();
        while let Some(piece) = body.next().await {
            piece.unwrap_or_else(|error| panic!("{name} {accept}: {error}"));
        }
    }
}

async fn no_route_takes_memory_for_a_large_object(stores: Stores) {
    let server = stores.server();
    let (first, second) = (["/dicom-web/studies", "/dicom-web/studies/{study}"], STORING);
    assert_eq!(second.iter().map(|name| &name[5..]).collect::<Vec<_>>(), first);
    for (number, path) in (1..).zip(first) {
        let object = stow(&server, path, number, 4).await;
        ask_all(&server, &object, 4).await;
    }
    let small = server.peak_kib();
    for (number, path) in (3..).zip(first) {
        let object = stow(&server, path, number, LARGE_FRAMES).await;
        if number == 3 {
            ask_all(&server, &object, LARGE_FRAMES).await;
        }
    }
    let large = server.peak_kib();
    assert!(large < small + ALLOWED_KIB, "peak grew from {small} to {large} KiB");
}
