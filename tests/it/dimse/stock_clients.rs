//! DCMTK's own tools against the real server.

use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use crate::support::server::Server;

fn samples(study: &str) -> String {
    format!("{}/sample-studies/{study}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn echoscu_is_answered() {
    let server = Server::start();
    let echo = Command::new("echoscu")
        .args(["-aec", "LASTRA", "127.0.0.1", &server.dicom.port().to_string()])
        .output()
        .unwrap();
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
}

/// Seconds a stock storescu takes for the 36 slices of the sample CT.
fn storescu(server: &Server, without_nagle: bool) -> Duration {
    let begun = Instant::now();
    let mut storescu = Command::new("storescu");
    storescu
        .args(["-xt", "+sd", "-aec", "LASTRA", "127.0.0.1", &server.dicom.port().to_string()])
        .arg(samples("ct-chest"))
        .args(["+sp", "*.dcm"])
        .env_remove("TCP_NODELAY");
    if without_nagle {
        storescu.env("TCP_NODELAY", "1");
    }
    let store = storescu.output().unwrap();
    assert!(store.status.success(), "{}", String::from_utf8_lossy(&store.stderr));
    begun.elapsed()
}

#[tokio::test]
async fn a_stock_storescu_loses_no_time_to_delayed_acknowledgements() {
    let server = Server::start();
    // As Debian ships it, with Nagle's algorithm on: 44 ms an object against a peer that delays
    // its acknowledgements, 1.6 s for these 36. In turn, so that a busy machine slows both.
    let rounds = (0..3).map(|_| (storescu(&server, false), storescu(&server, true)));
    let lost = rounds.map(|(with, without)| with.saturating_sub(without)).min().unwrap();
    assert_eq!(server.json("/instances?limit=100").await.as_array().unwrap().len(), 36);
    assert!(lost < Duration::from_millis(800), "36 objects lost {lost:?}");
}
