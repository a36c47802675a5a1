//! One ranged read a frame: frames, bulk data and metadata never read a whole file.

use crate::on_both_stores;
use crate::support::objects::FRAME_BYTES;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::stores::Stores;

on_both_stores! {
    a_frame_of_a_big_object_reads_its_own_bytes_once,
    neighbouring_frames_are_read_without_what_lies_between_others,
    metadata_and_a_range_of_bulk_data_leave_the_pixels_unread,
}

const FRAMES: usize = 200;

/// Bytes and reads the store gave while `path` was fetched.
async fn cost(server: &Server, path: &str, accept: &str) -> (f64, f64, Vec<u8>) {
    let before = (
        server.metric("lastra_blob_read_bytes_total").await,
        server.metric("lastra_blob_reads_total").await,
    );
    let response = server.get_as(path, accept).await;
    assert_eq!(response.status(), 200, "{path}");
    let body = response.bytes().await.unwrap().to_vec();
    let bytes = server.metric("lastra_blob_read_bytes_total").await - before.0;
    let reads = server.metric("lastra_blob_reads_total").await - before.1;
    (bytes, reads, body)
}

async fn a_frame_of_a_big_object_reads_its_own_bytes_once(stores: Stores) {
    let server = stores.server();
    let object = Object::multi_frame(FRAMES);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);

    let path = format!("{}/frames/150", object.path());
    let (bytes, reads, body) = cost(&server, &path, "application/octet-stream").await;
    assert_eq!(body, vec![149; FRAME_BYTES]);
    assert_eq!((bytes, reads), (FRAME_BYTES as f64, 1.0));
}

async fn neighbouring_frames_are_read_without_what_lies_between_others(stores: Stores) {
    let server = stores.server();
    let object = Object::multi_frame(FRAMES);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);

    let path = format!("{}/frames/10,11,100", object.path());
    let accept = "multipart/related; type=\"application/octet-stream\"";
    let (bytes, _, body) = cost(&server, &path, accept).await;
    assert!(body.len() > 3 * FRAME_BYTES);
    assert_eq!(bytes, 3.0 * FRAME_BYTES as f64);
}

async fn metadata_and_a_range_of_bulk_data_leave_the_pixels_unread(stores: Stores) {
    let server = stores.server();
    let object = Object::multi_frame(FRAMES);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);

    let path = format!("{}/metadata", object.path());
    let (bytes, _, body) = cost(&server, &path, "application/dicom+json").await;
    let metadata: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(bytes < 4096.0, "{bytes} bytes read for metadata");

    let uri = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap().to_owned();
    let before = server.metric("lastra_blob_read_bytes_total").await;
    let response = crate::support::server::client()
        .get(uri)
        .header("accept", "application/octet-stream")
        .header("range", format!("bytes={}-{}", 5 * FRAME_BYTES, 5 * FRAME_BYTES + 99))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 206);
    assert_eq!(response.bytes().await.unwrap(), vec![5; 100]);
    let read = server.metric("lastra_blob_read_bytes_total").await - before;
    assert!(read <= 100.0, "{read} bytes read for 100");
}
