//! What is SQLite's own: opening, transactions, errors, patterns.

use std::path::Path;
use std::time::Duration;

use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::sqlite::SqliteSynchronous;

use crate::index::error::IndexError;
use crate::index::sqlite::adapter::Adapter;

/// The driver.
pub(super) type Db = sqlx::Sqlite;
/// A transaction.
pub(super) type Tx<'a> = sqlx::Transaction<'a, Db>;

/// Distinct modalities of the series `x`, comma-separated.
pub(super) const MODALITIES: &str = "group_concat(DISTINCT x.modality)";

/// Claims due jobs: $1 worker, $2 lease end, $3 now, $4 limit.
pub(super) const CLAIM: &str =
    "UPDATE job SET worker = $1, leased_until_us = $2, attempts = attempts + 1
  WHERE id IN (SELECT id FROM job WHERE set_aside = 0 AND run_us <= $3 AND leased_until_us <= $3
    ORDER BY run_us LIMIT $4)
  RETURNING id, kind, subject, generation, attempts";

/// Opens (and makes) the database file.
pub async fn open(path: &Path, readers: u32) -> Result<Adapter, IndexError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is synced: a success that was answered survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
        .pragma("cache_size", "-32768")
        .pragma("mmap_size", "268435456")
        .statement_cache_capacity(256);
    let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await;
    let write = write.map_err(failed)?;
    migrate(&write).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(readers)
        .connect_with(options.read_only(true).create_if_missing(false))
        .await
        .map_err(failed)?;
    Ok(Adapter { write, read })
}

async fn migrate(pool: &sqlx::Pool<Db>) -> Result<(), IndexError> {
    let migrated = sqlx::migrate!("src/index/sqlite/migrations").run(pool).await;
    migrated.map_err(|error| IndexError::Inconsistent(format!("schema: {error}")))
}

/// Begins a transaction that may write at once, so that it never has to give up half way.
pub(super) async fn begin(pool: &sqlx::Pool<Db>) -> Result<Tx<'static>, IndexError> {
    pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
}

/// Only one connection writes: nothing is lost against others.
pub(super) fn is_worth_a_retry(_: &IndexError) -> bool {
    false
}

/// A failure by what the caller can do; without the values of the statement.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(super) fn failed(error: sqlx::Error) -> IndexError {
    // SQLITE_FULL is 13.
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) if code == "13" => IndexError::NoRoom,
        _ => IndexError::Unavailable(error.to_string()),
    }
}

/// `column` matches a pattern of `*` and `?`. GLOB is case-sensitive and can use an index.
pub(super) fn wildcard(sql: &mut QueryBuilder<Db>, column: &'static str, pattern: &str) {
    // A bracket opens a set in GLOB: in a set of its own it is itself.
    let pattern = pattern.replace('[', "[[]");
    sql.push(column).push(" GLOB ").push_bind(pattern);
}

/// Writes the log back into the database and closes.
pub(super) async fn close(adapter: &Adapter) {
    adapter.read.close().await;
    let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&adapter.write).await;
    adapter.write.close().await;
}
