//! Lines of the standard's checklist that no other test asks for (`src/cli/checklist.rs` lists all
//! of them with the tests that show them).

use reqwest::Response;
use serde_json::Value;

use lastra::dicom::part10::{MetaFields, write_prefix};
use lastra::dicom::uid::Uid;

use super::looking::{stow, study_file};
use crate::support::corpus::pydicom_data;
use crate::support::objects::Object;
use crate::support::server::{Server, client};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const RLE: &str = "1.2.840.10008.1.2.5";
const PART10: &str = "multipart/related; type=\"application/dicom\"";

/// An archive with one slice in JPEG-LS, and the slice's path.
async fn with_a_slice() -> (Server, String) {
    let server = Server::start();
    let path = stow(&server, &study_file("ct-chest/ct-01.dcm")).await;
    (server, path)
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The header fields of each part, lower case, and the part's bytes.
async fn parts(response: Response) -> Vec<(String, Vec<u8>)> {
    let kind = header(&response, "content-type").to_owned();
    let boundary = kind.split("boundary=").nth(1).unwrap_or_else(|| panic!("{kind}"));
    let delimiter = format!("--{boundary}");
    let body = response.bytes().await.unwrap();
    let mut found = Vec::new();
    let mut rest = &body[..];
    while let Some(at) = memchr::memmem::find(rest, delimiter.as_bytes()) {
        rest = &rest[at + delimiter.len()..];
        if rest.starts_with(b"--") {
            return found;
        }
        let head = memchr::memmem::find(rest, b"\r\n\r\n").unwrap();
        let end = memchr::memmem::find(rest, format!("\r\n{delimiter}").as_bytes()).unwrap();
        let fields = String::from_utf8(rest[..head].to_vec()).unwrap().to_lowercase();
        found.push((fields, rest[head + 4..end].to_vec()));
        rest = &rest[end + 2..];
    }
    panic!("the body has no end");
}

/// PS3.18 §8.7.5: asked of nothing, everything is taken; plain tools send no Accept at all.
#[tokio::test]
async fn no_accept_counts_as_anything() {
    let (server, path) = with_a_slice().await;
    for path in [&path, &format!("{path}/metadata"), &"/studies".to_owned()] {
        let asked = client().get(format!("{}{path}", server.dicomweb()));
        let mut request = asked.build().unwrap();
        request.headers_mut().remove("accept");
        assert_eq!(client().execute(request).await.unwrap().status(), 200, "{path}");
        assert_eq!(server.get_as(path, "").await.status(), 200, "{path}");
    }
}

/// PS3.18 §8.7.5.
#[tokio::test]
async fn dicom_and_rendered_media_types_do_not_mix() {
    let (server, path) = with_a_slice().await;
    for accept in [
        "application/dicom, image/png",
        "image/gif, multipart/related; type=\"application/dicom\"",
        "text/html;q=0.1, application/dicom+json",
    ] {
        for path in [&path, &format!("{path}/rendered"), &format!("{path}/frames/1")] {
            let response = server.get_as(path, accept).await;
            assert_eq!(response.status(), 400, "{path} {accept}");
            assert!(response.text().await.unwrap().contains("Accept"), "{accept}");
        }
    }
}

/// PS3.18 §8.3.3.1, §8.7.8.
#[tokio::test]
async fn the_accept_parameter_wins_and_weights_count() {
    let (server, path) = with_a_slice().await;
    let metadata = format!("{path}/metadata");
    let xml = "multipart/related; type=\"application/dicom+xml\"";
    for (parameter, accept, kind) in [
        ("", "application/dicom+json", "application/dicom+json"),
        ("", xml, "multipart/related; type=\"application/dicom+xml\""),
        ("?accept=application/dicom%2Bjson", xml, "application/dicom+json"),
        ("?accept=application/dicom+json", xml, "application/dicom+json"),
        ("?accept=text/nonsense", "application/dicom+json", "application/dicom+json"),
        ("", "application/json", "application/json"),
        ("", "*/*", "application/dicom+json"),
        ("", "application/*", "application/dicom+json"),
        ("", "nonsense, ;;, application/dicom+json", "application/dicom+json"),
        (
            "",
            "application/dicom+json;q=0.1, multipart/related; type=\"application/dicom+xml\"; q=0.9",
            xml,
        ),
        (
            "",
            "multipart/related; type=\"application/dicom+xml\"; q=0.1, application/*;q=0.9",
            "application/dicom+json",
        ),
        ("", "*/*, application/dicom+json;q=0, application/json;q=0", xml),
    ] {
        let response = server.get_as(&format!("{metadata}{parameter}"), accept).await;
        assert_eq!(response.status(), 200, "{parameter} {accept}");
        let got = header(&response, "content-type");
        assert!(got.starts_with(kind), "{parameter} {accept}: {got}");
    }
    for accept in ["text/csv", "application/dicom+json;q=0", "video/mpeg"] {
        assert_eq!(server.get_as(&metadata, accept).await.status(), 406, "{accept}");
    }
}

/// PS3.18 §8.7.3.5.2, §8.7.8.1.
#[tokio::test]
async fn the_transfer_syntax_is_the_stored_the_default_or_the_one_named() {
    let (server, path) = with_a_slice().await;
    let stored = std::fs::read(study_file("ct-chest/ct-01.dcm")).unwrap();
    for (parameter, syntax) in [
        ("; transfer-syntax=*", JPEG_LS),
        ("", EXPLICIT),
        ("; transfer-syntax=1.2.840.10008.1.2.5", RLE),
        ("; transfer-syntax=\"1.2.840.10008.1.2.4.80\"", JPEG_LS),
    ] {
        let response = server.get_as(&path, &format!("{PART10}{parameter}")).await;
        assert_eq!(response.status(), 200, "{parameter}");
        let parts = parts(response).await;
        assert_eq!(parts.len(), 1);
        assert!(parts[0].0.contains(&format!("transfer-syntax={syntax}")), "{:?}", parts[0].0);
        if syntax == JPEG_LS {
            let data_set = |file: &[u8]| crate::support::objects::data_set_of(file).to_vec();
            assert_eq!(data_set(&parts[0].1), data_set(&stored));
        }
    }
    let unknown = format!("{PART10}; transfer-syntax=1.2.3.4");
    assert_eq!(server.get_as(&path, &unknown).await.status(), 406);
}

/// PS3.18 Table 10.4.3-1: 206 with what can be given, 406 when nothing can.
#[tokio::test]
async fn what_can_be_given_is_given_and_the_rest_is_counted() {
    let (server, path) = with_a_slice().await;
    let study = path.split("/series").next().unwrap();
    let slice = server.json(&format!("{path}/metadata")).await;
    let value = |tag: &str| slice[0][tag]["Value"][0].as_str().unwrap().to_owned();
    let mut opaque = Object::ct(&value("00100020"), 1, 1, 1);
    opaque.text(0x0010_0021, b"LO", &value("00100021"));
    opaque.study = study.strip_prefix("/studies/").unwrap().to_owned();
    let (uid, number) = (opaque.study.clone(), opaque.series.clone());
    opaque.text(0x0020_000D, b"UI", &uid);
    // A transfer syntax nobody knows: kept and given as it is, never re-encoded.
    let name = |text: &str| Uid::parse(text).unwrap();
    let mut file = write_prefix(&MetaFields {
        sop_class: &name(&opaque.sop_class),
        sop_instance: &name(&opaque.sop_instance),
        transfer_syntax: &name("1.2.826.0.1.3680043.10.999.77"),
        source_ae: None,
    });
    file.extend(opaque.data_set());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("opaque.dcm"), file).unwrap();
    stow(&server, &folder.path().join("opaque.dcm")).await;

    let asked = format!("{PART10}; transfer-syntax={RLE}");
    let some = server.get_as(study, &asked).await;
    let (status, warning) = (some.status(), header(&some, "warning").to_owned());
    assert_eq!(status, 206, "{warning}");
    assert!(warning.contains("1 of 2 instances"), "{warning}");
    assert_eq!(parts(some).await.len(), 1);
    let none = server.get_as(&format!("{study}/series/{number}"), &asked).await;
    assert_eq!(none.status(), 406);
    let all = server.get_as(study, &format!("{PART10}; transfer-syntax=*")).await;
    assert_eq!(all.status(), 200);
    assert_eq!(parts(all).await.len(), 2);
}

