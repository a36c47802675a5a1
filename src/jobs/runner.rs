//! Claims due jobs and runs them, a bounded number at once, until told to stop.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SharedClock;
use crate::index::port::SharedIndex;
use crate::model::job::Job;

/// How jobs run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Jobs run at once; 0 means as many as there are cores.
    pub at_once: u32,
    /// Milliseconds between looks at an empty queue.
    pub poll_ms: u64,
    /// Seconds a claimed job is this node's; after that another may take it.
    pub lease_s: u32,
    /// Times a job is tried before it is set aside.
    pub attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { at_once: 0, poll_ms: 500, lease_s: 600, attempts: 8 }
    }
}

/// Does one job; `Err` holds the reason, fit for a log.
pub type Work = Arc<dyn Fn(Job) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Claims jobs and runs them.
pub struct Runner {
    settings: Settings,
    /// This node's name in the leases.
    worker: String,
    index: SharedIndex,
    clock: SharedClock,
    work: Work,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("worker", &self.worker).finish_non_exhaustive()
    }
}

/// Time between two counts of the queue.
const TOLD_EVERY: Duration = Duration::from_secs(10);

impl Runner {
    /// A runner; `worker` names this node, unlike any other.
    pub fn new(
        settings: Settings,
        worker: String,
        index: SharedIndex,
        clock: SharedClock,
        work: Work,
    ) -> Self {
        Self { settings, worker, index, clock, work }
    }

    /// Runs until `stop`; then waits for the jobs under way.
    pub async fn run(self, stop: CancellationToken) {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = match self.settings.at_once {
            0 => cores,
            at_once => at_once as usize,
        };
        let runner = Arc::new(self);
        let places = Arc::new(Semaphore::new(at_once));
        let under_way = TaskTracker::new();
        let mut told: Option<Instant> = None;
        while !stop.is_cancelled() {
            if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                runner.tell().await;
                told = Some(Instant::now());
            }
            let claimed = runner.claim(&places).await;
            let idle = claimed.is_empty();
            for job in claimed {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let runner = Arc::clone(&runner);
                under_way.spawn(async move {
                    runner.run_one(job).await;
                    drop(place);
                });
            }
            let pause = Duration::from_millis(if idle { runner.settings.poll_ms } else { 0 });
            let wait = async {
                tokio::time::sleep(pause).await;
                // Claim only what can begin now: a claimed job that waits wears out its lease.
                let _ = places.acquire().await;
            };
            tokio::select! { () = stop.cancelled() => {}, () = wait => {} }
        }
        under_way.close();
        under_way.wait().await;
    }

    /// How long the queue is.
    async fn tell(&self) {
        let Ok((waiting, set_aside)) = self.index.job_counts().await else { return };
        for (state, count) in [("waiting", waiting), ("set_aside", set_aside)] {
            let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            metrics::gauge!("lastra_jobs", "state" => state).set(count);
        }
    }

    async fn claim(&self, places: &Semaphore) -> Vec<Job> {
        let free = u32::try_from(places.available_permits()).unwrap_or(u32::MAX);
        let lease_us = i64::from(self.settings.lease_s) * 1_000_000;
        let claimed =
            self.index.claim_jobs(&self.worker, self.clock.now_us(), lease_us, free).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "jobs cannot be claimed");
            Vec::new()
        })
    }

    async fn run_one(&self, job: Job) {
        let kind = job.kind.as_str();
        let done = (self.work)(job.clone()).await;
        metrics::counter!("lastra_jobs_run_total", "kind" => kind, "result" => if done.is_ok() { "done" } else { "failed" })
            .increment(1);
        let recorded = match done {
            Ok(()) => self.index.finish_job(&self.worker, &job).await,
            Err(reason) => {
                tracing::warn!(job = job.id, kind, attempt = job.attempts, reason, "job failed");
                let again = (job.attempts < self.settings.attempts).then(|| self.again_us(&job));
                self.index.fail_job(&self.worker, &job, again, &reason).await
            }
        };
        if let Err(error) = recorded {
            // Its lease runs out and it is done again: jobs are idempotent.
            tracing::warn!(job = job.id, kind, %error, "job's end cannot be recorded");
        }
    }

    /// When a failed job is tried again: after 2, 4, 8 … seconds, an hour at most.
    fn again_us(&self, job: &Job) -> i64 {
        let seconds = 1_i64 << job.attempts.min(12);
        self.clock.now_us() + seconds.min(3600) * 1_000_000
    }
}
