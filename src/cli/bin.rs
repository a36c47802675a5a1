//! `lastra bin`: what was deleted, and its way back or out.

use std::sync::Arc;

use serde_json::json;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::cli::args::Bin;
use crate::cli::args::BinAction;
use crate::cli::args::BinPlace;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::clock::SharedClock;
use crate::clock::SystemClock;
use crate::dicom::uid::Uid;
use crate::model::path::Scope;
use crate::model::rejection::Reason;
use crate::server::app::Rooms;

/// Most studies listed.
const LISTED: u32 = 10_000;

/// Works on the archive the settings name; may run beside a server.
pub async fn run(bin: &Bin, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(bin.stores.config.as_deref(), &bin.stores.flags())?.settings;
    set_up_log(&settings.log)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let rooms = Rooms::open(&settings, &clock).await?;
    let access = rooms.archive.access();
    let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive)?;
    let done = act(&rooms.archive, &permit, &bin.action, output).await;
    rooms.close().await;
    done.map(|()| Exit::Done)
}

async fn act(
    archive: &Archive,
    permit: &Permit,
    action: &BinAction,
    output: Output,
) -> anyhow::Result<()> {
    let (what, count) = match action {
        BinAction::List => {
            for binned in archive.bin(permit, LISTED).await? {
                let (study, copies) = (&binned.study, binned.copies);
                let code = binned.reason.map(Reason::code);
                let why = binned.reason.map_or("deleted", Reason::meaning);
                let value = json!({
                    "study": study, "copies": copies, "deleted_us": binned.deleted_us,
                    "reason": code, "why": why,
                });
                output.result(&value, &format!("{study} {copies} {why}"));
            }
            return Ok(());
        }
        BinAction::Put(place) => ("deleted", archive.delete(permit, &scope(place)?).await?),
        BinAction::Restore { place, rejected } => {
            let restored = archive.restore(permit, &scope(place)?, *rejected).await;
            if let Err(error @ ArchiveError::Rejected(_)) = restored {
                anyhow::bail!("{error}; add --rejected to restore it all the same");
            }
            ("restored", restored?)
        }
        BinAction::Purge { older, rejected } => {
            let us = i64::try_from(older.as_micros()).unwrap_or(i64::MAX);
            ("purged", archive.purge(permit, us, *rejected).await?)
        }
    };
    output.result(&json!({ what: count }), &format!("{count} {what}"));
    Ok(())
}

fn scope(place: &BinPlace) -> anyhow::Result<Scope> {
    let uid = |text: &String| Uid::parse(text);
    Ok(Scope {
        study: uid(&place.study)?,
        series: place.series.as_ref().map(uid).transpose()?,
        instance: place.instance.as_ref().map(uid).transpose()?,
        patient: None,
    })
}