/// PS3.18 §8.6.1.2: what it is, where it is, how long it is.
#[tokio::test]
async fn parts_tell_their_type_their_place_and_their_length() {
    let (server, path) = with_a_slice().await;
    let base = server.dicomweb();
    for (path, accept) in [
        (path.clone(), PART10.to_owned()),
        (format!("{path}/frames/1"), "multipart/related; type=\"application/octet-stream\"".into()),
        (format!("{path}/frames/1"), "multipart/related; type=\"image/jls\"".into()),
        (
            format!("{path}/pixeldata"),
            "multipart/related; type=\"application/octet-stream\"".into(),
        ),
    ] {
        let response = server.get_as(&path, &accept).await;
        assert_eq!(response.status(), 200, "{path} {accept}");
        for (fields, bytes) in parts(response).await {
            assert!(fields.contains("content-type: "), "{fields}");
            assert!(fields.contains("transfer-syntax="), "{fields}");
            let place = format!("content-location: {base}/studies/");
            assert!(fields.contains(&place.to_lowercase()), "{fields}");
            let length = fields.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next());
            let told = length.is_none_or(|length| length.trim() == bytes.len().to_string());
            assert!(told, "{fields}: {}", bytes.len());
        }
    }
    let single = server.get_as(&path, "application/dicom").await;
    assert_eq!(header(&single, "content-location"), format!("{base}{path}"));
    assert!(header(&single, "content-type").contains("transfer-syntax=1.2.840.10008.1.2.1"));
}

