//! Killed at each step of ingest while `storescu` sends, then started again: what was acknowledged is
//! there byte for byte, nothing was overwritten, and no row is without its blob.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use lastra::archive::steps::Step;
use tempfile::TempDir;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::server::until;
use crate::support::stores::Stores;

on_both_stores! {
    while_the_bytes_of_a_large_object_come,
    before_a_blob_is_durable,
    between_blob_and_rows,
    between_rows_and_answer,
    after_a_resent_copy_is_removed,
    between_a_derived_blob_and_its_row,
    before_a_job_is_recorded_as_done,
}

async fn while_the_bytes_of_a_large_object_come(stores: Stores) {
    // The fifth object comes in pieces of at most 16 KiB, the four before it in one each.
    die_and_recover(stores, Step::PieceTaken, 300, 4).await;
}

async fn before_a_blob_is_durable(stores: Stores) {
    die_and_recover(stores, Step::AllTaken, 5, 4).await;
}

async fn between_blob_and_rows(stores: Stores) {
    for time in [1, 3, 4] {
        die_and_recover(stores, Step::BlobWritten, time, time - 1).await;
    }
}

async fn between_rows_and_answer(stores: Stores) {
    for time in [2, 3, 5] {
        die_and_recover(stores, Step::Committed, time, time - 1).await;
    }
}

async fn after_a_resent_copy_is_removed(stores: Stores) {
    die_and_recover(stores, Step::CopyRemoved, 1, 2).await;
}

async fn between_a_derived_blob_and_its_row(stores: Stores) {
    die_and_recover(stores, Step::DerivedWritten, 1, 6).await;
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
        large.number(0x0028_0010, 2560).number(0x0028_0011, 2560);
        large.bytes(0x7FE0_0010, b"OW", (0..2560 * 2560 * 2).map(|n| (n % 251) as u8).collect());
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

    /// Of the objects answered for, those a fetch by UID gives: the changed copy is kept beside.
    fn served(&self, acknowledged: usize) -> impl Iterator<Item = &Object> {
        let served = |(n, object): (usize, _)| (n != 2 && n != 3).then_some(object);
        self.objects.iter().take(acknowledged).enumerate().filter_map(served)
    }
}

/// Sends until the server dies at `step` for the `time`th time, which is after `acknowledged`
/// answers; then looks at what another process finds.
async fn die_and_recover(stores: Stores, step: Step, time: usize, acknowledged: usize) {
    let at = format!("{}:{time}", step.name());
    let mut server = stores.server_with(&[("LASTRA_DEBUG__STOP_AT", &at)]);
    let sending = Sending::new();
    assert_eq!(sending.storescu(&server), acknowledged, "{at}");
    assert_eq!(server.ended().await.signal(), Some(libc_abort()), "{at}");

    let server = server.kill_and_restart();
    expect_served(&server, sending.served(acknowledged), &at).await;
    // What was not acknowledged may be there, but then whole.
    for object in sending.served(sending.objects.len()) {
        let found = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
        if found.status() != 404 {
            assert_eq!(found.status(), 200, "{at}");
            let file = found.bytes().await.unwrap();
            assert!(data_set_of(&file) == object.data_set(), "{at}: {}", object.path());
        }
    }

    // The sender sends all again, as modalities do.
    assert_eq!(sending.storescu(&server), sending.objects.len(), "{at}");
    expect_served(&server, sending.served(sending.objects.len()), &at).await;
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 4, "{at}");
    let jobs = || async { server.metric("lastra_jobs_run_total").await >= 2.0 };
    until("thumbnail and metadata are made, by whoever", jobs).await;

    let mut server = server;
    assert!(server.stop().success());
    let checked = server.check(&["--hashes", "--sweep", "--grace", "0s"]);
    assert_eq!((&checked["damaged"], &checked["copies"]), (&0.into(), &5.into()), "{at}");
    assert!(checked["orphans"].as_u64().unwrap() <= 1, "{at}: {checked}");
    let again = server.check(&["--hashes", "--grace", "0s"]);
    assert_eq!((&again["damaged"], &again["orphans"]), (&0.into(), &0.into()), "{at}");
    // Four instances, and the changed copy of the second.
    assert_eq!(server.instance_blobs().len(), 5, "{at}");
}

async fn expect_served(server: &Server, objects: impl Iterator<Item = &Object>, at: &str) {
    for object in objects {
        let same = data_set_of(&server.file(&object.path()).await) == object.data_set();
        assert!(same, "{at}: {} has other bytes", object.path());
    }
}

fn libc_abort() -> i32 {
    rustix::process::Signal::ABORT.as_raw()
}
