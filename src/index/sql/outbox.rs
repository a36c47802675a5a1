//! The national gateway's outbox.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::outbox::EntriesOf;
use crate::index::outbox::OutboxRows;
use crate::model::event::EventKind;
use crate::model::job::JobKind;
use crate::model::job::NewJob;
use crate::model::outbox::Entry;
use crate::model::outbox::Operation;
use crate::model::outbox::Progress;
use crate::model::outbox::SentFile;
use crate::model::outbox::Stage;

use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::begin;
use super::dialect::failed;
use super::happenings::Concerned;
use super::happenings::tell;
use super::jobs;
use super::people::lock;
use super::records::figure;
use super::records::get;
use super::records::unsigned;
use super::rows::clean;
use super::store::signed;
use super::tail::Tail;

type DbRow = <Db as sqlx::Database>::Row;

#[async_trait]
impl OutboxRows for Adapter {
    async fn put_entry(
        &self,
        document: i64,
        operation: Operation,
        actor: &str,
        now_us: i64,
    ) -> Result<(i64, bool), IndexError> {
        let mut tx = begin(&self.write).await?;
        lock(&mut tx).await?;
        let entered = enter(&mut tx, document, operation, false, actor, now_us).await?;
        tx.commit().await.map_err(failed)?;
        Ok(entered)
    }

    async fn put_update(
        &self,
        document: i64,
        obscured: bool,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError> {
        let mut tx = begin(&self.write).await?;
        lock(&mut tx).await?;
        let (id, new) =
            enter(&mut tx, document, Operation::Update, obscured, actor, now_us).await?;
        if !new {
            let mut sql = QueryBuilder::<Db>::new(BEGIN_ANEW);
            sql.push(", obscured = ").push_bind(i64::from(obscured));
            push_anew(&mut sql, id, actor, now_us);
            sql.push(" AND stage IN ('done', 'refused', 'aside')");
            let done = sql.build().execute(&mut *tx).await.map_err(failed)?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
            queue(&mut tx, id, now_us).await?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(Some(id))
    }

    async fn publish_again(
        &self,
        document: i64,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError> {
        let mut tx = begin(&self.write).await?;
        lock(&mut tx).await?;
        let deleted = sqlx::query(
            "DELETE FROM gateway_outbox WHERE document = $1 AND operation = $2 AND stage = $3",
        )
        .bind(document)
        .bind(Operation::Delete.as_str())
        .bind(Stage::Done.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if deleted.rows_affected() == 0 {
            return Ok(None);
        }
        let id: i64 = sqlx::query_scalar(
            "SELECT id FROM gateway_outbox WHERE document = $1 AND operation = $2",
        )
        .bind(document)
        .bind(Operation::Publish.as_str())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
        let mut sql = QueryBuilder::<Db>::new(BEGIN_ANEW);
        push_anew(&mut sql, id, actor, now_us);
        sql.build().execute(&mut *tx).await.map_err(failed)?;
        queue(&mut tx, id, now_us).await?;
        tx.commit().await.map_err(failed)?;
        Ok(Some(id))
    }

    async fn entries(&self, of: EntriesOf, limit: u32) -> Result<Vec<Entry>, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT o.id, o.document, o.operation, o.stage, o.unique_id, o.in_place_of, o.workflow,
               o.trace, o.blob_key, o.blob_bytes, o.sha256, o.failures, o.reason, o.warning, o.revision,
               o.actor, o.made_us, o.changed_us, o.obscured
             FROM gateway_outbox o WHERE ",
        );
        match of {
            EntriesOf::Id(id) => {
                sql.push("o.id = ").push_bind(id);
            }
            EntriesOf::Document(document) => {
                sql.push("o.document = ").push_bind(document);
            }
            EntriesOf::Before(document) => {
                // Said so that the index of those that are replaced serves.
                sql.push("o.document IN (SELECT d.id FROM document d WHERE d.superseded_by > 0");
                sql.push(" AND d.superseded_by = ");
                sql.push_bind(document).push(")");
            }
            EntriesOf::Behind(document) => {
                sql.push("o.document IN (SELECT d.superseded_by FROM document d WHERE d.id = ");
                sql.push_bind(document).push(")");
            }
            EntriesOf::After(stage, after) => {
                sql.push("o.id > ").push_bind(after);
                if let Some(stage) = stage {
                    sql.push(" AND o.stage = ").push_bind(stage.as_str());
                }
            }
        }
        sql.push(" ORDER BY o.id LIMIT CAST(").push_bind(i64::from(limit)).push(" AS BIGINT)");
        let rows = sql.build().fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(entry).collect()
    }

    async fn advance_entry(
        &self,
        entry: &Entry,
        progress: &Progress,
        run_us: Option<i64>,
        now_us: i64,
    ) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        let text = |text: &str| clean(text).into_owned();
        let file = progress.file.as_ref();
        let done = sqlx::query(
            "UPDATE gateway_outbox SET stage = $1, unique_id = $2, in_place_of = $3, workflow = $4,
               trace = $5, blob_key = $6, blob_bytes = $7, sha256 = $8, failures = $9, reason = $10,
               warning = $11, revision = revision + 1, changed_us = $12
             WHERE id = $13 AND revision = $14",
        )
        .bind(progress.stage.as_str())
        .bind(text(&progress.unique_id))
        .bind(text(&progress.in_place_of))
        .bind(text(&progress.workflow))
        .bind(text(&progress.trace))
        .bind(file.map(|file| file.blob_key.clone()).unwrap_or_default())
        .bind(signed(file.map_or(0, |file| file.blob_bytes)))
        .bind(file.map(|file| file.sha256.to_vec()).unwrap_or_default())
        .bind(i64::from(progress.failures))
        .bind(text(&progress.reason))
        .bind(text(&progress.warning))
        .bind(now_us)
        .bind(entry.id)
        .bind(entry.revision)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(run_us) = run_us {
            queue(&mut tx, entry.id, run_us).await?;
        }
        if progress.stage == Stage::Done {
            let kind = match entry.operation {
                Operation::Publish => Some(EventKind::DocumentPublished),
                Operation::Delete => Some(EventKind::DocumentWithdrawn),
                Operation::Update => None,
            };
            if let Some(kind) = kind {
                tell(&mut tx, kind, Concerned::document(entry.document), now_us).await?;
            }
        }
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }

    async fn entry_counts(&self) -> Result<Vec<(Stage, u64)>, IndexError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT stage, count(*) FROM gateway_outbox GROUP BY stage")
                .fetch_all(&self.read)
                .await
                .map_err(failed)?;
        let read = |(stage, count): (String, i64)| Some((Stage::parse(&stage)?, unsigned(count)));
        Ok(rows.into_iter().filter_map(read).collect())
    }
}

