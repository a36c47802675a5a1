//! The port over one database.

use std::time::Duration;

use async_trait::async_trait;

use crate::dicom::uid::Uid;
use crate::index::error::IndexError;
use crate::index::port::Binned;
use crate::index::port::CopyRow;
use crate::index::port::Derived;
use crate::index::port::DerivedKind;
use crate::index::port::Extension;
use crate::index::port::Index;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::index::port::Totals;
use crate::index::query::Found;
use crate::index::query::Query;
use crate::model::commitment::Commitment;
use crate::model::event::Event;
use crate::model::event::Follower;
use crate::model::job::Job;
use crate::model::job::JobKind;
use crate::model::job::NewJob;
use crate::model::path::Scope;
use crate::model::rejection::Reason;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;
use crate::people::patient_id::PatientId;
use crate::steps::Step;
use crate::steps::come_to;

use super::bin;
use super::commitment;
use super::dialect::Db;
use super::dialect::begin;
use super::dialect::close;
use super::dialect::failed;
use super::dialect::is_worth_a_retry;
use super::events;
use super::extended;
use super::jobs;
use super::records;
use super::search;
use super::secret;
use super::store;
use super::tail::Tail;

/// Times a transaction is tried that lost against others (serialization failure, deadlock).
const TRIES: u32 = 32;

/// Rows in one database.
#[derive(Debug)]
pub struct Adapter {
    /// For what changes rows.
    pub(super) write: sqlx::Pool<Db>,
    /// For what only reads.
    pub(super) read: sqlx::Pool<Db>,
    /// How long a search may look through rows.
    pub(super) search_within: Duration,
}

#[async_trait]
impl Index for Adapter {
    async fn store(
        &self,
        instances: &[NewInstance],
        new_jobs: &[(JobKind, i64)],
        now_us: i64,
    ) -> Result<Vec<Outcome>, IndexError> {
        if instances.is_empty() {
            return Ok(Vec::new());
        }
        let mut tries = 1;
        loop {
            let mut tx = begin(&self.write).await?;
            let stored = match store::store(&mut tx, instances, new_jobs, now_us).await {
                Ok(outcomes) => {
                    come_to(Step::RowsEntered);
                    tx.commit().await.map_err(failed).map(|()| outcomes)
                }
                Err(error) => Err(error),
            };
            match stored {
                Err(error) if is_worth_a_retry(&error) && tries < TRIES => tries += 1,
                stored => return stored,
            }
        }
    }

    async fn find(&self, query: &Query) -> Result<Vec<Found>, IndexError> {
        search::find(&self.read, query, self.search_within).await
    }

    async fn count(&self, query: &Query, at_most: u32) -> Result<u32, IndexError> {
        search::count(&self.read, query, at_most, self.search_within).await
    }

    async fn patients_of_study(&self, study: &str) -> Result<Vec<PatientId>, IndexError> {
        records::patients_of_study(&self.read, study).await
    }

    async fn locate(&self, scope: &Scope) -> Result<Option<Located>, IndexError> {
        records::locate(&self.read, scope).await
    }

    async fn list(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Located>, IndexError> {
        records::list(&self.read, scope, after, limit).await
    }

    async fn series_of(&self, scope: &Scope) -> Result<Vec<SeriesState>, IndexError> {
        records::series_of(&self.read, scope).await
    }

    async fn series(&self, id: i64) -> Result<Option<SeriesState>, IndexError> {
        records::series(&self.read, id).await
    }

    async fn put_derived(&self, derived: &Derived) -> Result<Option<String>, IndexError> {
        let mut tx = begin(&self.write).await?;
        let replaced = records::put_derived(&mut tx, derived).await?;
        tx.commit().await.map_err(failed)?;
        Ok(replaced)
    }

    async fn derived(
        &self,
        series_id: i64,
        kind: DerivedKind,
    ) -> Result<Option<Derived>, IndexError> {
        records::derived(&self.read, series_id, kind).await
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, IndexError> {
        events::after(&self.read, after, limit).await
    }

    async fn newest_event(&self) -> Result<i64, IndexError> {
        events::newest(&self.read).await
    }

    async fn follower(&self, name: &str) -> Result<Option<Follower>, IndexError> {
        events::follower(&self.read, name).await
    }

    async fn put_follower(&self, follower: &Follower) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        events::put_follower(&mut tx, follower).await?;
        tx.commit().await.map_err(failed)
    }

    async fn forget_followers(&self, prefix: &str, but: &str) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        events::forget_followers(&mut tx, prefix, but).await?;
        tx.commit().await.map_err(failed)
    }

