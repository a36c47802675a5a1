//! Never a short answer: when a blob cannot be read half way, the response is aborted.

use std::os::unix::fs::FileExt;

use futures::future::join_all;
use tempfile::TempDir;

use crate::on_both_stores;
use crate::support::faulty_proxy::Fault;
use crate::support::faulty_proxy::FaultyProxy;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::s3;
use crate::support::s3::Moto;
use crate::support::server::Server;
use crate::support::server::store_with;
use crate::support::server::whole;
use crate::support::stores::Stores;

on_both_stores! {
    a_blob_cut_off_half_way_aborts_every_answer_that_needs_the_rest,
    a_lost_blob_is_an_error_and_its_row_stays,
}

/// A slice of a few MiB, so that the answer has begun when the store fails.
fn large() -> Object {
    let mut object = Object::ct("P1", 1, 1, 1);
    object.number(0x0028_0010, 2048).number(0x0028_0011, 2048);
    object.bytes(0x7FE0_0010, b"OW", vec![7; 2048 * 2048 * 2]);
    object
}

async fn a_blob_cut_off_half_way_aborts_every_answer_that_needs_the_rest(stores: Stores) {
    let server = stores.server();
    let object = large();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let blob = std::fs::OpenOptions::new().write(true).open(&server.instance_blobs()[0]).unwrap();
    blob.set_len(4 << 20).unwrap();
    blob.write_at(&[7], (4 << 20) - 1).unwrap();

    for (path, accept) in [
        (
            format!("/studies/{}", object.study),
            "multipart/related; type=\"application/dicom\"; transfer-syntax=*",
        ),
        (object.path(), "application/dicom; transfer-syntax=*"),
        (
            format!("{}/frames/1", object.path()),
            "multipart/related; type=\"application/octet-stream\"",
        ),
        (format!("{}/bulkdata/7FE00010", object.path()), "application/octet-stream"),
    ] {
        let response = server.get_as(&path, accept).await;
        if response.status().is_success() {
            let body = response.bytes().await;
            assert!(
                body.is_err(),
                "{path} ended as if complete with {} bytes",
                body.unwrap().len()
            );
        }
    }
    // What needs only the header is still there.
    let metadata = server.json(&format!("{}/metadata", object.path())).await;
    assert_eq!(metadata[0]["00280010"]["Value"][0], 2048);
}

async fn a_lost_blob_is_an_error_and_its_row_stays(stores: Stores) {
    let server = stores.server();
    let object = Object::ct("P1", 1, 1, 1);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    std::fs::remove_file(&server.instance_blobs()[0]).unwrap();

    let response = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
    let failed = !response.status().is_success() || response.bytes().await.is_err();
    assert!(failed);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}

const MIB: usize = 1024 * 1024;

/// An archive on a real S3 server, everything between them passing a proxy that can spoil it.
struct Behind {
    server: Server,
    proxy: FaultyProxy,
    _moto: Moto,
    _folder: TempDir,
}

impl Behind {
    async fn start() -> Self {
        let moto = Moto::start().await;
        let proxy = FaultyProxy::before(moto.address());
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("lastra.toml");
        std::fs::write(&config, s3::config(proxy.address())).unwrap();
        // No job reads or writes meanwhile, no picture is answered from memory, and what is
        // expected is not logged.
        let environment = [
            ("LASTRA_ARCHIVE__QUIET_S", "3600"),
            ("LASTRA_ARCHIVE__RENDER_CACHE_MIB", "0"),
            ("LASTRA_LOG__LEVEL", "off"),
        ];
        let server = Server::start_in(&["-c", config.to_str().unwrap()], &environment);
        Self { server, proxy, _moto: moto, _folder: folder }
    }
}

/// Four frames of 2 MiB, no two pieces of them alike.
fn frames(instance: u32) -> Object {
    let mut object = Object::ct("P1", 1, 1, instance);
    object.number(0x0028_0010, 1024).number(0x0028_0011, 1024).text(0x0028_0008, b"IS", "4");
    let pixels = (0..4 * 1024 * 1024_u32).flat_map(|n| ((n * 31 + n / 257) as u16).to_le_bytes());
    object.bytes(0x7FE0_0010, b"OW", pixels.collect());
    object
}

/// What is read of it, as what, and the bytes that this needs of the store in one piece, at least.
fn readings(object: &Object) -> Vec<(String, &'static str, usize)> {
    let series = format!("/studies/{}/series/{}", object.study, object.series);
    let octets = "application/octet-stream";
    let json = "application/dicom+json";
    let octet_parts = "multipart/related; type=\"application/octet-stream\"";
    let dicom_parts = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
    vec![
        (format!("/studies/{}", object.study), dicom_parts, 8 * MIB),
        (object.path(), "application/dicom; transfer-syntax=*", 8 * MIB),
        (format!("{}/frames/2", object.path()), octets, 2 * MIB),
        (format!("{}/frames/1,3", object.path()), octet_parts, 2 * MIB),
        (format!("{}/bulkdata/7FE00010", object.path()), octets, 8 * MIB),
        (format!("{}/metadata", object.path()), json, 200),
        (format!("{series}/metadata"), json, 200),
        (format!("{}/frames/2/rendered", object.path()), "image/jpeg", 2 * MIB),
    ]
}

/// The whole answer of a path below the DICOMweb root.
async fn read(server: &Server, path: &str, accept: &str) -> Result<Vec<u8>, String> {
    whole("GET", &format!("{}{path}", server.dicomweb()), accept).await
}

const NOTHING: usize = 0;

/// Times the S3 client asks, at most, each time for what it has not got yet.
const TRIES: usize = 5;

