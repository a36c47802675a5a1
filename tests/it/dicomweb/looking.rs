//! What the tests of rendered resources share: objects to draw, pictures read back, DCMTK's opinion.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::DynamicImage;

use crate::support::objects::Object;
use crate::support::server::{Server, client};

/// An 8-bit picture of 8 by 4 pixels, each 8 brighter than the one before.
pub fn gradient() -> Object {
    let mut object = Object::ct("P1", 1, 1, 1);
    object
        .number(0x0028_0010, 4)
        .number(0x0028_0011, 8)
        .number(0x0028_0100, 8)
        .number(0x0028_0101, 8)
        .number(0x0028_0102, 7)
        .bytes(0x7FE0_0010, b"OW", gradient_levels());
    object
}

/// The levels of [`gradient`], row by row.
pub fn gradient_levels() -> Vec<u8> {
    (0..32).map(|n| n * 8).collect()
}

/// A file of the sample studies.
pub fn study_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies").join(path)
}

/// Stores a Part 10 file over STOW-RS and gives its path below the DICOMweb base URL.
pub async fn stow(server: &Server, file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let mut body = b"--b\r\nContent-Type: application/dicom\r\n\r\n".to_vec();
    body.extend_from_slice(&bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let kind = "multipart/related; type=\"application/dicom\"; boundary=b";
    let request = client().post(format!("{}/studies", server.dicomweb()));
    let response = request.header("content-type", kind).body(body).send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let url = answer["00081199"]["Value"][0]["00081190"]["Value"][0].as_str();
    let url = url.unwrap_or_else(|| panic!("{}: {answer}", file.display()));
    url.strip_prefix(&server.dicomweb()).unwrap().to_owned()
}

/// A picture got as PNG.
pub async fn png(server: &Server, path: &str) -> DynamicImage {
    let response = server.get_as(path, "image/png").await;
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap()
}

/// The status of a request and what its problem says.
pub async fn refused(server: &Server, path: &str, accept: &str) -> (u16, String) {
    let response = server.get_as(path, accept).await;
    let status = response.status().as_u16();
    let problem: serde_json::Value =
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    (status, problem["detail"].as_str().unwrap_or_default().to_owned())
}

/// What a tool of DCMTK draws: width, height and levels of its PGM.
pub fn dcmtk(tool: &str, arguments: &[&str]) -> (u32, u32, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.pgm");
    let output = Command::new(tool).args(arguments).arg(&out).output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&out).unwrap();
    let mut words = bytes.split(u8::is_ascii_whitespace);
    assert_eq!(words.next(), Some(&b"P5"[..]));
    let mut number =
        || -> u32 { std::str::from_utf8(words.next().unwrap()).unwrap().parse().unwrap() };
    let (width, height) = (number(), number());
    let levels = bytes[bytes.len() - (width * height) as usize..].to_vec();
    (width, height, levels)
}

/// The largest difference of two pictures' levels.
pub fn apart(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| one.abs_diff(*other)).max().unwrap_or(0)
}
