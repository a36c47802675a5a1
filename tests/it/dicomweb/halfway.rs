//! Objects of which a later frame does not decode: what can be given is given whole, what cannot is
//! left out and counted, and no answer breaks off that could have said so before.

use super::unreadable::{JPEG_2000, a_stream, encapsulated, half_a_stream, store};
use crate::support::objects::{Object, data_set_of};
use crate::support::server::Server;

const NATIVE: &str = "1.2.840.10008.1.2.1";

/// A study of a sound object and one whose third frame is cut short.
async fn study(server: &Server) -> (Object, Object, Vec<u8>) {
    let sound = Object::ct("P1", 5, 1, 1);
    store(server, &sound.file()).await;
    let mut damaged = Object::ct("P1", 5, 1, 2);
    damaged.number(0x0028_0010, 64).number(0x0028_0011, 64).text(0x0028_0008, b"IS", "3");
    let (good, bad) = (a_stream(), half_a_stream());
    let (damaged, file) = encapsulated(damaged, JPEG_2000, &[&good, &good, &bad]);
    store(server, &file).await;
    (sound, damaged, file)
}

/// Status, warning, and the body if it came whole.
async fn asked(server: &Server, path: &str, accept: &str) -> (u16, String, Option<Vec<u8>>) {
    let response = server.get_as(path, accept).await;
    let warning = response.headers().get("warning");
    let warning = warning.map(|text| text.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = response.status().as_u16();
    (status, warning, response.bytes().await.ok().map(|bytes| bytes.to_vec()))
}

#[tokio::test]
async fn what_does_not_decode_to_its_end_is_given_as_stored_where_that_is_taken() {
    let server = Server::start();
    let (sound, damaged, file) = study(&server).await;
    let study = format!("/studies/{}", sound.study);
    for accept in ["multipart/related; type=\"application/dicom\"", "application/zip", "*/*"] {
        let (status, warning, body) = asked(&server, &study, accept).await;
        assert_eq!((status, warning.as_str()), (200, ""), "{accept}");
        let body = body.expect("an answer that ends");
        for data_set in [data_set_of(&sound.file()), data_set_of(&file)] {
            assert!(memchr::memmem::find(&body, data_set).is_some(), "{accept}");
        }
    }
    let (status, _, body) = asked(&server, &damaged.path(), "application/dicom").await;
    assert_eq!(status, 200);
    assert_eq!(data_set_of(&body.unwrap()), data_set_of(&file));
}

#[tokio::test]
async fn what_cannot_be_given_as_asked_is_left_out_and_counted() {
    for kind in ["application/zip", "multipart/related; type=\"application/dicom\""] {
        let server = Server::start();
        let (sound, damaged, _) = study(&server).await;
        let study = format!("/studies/{}", sound.study);
        let accept = format!("{kind}; transfer-syntax={NATIVE}");
        // Nobody knew; the answer never looks complete.
        let (status, _, body) = asked(&server, &study, &accept).await;
        assert!(status >= 400 || body.is_none(), "{kind}: {status}");
        // Now it is known, before the first byte.
        let (status, warning, body) = asked(&server, &study, &accept).await;
        assert_eq!(status, 206, "{kind}");
        assert!(warning.contains("1 of 2 instances"), "{warning}");
        let body = body.expect("an answer that ends");
        assert!(memchr::memmem::find(&body, data_set_of(&sound.file())).is_some(), "{kind}");
        assert!(memchr::memmem::find(&body, damaged.sop_instance.as_bytes()).is_none(), "{kind}");
        // The very instance: a reason, and no file that breaks off.
        let one = format!("application/dicom; transfer-syntax={NATIVE}");
        let (status, _, body) = asked(&server, &damaged.path(), &one).await;
        let text = String::from_utf8(body.unwrap()).unwrap();
        assert_eq!(status, 422, "{text}");
        assert!(text.contains("does not decode"), "{text}");
        // In the syntax it is stored in it is given.
        let all = format!("{kind}; transfer-syntax=*");
        assert_eq!(asked(&server, &study, &all).await.0, 200);
    }
}

#[tokio::test]
async fn pixel_data_that_does_not_decode_to_its_end_is_refused_before_it_begins() {
    let server = Server::start();
    let (_, damaged, _) = study(&server).await;
    for path in ["/pixeldata", "/bulkdata/7FE00010"] {
        let path = format!("{}{path}", damaged.path());
        let (status, _, body) = asked(&server, &path, "application/octet-stream").await;
        assert_eq!(status, 422, "{path}");
        assert!(String::from_utf8(body.unwrap()).unwrap().contains("does not decode"));
        let (status, _, body) =
            asked(&server, &path, "multipart/related; type=\"image/jp2\"").await;
        assert_eq!(status, 200, "{path}");
        assert!(memchr::memmem::find(&body.unwrap(), &half_a_stream()).is_some(), "{path}");
    }
}
