//! OHIF as npm publishes it shows the sample studies in a real Chromium: the list, thumbnails, and
//! images that change when scrolled and windowed.

use std::process::Command;

use serde_json::Value;

use crate::support::server::Server;
use crate::support::tools::{dev_dir, python};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/web/ohif.py");

/// What is opened: name and folder of the sample.
const STUDIES: [(&str, &str); 6] = [
    ("ct", "ct-chest"),          // JPEG-LS, 36 slices
    ("mr", "mr-head"),           // deflated and uncompressed
    ("us", "us-loop"),           // colour, JPEG, many frames
    ("dx", "dx-chest"),          // JPEG 2000, one large image
    ("mg", "mammo"),             // JPEG 2000 and JPEG lossless
    ("enhanced", "enhanced-ct"), // RLE, enhanced multi-frame
];

#[test]
fn ohif_shows_lists_thumbnails_and_images_that_scroll_and_window() {
    let package = dev_dir().join("ohif.tgz");
    assert!(package.exists(), "{} is missing: run ./dev test", package.display());
    let server = Server::start_with(&["--ohif-dir", package.to_str().unwrap()]);
    let mut wanted = Vec::new();
    for (name, sample) in STUDIES {
        let sent = Command::new(env!("CARGO_BIN_EXE_lastra"))
            .args(["send", &format!("LASTRA@{}", server.dicom)])
            .arg(format!("{SAMPLES}/{sample}"))
            .output()
            .unwrap();
        assert!(!sent.stdout.is_empty(), "{sent:?}");
        wanted.push(format!("{}:{name}", study_of(sample)));
    }
    let shots = tempfile::tempdir().unwrap();
    let base = format!("http://{}", server.http);
    let seen = Command::new(python())
        .args([SCRIPT, &base, "/usr/bin/chromium"])
        .arg(shots.path())
        .args(&wanted)
        .output()
        .unwrap();
    let said = String::from_utf8(seen.stdout).unwrap();
    assert!(seen.status.success(), "{said} {}", String::from_utf8_lossy(&seen.stderr));
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), STUDIES.len() + 2, "{said}");
    for line in &lines {
        match line["study"].as_str().unwrap() {
            "list" => assert_eq!(line["listed"], true),
            "all" => assert_eq!(line["missing"], Value::Array(vec![]), "addresses that failed"),
            name => {
                assert!(line["shades"].as_u64().unwrap() > 100, "{line}");
                assert!(line["thumbnails"].as_u64().unwrap() > 0, "{line}");
                // One image cannot be scrolled; colour is not windowed.
                assert_eq!(line["scrolled"].is_f64(), !["dx", "mg"].contains(&name), "{line}");
                assert_eq!(line["windowed"].is_f64(), name != "us", "{line}");
            }
        }
    }
}

/// The study of a sample, as the facts beside it say.
fn study_of(sample: &str) -> String {
    let facts = std::fs::read_to_string(format!("{SAMPLES}/facts.json")).unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    facts[sample][0]["study_uid"].as_str().unwrap().to_owned()
}
