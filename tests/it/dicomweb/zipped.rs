//! Studies as zip archives: the files as stored or re-encoded, with a directory where asked.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::fs::FileExt;

use crate::support::objects::{Object, data_set_of, element, item, text_element};
use crate::support::server::Server;
use crate::support::tools::run_python;

const STORED: &str = "application/zip; transfer-syntax=*";
const KEY_OBJECT: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// A study of two series of images and one of a key object selection.
fn study() -> Vec<Object> {
    let mut objects: Vec<Object> = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]
        .map(|(series, instance)| Object::ct("P1", 1, series, instance))
        .to_vec();
    let mut selection = Object::ct("P1", 1, 3, 1);
    selection.sop_class = KEY_OBJECT.to_owned();
    selection.text(0x0008_0016, b"UI", KEY_OBJECT).text(0x0008_0060, b"CS", "KO");
    selection.text(0x0008_0023, b"DA", "20260302").text(0x0008_0033, b"TM", "111500");
    for tag in [0x0028_0002, 0x0028_0004, 0x0028_0010, 0x0028_0011, 0x7FE0_0010] {
        selection.without(tag);
    }
    // (0040,A043) Concept Name Code Sequence: (113000, DCM, "Of Interest").
    let mut item = Vec::new();
    for (element, vr, value) in
        [(0x0100_u16, b"SH", "113000"), (0x0102, b"SH", "DCM "), (0x0104, b"LO", "Of Interest ")]
    {
        item.extend([8, 0]);
        item.extend(element.to_le_bytes());
        item.extend(vr);
        item.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        item.extend(value.bytes());
    }
    let head = [0xFE, 0xFF, 0x00, 0xE0];
    let length = u32::try_from(item.len()).unwrap().to_le_bytes();
    selection.bytes(0x0040_A043, b"SQ", [&head[..], &length, &item].concat());
    selection.text(0x0040_A040, b"CS", "CONTAINER");
    objects.push(selection);
    // Keys of a directory that may not be empty (PS3.3 §F.5.2).
    for object in &mut objects {
        object.text(0x0020_0010, b"SH", "1");
    }
    objects
}

fn study_path(objects: &[Object]) -> String {
    format!("/studies/{}", objects[0].study)
}

/// The files of an archive by name.
fn unzipped(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.insert(file.name().to_owned(), content);
    }
    files
}

#[tokio::test]
async fn a_study_comes_as_the_files_that_are_stored_under_the_same_names_each_time() {
    let server = Server::start();
    let objects = study();
    assert_eq!(server.store(&objects).await, [0; 6]);

    let response = server.get_as(&study_path(&objects), STORED).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/zip");
    let named = format!("attachment; filename=\"{}.zip\"", objects[0].study);
    assert_eq!(response.headers()["content-disposition"], named.as_str());
    let archive = response.bytes().await.unwrap();
    let files = unzipped(&archive);
    assert_eq!(files.len(), 6);
    for (series, instance, object) in
        [(1, 1, &objects[0]), (2, 3, &objects[4]), (3, 1, &objects[5])]
    {
        let file = &files[&format!("DICOM/SE{series:06}/IM{instance:06}.dcm")];
        assert_eq!(*file, server.file(&object.path()).await);
        assert_eq!(data_set_of(file), object.data_set());
    }
    let again = server.get_as(&study_path(&objects), STORED).await.bytes().await.unwrap();
    assert!(again == archive, "the same study, another archive");

    let series = format!("{}/series/{}", study_path(&objects), objects[2].series);
    for (path, count) in [(series, 3), (objects[2].path(), 1)] {
        let path = format!("{path}?accept=application/zip");
        let archive = server.get_as(&path, "text/html").await.bytes().await.unwrap();
        assert_eq!(unzipped(&archive).len(), count, "{path}");
    }
}

#[tokio::test]
async fn the_files_are_re_encoded_as_asked_and_those_that_cannot_be_are_told() {
    let server = Server::start();
    let objects = study();
    assert_eq!(server.store(&objects).await, [0; 6]);
    let rle = "1.2.840.10008.1.2.5";
    let accept = format!("application/zip; transfer-syntax={rle}");
    let response = server.get_as(&study_path(&objects), &accept).await;
    assert_eq!(response.status(), 200);
    let files = unzipped(&response.bytes().await.unwrap());
    let images = files.values().filter(|file| {
        memchr::memmem::find(&file[..512], format!("UI\x14\0{rle}\0").as_bytes()).is_some()
    });
    assert_eq!((images.count(), files.len()), (5, 6));

    let response = server.get_as(&study_path(&objects), "application/zip; q=0.5, image/png").await;
    assert_eq!(response.status(), 400);
    let odd = format!("{}?dicomdir=perhaps", study_path(&objects));
    assert_eq!(server.get_as(&odd, "application/zip").await.status(), 400);
}

