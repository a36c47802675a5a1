//! Requests for storage commitment and how far they were looked at.

use crate::dicom::uid::Uid;
use crate::index::error::IndexError;
use crate::model::commitment::Commitment;
use crate::model::commitment::Reference;
use crate::model::job::JobKind;
use crate::model::job::NewJob;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::jobs;
use super::tail::Tail;

/// Enters a request, its job with it; false when its transaction UID is known already.
pub(super) async fn put(
    tx: &mut Tx<'_>,
    asked: &Commitment,
    now_us: i64,
) -> Result<bool, IndexError> {
    let references: Vec<String> = asked.references.iter().map(Reference::to_text).collect();
    let put = sqlx::query(
        "INSERT INTO commitment (transaction_uid, asked_us, finished_us, asked, reasons)
         VALUES ($1, $2, NULL, $3, '') ON CONFLICT (transaction_uid) DO NOTHING",
    )
    .bind(asked.transaction.as_str())
    .bind(now_us)
    .bind(references.join("\n"))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    let is_new = put.rows_affected() > 0;
    if is_new {
        queue(tx, asked, now_us).await?;
    }
    Ok(is_new)
}

/// A request by its transaction UID.
pub(super) async fn find(
    pool: &sqlx::Pool<Db>,
    transaction: &Uid,
) -> Result<Option<Commitment>, IndexError> {
    let row: Option<(Option<i64>, String, String)> = sqlx::query_as(
        "SELECT finished_us, asked, reasons FROM commitment WHERE transaction_uid = $1",
    )
    .bind(transaction.as_str())
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    let Some((finished_us, asked, reasons)) = row else { return Ok(None) };
    let damaged =
        || IndexError::Inconsistent("a request for storage commitment cannot be read".to_owned());
    let references = asked.lines().map(Reference::parse).collect::<Option<_>>();
    let reasons = reasons.split_ascii_whitespace().map(|reason| reason.parse().ok());
    Ok(Some(Commitment {
        transaction: transaction.clone(),
        references: references.ok_or_else(damaged)?,
        reasons: reasons.collect::<Option<_>>().ok_or_else(damaged)?,
        finished_us,
    }))
}

/// Records how far a request was looked at; its job runs again when there is more to do.
pub(super) async fn advance(
    tx: &mut Tx<'_>,
    looked_at: &Commitment,
    now_us: i64,
) -> Result<(), IndexError> {
    let reasons: Vec<String> = looked_at.reasons.iter().map(u16::to_string).collect();
    // What is finished stays as it was answered, whoever comes late.
    sqlx::query(
        "UPDATE commitment SET reasons = $1, finished_us = $2
         WHERE transaction_uid = $3 AND finished_us IS NULL",
    )
    .bind(reasons.join(" "))
    .bind(looked_at.finished_us)
    .bind(looked_at.transaction.as_str())
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    if looked_at.finished_us.is_none() {
        queue(tx, looked_at, now_us).await?;
    }
    Ok(())
}

/// Forgets what was asked and answered before a time.
pub(super) async fn forget(tx: &mut Tx<'_>, before_us: i64) -> Result<u64, IndexError> {
    let forgotten = sqlx::query(
        "UPDATE commitment SET asked = '', reasons = '' WHERE finished_us < $1 AND asked <> ''",
    )
    .bind(before_us)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(forgotten.rows_affected())
}

async fn queue(tx: &mut Tx<'_>, asked: &Commitment, run_us: i64) -> Result<(), IndexError> {
    let subject = asked.transaction.as_str().to_owned();
    let mut tail = Tail::new();
    jobs::push(tx, &mut tail, &[NewJob { kind: JobKind::Commitment, subject, run_us }]).await?;
    tail.send(tx).await
}
