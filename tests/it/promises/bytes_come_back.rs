//! Bit-exact custody: the data set bytes received are the bytes given back, on real files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::on_both_stores;
use crate::support::corpus::Reading;
use crate::support::corpus::by_url;
use crate::support::corpus::corpus;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::stores::Stores;
use crate::support::tools::python;

on_both_stores! {
    every_real_file_imported_comes_back_byte_for_byte,
    files_sent_by_dcmtk_in_their_own_transfer_syntax_come_back,
    files_sent_by_pynetdicom_come_back_byte_for_byte,
    an_import_can_be_run_again_and_a_bad_file_is_reported_not_fatal,
}

/// Files that are no instances to be filed, each with the reason.
const NOT_FILED: [(&str, &str); 1] = [("DICOMDIR", "a media directory, not an instance")];

/// Files whose data sets end inside an element: refused with the place, not kept as if whole.
const CUT_SHORT: [&str; 2] = ["rtplan_truncated.dcm", "MR_truncated.dcm"];

fn imported(server: &Server, paths: &[PathBuf]) -> (Option<i32>, Vec<serde_json::Value>) {
    let output = server.command("import").args(paths).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines)
}

async fn every_real_file_imported_comes_back_byte_for_byte(stores: Stores) {
    let server = stores.server();
    let readings: Vec<Reading> = corpus()
        .into_iter()
        .filter(Reading::is_instance)
        .filter(|reading| !NOT_FILED.iter().any(|(name, _)| reading.path.ends_with(name)))
        .collect();
    let paths: Vec<PathBuf> = readings.iter().map(|reading| reading.path.clone()).collect();
    let (_, lines) = imported(&server, &paths);
    let failed: Vec<_> = lines.iter().filter(|line| line["error"].is_string()).collect();

    let mut wrong = Vec::new();
    for (url, candidates) in by_url(readings) {
        let response = server.get_as(&url, "application/octet-stream").await;
        if response.status() != 200 {
            wrong.push(format!("{}: {}", candidates[0].path.display(), response.status()));
            continue;
        }
        let body = response.bytes().await.unwrap();
        let same = candidates.iter().any(|reading| body.ends_with(&reading.data_set()));
        if !same {
            wrong.push(format!("{}: other bytes", candidates[0].path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nimport said: {failed:#?}", wrong.join("\n"));
}

/// Options of storescu that propose one transfer syntax (its manual page).
const PROPOSING: [(&str, &str); 12] = [
    ("1.2.840.10008.1.2", "-xi"),
    ("1.2.840.10008.1.2.1", "-xe"),
    ("1.2.840.10008.1.2.2", "-xb"),
    ("1.2.840.10008.1.2.1.99", "-xd"),
    ("1.2.840.10008.1.2.4.50", "-xy"),
    ("1.2.840.10008.1.2.4.51", "-xx"),
    ("1.2.840.10008.1.2.4.70", "-xs"),
    ("1.2.840.10008.1.2.4.80", "-xt"),
    ("1.2.840.10008.1.2.4.81", "-xu"),
    ("1.2.840.10008.1.2.4.90", "-xv"),
    ("1.2.840.10008.1.2.4.91", "-xw"),
    ("1.2.840.10008.1.2.5", "-xr"),
];

/// Sends files of one transfer syntax with DCMTK; those it sent and were taken.
fn storescu(server: &Server, option: &str, readings: Vec<Reading>) -> Vec<Reading> {
    let output = Command::new("storescu")
        .args(["-v", "-R", "--no-halt", option, "-aec", "LASTRA", "127.0.0.1"])
        .arg(server.dicom.port().to_string())
        .args(readings.iter().map(|reading| &reading.path))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let mut sending = None;
    let mut taken = Vec::new();
    for line in said.lines() {
        if let Some((_, path)) = line.split_once("Sending file: ") {
            sending = Some(PathBuf::from(path));
        } else if line.contains("Received Store Response (Success)") {
            taken.extend(sending.take());
        }
    }
    readings.into_iter().filter(|reading| taken.contains(&reading.path)).collect()
}

async fn files_sent_by_dcmtk_in_their_own_transfer_syntax_come_back(stores: Stores) {
    let server = stores.server();
    let mut by_option: BTreeMap<&str, Vec<Reading>> = BTreeMap::new();
    for reading in corpus().into_iter().filter(|r| r.part10 && r.is_instance()) {
        let syntax = reading.syntax.clone().unwrap_or_default();
        if let Some((_, option)) = PROPOSING.iter().find(|(proposed, _)| *proposed == syntax) {
            by_option.entry(option).or_default().push(reading);
        }
    }
    let sent: Vec<Reading> = by_option
        .into_iter()
        .flat_map(|(option, readings)| storescu(&server, option, readings))
        .collect();
    assert!(sent.len() > 50, "storescu could send {} files only", sent.len());
    // storescu reads and writes the data set anew (it adds or drops group lengths, turns undefined
    // lengths into defined ones), so what it sent is compared by content: as pydicom reads it.
    let folder = tempfile::tempdir().unwrap();
    let mut pairs = Vec::new();
    for (n, (url, candidates)) in by_url(sent).into_iter().enumerate() {
        let copy = folder.path().join(format!("{n}.dcm"));
        std::fs::write(&copy, server.file(&url).await).unwrap();
        pairs.push((copy, candidates.into_iter().map(|r| r.path).collect::<Vec<_>>()));
    }
    let list = folder.path().join("pairs.json");
    std::fs::write(&list, serde_json::to_vec(&pairs).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/promises/same_content.py");
    let output = Command::new(python()).arg(script).arg(&list).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

async fn files_sent_by_pynetdicom_come_back_byte_for_byte(stores: Stores) {
    let server = stores.server();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/promises/send_with_pynetdicom.py");
    let readings: Vec<Reading> =
        corpus().into_iter().filter(|r| r.part10 && r.is_instance()).collect();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("paths.json");
    let paths: Vec<_> = readings.iter().map(|r| r.path.clone()).collect();
    std::fs::write(&list, serde_json::to_vec(&paths).unwrap()).unwrap();
    let output = Command::new(python())
        .arg(script)
        .arg(server.dicom.port().to_string())
        .arg(&list)
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // The script prints, for every file sent, the path of the exact data set bytes it put on the wire.
    let mut by_path: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(status) = line["refused"].as_u64() {
            let path = line["path"].as_str().unwrap();
            assert!(CUT_SHORT.iter().any(|name| path.ends_with(name)), "{path} refused");
            assert_eq!(status & 0xF000, 0xC000, "{path}");
            continue;
        }
        let reading = readings.iter().find(|r| r.path.to_str() == line["path"].as_str()).unwrap();
        by_path.entry(reading.url()).or_default().push(line["wire"].as_str().unwrap().into());
    }
    assert!(by_path.len() > 60, "{} sent", by_path.len());
    for (url, wires) in by_path {
        let file = server.file(&url).await;
        let same = wires.iter().any(|wire| std::fs::read(wire).unwrap() == data_set_of(&file));
        assert!(same, "{url}: other bytes than {wires:?}");
    }
}

async fn an_import_can_be_run_again_and_a_bad_file_is_reported_not_fatal(stores: Stores) {
    let server = stores.server();
    let folder = tempfile::tempdir().unwrap();
    let good = corpus().into_iter().find(|r| r.path.ends_with("CT_small.dcm")).unwrap();
    std::fs::copy(&good.path, folder.path().join("a.dcm")).unwrap();
    let cut = std::fs::read(&good.path).unwrap();
    std::fs::write(folder.path().join("b.dcm"), &cut[..cut.len() / 2]).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no DICOM at all").unwrap();
    let zip = std::fs::File::create(folder.path().join("more.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("inside/c.dcm", options).unwrap();
    std::io::Write::write_all(&mut zip, &cut).unwrap();
    zip.finish().unwrap();

    let (code, lines) = imported(&server, &[folder.path().to_owned()]);
    assert_eq!(code, Some(3), "{lines:#?}");
    let summary = lines.last().unwrap();
    assert_eq!((&summary["stored"], &summary["already_here"]), (&1.into(), &1.into()));
    assert_eq!((&summary["failed"], &summary["not_dicom"]), (&1.into(), &1.into()), "{lines:#?}");

    let (_, lines) = imported(&server, &[folder.path().to_owned()]);
    let summary = lines.last().unwrap();
    assert_eq!((&summary["stored"], &summary["done_before"]), (&0.into(), &3.into()), "{lines:#?}");
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}
