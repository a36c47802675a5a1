//! Killed at each step of ingest while `storescu` sends, then started again: what was acknowledged is
//! there byte for byte, what was not is absent or whole, nothing was overwritten, and no row is
//! without its blob.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use lastra::steps::Step;
use tempfile::TempDir;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::server::until;
use crate::support::stores::Stores;

on_both_stores! {
    while_a_blob_is_begun_and_empty,
    while_the_bytes_of_a_large_object_come,
    before_a_blob_is_durable,
    between_blob_and_rows,
    before_the_rows_are_committed,
    between_rows_and_answer,
    after_a_resent_copy_is_removed,
    after_an_answer,
    between_a_derived_blob_and_its_row,
    before_a_job_is_recorded_as_done,
}

/// Place of the large object among those sent, from 1.
const LARGE: usize = 5;

async fn while_a_blob_is_begun_and_empty(stores: Stores) {
    match stores {
        Stores::Embedded => {
            for time in [1, LARGE] {
                die_and_recover(stores, Step::BlobBegun, time, time - 1).await;
            }
        }
        // The others go in one request.
        Stores::Scaled => die_and_recover(stores, Step::BlobBegun, 1, LARGE - 1).await,
    }
}

async fn while_the_bytes_of_a_large_object_come(stores: Stores) {
    die_and_recover(stores, Step::BytesWritten, 1, LARGE - 1).await;
}

async fn before_a_blob_is_durable(stores: Stores) {
    for time in [2, LARGE] {
        die_and_recover(stores, Step::AllWritten, time, time - 1).await;
    }
    if stores == Stores::Embedded {
        die_and_recover(stores, Step::FileSynced, 2, 1).await;
    }
}

async fn between_blob_and_rows(stores: Stores) {
    for time in [1, 3, 4] {
        die_and_recover(stores, Step::BlobDurable, time, time - 1).await;
    }
}

async fn before_the_rows_are_committed(stores: Stores) {
    for time in [1, 4] {
        die_and_recover(stores, Step::RowsEntered, time, time - 1).await;
    }
}

async fn between_rows_and_answer(stores: Stores) {
    for time in [2, 3, 4] {
        die_and_recover(stores, Step::Committed, time, time - 1).await;
    }
}

async fn after_a_resent_copy_is_removed(stores: Stores) {
    die_and_recover(stores, Step::CopyRemoved, 1, 2).await;
}

async fn after_an_answer(stores: Stores) {
    for time in [1, LARGE] {
        die_and_recover(stores, Step::Answered, time, time).await;
    }
}

async fn between_a_derived_blob_and_its_row(stores: Stores) {
    die_and_recover(stores, Step::DerivedDurable, 1, 6).await;
}

async fn before_a_job_is_recorded_as_done(stores: Stores) {
    die_and_recover(stores, Step::DerivedEntered, 2, 6).await;
}

/// What is sent, in this order.
struct Sending {
    folder: TempDir,
    objects: Vec<Object>,
}

impl Sending {
    fn new() -> Self {
        let (first, second) = (Object::ct("P1", 1, 1, 1), Object::ct("P1", 1, 1, 2));
        let mut changed = second.clone();
        changed.text(0x0008_103E, b"LO", "other bytes under a known UID");
        let mut large = Object::ct("P1", 1, 1, 3);
        large.number(0x0028_0010, 2048).number(0x0028_0011, 2048);
        large.bytes(
            0x7FE0_0010,
            b"OW",
            (0..2048 * 2048 * 2_u32).map(|n| (n % 251) as u8).collect(),
        );
        let last = Object::ct("P1", 1, 1, 4);
        let objects = vec![first.clone(), second, first, changed, large, last];
        let folder = tempfile::tempdir().unwrap();
        for (n, object) in objects.iter().enumerate() {
            std::fs::write(folder.path().join(format!("{n}.dcm")), object.file()).unwrap();
        }
        Self { folder, objects }
    }

    /// Sends all over one association; how many were acknowledged, which are the first ones.
    fn storescu(&self, server: &Server) -> usize {
        let files: Vec<PathBuf> =
            (0..self.objects.len()).map(|n| self.folder.path().join(format!("{n}.dcm"))).collect();
        let output = Command::new("storescu")
            .args(["-v", "-R", "-xe", "-aec", "LASTRA", "127.0.0.1"])
            .arg(server.dicom.port().to_string())
            .args(files)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("Store Response (Refused") && !said.contains("(Error"), "{said}");
        said.matches("Received Store Response (Success)").count()
    }

    /// Those a fetch by UID gives once all are stored: the changed copy is kept beside.
    fn served(&self) -> impl Iterator<Item = (usize, &Object)> {
        self.objects.iter().enumerate().filter(|(n, _)| *n != 2 && *n != 3)
    }
}

