//! The durable queue: one row per kind and subject, leases, generations.

use std::collections::BTreeMap;

use crate::index::error::IndexError;
use crate::model::job::Job;
use crate::model::job::JobKind;
use crate::model::job::NewJob;

use super::dialect::CLAIM;
use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;
use super::tail::Tail;

/// The longest reason kept, in characters.
const LONGEST_REASON: usize = 500;

/// Queues jobs, or pushes the queued ones to their new `run_us` and raises their generation; done
/// when the caller has sent `tail`.
pub(super) async fn push(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    jobs: &[NewJob],
) -> Result<(), IndexError> {
    // In one order everywhere, each once: the last word of a batch counts.
    let jobs: BTreeMap<(&str, &str), i64> =
        jobs.iter().map(|job| ((job.kind.as_str(), job.subject.as_str()), job.run_us)).collect();
    let jobs: Vec<_> = jobs.into_iter().collect();
    for piece in pieces(&jobs) {
        let sql = tail.begin(
            "INSERT INTO job (kind, subject, run_us, generation, attempts, worker, leased_until_us,
               set_aside, reason) ",
        );
        values(sql, piece, |row, ((kind, subject), run_us)| {
            row.text(kind).text(subject).whole(*run_us).whole(1).whole(0).text("").whole(0);
            row.whole(0).text("");
        });
        sql.push(
            " ON CONFLICT (kind, subject) DO UPDATE SET run_us = excluded.run_us,
             generation = job.generation + 1, attempts = 0, set_aside = 0",
        );
        tail.end(tx).await?;
    }
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
    let done = sqlx::query("DELETE FROM job WHERE id = $1 AND worker = $2 AND generation = $3")
        .bind(job.id)
        .bind(worker)
        .bind(job.generation)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    if done.rows_affected() == 0 {
        sqlx::query(
            "UPDATE job SET worker = '', leased_until_us = 0 WHERE id = $1 AND worker = $2",
        )
        .bind(job.id)
        .bind(worker)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
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
    .bind(clean(reason).chars().take(LONGEST_REASON).collect::<String>())
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

/// Jobs waiting or under way, and jobs set aside.
pub(super) async fn counts(pool: &sqlx::Pool<Db>) -> Result<(u64, u64), IndexError> {
    let row: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM job WHERE set_aside = 0),
           (SELECT count(*) FROM job WHERE set_aside = 1)",
    )
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok((u64::try_from(row.0).unwrap_or(0), u64::try_from(row.1).unwrap_or(0)))
}