    async fn extend(&self, extensions: &[Extension]) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        for extension in extensions {
            extended::extend(&mut tx, extension).await?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn enqueue(&self, new: &[NewJob]) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        let mut tail = Tail::new();
        jobs::push(&mut tx, &mut tail, new).await?;
        tail.send(&mut tx).await?;
        tx.commit().await.map_err(failed)
    }

    async fn claim_jobs(
        &self,
        worker: &str,
        now_us: i64,
        lease_us: i64,
        limit: u32,
    ) -> Result<Vec<Job>, IndexError> {
        jobs::claim(&self.write, worker, now_us, lease_us, limit).await
    }

    async fn finish_job(&self, worker: &str, job: &Job) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        jobs::finish(&mut tx, worker, job).await?;
        tx.commit().await.map_err(failed)
    }

    async fn fail_job(
        &self,
        worker: &str,
        job: &Job,
        run_us: Option<i64>,
        reason: &str,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        jobs::fail(&mut tx, worker, job, run_us, reason).await?;
        tx.commit().await.map_err(failed)
    }

    async fn job_counts(&self) -> Result<(u64, u64), IndexError> {
        jobs::counts(&self.read).await
    }

    async fn copies(&self, after: i64, limit: u32) -> Result<Vec<CopyRow>, IndexError> {
        records::copies(&self.read, after, limit).await
    }

    async fn knows_blobs(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        records::knows_blobs(&self.read, keys).await
    }

    async fn delete(&self, scope: &Scope, now_us: i64) -> Result<u64, IndexError> {
        let mut tx = begin(&self.write).await?;
        let deleted = bin::delete(&mut tx, scope, now_us).await?;
        tx.commit().await.map_err(failed)?;
        Ok(deleted)
    }

    async fn restore(
        &self,
        scope: &Scope,
        rejected: bool,
        jobs: &[(JobKind, i64)],
        now_us: i64,
    ) -> Result<u64, IndexError> {
        let mut tx = begin(&self.write).await?;
        let restored = bin::restore(&mut tx, scope, rejected, jobs, now_us).await?;
        if restored == 0 {
            // Notes are not lifted for nothing.
            return Ok(0);
        }
        tx.commit().await.map_err(failed)?;
        Ok(restored)
    }

    async fn purge(
        &self,
        before_us: i64,
        rejected: bool,
        limit: u32,
    ) -> Result<Vec<String>, IndexError> {
        let mut tx = begin(&self.write).await?;
        let keys = bin::purge(&mut tx, before_us, rejected, limit).await?;
        tx.commit().await.map_err(failed)?;
        Ok(keys)
    }

    async fn was_deleted(&self, scope: &Scope) -> Result<bool, IndexError> {
        bin::was_deleted(&self.read, scope).await
    }

    async fn rejected_for(&self, scope: &Scope) -> Result<Option<Reason>, IndexError> {
        bin::rejected_for(&self.read, scope).await
    }

    async fn bin(&self, limit: u32) -> Result<Vec<Binned>, IndexError> {
        bin::list(&self.read, limit).await
    }

    async fn locate_anywhere(
        &self,
        instance: &Uid,
        limit: u32,
    ) -> Result<Vec<Located>, IndexError> {
        records::locate_anywhere(&self.read, instance, limit).await
    }

    async fn put_commitment(&self, asked: &Commitment, now_us: i64) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        let put = commitment::put(&mut tx, asked, now_us).await?;
        tx.commit().await.map_err(failed)?;
        Ok(put)
    }

    async fn commitment(&self, transaction: &Uid) -> Result<Option<Commitment>, IndexError> {
        commitment::find(&self.read, transaction).await
    }

    async fn advance_commitment(
        &self,
        looked_at: &Commitment,
        now_us: i64,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        commitment::advance(&mut tx, looked_at, now_us).await?;
        tx.commit().await.map_err(failed)
    }

    async fn forget_commitments(&self, before_us: i64) -> Result<u64, IndexError> {
        let mut tx = begin(&self.write).await?;
        let forgotten = commitment::forget(&mut tx, before_us).await?;
        tx.commit().await.map_err(failed)?;
        Ok(forgotten)
    }

    async fn secret(&self, name: &str, proposed: &[u8]) -> Result<Vec<u8>, IndexError> {
        let mut tx = begin(&self.write).await?;
        let kept = secret::secret(&mut tx, name, proposed).await?;
        tx.commit().await.map_err(failed)?;
        Ok(kept)
    }

    async fn totals(&self) -> Result<Totals, IndexError> {
        records::totals(&self.read).await
    }

    async fn ping(&self) -> Result<(), IndexError> {
        sqlx::query("SELECT 1").execute(&self.read).await.map_err(failed)?;
        Ok(())
    }

    async fn close(&self) {
        close(self).await;
    }
}
