//! STOW-RS of metadata and bulk data, and of zip files: instances are made and stored, what does not
//! fit together is told, and hostile bodies are refused (PS3.18 §10.5.1.4, §8.6.1.2).

use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use futures::stream;
use reqwest::Body;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;
use crate::support::tools::python;

const JSON: &str = r#"multipart/related; type="application/dicom+json"; boundary=cut"#;
const XML: &str = r#"multipart/related; type="application/dicom+xml"; boundary=cut"#;
const REFERENCED: &str = "00081199";
const FAILED: &str = "00081198";
const OTHER: &str = "0008119A";

fn part(kind: &str, location: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("--cut\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

fn closed(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat().as_slice(), b"--cut--\r\n"].concat()
}

/// Metadata of an object with a 2 by 2 image, its pixels at `pixels/{instance}`.
fn metadata(study: u32, instance: u32) -> Value {
    let uid = |text: String| json!({"vr": "UI", "Value": [text]});
    let short = |number: u32| json!({"vr": "US", "Value": [number]});
    json!({
        "00080016": uid("1.2.840.10008.5.1.4.1.1.7".into()),
        "00080018": uid(format!("1.2.826.0.1.3680043.10.998.{study}.1.{instance}")),
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Prova^Nicolò"}]},
        "00100020": {"vr": "LO", "Value": ["P9"]},
        "0020000D": uid(format!("1.2.826.0.1.3680043.10.998.{study}")),
        "0020000E": uid(format!("1.2.826.0.1.3680043.10.998.{study}.1")),
        "00280002": short(1),
        "00280004": {"vr": "CS", "Value": ["MONOCHROME2"]},
        "00280010": short(2),
        "00280011": short(2),
        "00280100": short(8),
        "00280101": short(8),
        "00280102": short(7),
        "00280103": short(0),
        "7FE00010": {"vr": "OB", "BulkDataURI": format!("pixels/{instance}")},
    })
}

fn json_part(objects: &[Value]) -> Vec<u8> {
    part("application/dicom+json", "", Value::from(objects.to_vec()).to_string().as_bytes())
}

fn pixels(instance: u32, bytes: &[u8]) -> Vec<u8> {
    part("application/octet-stream", &format!("pixels/{instance}"), bytes)
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
    let items = module[sequence]["Value"].as_array();
    items.into_iter().flatten().map(|item| &item[tag]["Value"][0]).collect()
}

fn comments(module: &Value, sequence: &str) -> Vec<String> {
    let items = module[sequence]["Value"].as_array();
    let comments = items.into_iter().flatten().map(|item| {
        let comments = item["00741048"]["Value"].as_array().unwrap();
        let text = comments.iter().map(|c| c["00000902"]["Value"][0].as_str().unwrap());
        text.collect::<Vec<_>>().join("; ")
    });
    comments.collect()
}

/// UIDs of the instances the archive has.
async fn held(server: &Server) -> Vec<String> {
    let response = server.get("/instances").await;
    if response.status() == 204 {
        return Vec::new();
    }
    let found: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let uid = |item: &Value| item["00080018"]["Value"][0].as_str().unwrap().to_owned();
    let mut held: Vec<String> = found.as_array().unwrap().iter().map(uid).collect();
    held.sort();
    held
}

/// What an answer names as stored is in the archive, and nothing else is.
async fn is_true(server: &Server, module: &Value) {
    let mut named: Vec<String> = items(module, REFERENCED, "00081155")
        .into_iter()
        .map(|uid| uid.as_str().unwrap().to_owned())
        .collect();
    named.sort();
    assert_eq!(held(server).await, named, "{module}");
}

fn run(script: &str, arguments: &[String]) {
    let script = format!("{}/tests/it/dicomweb/{script}", env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let run =
        Command::new(python()).arg(script).args(arguments).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
async fn images_documents_and_videos_are_wrapped_as_the_standard_says() {
    let server = Server::start_logged(&[]);
    run("stow_wrapped.py", &[server.dicomweb()]);
    // What was made is worked on like anything that came: thumbnails of videos and all.
    // Three jobs a series.
    let series = server.json("/series").await.as_array().unwrap().len();
    let done = || async { server.metric("lastra_jobs_run_total").await >= 3.0 * series as f64 };
    until("the jobs are done", done).await;
    assert!(series > 0);
    let figures = client().get(format!("http://{}/metrics", server.http)).send().await.unwrap();
    let figures = figures.text().await.unwrap();
    assert!(figures.contains("lastra_jobs{state=\"set_aside\"} 0"), "the queue is counted");
    assert!(!server.log().contains("job failed"), "{}", server.log());
}

#[tokio::test]
async fn metadata_goes_out_as_json_and_xml_and_comes_back_the_same() {
    let servers = [Server::start(), Server::start(), Server::start()];
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies");
    let folder = tempfile::tempdir().unwrap();
    for (study, most) in [
        ("cda-report", 1),
        ("ct-chest", 2),
        ("dx-chest", 1),
        ("enhanced-ct", 1),
        ("mammo", 1),
        ("mr-head", 2),
        ("odd-text", 9),
        ("pdf-report", 1),
        ("sr-report", 2),
        ("us-loop", 1),
    ] {
        let files =
            std::fs::read_dir(samples.join(study)).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|e| e == "dcm")).collect();
        files.sort();
        assert!(!files.is_empty());
        for (number, file) in files.iter().take(most).enumerate() {
            std::fs::copy(file, folder.path().join(format!("{study}-{number}.dcm"))).unwrap();
        }
    }
    let imported = Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(["import", "--json", "--data"])
        .arg(servers[0].data())
        .arg(folder.path())
        .env("LASTRA_LOG__LEVEL", "error")
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stdout));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/stow_round_trip.py");
    let run = Command::new(python())
        .arg(script)
        .args(servers.iter().map(Server::dicomweb))
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
async fn each_instance_of_the_metadata_is_judged_by_itself() {
    let server = Server::start();
    let mut nameless = metadata(1, 3);
    nameless.as_object_mut().unwrap().remove("0020000E");
    let mut odd = metadata(1, 4);
    odd["00180050"] = json!({"vr": "FL", "Value": ["thick"]});
    let mut broken = metadata(1, 5);
    broken["00280010"] = json!({"vr": "US", "Value": [-2]});
    let parts = [
        json_part(&[metadata(1, 1), metadata(2, 2), nameless, odd, broken, metadata(1, 6)]),
        pixels(1, &[1, 2, 3, 4]),
        pixels(2, &[1, 2, 3, 4]),
        pixels(3, &[1, 2, 3, 4]),
        part("text/plain", "nowhere", b"x"),
        pixels(4, &[1, 2, 3, 4]),
        pixels(5, &[1, 2, 3, 4]),
    ];
    let path = "/studies/1.2.826.0.1.3680043.10.998.1";
    let (status, module) = post(&server, path, JSON, closed(&parts)).await;
    assert_eq!(status, 202, "{module}");
    is_true(&server, &module).await;
    assert_eq!(items(&module, REFERENCED, "00081155").len(), 2);
    assert_eq!(items(&module, REFERENCED, "00081196"), [&Value::Null, &json!(0xB006)]);
    let told = "(0018,0050) holds what is no number of its representation";
    assert!(module[REFERENCED].to_string().contains(told), "{module}");
    assert_eq!(items(&module, FAILED, "00081197"), [0xA900; 4]);
    let comments = comments(&module, FAILED).join("\n");
    for (tag, reason) in [
        ("(0020,000D)", "is not the study's"),
        ("(0020,000E)", "is missing"),
        ("(0028,0010)", "holds what is no number"),
        ("(7FE0,0010)", "has bulk data that did not come"),
    ] {
        let told = comments.lines().any(|line| line.contains(tag) && line.contains(reason));
        assert!(told, "{tag} {reason}: {comments}");
    }
    assert_eq!(items(&module, OTHER, "00081197"), [0xC000]);
    // The same again writes nothing and is a success.
    let again = closed(&[json_part(&[metadata(1, 1)]), pixels(1, &[1, 2, 3, 4])]);
    let (blobs, (status, _)) =
        (server.instance_blobs().len(), post(&server, path, JSON, again).await);
    assert_eq!((status, server.instance_blobs().len()), (200, blobs));
}

