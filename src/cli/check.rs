//! `lastra check`: rows against blobs and hashes.

use std::sync::Arc;

use serde_json::json;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Subject;
use crate::archive::integrity::CheckOptions;
use crate::archive::integrity::Damage;
use crate::archive::integrity::Finding;
use crate::cli::args::Check;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::clock::SharedClock;
use crate::clock::SystemClock;
use crate::server::app::Rooms;

/// Checks the archive the settings name; may run beside a server.
pub async fn run(check: &Check, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(check.stores.config.as_deref(), &check.stores.flags())?.settings;
    set_up_log(&settings.log)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let rooms = Rooms::open(&settings, &clock).await?;
    let access = rooms.archive.access();
    let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive)?;
    let totals = rooms.archive.totals().await?;
    let bar = output.progress("Checking", totals.instances);
    let options = CheckOptions {
        hashes: check.hashes,
        grace_us: i64::try_from(check.grace.as_micros()).unwrap_or(i64::MAX),
        sweep: check.sweep,
    };
    let tell = |progress: &crate::archive::integrity::Progress, finding: Option<&Finding>| {
        bar.set_position(progress.copies);
        if let Some(finding) = finding {
            let (value, text) = described(finding);
            bar.suspend(|| output.result(&value, &text));
        }
    };
    let ended = rooms.archive.check(&permit, options, tell).await;
    bar.finish_and_clear();
    rooms.close().await;
    let seen = ended?;
    let value = json!({
        "copies": seen.copies, "bytes_hashed": if check.hashes { seen.bytes } else { 0 },
        "kept": seen.kept, "blobs": seen.blobs, "damaged": seen.damaged, "orphans": seen.orphans,
    });
    let text = format!(
        "{} copies, {} documents and binned copies and {} blobs checked: {} damaged, {} orphans{}",
        seen.copies,
        seen.kept,
        seen.blobs,
        seen.damaged,
        seen.orphans,
        if check.sweep && seen.orphans > 0 { " (removed)" } else { "" },
    );
    output.result(&value, &text);
    let found = seen.damaged > 0 || (seen.orphans > 0 && !check.sweep);
    Ok(if found { Exit::Findings } else { Exit::Done })
}

fn described(finding: &Finding) -> (serde_json::Value, String) {
    let (kind, text) = match finding {
        Finding::MissingBlob { .. } | Finding::Kept { damage: Damage::Missing, .. } => {
            ("missing-blob", "its blob is missing")
        }
        Finding::ShortBlob { .. } | Finding::Kept { damage: Damage::Short, .. } => {
            ("short-blob", "its blob is shorter than it was")
        }
        Finding::ChangedBlob { .. } | Finding::Kept { damage: Damage::Changed, .. } => {
            ("changed-blob", "its blob's hash is not what it was")
        }
        Finding::Orphan { removed: true, .. } => ("orphan", "named by no row: removed"),
        Finding::Orphan { removed: false, .. } => ("orphan", "named by no row"),
    };
    match finding {
        Finding::MissingBlob { copy, key }
        | Finding::ShortBlob { copy, key }
        | Finding::ChangedBlob { copy, key } => (
            json!({ "finding": kind, "copy": copy, "blob": key }),
            format!("copy {copy}: {text} ({key})"),
        ),
        Finding::Kept { kind: what, id, key, .. } => (
            json!({ "finding": kind, "what": what.as_str(), "id": id, "blob": key }),
            format!("{} {id}: {text} ({key})", what.as_str()),
        ),
        Finding::Orphan { key, bytes, removed } => (
            json!({ "finding": kind, "blob": key, "bytes": bytes, "removed": removed }),
            format!("blob {key}, {bytes} bytes: {text}"),
        ),
    }
}