/// Sends until the server dies at `step` for the `time`th time, which is after `acknowledged`
/// answers; then looks at what another process finds.
async fn die_and_recover(stores: Stores, step: Step, time: usize, acknowledged: usize) {
    let at = format!("{}:{time}", step.name());
    let derives = matches!(step, Step::DerivedDurable | Step::DerivedEntered);
    let quiet = if derives { "2" } else { "3600" };
    let environment = [
        ("LASTRA_ARCHIVE__QUIET_S", quiet),
        ("LASTRA_JOBS__LEASE_S", "1"),
        ("LASTRA_STOP_AT", &at),
    ];
    let mut server = stores.server_with(&environment);
    let sending = Sending::new();
    assert_eq!(sending.storescu(&server), acknowledged, "{at}");
    let aborted = rustix::process::Signal::ABORT.as_raw();
    assert_eq!(server.ended().await.signal(), Some(aborted), "{at}");

    let server = server.restart();
    let found = whole_or_absent(&server, &sending, &at).await;
    assert!(found >= sending.served().filter(|(n, _)| *n < acknowledged).count(), "{at}");
    for (_, object) in sending.served().filter(|(n, _)| *n < acknowledged) {
        assert!(is_served(&server, object, &at).await, "{at}: {} is lost", object.path());
    }

    // The sender sends all again, as modalities do.
    assert_eq!(sending.storescu(&server), sending.objects.len(), "{at}");
    assert_eq!(whole_or_absent(&server, &sending, &at).await, 4, "{at}");
    if derives {
        let ran = || async { server.metric("lastra_jobs_run_total").await >= 1.0 };
        until("the job that was cut off is done again", ran).await;
        let series = format!("/studies/{0}/series/{0}.1", sending.objects[0].study);
        let thumbnail = server.get_as(&format!("{series}/thumbnail"), "image/jpeg").await;
        assert_eq!(thumbnail.status(), 200, "{at}");
        let metadata = server.json(&format!("{series}/metadata")).await;
        assert_eq!(metadata.as_array().unwrap().len(), 4, "{at}");
    }
    nothing_is_left_over(server, &at);
}

/// Everything the archive shows is whole, on every level; the number of its instances.
async fn whole_or_absent(server: &Server, sending: &Sending, at: &str) -> usize {
    let listed = server.json("/instances").await;
    let listed: BTreeSet<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["00080018"]["Value"][0].as_str().unwrap())
        .collect();
    for (_, object) in sending.served() {
        let served = is_served(server, object, at).await;
        assert_eq!(served, listed.contains(&*object.sop_instance), "{at}: {}", object.path());
    }
    let studies = server.json("/studies").await;
    let counted: u64 = studies
        .as_array()
        .unwrap()
        .iter()
        .map(|study| study["00201208"]["Value"][0].as_u64().unwrap())
        .sum();
    assert_eq!(counted, listed.len() as u64, "{at}");
    assert_eq!(studies.as_array().unwrap().is_empty(), listed.is_empty(), "{at}");
    listed.len()
}

/// Whether an object is there, with the bytes that were sent; other bytes fail the test.
async fn is_served(server: &Server, object: &Object, at: &str) -> bool {
    let found = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
    if found.status() == 404 {
        return false;
    }
    assert_eq!(found.status(), 200, "{at}");
    let same = data_set_of(&found.bytes().await.unwrap()) == object.data_set();
    assert!(same, "{at}: {} has other bytes", object.path());
    true
}

/// One sweep removes what the crash left, and nothing else.
fn nothing_is_left_over(mut server: Server, at: &str) {
    assert!(server.stop().success());
    let checked = server.check(&["--hashes", "--sweep", "--grace", "0s"]);
    assert_eq!((&checked["damaged"], &checked["copies"]), (&0.into(), &5.into()), "{at}");
    assert!(checked["orphans"].as_u64().unwrap() <= 1, "{at}: {checked}");
    let again = server.check(&["--hashes", "--grace", "0s"]);
    assert_eq!((&again["damaged"], &again["orphans"]), (&0.into(), &0.into()), "{at}");
    // Four instances, and the changed copy of the second.
    assert_eq!(server.instance_blobs().len(), 5, "{at}");
}