#[tokio::test]
async fn parts_find_their_metadata() {
    let server = Server::start();
    let objects: Vec<Value> = (1..=3).map(|n| metadata(1, n)).collect();
    for (parts, expected) in [
        // In another order than the metadata; a part without location when only one is wanted.
        (
            vec![
                json_part(&objects[..2]),
                pixels(2, b"abcd"),
                part("application/octet-stream", "", b"efgh"),
            ],
            200,
        ),
        // Metadata, bulk data, metadata, bulk data; a DICOM file among them.
        (
            vec![
                json_part(&objects[..1]),
                pixels(1, b"efgh"),
                part("application/dicom", "", &Object::ct("P9", 5, 1, 1).file()),
                json_part(&objects[2..]),
                pixels(3, b"ijkl"),
            ],
            200,
        ),
        // Bulk data before its metadata is nobody's.
        (vec![pixels(3, b"ijkl"), json_part(&objects[2..])], 409),
        // One part for two instances.
        (
            vec![
                json_part(&[metadata(1, 7), {
                    let mut second = metadata(1, 8);
                    second["7FE00010"]["BulkDataURI"] = "pixels/7".into();
                    second
                }]),
                pixels(7, b"mnop"),
            ],
            200,
        ),
    ] {
        let (status, module) = post(&server, "/studies", JSON, closed(&parts)).await;
        assert_eq!(status, expected, "{module}");
    }
    let path = "/studies/1.2.826.0.1.3680043.10.998.1/series/1.2.826.0.1.3680043.10.998.1.1";
    for (instance, expected) in [(1, "efgh"), (2, "abcd"), (3, "ijkl"), (7, "mnop"), (8, "mnop")] {
        let uid = format!("1.2.826.0.1.3680043.10.998.1.1.{instance}");
        let url = format!("{path}/instances/{uid}/bulkdata/7FE00010");
        let response = server.get_as(&url, "application/octet-stream").await;
        assert_eq!(response.text().await.unwrap(), expected, "{instance}");
    }
}