/// An entry at its beginning.
const BEGIN_ANEW: &str = "UPDATE gateway_outbox SET stage = 'waiting', unique_id = '',
  in_place_of = '', workflow = '', trace = '', blob_key = '', blob_bytes = 0, failures = 0,
  reason = '', warning = '', revision = revision + 1";

/// Which entry begins anew, and for whom.
fn push_anew(sql: &mut QueryBuilder<Db>, id: i64, actor: &str, now_us: i64) {
    sql.push(", sha256 = ").push_bind(Vec::<u8>::new());
    sql.push(", actor = ").push_bind(clean(actor).into_owned());
    sql.push(", made_us = ").push_bind(now_us).push(", changed_us = ").push_bind(now_us);
    sql.push(" WHERE id = ").push_bind(id);
}

/// Enters what is to be done with a document, unless it is there; gives its row, and whether it is new.
async fn enter(
    tx: &mut Tx<'_>,
    document: i64,
    operation: Operation,
    obscured: bool,
    actor: &str,
    now_us: i64,
) -> Result<(i64, bool), IndexError> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT id FROM gateway_outbox WHERE document = $1 AND operation = $2")
            .bind(document)
            .bind(operation.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(failed)?;
    if let Some(known) = known {
        return Ok((known, false));
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO gateway_outbox (document, operation, stage, unique_id, in_place_of, workflow,
           trace, blob_key, blob_bytes, sha256, failures, reason, warning, revision, actor, made_us,
           changed_us, obscured)
         VALUES ($1, $2, $3, '', '', '', '', '', 0, $4, 0, '', '', 1, $5, $6, $6, $7) RETURNING id",
    )
    .bind(document)
    .bind(operation.as_str())
    .bind(Stage::Waiting.as_str())
    .bind(Vec::<u8>::new())
    .bind(clean(actor).into_owned())
    .bind(now_us)
    .bind(i64::from(obscured))
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    queue(tx, id, now_us).await?;
    Ok((id, true))
}

/// Queues the job of an entry; the caller commits.
async fn queue(tx: &mut Tx<'_>, entry: i64, run_us: i64) -> Result<(), IndexError> {
    let job = NewJob { kind: JobKind::Gateway, subject: entry.to_string(), run_us };
    let mut tail = Tail::new();
    jobs::push(tx, &mut tail, &[job]).await?;
    tail.send(tx).await
}

fn entry(row: &DbRow) -> Result<Entry, IndexError> {
    let (operation, stage): (String, String) = (get(row, 2)?, get(row, 3)?);
    let unreadable = || IndexError::Inconsistent("an outbox entry of a newer version".to_owned());
    let sha256: Vec<u8> = get(row, 10)?;
    let file = match <[u8; 32]>::try_from(sha256) {
        Ok(sha256) => {
            Some(SentFile { blob_key: get(row, 8)?, blob_bytes: unsigned(get(row, 9)?), sha256 })
        }
        Err(_) => None,
    };
    Ok(Entry {
        id: get(row, 0)?,
        document: get(row, 1)?,
        operation: Operation::parse(&operation).ok_or_else(unreadable)?,
        progress: Progress {
            stage: Stage::parse(&stage).ok_or_else(unreadable)?,
            unique_id: get(row, 4)?,
            in_place_of: get(row, 5)?,
            workflow: get(row, 6)?,
            trace: get(row, 7)?,
            file,
            failures: figure(row, 11)?,
            reason: get(row, 12)?,
            warning: get(row, 13)?,
        },
        revision: get(row, 14)?,
        actor: get(row, 15)?,
        made_us: get(row, 16)?,
        changed_us: get(row, 17)?,
        obscured: get::<i64>(row, 18)? != 0,
    })
}