/// Faults, and the bytes of an object that each lets through: who needs more cannot be answered
/// with success.
const LASTING: [(Fault, usize); 16] = [
    (Fault::Status(500), NOTHING),
    (Fault::Status(503), NOTHING),
    (Fault::Status(404), NOTHING),
    (Fault::Refused, NOTHING),
    (Fault::AnswerLost, NOTHING),
    (Fault::RangeIgnored, NOTHING),
    (Fault::OtherRange, NOTHING),
    (Fault::ErrorInside, NOTHING),
    (Fault::CutTo(0), NOTHING),
    (Fault::CutTo(500), 500),
    (Fault::CutTo(2_000_000), 2_000_000),
    (Fault::EndAfter(100), TRIES * 100),
    (Fault::EndAfter(1_000_000), TRIES * 1_000_000),
    (Fault::ResetAfter(100), TRIES * 100),
    (Fault::ResetAfter(1_000_000), TRIES * 1_000_000),
    (Fault::TooLong, usize::MAX),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_goes_on_failing_never_makes_a_short_or_wrong_answer() {
    let Behind { server, proxy, .. } = &Behind::start().await;
    let object = frames(1);
    assert_eq!(server.store(&[object.clone(), Object::ct("P1", 1, 1, 2)]).await, [0, 0]);
    let readings = readings(&object);
    let all = || join_all(readings.iter().map(|(path, accept, _)| read(server, path, accept)));
    let good: Vec<Vec<u8>> = all().await.into_iter().map(Result::unwrap).collect();
    assert_eq!(data_set_of(&good[1]), object.data_set());

    for (fault, through) in LASTING {
        proxy.spoil("GET", fault);
        let answers = all().await;
        assert!(proxy.heal() > 0, "{fault:?}: nothing was asked");
        for ((answer, good), (path, _, needed)) in answers.iter().zip(&good).zip(&readings) {
            if let Ok(body) = answer {
                assert!(body == good, "{fault:?}: {path} with success, and wrong");
                assert!(*needed <= through, "{fault:?}: {path}: how could it be answered?");
            }
        }
        assert!(all().await.into_iter().map(Result::unwrap).eq(good.iter().cloned()), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_once_or_is_slow_is_asked_again_and_nobody_sees_it() {
    let Behind { server, proxy, .. } = &Behind::start().await;
    let object = frames(1);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    for (path, accept, _) in readings(&object) {
        let good = read(server, &path, accept).await.unwrap();
        for (fault, times) in [
            (Fault::Status(500), 1),
            (Fault::Status(503), 2),
            (Fault::Refused, 1),
            (Fault::AnswerLost, 1),
            (Fault::ResetAfter(100), 1),
            (Fault::EndAfter(1_000_000), 1),
            (Fault::Slow, usize::MAX),
        ] {
            proxy.spoil_times("GET", fault, times);
            let answer = read(server, &path, accept).await;
            assert!(proxy.heal() > 0, "{fault:?}: nothing was asked");
            assert!(answer.is_ok_and(|body| body == good), "{fault:?}: {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_changed_in_the_store_are_found_by_a_check() {
    let Behind { server, proxy, .. } = &Behind::start().await;
    let objects = [frames(1), Object::ct("P1", 1, 1, 2)];
    assert_eq!(server.store(&objects).await, [0, 0]);
    assert_eq!(server.check(&["--hashes"])["damaged"], 0);
    proxy.spoil("GET", Fault::OtherByte);
    assert_eq!(server.check(&["--hashes"])["damaged"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_take_an_object_is_a_failure_to_the_sender_and_loses_nothing() {
    let Behind { server, proxy, .. } = &Behind::start().await;
    let mut acknowledged = vec![frames(1), Object::ct("P1", 1, 1, 2)];
    assert_eq!(server.store(&acknowledged).await, [0, 0]);
    // One association for all: a store's failure is no reason to end it.
    let mut scu = server.scu(&acknowledged).await;
    let mut refused = Vec::new();
    for (method, fault) in [
        ("PUT", Fault::Status(500)),
        ("PUT", Fault::Status(503)),
        ("PUT", Fault::Status(403)),
        ("PUT", Fault::Refused),
        ("PUT", Fault::AnswerLost),
        ("POST", Fault::Status(500)),
        ("POST", Fault::Refused),
        ("POST", Fault::AnswerLost),
        ("POST", Fault::ErrorInside),
    ] {
        let number = 10 + u32::try_from(refused.len()).unwrap();
        // Uploads of several parts begin and end with POST.
        let small = method == "PUT" && fault != Fault::Status(503);
        let object = if small { Object::ct("P1", 1, 1, number) } else { frames(number) };
        proxy.spoil(method, fault);
        let status = store_with(&mut scu, &object).await;
        assert!(proxy.heal() > 0, "{fault:?}: nothing was asked");
        assert_eq!(status, 0xA700, "{method} {fault:?}");
        refused.push(object);
    }

    let here = server.json("/instances").await;
    assert_eq!(here.as_array().unwrap().len(), acknowledged.len());
    for object in &acknowledged {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
    for object in &refused {
        let found = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
        assert_eq!(found.status(), 404);
    }

    // Once the store works again, so does the same association.
    for object in refused {
        assert_eq!(store_with(&mut scu, &object).await, 0);
        acknowledged.push(object);
    }
    for object in &acknowledged {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
    let checked = server.check(&["--hashes", "--sweep", "--grace", "0s"]);
    let copies = acknowledged.len();
    assert_eq!((&checked["damaged"], &checked["copies"]), (&0.into(), &copies.into()));
}
