//! Others' software, as its makers publish it: clients with their own requests, npm's in a real
//! browser and Rust's from its command line; and a validator that looks at what was re-encoded.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::looking::study_file;
use crate::support::server::Server;
use crate::support::tools::{dev_dir, python};

fn fetched(name: &str) -> PathBuf {
    let path = dev_dir().join(name);
    assert!(path.exists(), "{} is missing: run ./dev test", path.display());
    path
}

fn is_well(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn the_stock_client_of_npm_stores_searches_and_retrieves_in_a_browser() {
    let script = fetched("dicomweb-client/package/build/dicomweb-client.js");
    let server = Server::start();
    let asked = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/client_npm.py"))
        .args([&format!("http://{}", server.http), "/usr/bin/chromium"])
        .arg(script)
        .args((1..=3).map(|n| study_file(&format!("ct-chest/ct-{n:02}.dcm"))))
        .output()
        .unwrap();
    is_well(&asked);
}

#[test]
fn the_stock_client_of_rust_stores_and_searches() {
    let client = fetched("dicom-web/bin/dicom-web");
    let server = Server::start();
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&client);
        command.args(["--url", &server.dicomweb()]).args(arguments);
        is_well(&command.output().unwrap())
    };
    let names = ["us-loop/us-1.dcm", "ct-chest/ct-01.dcm", "ct-chest/ct-02.dcm"];
    let files = names.map(|name| study_file(name).to_str().unwrap().to_owned());
    let [us, ct, more] = files.each_ref();
    let stored = ask(&["stow", "--instances", us, "--instances", ct, "--instances", more]);
    assert_eq!(stored.matches("ReferencedSOPInstanceUID").count(), 3, "{stored}");
    assert!(!stored.contains("FailedSOPSequence"), "{stored}");
    for (level, count) in [("study", 2), ("series", 2), ("instance", 3)] {
        let found = ask(&["qido", level]);
        assert!(found.contains(&format!("Received {count} DICOM objects")), "{found}");
    }
    assert!(ask(&["qido", "--fuzzy-matching", "study"]).contains("Received 2"));
    let never = study_file("ct-chest/ct-03.dcm").to_str().unwrap().to_owned();
    let named = ["stgcmt", "--transaction", "2.25.7", "--instances", us, "--instances", &never];
    let committed = ask(&named);
    assert_eq!(committed.matches("ReferencedSOPInstanceUID").count(), 2, "{committed}");
    assert_eq!(committed.matches("FailureReason").count(), 1, "{committed}");
    let result = ask(&["stgcmt", "--transaction", "2.25.7", "--check"]);
    assert_eq!(result, committed.replace("Transaction UID: 2.25.7\n", ""));
}

#[test]
fn a_validator_finds_nothing_in_re_encoded_objects_that_was_not_there() {
    let server = Server::start();
    let files = [
        "ct-chest/ct-01.dcm",
        "mr-head/t1-01.dcm",
        "mr-head/t2-01.dcm",
        "dx-chest/dx-1.dcm",
        "enhanced-ct/ct-enhanced.dcm",
        "mammo/lcc.dcm",
        "us-loop/us-1.dcm",
    ];
    let files = files.map(study_file);
    let sent = Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(["send", &format!("LASTRA@{}", server.dicom)])
        .args(&files)
        .output()
        .unwrap();
    is_well(&sent);
    let folder = tempfile::tempdir().unwrap();
    let asked = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/validated.py"))
        .args([server.dicomweb().as_ref(), folder.path().as_os_str()])
        .args(&files)
        .output()
        .unwrap();
    is_well(&asked);
}