/// Has a script read the study's archive with its directory, and the instances it must find there.
async fn read_with_directory(server: &Server, objects: &[Object], script: &str) {
    let path = format!("{}?dicomdir=true", study_path(objects));
    let archive = server.get_as(&path, STORED).await.bytes().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.zip");
    std::fs::write(&file, &archive).unwrap();
    let expected: Vec<&str> = objects.iter().map(|object| &*object.sop_instance).collect();
    run_python(script, &[file.to_str().unwrap(), &expected.join(",")]);
}

#[tokio::test]
async fn a_directory_asked_for_is_read_by_pydicom_and_dcmtk() {
    let server = Server::start();
    let objects = study();
    assert_eq!(server.store(&objects).await, [0; 6]);
    read_with_directory(&server, &objects, include_str!("zipped.py")).await;
}

/// Objects of record types that are no images, each in a series of its own.
fn other_kinds(image: &Object) -> Vec<Object> {
    let kinds = [
        ("11.1", "PR"),
        ("4.2", "MR"),
        ("78.5", "VA"),
        ("68.2", "M3D"),
        ("77.1.5.3", "SMR"),
        ("90.1", "ASMT"),
    ];
    let class = text_element(0x0008_1150, b"UI", &image.sop_class);
    let instance = text_element(0x0008_1155, b"UI", &image.sop_instance);
    let reference = element(0x0008_1140, b"SQ", &item(&[class, instance].concat()));
    let series = item(&[reference, text_element(0x0020_000E, b"UI", &image.series)].concat());
    let make = |(number, (class, modality)): (u32, (&str, &str))| {
        let mut object = Object::ct("P1", 1, 20 + number, 1);
        object.sop_class = format!("1.2.840.10008.5.1.4.1.1.{class}");
        let class = object.sop_class.clone();
        for tag in [0x0028_0004, 0x7FE0_0010] {
            object.without(tag);
        }
        object
            .text(0x0008_0016, b"UI", &class)
            .text(0x0008_0060, b"CS", modality)
            .text(0x0008_0008, b"CS", "ORIGINAL\\PRIMARY\\SPECTROSCOPY\\NONE")
            .text(0x0008_0012, b"DA", "20260302")
            .text(0x0008_0013, b"TM", "111500")
            .text(0x0008_0023, b"DA", "20260302")
            .text(0x0008_0033, b"TM", "111500")
            .text(0x0020_0010, b"SH", "1")
            .text(0x0028_0008, b"IS", "1")
            .bytes(0x0028_9001, b"UL", vec![0, 4, 0, 0])
            .bytes(0x0028_9002, b"UL", vec![1, 0, 0, 0])
            .text(0x0070_0080, b"CS", "LABEL")
            .text(0x0070_0081, b"LO", "Descrizione")
            .text(0x0070_0082, b"DA", "20260302")
            .text(0x0070_0083, b"TM", "111500")
            .text(0x0070_0084, b"PN", "Autore")
            .bytes(0x0008_1115, b"SQ", series.clone());
        object
    };
    (0..).zip(kinds).map(make).collect()
}

#[tokio::test]
async fn a_directory_has_the_record_each_kind_of_object_asks_for() {
    let server = Server::start();
    let mut objects = vec![Object::ct("P1", 1, 1, 1)];
    objects[0].text(0x0020_0010, b"SH", "1");
    objects.extend(other_kinds(&objects[0]));
    assert!(server.store(&objects).await.iter().all(|status| *status == 0));
    read_with_directory(&server, &objects, include_str!("zipped_kinds.py")).await;
}

#[tokio::test]
async fn an_archive_whose_files_cannot_be_read_on_never_ends_as_if_complete() {
    let server = Server::start();
    let mut large = Object::ct("P1", 1, 1, 1);
    large.number(0x0028_0010, 2048).number(0x0028_0011, 2048);
    large.bytes(0x7FE0_0010, b"OW", vec![7; 2048 * 2048 * 2]);
    assert_eq!(server.store(std::slice::from_ref(&large)).await, [0]);
    let blob = std::fs::OpenOptions::new().write(true).open(&server.instance_blobs()[0]).unwrap();
    blob.set_len(4 << 20).unwrap();
    blob.write_at(&[7], (4 << 20) - 1).unwrap();
    let response = server.get_as(&format!("/studies/{}", large.study), STORED).await;
    assert!(!response.status().is_success() || response.bytes().await.is_err());
}
