//! Never a short answer: when a blob cannot be read half way, the response is aborted.

use std::os::unix::fs::FileExt;

use crate::on_both_stores;
use crate::support::objects::Object;
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
