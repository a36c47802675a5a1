//! The conformance suite on every store, and what only S3 can get wrong.

use std::path::Path;

use lastra::blobs::error::BlobError;
use lastra::blobs::key::BlobKind;
use lastra::blobs::open::Settings;
use lastra::blobs::open::open;

use crate::blobs::conformance;
use crate::support::s3::InProcessS3;
use crate::support::s3::Moto;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_disk_keeps_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&Settings::default(), &folder.path().join("blobs")).unwrap();
    conformance::all(&blobs, 1500).await;
}

#[tokio::test]
async fn memory_keeps_blobs() {
    let settings = Settings { url: "memory:".into(), ..Settings::default() };
    conformance::all(&open(&settings, Path::new("")).unwrap(), 1500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_keeps_blobs() {
    let server = InProcessS3::start();
    conformance::all(&open(&server.settings(), Path::new("")).unwrap(), 1100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_s3_keeps_blobs() {
    let server = Moto::start().await;
    conformance::all(&open(&server.settings(), Path::new("")).unwrap(), 20).await;

    // A bucket that is not there is not taken for a missing blob.
    let blobs = open(&server.settings_for_no_bucket(), Path::new("")).unwrap();
    let put = blobs.put(BlobKind::Instance, "data".into()).await;
    assert!(matches!(put, Err(BlobError::Unavailable(_))), "{put:?}");
    assert!(matches!(blobs.ping().await, Err(BlobError::Unavailable(_))));
}

#[tokio::test]
async fn an_s3_that_refuses_us_is_unavailable_and_its_answer_shows_no_key() {
    let server = InProcessS3::start();
    let blobs = open(&server.settings_with_wrong_secret(), Path::new("")).unwrap();
    let refused = blobs.put(BlobKind::Instance, "data".into()).await.unwrap_err();
    let BlobError::Unavailable(text) = &refused else { panic!("{refused:?}") };
    assert!(!text.contains("AKIA") && !text.contains("wrong"), "{text}");
    assert!(matches!(blobs.ping().await, Err(BlobError::Unavailable(_))));
}