#[tokio::test]
async fn answers_come_as_xml_to_those_who_ask() {
    let server = Server::start();
    let document = r#"<NativeDicomModel><DicomAttribute tag="00080016" vr="UI"><Value number="1">1.2.840.10008.5.1.4.1.1.88.59</Value></DicomAttribute><DicomAttribute tag="00080018" vr="UI"><Value number="1">1.2.3.9</Value></DicomAttribute><DicomAttribute tag="0020000D" vr="UI"><Value number="1">1.2.3</Value></DicomAttribute><DicomAttribute tag="0020000E" vr="UI"><Value number="1">1.2.3.4</Value></DicomAttribute></NativeDicomModel>"#;
    let request = client().post(format!("{}/studies", server.dicomweb()));
    let request = request.header("content-type", "application/dicom+xml").body(document);
    let response = request.header("accept", "application/dicom+xml").send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (200.try_into().unwrap(), &"application/dicom+xml".parse().unwrap())
    );
    let study = format!("{}/studies/1.2.3", server.dicomweb());
    for name in ["location", "content-location"] {
        assert_eq!(response.headers()[name], study.as_str());
    }
    let text = response.text().await.unwrap();
    assert!(text.contains(r#"<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">"#), "{text}");
    let xml = r#"multipart/related; type="application/dicom+xml""#;
    for path in ["/studies", "/studies/1.2.3/metadata", "/instances"] {
        for accept in [xml, "application/dicom+xml"] {
            let response = server.get_as(path, accept).await;
            let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(kind.starts_with(xml), "{kind}");
            let text = response.text().await.unwrap();
            assert_eq!(text.matches("<NativeDicomModel").count(), 1, "{text}");
            assert!(text.contains(r#"keyword="StudyInstanceUID"><Value number="1">1.2.3</Value>"#));
            assert_eq!(text.contains("Content-Location"), path.ends_with("metadata"));
        }
    }
    let multipart = closed(&[part(
        "application/dicom+xml",
        "",
        document.replace("1.2.3.9", "1.2.3.8").as_bytes(),
    )]);
    assert_eq!(post(&server, "/studies", XML, multipart).await.0, 200);
}

#[tokio::test]
async fn bodies_that_make_no_sense_have_their_status() {
    let server = Server::start();
    let long = format!("[{}", "{\"00080005\":{\"vr\":\"CS\"}},".repeat(3_000_000));
    let deep = r#"{"00081140":{"vr":"SQ","Value":["#.repeat(50_000);
    let entity = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]><NativeDicomModel>&b;</NativeDicomModel>";
    for (kind, body, expected) in [
        ("application/dicom+json", b"[]".to_vec(), 400),
        ("application/dicom+json", b"{\"0008".to_vec(), 400),
        ("application/dicom+json", deep.clone().into_bytes(), 400),
        ("application/dicom+json", long.into_bytes(), 413),
        ("application/json", b"[{}]".to_vec(), 409),
        ("application/dicom+xml", entity.as_bytes().to_vec(), 400),
        (JSON, closed(&[part("application/dicom+json", "", deep.as_bytes())]), 400),
        (JSON, closed(&[part("application/dicom+json", "", b"[]")]), 400),
        (JSON, b"--cut\r\nContent-Type: application/dicom+json\r\n\r\n[{".to_vec(), 409),
        ("application/zip", b"PK\x03\x04 no zip".to_vec(), 409),
        ("multipart/related; type=\"image/jpeg\"; boundary=cut", closed(&[]), 415),
        ("application/pdf", b"%PDF".to_vec(), 415),
    ] {
        let (status, module) = post(&server, "/studies", kind, body).await;
        assert_eq!(status, expected, "{kind} {module}");
    }
    assert!(held(&server).await.is_empty());
}

/// A zip archive of those files.
fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn the_files_of_a_zip_archive_are_stored() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1, n)).collect();
    let files = [
        ("DICOMDIR", b"a directory".to_vec()),
        ("A/1", objects[0].file()),
        ("A/2.dcm", objects[1].file()),
        ("B/3", objects[2].file()),
    ];
    let body = zip(&files);
    for kind in ["application/zip", "application/octet-stream"] {
        let (status, module) = post(&server, "/studies", kind, body.clone()).await;
        assert_eq!(status, 200, "{module}");
        is_true(&server, &module).await;
    }
    let mut more = files.to_vec();
    more.push(("readme.txt", b"hello".to_vec()));
    more.push(("bomb", vec![0; 200 * 1024 * 1024]));
    let (status, module) = post(&server, "/studies", "application/zip", zip(&more)).await;
    assert_eq!(status, 202, "{module}");
    is_true(&server, &module).await;
    assert_eq!(items(&module, OTHER, "00081197").len(), 2);
    // Cut, it has no directory: nothing in it can be believed.
    let (status, _) =
        post(&server, "/studies", "application/zip", body[..body.len() - 40].to_vec()).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn bulk_data_of_any_size_passes_through_in_constant_memory() {
    let server = Server::start();
    let mut object = metadata(1, 1);
    for (tag, value) in [("00280010", 16384), ("00280011", 16384)] {
        object[tag] = json!({"vr": "US", "Value": [value]});
    }
    let opening = [json_part(&[object]), pixels(1, b"")].concat();
    let opening = Bytes::copy_from_slice(&opening[..opening.len() - 2]);
    let piece = Bytes::from(vec![7; 1024 * 1024]);
    let before = server.peak_kib();
    let pieces = std::iter::once(opening)
        .chain(std::iter::repeat_n(piece, 256))
        .chain([Bytes::from_static(b"\r\n--cut--\r\n")]);
    let body = Body::wrap_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)));
    let (status, module) = post(&server, "/studies", JSON, body).await;
    assert_eq!(status, 200, "{module}");
    assert!(server.peak_kib() < before + 48 * 1024, "{} KiB more", server.peak_kib() - before);
    is_true(&server, &module).await;
}

