//! What is PostgreSQL's own: opening, transactions, errors, patterns.

use std::str::FromStr;
use std::time::Duration;

use sqlx::QueryBuilder;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;

use crate::index::error::IndexError;
use crate::index::postgres::adapter::Adapter;

/// The driver.
pub(super) type Db = sqlx::Postgres;
/// A transaction.
pub(super) type Tx<'a> = sqlx::Transaction<'a, Db>;

/// Distinct modalities of the series `x`, comma-separated.
pub(super) const MODALITIES: &str = "string_agg(DISTINCT x.modality, ',')";

/// Claims due jobs: $1 worker, $2 lease end, $3 now, $4 limit; skips what another node claims now.
pub(super) const CLAIM: &str =
    "UPDATE job SET worker = $1, leased_until_us = $2, attempts = attempts + 1
  WHERE id IN (SELECT id FROM job WHERE set_aside = 0 AND run_us <= $3 AND leased_until_us <= $3
    ORDER BY run_us LIMIT $4 FOR UPDATE SKIP LOCKED)
  RETURNING id, kind, subject, generation, attempts";

/// What a lost race looks like from outside; the same transaction may succeed when tried again.
const LOST_A_RACE: &str = "lost a race against another transaction";

/// Opens the database; makes the tables where they are missing.
pub async fn open(url: &str, connections: u32) -> Result<Adapter, IndexError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| IndexError::Unavailable("index.url is no PostgreSQL URL".to_owned()))?
        .application_name("lastra");
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await
        .map_err(failed)?;
    let migrated = sqlx::migrate!("src/index/postgres/migrations").run(&pool).await;
    migrated.map_err(|error| IndexError::Inconsistent(format!("schema: {error}")))?;
    Ok(Adapter { write: pool.clone(), read: pool })
}

/// Begins a transaction.
pub(super) async fn begin(pool: &sqlx::Pool<Db>) -> Result<Tx<'static>, IndexError> {
    pool.begin().await.map_err(failed)
}

/// Whether the same transaction may succeed when tried again.
pub(super) fn is_worth_a_retry(error: &IndexError) -> bool {
    matches!(error, IndexError::Unavailable(reason) if reason == LOST_A_RACE)
}

/// A failure by what the caller can do; without the values of the statement.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(super) fn failed(error: sqlx::Error) -> IndexError {
    // Serialization failure, deadlock, disk full (PostgreSQL manual, appendix A).
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("40001" | "40P01") => IndexError::Unavailable(LOST_A_RACE.to_owned()),
        Some("53100") => IndexError::NoRoom,
        Some(code) => IndexError::Unavailable(format!("PostgreSQL error {code}")),
        None => IndexError::Unavailable(error.to_string()),
    }
}

/// `column` matches a pattern of `*` and `?`.
pub(super) fn wildcard(sql: &mut QueryBuilder<Db>, column: &'static str, pattern: &str) {
    let mut like = String::with_capacity(pattern.len() + 8);
    for character in pattern.chars() {
        match character {
            '*' => like.push('%'),
            '?' => like.push('_'),
            '%' | '_' | '\\' => {
                like.push('\\');
                like.push(character);
            }
            character => like.push(character),
        }
    }
    sql.push(column).push(" LIKE ").push_bind(like);
}

/// Ends the connections after what is under way.
pub(super) async fn close(adapter: &Adapter) {
    adapter.write.close().await;
}