/// PS3.18 §8.7.3: neither Implicit VR Little Endian nor Explicit VR Big Endian, whatever is asked.
#[tokio::test]
async fn implicit_and_big_endian_never_go_out() {
    let server = Server::start();
    for file in ["MR_small_implicit.dcm", "MR_small_bigendian.dcm"] {
        let path = stow(&server, &pydicom_data().join("test_files").join(file)).await;
        let same = |parameter: &str| format!("{PART10}{parameter}");
        for accept in [same(""), same("; transfer-syntax=*"), "application/dicom".into()] {
            let response = server.get_as(&path, &accept).await;
            assert_eq!(response.status(), 200, "{file} {accept}");
            let bytes = response.bytes().await.unwrap();
            // (0002,0010) in the meta header (PS3.10 §7.1).
            let meta = [b"\x02\x00\x10\x00UI\x14\x00".as_slice(), EXPLICIT.as_bytes()].concat();
            assert!(memchr::memmem::find(&bytes, &meta).is_some(), "{file} {accept}");
        }
        for syntax in ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"] {
            let asked = same(&format!("; transfer-syntax={syntax}"));
            assert_eq!(server.get_as(&path, &asked).await.status(), 406, "{file} {syntax}");
        }
    }
}

/// PS3.18 §10.4.3.3.4: on every level one JPEG, with nothing in it that names the patient.
#[tokio::test]
async fn thumbnails_are_one_picture_on_every_level() {
    let (server, path) = with_a_slice().await;
    let series = path.split("/instances").next().unwrap();
    let study = path.split("/series").next().unwrap();
    for path in [study, series, &path, &format!("{path}/frames/1")] {
        let response = server.get_as(&format!("{path}/thumbnail"), "*/*").await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(header(&response, "content-type"), "image/jpeg");
        let bytes = response.bytes().await.unwrap();
        image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).unwrap();
        let named = server.get(&format!("{path}/thumbnail?annotation=patient")).await;
        // Refused or ignored: never the same picture with the name in it.
        let unnamed = named.status() == 400 || named.bytes().await.unwrap() == bytes;
        assert!(unnamed, "{path}");
    }
}

