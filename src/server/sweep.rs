//! Now and then removes the blobs that crashes left without a row, and purges the bin.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::archive::Settings;

/// The first sweep comes so long after the start: a server that is starting has better things to do.
const FIRST: Duration = Duration::from_secs(600);

const DAY_US: i64 = 24 * 3_600_000_000;

/// Sweeps until `stop`.
pub async fn run(archive: Archive, settings: Settings, stop: CancellationToken) {
    if settings.sweep_every_h == 0 {
        return;
    }
    let every = Duration::from_secs(u64::from(settings.sweep_every_h) * 3600);
    let grace_us = i64::from(settings.sweep_grace_h) * 3_600_000_000;
    let mut pause = FIRST.min(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = every;
        let permit = archive.access().permit(&Actor::System, Purpose::Operation, Subject::Archive);
        let Ok(permit) = permit else { continue };
        if settings.bin_days > 0 {
            match archive.purge(&permit, i64::from(settings.bin_days) * DAY_US, false).await {
                Ok(purged) => tracing::info!(purged, "copies purged from the bin"),
                Err(error) => tracing::warn!(%error, "the bin cannot be purged"),
            }
        }
        if let Err(error) = archive.forget_commitments(&permit).await {
            tracing::warn!(%error, "old results of storage commitment cannot be forgotten");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            swept = archive.sweep(&permit, grace_us) => match swept {
                Ok(removed) => tracing::info!(removed, "blobs without a row swept"),
                Err(error) => tracing::warn!(%error, "blobs without a row cannot be swept"),
            },
        }
    }
}