#[tokio::test]
async fn a_request_that_breaks_off_stores_what_was_whole() {
    let server = Server::start();
    let whole = closed(&[
        json_part(&[metadata(1, 1), metadata(1, 2)]),
        pixels(1, &[1; 4]),
        pixels(2, &[2; 4]),
    ]);
    // Wherever it is cut: what is named is there, and nothing else.
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..whole.len()).rev().step_by(61).chain([whole.len() - 12, whole.len() - 30]) {
        let (status, module) = post(&server, "/studies", JSON, whole[..cut].to_vec()).await;
        let stored = items(&module, REFERENCED, "00081155").len();
        seen.insert((status, stored));
        let ended = cut >= whole.len() - 2;
        let expected = matches!((status, stored), (400 | 409, 0) | (202, 1 | 2));
        assert!(expected || (ended && (status, stored) == (200, 2)), "{cut}: {module}");
    }
    assert!(seen.contains(&(202, 1)) && seen.contains(&(409, 0)), "{seen:?}");
}

#[tokio::test]
async fn what_a_full_disk_refused_is_not_named_and_what_is_named_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[blobs]\nreserve_bytes = 0\n").unwrap();
    let arguments = ["-c", config.to_str().unwrap()];
    let Some(server) = Server::start_on_a_disk_of(24, &arguments) else {
        eprintln!("not tested: no disk can be mounted here");
        return;
    };
    let objects: Vec<Value> = (1..=32).map(|n| metadata(1, n)).collect();
    let bulk = |n: u32| pixels(n, &vec![u8::try_from(n).unwrap(); 1 << 20]);
    let body = [vec![json_part(&objects)], (1..=32).map(bulk).collect()].concat();
    let (status, module) = post(&server, "/studies", JSON, closed(&body)).await;
    assert_eq!(status, 202, "{module}");
    is_true(&server, &module).await;
    let refused = items(&module, FAILED, "00081197");
    assert!(refused.len() >= 8 && refused.iter().all(|reason| **reason == 0xA700), "{refused:?}");
}

#[tokio::test]
async fn bulk_data_that_may_not_wait_is_refused_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[archive]\nspool_max_bytes = 1048576\n").unwrap();
    let server = Server::start_with(&["-c", config.to_str().unwrap()]);
    let parts = [
        json_part(&[metadata(1, 1), metadata(1, 2)]),
        pixels(1, &vec![1; 3 << 20]),
        pixels(2, &[2; 4]),
    ];
    let (status, module) = post(&server, "/studies", JSON, closed(&parts)).await;
    assert_eq!(status, 202, "{module}");
    assert_eq!(items(&module, FAILED, "00081197"), [0xA700]);
    is_true(&server, &module).await;
    let (status, module) = post(
        &server,
        "/studies",
        JSON,
        closed(&[json_part(&[metadata(1, 1)]), pixels(1, &vec![1; 3 << 20])]),
    )
    .await;
    assert_eq!(status, 503, "{module}");
    let body = closed(&[json_part(&[metadata(1, 1)]), pixels(1, &vec![1; 900_000])]);
    assert_eq!(post(&server, "/studies", JSON, body).await.0, 200);
}
