//! Other people's tools against our door: DCMTK and pynetdicom.

use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::time::Instant;

use super::door::Door;
use crate::support::objects::Object;
use crate::support::tools::python;

/// Runs a tool to its end. Blocks: the door needs another thread.
fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect(program)
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].iter().map(|text| String::from_utf8_lossy(text)).collect()
}

/// A file of pydicom's test data.
fn sample(name: &str) -> PathBuf {
    let venv = python().parent().unwrap().parent().unwrap().to_owned();
    let lib = std::fs::read_dir(venv.join("lib")).unwrap().next().unwrap().unwrap().path();
    lib.join("site-packages/pydicom/data/test_files").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn echoscu_is_answered_and_understands_a_rejection() {
    let door = Door::open_with(|settings| settings.accept_called = vec!["LASTRA".to_owned()]).await;
    let port = door.address.port().to_string();
    let good = run("echoscu", &["-aec", "LASTRA", "--repeat", "3", "127.0.0.1", &port]);
    assert!(good.status.success(), "{}", said(&good));
    let wrong = run("echoscu", &["-aec", "WRONG", "127.0.0.1", &port]);
    assert!(!wrong.status.success());
    assert!(said(&wrong).contains("Called AE Title Not Recognized"), "{}", said(&wrong));
    // All 128 contexts; and an abort instead of a release.
    let many = run("echoscu", &["-aec", "LASTRA", "-ppc", "128", "--abort", "127.0.0.1", &port]);
    assert!(many.status.success(), "{}", said(&many));
}

#[tokio::test(flavor = "multi_thread")]
async fn storescu_stores_real_files_and_stores_them_again() {
    let door = Door::open().await;
    let port = door.address.port().to_string();
    let files: Vec<String> = ["CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "test-SR.dcm"]
        .map(|name| sample(name).to_string_lossy().into_owned())
        .to_vec();
    for _ in 0..2 {
        let mut arguments = vec!["-v", "-R", "-aec", "LASTRA", "127.0.0.1", &port];
        arguments.extend(files.iter().map(String::as_str));
        let output = run("storescu", &arguments);
        assert!(output.status.success(), "{}", said(&output));
        let successes = said(&output).matches("Received Store Response (Success)").count();
        assert_eq!(successes, files.len(), "{}", said(&output));
    }
    assert_eq!(door.instances().await, 4);
}

/// DCMTK as Debian ships it holds small segments back until the last is acknowledged: where the
/// other side delays its acknowledgement, each object takes 40 ms.
#[tokio::test(flavor = "multi_thread")]
async fn a_stock_storescu_does_not_wait_for_delayed_acknowledgements() {
    const OBJECTS: u32 = 100;
    let door = Door::open().await;
    let folder = tempfile::tempdir().unwrap();
    let port = door.address.port().to_string();
    for instance in 1..=OBJECTS {
        let object = Object::ct("P1", 1, 1, instance);
        let path = folder.path().join(format!("{instance}.dcm"));
        std::fs::write(path, part10(&object)).unwrap();
    }
    let begun = Instant::now();
    let output = run(
        "storescu",
        &["-R", "-aec", "LASTRA", "+sd", "127.0.0.1", &port, &folder.path().to_string_lossy()],
    );
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(door.instances().await, u64::from(OBJECTS));
    let each_ms = begun.elapsed().as_millis() / u128::from(OBJECTS);
    assert!(each_ms < 30, "{each_ms} ms an object");
}

fn part10(object: &Object) -> Vec<u8> {
    use lastra::dicom::part10::MetaFields;
    use lastra::dicom::part10::write_prefix;
    use lastra::dicom::uid::Uid;
    let uid = |text: &str| Uid::parse(text).unwrap();
    let mut file = write_prefix(&MetaFields {
        sop_class: &uid(&object.sop_class),
        sop_instance: &uid(&object.sop_instance),
        transfer_syntax: &uid("1.2.840.10008.1.2.1"),
        source_ae: None,
    });
    file.extend_from_slice(&object.data_set());
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn pynetdicom_negotiates_everything_it_knows_and_stores() {
    let door = Door::open().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dimse/negotiate_all.py");
    let python = python().to_string_lossy().into_owned();
    let port = door.address.port().to_string();
    let file = sample("CT_small.dcm").to_string_lossy().into_owned();
    let output = run(&python, &[script, &port, &file]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(door.instances().await, 1);
}
