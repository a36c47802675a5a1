//! `lastra import`: folders, zip files, media; a bad file is reported, never fatal; can be run again.

use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::ingest::Envelope;
use crate::cli::args::Import;
use crate::cli::exit::Exit;
use crate::cli::journal::Journal;
use crate::cli::object::Object;
use crate::cli::object::ObjectError;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::cli::serve::asked_to_stop;
use crate::cli::sources;
use crate::cli::sources::Item;
use crate::clock::SharedClock;
use crate::clock::SystemClock;
use crate::dicom::part10::Part10Error;
use crate::model::study::Outcome;
use crate::server::app::Rooms;

/// Files imported at once: enough to share index commits and file syncs.
const AT_ONCE: usize = 8;

/// What became of the items so far.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    stored: u64,
    already_here: u64,
    kept_beside: u64,
    rejected: u64,
    not_dicom: u64,
    failed: u64,
    done_before: u64,
    bytes: u64,
}

/// What became of one item.
enum Ended {
    Filed(Outcome, u64),
    NotDicom,
    Failed(String),
}

/// Imports into the archive the settings name; may run beside a server.
pub async fn run(import: &Import, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(import.stores.config.as_deref(), &import.stores.flags())?.settings;
    set_up_log(&settings.log)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let rooms = Rooms::open(&settings, &clock).await?;
    let permit =
        rooms.archive.access().permit(&Actor::Operator, Purpose::Operation, Subject::Storing)?;
    let mut journal = Journal::open(&settings.data).context("import journal")?;
    let mut tally = Tally::default();
    let found = sources::find(&import.paths, |path, trouble| {
        tally.failed += 1;
        report(output, &path.display().to_string(), trouble);
    });
    let (before, items): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|item| !import.again && journal.has(item));
    tally.done_before = before.len() as u64;

    let imported = import_all(&rooms.archive, &permit, items, &mut journal, &mut tally, output);
    let interrupted = tokio::select! {
        ended = imported => ended.map(|()| false),
        asked = asked_to_stop() => asked.map(|()| true),
    };
    rooms.close().await;
    let interrupted = interrupted?;
    summary(&tally, interrupted, output);
    Ok(match (interrupted, tally.failed) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::SomeFailed,
    })
}

async fn import_all(
    archive: &Archive,
    permit: &Permit,
    items: Vec<Item>,
    journal: &mut Journal,
    tally: &mut Tally,
    output: Output,
) -> anyhow::Result<()> {
    let bar = output.progress("Importing", items.len() as u64);
    let mut ended = stream::iter(items)
        .map(|item| async move { (import_one(archive, permit, &item).await, item) })
        .buffer_unordered(AT_ONCE);
    while let Some((end, item)) = ended.next().await {
        match end? {
            Ended::Filed(outcome, bytes) => {
                tally.bytes += bytes;
                match outcome {
                    Outcome::Stored => tally.stored += 1,
                    Outcome::AlreadyHere => tally.already_here += 1,
                    Outcome::KeptBeside => tally.kept_beside += 1,
                    Outcome::Rejected => tally.rejected += 1,
                    // The archive gives an error instead.
                    Outcome::Refused(_) => tally.failed += 1,
                }
                journal.add(&item).context("import journal")?;
            }
            Ended::NotDicom => {
                tally.not_dicom += 1;
                journal.add(&item).context("import journal")?;
            }
            Ended::Failed(reason) => {
                tally.failed += 1;
                bar.suspend(|| report(output, &item.to_string(), &reason));
            }
        }
        bar.set_message(format!("{} failed", tally.failed));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Imports one item. `Err` only when the archive itself cannot go on.
async fn import_one(archive: &Archive, permit: &Permit, item: &Item) -> anyhow::Result<Ended> {
    let mut object = match Object::open(item).await {
        Ok(object) => object,
        Err(ObjectError::NotDicom(_) | ObjectError::Prefix(Part10Error::NotDicom)) => {
            return Ok(Ended::NotDicom);
        }
        Err(error) => return Ok(Ended::Failed(error.to_string())),
    };
    let envelope = Envelope {
        transfer_syntax: object.transfer_syntax.clone(),
        // A file's own meta header is kept as it is, and does not bind the data set.
        sop_class: object.sop_class.clone().filter(|_| object.prefix.is_none()),
        sop_instance: object.sop_instance.clone().filter(|_| object.prefix.is_none()),
        ae_title: None,
        source: "import".to_owned(),
        prefix: object.prefix.clone(),
    };
    let mut receiving = archive.receive(permit, envelope)?;
    loop {
        match object.next().await {
            Ok(Some(piece)) => {
                if let Err(error) = receiving.write(piece).await {
                    return of_archive(error);
                }
            }
            Ok(None) => break,
            Err(error) => return Ok(Ended::Failed(error.to_string())),
        }
    }
    match receiving.finish().await {
        Ok(receipt) => Ok(Ended::Filed(receipt.outcome, receipt.data_set_bytes)),
        Err(error) => of_archive(error),
    }
}

/// What is wrong with a file is the file's failure; what is wrong with a store ends the import.
fn of_archive(error: ArchiveError) -> anyhow::Result<Ended> {
    match error {
        ArchiveError::Blobs(_) | ArchiveError::Index(_) | ArchiveError::Stopping => {
            Err(error.into())
        }
        error => Ok(Ended::Failed(error.to_string())),
    }
}

fn report(output: Output, path: &str, reason: &str) {
    if output.json {
        output.result(&json!({ "path": path, "error": reason }), "");
    } else {
        output.say(&format!("{path}: {reason}"));
    }
}

fn summary(tally: &Tally, interrupted: bool, output: Output) {
    let value = json!({
        "stored": tally.stored, "already_here": tally.already_here,
        "kept_beside": tally.kept_beside, "rejected": tally.rejected, "not_dicom": tally.not_dicom,
        "failed": tally.failed, "done_before": tally.done_before, "bytes": tally.bytes,
        "interrupted": interrupted,
    });
    let mut text = format!(
        "{} stored, {} here already, {} kept beside others, {} not DICOM, {} failed",
        tally.stored, tally.already_here, tally.kept_beside, tally.not_dicom, tally.failed
    );
    if tally.rejected > 0 {
        text = format!("{text}, {} rejected by notes and put into the bin", tally.rejected);
    }
    if tally.done_before > 0 {
        text = format!("{text}, {} done before (--again imports them too)", tally.done_before);
    }
    if interrupted {
        text.push_str("; interrupted: run the same command again to go on");
    }
    output.result(&value, &text);
}
