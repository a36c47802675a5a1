//! Deleting: into the bin, back out of it, and for good once it has lain there long enough.
//!
//! The bytes of what lies in the bin stay where they are, named by its rows. Purging forgets the
//! rows' content first and deletes the blobs then: a crash between the two leaves blobs no row
//! names, which the sweep removes.

use crate::access::permit::{Permit, Subject};
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::scope::unknown;
use crate::index::port::Binned;
use crate::model::path::Scope;

/// Copies purged in one transaction.
const PURGED_AT_ONCE: u32 = 256;

impl Archive {
    /// Puts a study, series or instance into the bin; gives the number of instances.
    pub async fn delete(&self, permit: &Permit, scope: &Scope) -> Result<u64, ArchiveError> {
        may_delete(permit)?;
        let scope = self.resolve(permit, scope).await?;
        let deleted = self.inner.index.delete(&scope, self.inner.clock.now_us()).await?;
        if deleted == 0 { Err(unknown(&scope)) } else { Ok(deleted) }
    }

    /// Takes what of a scope lies in the bin out of it; gives the number of copies. What rejection
    /// notes put there stays, so that undoing a mistake never brings back what may harm; with
    /// `rejected` it comes too, and those notes count no more for it. `Rejected` when there is
    /// nothing else.
    pub async fn restore(
        &self,
        permit: &Permit,
        scope: &Scope,
        rejected: bool,
    ) -> Result<u64, ArchiveError> {
        may_delete(permit)?;
        let index = &self.inner.index;
        let jobs = self.inner.settings.jobs();
        let restored = index.restore(scope, rejected, &jobs, self.inner.clock.now_us()).await?;
        if restored > 0 {
            return Ok(restored);
        }
        match index.rejected_for(scope).await? {
            Some(reason) => Err(ArchiveError::Rejected(reason)),
            None => Err(unknown(scope)),
        }
    }

    /// Deletes for good what was deleted, or expired, and has lain in the bin for `us`; with
    /// `rejected` also what notes reject for other reasons. Gives the number of copies.
    pub async fn purge(
        &self,
        permit: &Permit,
        us: i64,
        rejected: bool,
    ) -> Result<u64, ArchiveError> {
        may_delete(permit)?;
        let before_us = self.inner.clock.now_us().saturating_sub(us);
        let mut purged = 0;
        loop {
            let keys = self.inner.index.purge(before_us, rejected, PURGED_AT_ONCE).await?;
            if keys.is_empty() {
                return Ok(purged);
            }
            for key in &keys {
                self.inner.blobs.delete(key).await?;
            }
            purged += keys.len() as u64;
        }
    }

    /// The studies that have something in the bin, and why, last deleted first.
    pub async fn bin(&self, permit: &Permit, limit: u32) -> Result<Vec<Binned>, ArchiveError> {
        may_delete(permit)?;
        Ok(self.inner.index.bin(limit).await?)
    }

    /// Whether a study, series or instance that is not here was, and was deleted.
    pub async fn was_deleted(&self, permit: &Permit, scope: &Scope) -> Result<bool, ArchiveError> {
        if !permit.covers_study(&scope.study) {
            return Err(ArchiveError::Denied);
        }
        Ok(self.inner.index.was_deleted(scope).await?)
    }
}

fn may_delete(permit: &Permit) -> Result<(), ArchiveError> {
    if permit.subject() == &Subject::Archive { Ok(()) } else { Err(ArchiveError::Denied) }
}
