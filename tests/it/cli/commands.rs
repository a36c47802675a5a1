//! The other commands: their results, their exit codes, the same with `--json`.

use std::process::Command;
use std::process::Output;

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;

fn lastra(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lastra"))
        .args(arguments)
        .env("LASTRA_LOG__LEVEL", "warn")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in
        ["serve", "demo", "import", "send", "echo", "check", "conformance", "bin", "fascicolo"]
    {
        let output = lastra(&[command, "--help"]);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(
            help.contains("Examples:") && help.contains(&format!("lastra {command}")),
            "{help}"
        );
    }
}

#[test]
fn a_wrong_command_line_and_a_wrong_configuration_have_their_exit_codes() {
    assert_eq!(lastra(&["srve"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lastra.toml");
    std::fs::write(&file, "[dicom]\nae_titel = 'X'\n").unwrap();
    let output = lastra(&["serve", "-c", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(12));
    let message = text(&output.stderr);
    assert!(message.contains("line 2") && message.contains("did you mean `ae_title`"), "{message}");
}

#[test]
fn the_configuration_shows_where_each_value_comes_from() {
    let output = lastra(&["config", "show", "--origin", "--json", "--aet", "PACS1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let row = printed.lines().find(|line| line.contains("dicom.ae_title")).unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    assert_eq!((&row["value"], &row["origin"]), (&"\"PACS1\"".into(), &"flag --aet".into()));
}

#[tokio::test]
async fn one_folder_is_served_by_one_process() {
    let server = Server::start();
    let data = server.data();
    let data = data.to_str().unwrap();
    let output =
        lastra(&["serve", "--data", data, "--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(11), "{}", text(&output.stderr));
}

#[tokio::test]
async fn echo_and_send_reach_a_node_and_say_so() {
    let server = Server::start();
    let node = format!("LASTRA@{}", server.dicom);
    let output = lastra(&["echo", &node]);
    assert!(output.status.success(), "{}", text(&output.stderr));

    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies/mammo");
    let output = lastra(&["send", "--json", &node, samples]);
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(result["sent"].as_u64().unwrap() >= 2, "{result}");
    let found = server.json("/studies?ModalitiesInStudy=MG").await;
    assert_eq!(found.as_array().unwrap().len(), 1);

    assert_eq!(lastra(&["echo", "LASTRA@127.0.0.1:1"]).status.code(), Some(1));
}

#[tokio::test]
async fn check_finds_what_is_missing_changed_or_left_over() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=4).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    let data = server.data().to_str().unwrap().to_owned();
    let clean = lastra(&["check", "--hashes", "--data", &data]);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean.stdout));

    let mut blobs = server.instance_blobs();
    blobs.sort();
    std::fs::remove_file(&blobs[0]).unwrap();
    let mut bytes = std::fs::read(&blobs[1]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blobs[1], bytes).unwrap();
    let cut = std::fs::read(&blobs[2]).unwrap();
    std::fs::write(&blobs[2], &cut[..cut.len() - 10]).unwrap();
    // A key names its own folders, so the stray blob keeps the first digits of its neighbour's.
    let folders = &blobs[3].file_name().unwrap().to_str().unwrap()[..4];
    let orphan = blobs[3].with_file_name(format!("{folders}{}.dcm", "0".repeat(28)));
    std::fs::copy(&blobs[3], &orphan).unwrap();

    let found = lastra(&["check", "--hashes", "--grace", "0s", "--json", "--data", &data]);
    assert_eq!(found.status.code(), Some(6));
    let printed = text(&found.stdout);
    for finding in ["missing-blob", "changed-blob", "short-blob", "orphan"] {
        assert_eq!(printed.matches(&format!("\"finding\":\"{finding}\"")).count(), 1, "{printed}");
    }
}

#[tokio::test]
async fn check_finds_damage_in_the_bin_too() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=4).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    let study = objects[0].path().split("/series/").next().unwrap().to_owned();
    let deleted = client().delete(format!("{}{study}", server.dicomweb())).send().await.unwrap();
    assert!(deleted.status().is_success(), "{}", deleted.status());
    let clean = server.check(&["--hashes", "--grace", "0s"]);
    assert_eq!(
        (&clean["copies"], &clean["kept"], &clean["damaged"]),
        (&0.into(), &4.into(), &0.into())
    );
    assert_eq!(clean["orphans"], 0, "what lies in the bin is nobody's orphan");

    let mut blobs = server.instance_blobs();
    blobs.sort();
    std::fs::remove_file(&blobs[0]).unwrap();
    let mut bytes = std::fs::read(&blobs[1]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blobs[1], bytes).unwrap();
    let cut = std::fs::read(&blobs[2]).unwrap();
    std::fs::write(&blobs[2], &cut[..cut.len() - 10]).unwrap();
    let data = server.data().to_str().unwrap().to_owned();
    let found = lastra(&["check", "--hashes", "--json", "--data", &data]);
    assert_eq!(found.status.code(), Some(6));
    let printed = text(&found.stdout);
    let findings: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["what"] == "binned copy")
        .collect();
    let mut kinds: Vec<&str> =
        findings.iter().map(|finding| finding["finding"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["changed-blob", "missing-blob", "short-blob"], "{printed}");
    // Without hashes only what is gone or short shows.
    let quick = server.check(&[]);
    assert_eq!((&quick["kept"], &quick["damaged"]), (&4.into(), &2.into()));
}
