//! Constant memory: a 2 GiB object goes in and comes out with the peak memory of a small one.

use futures::StreamExt;
use sha2::Digest;
use sha2::Sha256;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;

use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::server::Server;

/// 64 MiB above the idle server, whatever the object's size.
const ALLOWED_KIB: u64 = 64 * 1024;

const FRAME_BYTES: u64 = 512 * 512 * 2;

/// A multi-frame data set of `frames` frames as a stream: the header, then pixels made up on the way.
fn multi_frame(instance: u32, frames: u64) -> (Object, u64, impl AsyncRead + Unpin) {
    let mut object = Object::ct("P1", 1, 1, instance);
    object
        .text(0x0028_0008, b"IS", &frames.to_string())
        .number(0x0028_0010, 512)
        .number(0x0028_0011, 512)
        .without(0x7FE0_0010);
    let bytes = frames * FRAME_BYTES;
    let mut header = object.data_set();
    header.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    header.extend_from_slice(&u32::try_from(bytes).unwrap().to_le_bytes());
    let length = header.len() as u64 + bytes;
    let pixels = tokio::io::repeat(0x5A).take(bytes);
    (object, length, std::io::Cursor::new(header).chain(pixels))
}

async fn through(server: &Server, instance: u32, frames: u64) {
    let (object, length, mut data_set) = multi_frame(instance, frames);
    let mut scu = server.scu(std::slice::from_ref(&object)).await;
    let (class, uid) = (&object.sop_class, &object.sop_instance);
    let status = scu.store(class, uid, EXPLICIT_LITTLE, &mut data_set).await.unwrap();
    assert_eq!(status.code, 0, "{status:?}");
    scu.release().await.unwrap();

    let response = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
    assert_eq!(response.status(), 200);
    let mut body = response.bytes_stream();
    let (mut received, mut hash) = (0, Sha256::new());
    while let Some(piece) = body.next().await {
        let piece = piece.unwrap();
        received += piece.len() as u64;
        hash.update(&piece);
    }
    assert!(received > length && received < length + 4096, "{received} of {length}");

    let zip = server.get_as(&object.path(), "application/zip; transfer-syntax=*").await;
    assert_eq!(zip.status(), 200);
    let (mut body, mut zipped) = (zip.bytes_stream(), 0);
    while let Some(piece) = body.next().await {
        zipped += piece.unwrap().len() as u64;
    }
    assert!(zipped > length && zipped < length + length / 500 + 4096, "{zipped} of {length}");

    let frame = format!("{}/frames/{frames}", object.path());
    let last = server.get_as(&frame, "application/octet-stream").await.bytes().await.unwrap();
    assert!(last.len() as u64 == FRAME_BYTES && last.iter().all(|byte| *byte == 0x5A));
}

#[tokio::test]
async fn a_two_gib_object_takes_no_more_memory_than_a_small_one() {
    let server = Server::start();
    through(&server, 1, 8).await;
    let small = server.peak_kib();
    through(&server, 2, 4096).await;
    let large = server.peak_kib();
    assert!(large < small + ALLOWED_KIB, "peak grew from {small} to {large} KiB");
}