/// PS3.18 Annex F, §10.4.3.3.2, and each `BulkDataURI` resolves, in pieces too.
#[tokio::test]
async fn metadata_is_whole_in_order_and_its_bulk_data_can_be_had() {
    let server = Server::start();
    for file in ["ct-chest/ct-01.dcm", "us-loop/us-1.dcm"] {
        let path = stow(&server, &study_file(file)).await;
        let metadata = server.json(&format!("{path}/metadata")).await;
        let object = metadata[0].as_object().unwrap();
        let tags: Vec<&String> = object.keys().collect();
        assert!(tags.is_sorted(), "{tags:?}");
        assert!(tags.iter().all(|tag| !tag.starts_with("0002") && !tag.ends_with("0000")));
        let text = tags.iter().all(|tag| tag.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F')));
        assert!(text, "{tags:?}");
        let mut uris = Vec::new();
        uris_of(&metadata[0], &mut uris);
        assert!(!uris.is_empty(), "{file}");
        for uri in uris {
            let get = |range: Option<&str>| {
                let request = client().get(&uri).header("accept", "application/octet-stream");
                let range = range.map(|range| ("range", range.to_owned()));
                range
                    .into_iter()
                    .fold(request, |request, (name, value)| request.header(name, value))
            };
            let whole = get(None).send().await.unwrap();
            assert_eq!(whole.status(), 200, "{uri}");
            let whole = whole.bytes().await.unwrap();
            let piece = get(Some("bytes=2-5")).send().await.unwrap();
            assert_eq!(piece.status(), 206, "{uri}");
            assert_eq!(piece.bytes().await.unwrap(), whole[2..6], "{uri}");
            let beyond = get(Some("bytes=99999999999-")).send().await.unwrap();
            assert_eq!(beyond.status(), 416, "{uri}");
        }
    }
}

fn uris_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| uris_of(item, found)),
        Value::Object(members) => {
            if let Some(uri) = members.get("BulkDataURI") {
                found.push(uri.as_str().unwrap().to_owned());
            }
            members.values().for_each(|member| uris_of(member, found));
        }
        _ => {}
    }
}

/// PS3.18 §8.8.5: UTF-8; a character set that is not supported is passed over (§8.8.1).
#[tokio::test]
async fn text_is_utf_8_whatever_else_is_asked() {
    let server = Server::start();
    assert_eq!(server.store(&[Object::ct("P1", 1, 1, 1)]).await, [0]);
    for charset in ["utf-8", "iso-8859-1", "*", "ISO_IR 192;q=0.5, nonsense"] {
        let asked = client().get(format!("{}/studies", server.dicomweb()));
        let response = asked.header("accept-charset", charset).send().await.unwrap();
        assert_eq!(response.status(), 200, "{charset}");
        assert!(response.text().await.unwrap().contains("Prova^Nicolò"), "{charset}");
    }
}

/// PS3.18 §10.4.1.1.4: frames come in the order asked for, and only frames there are.
#[tokio::test]
async fn frame_lists_are_taken_as_written() {
    let server = Server::start();
    let path = stow(&server, &study_file("us-loop/us-1.dcm")).await;
    let octets = "multipart/related; type=\"application/octet-stream\"";
    let mut single = Vec::new();
    for frame in 1..=3 {
        let response = server.get_as(&format!("{path}/frames/{frame}"), octets).await;
        single.push(parts(response).await.remove(0).1);
    }
    for (list, wanted) in [("3,1", vec![2, 0]), ("2,2", vec![1, 1]), ("1,2,3", vec![0, 1, 2])] {
        let response = server.get_as(&format!("{path}/frames/{list}"), octets).await;
        assert_eq!(response.status(), 200, "{list}");
        let got: Vec<Vec<u8>> = parts(response).await.into_iter().map(|part| part.1).collect();
        let wanted: Vec<Vec<u8>> = wanted.into_iter().map(|at: usize| single[at].clone()).collect();
        assert!(got == wanted, "{list}");
    }
    for (list, status) in [("0", 400), ("-1", 400), ("1,x", 400), ("", 404), ("190123", 404)] {
        let response = server.get_as(&format!("{path}/frames/{list}"), octets).await;
        assert_eq!(response.status(), status, "{list}");
    }
}
