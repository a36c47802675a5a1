//! Requirement 40: the process dies between any two steps, another goes on, and the report is published
//! once, on SQLite and on PostgreSQL.

use std::sync::Arc;

use lastra::clock::SystemClock;

use super::on_both_databases;
use super::simulator::Simulator;
use super::world::Make;
use super::world::REPORT;
use super::world::settings;
use crate::index::Database;
use crate::support::server::Server;
use crate::support::server::until;

on_both_databases!(
    requirement_40_killed_after_validation_it_is_published_once,
    requirement_40_killed_before_sending_it_is_published_once,
    requirement_40_killed_before_the_answer_is_recorded_it_is_published_once,
);

/// The report as made today: the gateway takes none that is older than five days.
fn report_of_today() -> String {
    let today = jiff::Timestamp::now().strftime("%Y%m%d").to_string();
    REPORT.replace("20260302", &today)
}

/// A simulator, and a file that configures its client.
async fn simulated() -> (Simulator, tempfile::TempDir, String) {
    let simulator = Simulator::start(Arc::new(SystemClock)).await;
    let folder = tempfile::tempdir().unwrap();
    let gateway = settings(&simulator.url, &simulator.certificates);
    let config = format!("[gateway]\n{}", toml::to_string(&gateway).unwrap());
    let file = folder.path().join("lastra.toml");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (simulator, folder, file)
}

fn add(server: &Server, folder: &tempfile::TempDir, report: &str) {
    let file = folder.path().join("referto.xml");
    std::fs::write(&file, report).unwrap();
    let added = server.command("fascicolo").arg("add").arg(&file).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

async fn comes_to(server: &Server, stage: &str) {
    let stage = format!("\"stage\":\"{stage}\"");
    let there = || {
        let shown = server.command("fascicolo").arg("outbox").output().unwrap();
        std::future::ready(String::from_utf8(shown.stdout).unwrap().contains(&stage))
    };
    until("the report is settled", there).await;
}

async fn published_once_though_killed_at(step: &str, make: Make) {
    let (simulator, folder, config) = simulated().await;
    let environment = [("LASTRA_STOP_AT", step), ("LASTRA_JOBS__LEASE_S", "1")];
    let mut arguments = vec!["-c", &config];
    let database = make();
    if let Database::Postgres(url) = &database {
        arguments.extend(["--index", url]);
    }
    let mut server = Server::start_in(&arguments, &environment);
    add(&server, &folder, &report_of_today());
    server.ended().await;
    let server = server.restart();
    comes_to(&server, "done").await;
    simulator.expect_no_violation();
    simulator.with(|memory| {
        let times: Vec<u32> = memory.published.values().map(|document| document.times).collect();
        assert_eq!(times, [1], "{step}: {:?}", memory.calls);
    });
}

async fn requirement_40_killed_after_validation_it_is_published_once(make: Make) {
    published_once_though_killed_at("gateway-validated", make).await;
}

async fn requirement_40_killed_before_sending_it_is_published_once(make: Make) {
    published_once_though_killed_at("gateway-sending", make).await;
}

async fn requirement_40_killed_before_the_answer_is_recorded_it_is_published_once(make: Make) {
    published_once_though_killed_at("gateway-took", make).await;
}

#[tokio::test]
async fn neither_people_nor_what_the_gateway_says_of_them_comes_into_the_log() {
    let (simulator, folder, config) = simulated().await;
    let server = Server::start_logged(&["-c", &config]);
    add(&server, &folder, &report_of_today().replace("<realmCode code=\"IT\"/>", ""));
    comes_to(&server, "refused").await;
    let settled = || std::future::ready(server.log().contains("has settled a report"));
    until("it is logged", settled).await;
    let log = server.log();
    assert!(log.contains("/msg/semantic /validation/error"), "{log}");
    for personal in ["Esempi", "SMPNLC68H61H501I", "P0001042", "RX2600417", "19680621"] {
        assert!(!log.contains(personal), "{personal}: {log}");
    }
    simulator.expect_no_violation();
}

#[tokio::test]
async fn a_check_hashes_documents_and_what_was_sent_of_them() {
    let (_simulator, folder, config) = simulated().await;
    let mut server = Server::start_with(&["-c", &config]);
    add(&server, &folder, &report_of_today());
    comes_to(&server, "done").await;
    assert!(server.stop().success());
    let checked = server.check(&["--hashes", "--grace", "0s"]);
    assert_eq!(
        (&checked["kept"], &checked["damaged"], &checked["orphans"]),
        (&2.into(), &0.into(), &0.into())
    );
    // One bit of each blob is lost.
    let blobs = walkdir::WalkDir::new(server.data().join("blobs/f")).into_iter();
    for blob in blobs.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
        let mut bytes = std::fs::read(blob.path()).unwrap();
        bytes[100] ^= 1;
        std::fs::write(blob.path(), bytes).unwrap();
    }
    assert_eq!(server.check(&["--hashes", "--grace", "0s"])["damaged"], 2);
    assert_eq!(server.check(&["--grace", "0s"])["damaged"], 0);
}
