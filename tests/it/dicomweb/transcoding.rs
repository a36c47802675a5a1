//! Transcoding through the real door: every form to every transfer syntax, how much is read and
//! made for it, and what cannot be made.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures::future::join_all;

use crate::support::corpus::pydicom_data;
use crate::support::objects::Object;
use crate::support::server::{Server, client};
use crate::support::tools::{python, run_python};

/// One file of each sample study with pixels.
const STUDIES: [&str; 6] = ["ct-chest", "dx-chest", "enhanced-ct", "mammo", "mr-head", "us-loop"];

/// Files of the pydicom wheel in transfer syntaxes and colours the others do not have. No two have
/// the same SOP Instance UID.
const FILES: [&str; 12] = [
    "693_J2KI.dcm",
    "ExplVR_BigEnd.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "rtdose_rle.dcm",
];

fn samples() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-studies");
    let mut samples: Vec<PathBuf> = STUDIES
        .iter()
        .map(|study| {
            let entries = walkdir::WalkDir::new(root.join(study)).sort_by_file_name();
            let mut files = entries.into_iter().map(|entry| entry.unwrap().into_path());
            files.find(|path| path.extension().is_some_and(|e| e == "dcm")).unwrap()
        })
        .collect();
    let data = pydicom_data();
    for name in FILES {
        let entries = walkdir::WalkDir::new(&data).into_iter();
        let found = entries.map(|entry| entry.unwrap()).find(|entry| entry.file_name() == name);
        samples.push(found.unwrap_or_else(|| panic!("{name} is missing")).into_path());
    }
    samples
}

#[tokio::test]
async fn every_form_comes_in_every_transfer_syntax_with_the_same_pixels() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/transcoding.py");
    let output = Command::new(python())
        .arg(script)
        .arg(server.dicomweb())
        .arg(folder.path())
        .args(samples())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}

const FRAMES: usize = 40;
const SIDE: usize = 128;

/// Frames of slopes and noise, 16 bits.
fn multi_frame() -> Object {
    let mut object = Object::ct("P1", 7, 1, 1);
    object.sop_class = "1.2.840.10008.5.1.4.1.1.7.3".to_owned();
    let class = object.sop_class.clone();
    let pixels = (0..FRAMES * SIDE * SIDE)
        .flat_map(|place| {
            let noise = (place as u32).wrapping_mul(2_654_435_761) >> 28;
            ((place % SIDE * 9) as u16 + noise as u16).to_le_bytes()
        })
        .collect();
    object
        .text(0x0008_0016, b"UI", &class)
        .text(0x0028_0008, b"IS", &FRAMES.to_string())
        .number(0x0028_0010, SIDE as u16)
        .number(0x0028_0011, SIDE as u16)
        .bytes(0x7FE0_0010, b"OW", pixels);
    object
}

async fn figures(server: &Server) -> (f64, f64, f64) {
    (
        server.metric("lastra_blob_reads_total").await,
        server.metric("lastra_blob_read_bytes_total").await,
        server.metric("lastra_imaging_transcoded_total").await,
    )
}

#[tokio::test]
async fn one_frame_asked_is_one_read_and_one_frame_made_once_for_all_who_ask() {
    let server = Server::start();
    let object = multi_frame();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let frame = |number: usize| format!("{}/frames/{number}", object.path());
    let first = server.get_as(&frame(3), "image/jls").await;
    assert_eq!(first.status(), 200);
    assert_eq!(
        first.headers()["content-type"],
        "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"
    );

    // The header is known now.
    let before = figures(&server).await;
    let path = frame(30);
    let asked = (0..12).map(|_| server.get_as(&path, "image/jls"));
    let mut bodies = Vec::new();
    for response in join_all(asked).await {
        assert_eq!(response.status(), 200);
        assert!(response.headers()["etag"].to_str().unwrap().starts_with('"'));
        bodies.push(response.bytes().await.unwrap());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let after = figures(&server).await;
    assert_eq!(after.0 - before.0, 1.0, "reads");
    assert_eq!(after.1 - before.1, (SIDE * SIDE * 2) as f64, "bytes");
    assert_eq!(after.2 - before.2, 1.0, "frames made");
    for cache in ["frame", "pixel_attribute"] {
        assert!(server.metric(&format!("lastra_{cache}_cache_bytes")).await > 0.0, "{cache}");
    }
}

#[tokio::test]
async fn stored_frames_are_neither_read_beyond_what_is_asked_nor_made_anew() {
    let server = Server::start();
    let object = multi_frame();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let before = figures(&server).await;
    let url = format!("{}{}/frames/5", server.dicomweb(), object.path());
    let response = client()
        .get(url)
        .header("accept", "*/*")
        .header("range", "bytes=100-299")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 206);
    assert_eq!(response.bytes().await.unwrap().len(), 200);
    let after = figures(&server).await;
    assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (1.0, 200.0, 0.0));
}

#[tokio::test]
async fn a_whole_instance_is_made_once_and_the_second_who_asks_gets_it_as_it_is() {
    let server = Server::start();
    let object = multi_frame();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let accept = "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80";
    let first = server.get_as(&object.path(), accept).await;
    assert_eq!(first.status(), 200);
    let first = first.bytes().await.unwrap();
    let made = server.metric("lastra_imaging_transcoded_total").await;
    assert_eq!(made, FRAMES as f64);
    let second = server.get_as(&object.path(), accept).await.bytes().await.unwrap();
    assert_eq!(first, second);
    assert_eq!(server.metric("lastra_imaging_transcoded_total").await, made);
    assert!(server.metric("lastra_fragment_cache_bytes").await > 0.0);
}

