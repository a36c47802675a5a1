//! Pixel data by the BulkDataURI of its metadata (PS3.18 §10.4.1.1.5): every one resolves, also of
//! compressed pixels, of videos and of big endian words.

use super::unreadable::{H264, JPEG_2000, encapsulated, store};
use crate::support::corpus::pydicom_data;
use crate::support::objects::Object;
use crate::support::server::{Server, client};
use crate::support::tools::run_python;

const OCTETS: &str = "application/octet-stream";

/// Stores files of pydicom and gives for each its BulkDataURI, below the base URL.
async fn with(server: &Server, names: &[&str]) -> Vec<String> {
    let mut uris = Vec::new();
    for name in names {
        let entries = walkdir::WalkDir::new(pydicom_data()).into_iter();
        let mut entries = entries.map(|entry| entry.unwrap());
        let found = entries.find(|entry| entry.file_name() == *name).unwrap();
        let file = std::fs::read(found.path()).unwrap();
        store(server, &file).await;
    }
    let instances = server.json("/instances").await;
    for instance in instances.as_array().unwrap() {
        let uid = |tag: &str| instance[tag]["Value"][0].as_str().unwrap().to_owned();
        let (study, series, instance) = (uid("0020000D"), uid("0020000E"), uid("00080018"));
        let path = format!("/studies/{study}/series/{series}/instances/{instance}");
        let metadata = server.json(&format!("{path}/metadata")).await;
        let uri = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap().to_owned();
        uris.push(uri.strip_prefix(&server.dicomweb()).unwrap().to_owned());
    }
    assert_eq!(uris.len(), names.len());
    uris
}

#[tokio::test]
async fn pixels_come_decoded_by_the_uri_their_metadata_gives() {
    let server = Server::start();
    let names =
        ["SC_rgb_rle_2frame.dcm", "MR_small_jp2klossless.dcm", "ExplVR_BigEnd.dcm", "CT_small.dcm"];
    let uris = with(&server, &names).await;
    // The same as pydicom decodes, whatever is said of the client's wishes.
    for uri in &uris {
        let mut answers = Vec::new();
        for accept in ["*/*", OCTETS] {
            let response = server.get_as(uri, accept).await;
            assert_eq!(response.status(), 200, "{uri} {accept}");
            let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(kind.starts_with(OCTETS), "{kind}");
            assert!(response.headers().contains_key("content-length"), "{uri}");
            answers.push(response.bytes().await.unwrap());
        }
        assert_eq!(answers[0], answers[1]);
        let whole = &answers[0];
        let url = format!("{}{uri}", server.dicomweb());
        for (range, from, to) in [
            ("bytes=0-0", 0, 1),
            ("bytes=7-106", 7, 107),
            ("bytes=-5", whole.len() - 5, whole.len()),
        ] {
            let part = client().get(&url).header("accept", OCTETS).header("range", range);
            let part = part.send().await.unwrap();
            assert_eq!(part.status(), 206, "{uri} {range}");
            let told = format!("bytes {from}-{}/{}", to - 1, whole.len());
            assert_eq!(part.headers()["content-range"], told.as_str());
            assert_eq!(part.bytes().await.unwrap(), whole[from..to], "{uri} {range}");
        }
        let beyond = client().get(&url).header("accept", OCTETS).header("range", "bytes=99999999-");
        assert_eq!(beyond.send().await.unwrap().status(), 416);
        let head = client().head(&url).header("accept", OCTETS).send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-length"], whole.len().to_string().as_str());
        assert!(head.bytes().await.unwrap().is_empty());
    }
    run_python(include_str!("bulk_pixels.py"), &[&server.dicomweb()]);
}

