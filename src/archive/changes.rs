//! The change feed: what happened, in commit order, and how far its followers have read.

use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::model::event::Event;
use crate::model::event::Follower;

impl Archive {
    /// Events after `sequence`, oldest first, at most `limit`.
    pub async fn changes(
        &self,
        permit: &Permit,
        sequence: i64,
        limit: u32,
    ) -> Result<Vec<Event>, ArchiveError> {
        may_follow(permit)?;
        Ok(self.inner.index.events(sequence, limit).await?)
    }

    /// Sequence of the newest event; 0 when nothing happened yet.
    pub async fn newest_change(&self, permit: &Permit) -> Result<i64, ArchiveError> {
        may_follow(permit)?;
        Ok(self.inner.index.newest_event().await?)
    }

    /// How far a follower has read; one seen first begins with what happens from now on.
    pub async fn follower(&self, permit: &Permit, name: &str) -> Result<Follower, ArchiveError> {
        may_follow(permit)?;
        if let Some(follower) = self.inner.index.follower(name).await? {
            return Ok(follower);
        }
        let sequence = self.inner.index.newest_event().await?;
        let follower = Follower { name: name.to_owned(), sequence, failures: 0 };
        self.inner.index.put_follower(&follower).await?;
        Ok(follower)
    }

    /// Records how far a follower has read.
    pub async fn put_follower(
        &self,
        permit: &Permit,
        follower: &Follower,
    ) -> Result<(), ArchiveError> {
        may_follow(permit)?;
        Ok(self.inner.index.put_follower(follower).await?)
    }
}

fn may_follow(permit: &Permit) -> Result<(), ArchiveError> {
    if *permit.subject() == Subject::Archive { Ok(()) } else { Err(ArchiveError::Denied) }
}