#[tokio::test]
async fn an_instance_of_many_frames_takes_no_more_memory_than_a_few() {
    const LARGE: usize = 512;
    const MANY: usize = 320;
    let server = Server::start();
    let mut object = multi_frame();
    let pixels = (0..MANY * LARGE * LARGE).flat_map(|n| ((n % 509) as u16).to_le_bytes()).collect();
    object
        .text(0x0028_0008, b"IS", &MANY.to_string())
        .number(0x0028_0010, LARGE as u16)
        .number(0x0028_0011, LARGE as u16)
        .bytes(0x7FE0_0010, b"OW", pixels);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let before = server.peak_kib();
    for syntax in ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"] {
        let accept = format!("application/dicom; transfer-syntax={syntax}");
        let url = format!("{}{}", server.dicomweb(), object.path());
        let asked = client().get(url).header("accept", accept);
        // Encoding so many unoptimized takes its time on a busy machine.
        let mut response = asked.timeout(Duration::from_secs(300)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        while response.chunk().await.unwrap().is_some() {}
    }
    let grown = server.peak_kib().saturating_sub(before) / 1024;
    assert!(grown < 128, "{grown} MiB for an object of {} MiB", (MANY * LARGE * LARGE * 2) >> 20);
}

#[tokio::test]
async fn what_cannot_be_given_is_refused_with_the_reason() {
    let server = Server::start();
    let mut object = Object::ct("P1", 8, 1, 1);
    object.number(0x0028_0100, 32).number(0x0028_0101, 32).number(0x0028_0102, 31);
    object.number(0x0028_0010, 8);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let jpeg_ls = "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80";
    for (path, accept, status, words) in [
        (object.path(), jpeg_ls, 406, "16 bits"),
        (
            object.path(),
            "application/dicom; transfer-syntax=1.2.840.10008.1.2",
            406,
            "transfer-syntax=*",
        ),
        (object.path(), "application/dicom, image/png", 400, "one kind"),
        (format!("{}/frames/1", object.path()), "image/jls", 406, "16 bits"),
        (format!("{}/frames/1", object.path()), "image/jls;q=0", 406, "transfer-syntax=*"),
        (format!("{}/frames/1?accept=text/html", object.path()), "image/webp", 406, "stored"),
    ] {
        let response = server.get_as(&path, accept).await;
        let found = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(found, status, "{path} {accept} {text}");
        assert!(text.contains(words), "{accept}: {text}");
    }
    let parameter = format!("{}/frames/1?accept=image/dicom-rle", object.path());
    let response = server.get_as(&parameter, "application/octet-stream").await;
    assert_eq!(
        response.headers()["content-type"],
        "image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5"
    );
}

/// Three frames of 5 by 3 bytes, which count on, in big endian words.
const ODD_BIG_ENDIAN: &str = r#"
import sys
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID
meta = FileMetaDataset()
meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.2")
meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"
meta.MediaStorageSOPInstanceUID = "2.25.3"
ds = FileDataset(sys.argv[1], {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False,
                 is_little_endian=False)
ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, "2.25.3"
ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID, ds.Modality = "2.25.1", "2.25.2", "P1", "OT"
ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = 3, 5, 3, 1
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PhotometricInterpretation = "MONOCHROME2"
raw = bytes(range(45)) + b"\0"
ds.add_new(0x7FE00010, "OW", bytes(raw[place ^ 1] for place in range(46)))
ds.save_as(sys.argv[1], enforce_file_format=True)
"#;

#[tokio::test]
async fn frames_that_begin_inside_a_big_endian_word_are_given_whole() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.dcm");
    run_python(ODD_BIG_ENDIAN, &[path.to_str().unwrap()]);
    let file = std::fs::read(&path).unwrap();
    let part = b"--part\r\nContent-Type: application/dicom\r\n\r\n";
    let body = [&part[..], &file, b"\r\n--part--\r\n"].concat();
    let stored = client()
        .post(format!("{}/studies", server.dicomweb()))
        .header("content-type", "multipart/related; type=\"application/dicom\"; boundary=part")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(stored.status(), 200, "{}", stored.text().await.unwrap());
    let frames = "/studies/2.25.1/series/2.25.2/instances/2.25.3/frames";
    for frame in 1..=3_u8 {
        let response =
            server.get_as(&format!("{frames}/{frame}"), "application/octet-stream").await;
        assert_eq!(response.status(), 200);
        let expected: Vec<u8> = (frame * 15 - 15..frame * 15).collect();
        assert_eq!(response.bytes().await.unwrap(), expected, "frame {frame}");
    }
    let drawn =
        server.get_as(&format!("{frames}/2/rendered?window=22,15,linear"), "image/png").await;
    assert_eq!(drawn.status(), 200, "{}", drawn.text().await.unwrap());
    let drawn = image::load_from_memory(&drawn.bytes().await.unwrap()).unwrap();
    let levels = drawn.to_luma8().into_raw();
    assert!(levels.is_sorted() && levels.len() == 15 && levels[0] < levels[14], "{levels:?}");
}
