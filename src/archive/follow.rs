//! The change feed brought to its followers: how far each has been served is a row, and each look at
//! the feed is a job of the queue, on one node at a time.
//!
//! What is not accepted is tried again, later and later, from the same change on: every change comes at
//! least once and in order, restarts or not.

use async_trait::async_trait;

use crate::access::actor::{Actor, Purpose};
use crate::access::permit::{Permit, Subject};
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::model::event::{Event, Follower};
use crate::model::job::{JobKind, NewJob};

/// Changes of one delivery.
const PAGE: u32 = 100;

/// Deliveries of one job; then others get their turn.
const PAGES: u32 = 20;

/// Time between two looks at a feed nothing was found in.
const LOOK_US: i64 = 1_000_000;

/// The longest time until a failed delivery is tried again.
const LONGEST_PAUSE_US: i64 = 3600 * 1_000_000;

/// Whoever changes are brought to.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Brings changes; `Err` says why they were not accepted, fit for a log.
    async fn receive(&self, permit: &Permit, changes: &[Event]) -> Result<(), String>;
}

impl Archive {
    /// Begins to serve a follower, or looks at once where it has begun.
    pub async fn follow(&self, kind: JobKind, name: &str) -> Result<(), ArchiveError> {
        self.follower(&self.follows()?, name).await?;
        self.follow_again(kind, name, 0).await
    }

    /// One job: brings what is new, and queues the next look.
    pub async fn serve(
        &self,
        kind: JobKind,
        name: &str,
        receiver: &dyn Receiver,
    ) -> Result<(), ArchiveError> {
        let permit = self.follows()?;
        let mut follower = self.follower(&permit, name).await?;
        for _ in 0..PAGES {
            let changes = self.changes(&permit, follower.sequence, PAGE).await?;
            let Some(last) = changes.last() else {
                return self.follow_again(kind, name, LOOK_US).await;
            };
            let sequence = last.sequence;
            if let Err(reason) = receiver.receive(&permit, &changes).await {
                return self.refused(kind, &permit, follower, &reason).await;
            }
            follower = Follower { sequence, failures: 0, ..follower };
            self.put_follower(&permit, &follower).await?;
        }
        self.follow_again(kind, name, 0).await
    }

    /// Tries again after 2, 4, 8 … seconds, an hour at most, for as long as it takes.
    async fn refused(
        &self,
        kind: JobKind,
        permit: &Permit,
        mut follower: Follower,
        reason: &str,
    ) -> Result<(), ArchiveError> {
        follower.failures = follower.failures.saturating_add(1);
        let (name, failures) = (&follower.name, follower.failures);
        tracing::warn!(kind = kind.as_str(), name, failures, reason, "changes were not accepted");
        self.put_follower(permit, &follower).await?;
        let pause_us = (1_i64 << follower.failures.min(20)) * 1_000_000;
        self.follow_again(kind, &follower.name, pause_us.min(LONGEST_PAUSE_US)).await
    }

    async fn follow_again(
        &self,
        kind: JobKind,
        name: &str,
        delay_us: i64,
    ) -> Result<(), ArchiveError> {
        let run_us = self.inner.clock.now_us().saturating_add(delay_us);
        let job = NewJob { kind, subject: name.to_owned(), run_us };
        Ok(self.inner.index.enqueue(&[job]).await?)
    }

    fn follows(&self) -> Result<Permit, ArchiveError> {
        let permit = self.access().permit(&Actor::System, Purpose::Operation, Subject::Archive);
        permit.map_err(|_| ArchiveError::Denied)
    }
}
