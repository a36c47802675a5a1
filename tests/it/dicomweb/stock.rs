//! The stock dicomweb-client against the real archive, with real files.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::corpus::corpus;
use crate::support::server::Server;
use crate::support::tools::python;

/// Imports a folder, and has the stock client ask for everything in it.
fn compare(server: &Server, folder: &Path) {
    let imported = Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(["import", "--json", "--data"])
        .arg(server.data())
        .arg(folder)
        .env("LASTRA_LOG__LEVEL", "error")
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stdout));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dicomweb/stock_client.py");
    let asked =
        Command::new(python()).arg(script).arg(server.dicomweb()).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(asked.status.success(), "{said}{}", String::from_utf8_lossy(&asked.stderr));
}

#[tokio::test]
async fn the_stock_client_gets_real_files_as_they_are() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    let whole = |name: &Path| !name.to_string_lossy().contains("truncated");
    for reading in corpus().into_iter().filter(|r| r.part10 && r.is_instance() && whole(&r.path)) {
        if seen.insert(reading.url()) {
            let name = format!("{}.dcm", seen.len());
            std::fs::copy(&reading.path, folder.path().join(name)).unwrap();
        }
    }
    assert!(seen.len() > 60);
    compare(&server, folder.path());
}

#[tokio::test]
async fn the_stock_client_gets_the_sample_studies_as_they_are() {
    let server = Server::start();
    compare(&server, &Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies/mr-head"));
}
