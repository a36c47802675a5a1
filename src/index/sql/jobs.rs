//! The durable queue: one row per kind and subject, leases, generations.

use crate::index::error::IndexError;
use crate::model::job::Job;
use crate::model::job::JobKind;

use super::dialect::CLAIM;
use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;

/// Queues a job, or pushes the queued one to `run_us` and raises its generation.
pub(super) async fn push(
    tx: &mut Tx<'_>,
    kind: JobKind,
    subject: &str,
    run_us: i64,
) -> Result<(), IndexError> {
    sqlx::query(
        "INSERT INTO job (kind, subject, run_us, generation, attempts, worker, leased_until_us,
           set_aside, reason)
         VALUES ($1, $2, $3, 1, 0, '', 0, 0, '')
         ON CONFLICT (kind, subject) DO UPDATE SET run_us = excluded.run_us,
           generation = job.generation + 1, attempts = 0, set_aside = 0",
    )
    .bind(kind.as_str())
    .bind(subject)
    .bind(run_us)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Claims due jobs whose lease, if any, ran out.
pub(super) async fn claim(
    pool: &sqlx::Pool<Db>,
    worker: &str,
    now_us: i64,
    lease_us: i64,
    limit: u32,
) -> Result<Vec<Job>, IndexError> {
    let rows: Vec<(i64, String, String, i64, i64)> = sqlx::query_as(CLAIM)
        .bind(worker)
        .bind(now_us.saturating_add(lease_us))
        .bind(now_us)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(failed)?;
    let jobs = rows.into_iter().filter_map(|(id, kind, subject, generation, attempts)| {
        let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        Some(Job { id, kind: JobKind::parse(&kind)?, subject, generation, attempts })
    });
    Ok(jobs.collect())
}

/// Removes a finished job, or frees it when it was queued again meanwhile.
pub(super) async fn finish(tx: &mut Tx<'_>, worker: &str, job: &Job) -> Result<(), IndexError> {
    sqlx::query("DELETE FROM job WHERE id = $1 AND worker = $2 AND generation = $3")
        .bind(job.id)
        .bind(worker)
        .bind(job.generation)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    sqlx::query("UPDATE job SET worker = '', leased_until_us = 0 WHERE id = $1 AND worker = $2")
        .bind(job.id)
        .bind(worker)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Frees a failed job for another try at `run_us`, or sets it aside.
pub(super) async fn fail(
    tx: &mut Tx<'_>,
    worker: &str,
    job: &Job,
    run_us: Option<i64>,
    reason: &str,
) -> Result<(), IndexError> {
    // Queued again since it was claimed: that queueing decides when it runs.
    sqlx::query(
        "UPDATE job SET worker = '', leased_until_us = 0, reason = $1,
           run_us = CASE WHEN generation = $2 AND $3 = 0 THEN $4 ELSE run_us END,
           set_aside = CASE WHEN generation = $2 AND $3 = 1 THEN 1 ELSE set_aside END
         WHERE id = $5 AND worker = $6",
    )
    .bind(reason.chars().take(500).collect::<String>())
    .bind(job.generation)
    .bind(i64::from(run_us.is_none()))
    .bind(run_us.unwrap_or(0))
    .bind(job.id)
    .bind(worker)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}
