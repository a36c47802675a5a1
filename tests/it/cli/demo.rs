//! `lastra demo`: the first thing anybody runs.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;

use crate::support::server::client;
use crate::support::server::until;

#[tokio::test]
async fn the_demo_fills_an_archive_over_dicom_and_shows_where_it_is() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(["demo", "--json", "--http", "0", "--dicom", "0", "--for", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(ready["studies"].as_u64().unwrap() >= 9, "{ready}");

    let base = format!("http://{}/dicom-web", ready["http"].as_str().unwrap());
    let client = client();
    let found = client.get(format!("{base}/series")).send().await.unwrap();
    let found = found.text().await.unwrap();
    let series: serde_json::Value = serde_json::from_str(&found).unwrap();
    for row in series.as_array().unwrap() {
        let url = row["00081190"]["Value"][0].as_str().unwrap().to_owned();
        let modality = row["00080060"]["Value"][0].as_str().unwrap_or_default();
        until(&format!("{modality} has a thumbnail"), || async {
            let answer = client.get(format!("{url}/thumbnail")).send().await.unwrap();
            let is_jpeg = answer.headers()["content-type"] == "image/jpeg";
            answer.status() == 200 && is_jpeg && answer.bytes().await.unwrap().len() > 300
        })
        .await;
    }
    demo.kill().unwrap();
    demo.wait().unwrap();
}