#[tokio::test]
async fn compressed_frames_come_as_they_are_stored_to_who_takes_them() {
    let server = Server::start();
    let [uri] = &with(&server, &["SC_rgb_rle_2frame.dcm"]).await[..] else { panic!() };
    let accept = "multipart/related; type=\"image/dicom-rle\"";
    let body = server.get_as(uri, accept).await.bytes().await.unwrap();
    let instance = uri.rsplit_once("/bulkdata/").unwrap().0;
    let frames = server.get_as(&format!("{instance}/frames/1,2"), accept).await;
    let frames = frames.bytes().await.unwrap();
    // But for the boundaries the same.
    let parts = |body: &[u8]| {
        let end = memchr::memmem::find(body, b"\r\n").unwrap();
        let boundary = String::from_utf8_lossy(&body[..end]).into_owned();
        String::from_utf8_lossy(body).replace(&boundary, "--b")
    };
    assert_eq!(parts(&body), parts(&frames));
    let status = server.get_as(uri, "image/jpeg; transfer-syntax=1.2.3").await.status();
    assert_eq!(status, 406);
    // Without pixels there is no such value.
    let mut without = Object::ct("P1", 4, 1, 1);
    without.without(0x7FE0_0010);
    let (without, mut file) = encapsulated(without, JPEG_2000, &[]);
    file.truncate(file.len() - 28);
    store(&server, &file).await;
    for path in ["7FE00010", "7FE00008", "00081199"] {
        let path = format!("{}/bulkdata/{path}", without.path());
        assert_eq!(server.get_as(&path, OCTETS).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn what_has_no_known_frames_comes_as_one_stream() {
    let server = Server::start();
    let mut video = Object::ct("P1", 1, 1, 1);
    video.text(0x0028_0008, b"IS", "250");
    let stream: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
    let halves: [&[u8]; 2] = [&stream[..99_998], &stream[99_998..]];
    let (video, file) = encapsulated(video, H264, &halves);
    store(&server, &file).await;
    let mut lost = Object::ct("P1", 1, 1, 2);
    lost.text(0x0028_0008, b"IS", "7");
    let (lost, file) = encapsulated(lost, JPEG_2000, &[b"aa", b"bb"]);
    store(&server, &file).await;
    for (object, media, expected) in
        [(&video, "video/mp4", &stream[..]), (&lost, "image/jp2", &b"aabb"[..])]
    {
        let metadata = server.json(&format!("{}/metadata", object.path())).await;
        let uri = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap().to_owned();
        let uri = uri.strip_prefix(&server.dicomweb()).unwrap();
        let pixeldata = format!("{}/pixeldata", object.path());
        for path in [uri, &pixeldata] {
            for accept in ["*/*", OCTETS, media, "application/octet-stream; transfer-syntax=*"] {
                let response = server.get_as(path, accept).await;
                assert_eq!(response.status(), 200, "{path} {accept}");
                let got = response.bytes().await.unwrap();
                assert!(got == expected, "{path} {accept}: {} bytes", got.len());
            }
            let accept = format!("multipart/related; type=\"{media}\"");
            let body = server.get_as(path, &accept).await.bytes().await.unwrap();
            assert!(memchr::memmem::find(&body, expected).is_some(), "{path} in a part");
        }
    }
}

#[tokio::test]
async fn frames_of_single_bits_are_joined_inside_their_bytes() {
    let server = Server::start();
    let mut object = Object::ct("P1", 2, 1, 1);
    object
        .text(0x0028_0008, b"IS", "3")
        .number(0x0028_0010, 3)
        .number(0x0028_0011, 3)
        .number(0x0028_0100, 1)
        .number(0x0028_0101, 1)
        .number(0x0028_0102, 0);
    // Encapsulated Uncompressed (PS3.5 §A.4.11): each frame begins at a byte.
    let frames: [&[u8]; 3] = [&[0b1010_1010, 0b1], &[0b0000_1111, 0b0], &[0b1100_1100, 0b1]];
    let (object, file) = encapsulated(object, "1.2.840.10008.1.2.1.98", &frames);
    store(&server, &file).await;
    let expected = [0b1010_1010, 0b0001_1111, 0b0011_0000, 0b111];
    for path in ["/pixeldata", "/bulkdata/7FE00010"] {
        let response = server.get_as(&format!("{}{path}", object.path()), OCTETS).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.bytes().await.unwrap(), expected[..], "{path}");
    }
    let accept = "application/dicom; transfer-syntax=1.2.840.10008.1.2.1";
    let made = server.get_as(&object.path(), accept).await.bytes().await.unwrap();
    assert!(made.ends_with(&expected), "{:?}", &made[made.len() - 16..]);
}

#[tokio::test]
async fn colours_that_are_not_the_metadatas_are_told() {
    let server = Server::start();
    with(&server, &["examples_ybr_color.dcm"]).await;
    run_python(include_str!("colours.py"), &[&server.dicomweb()]);
}
