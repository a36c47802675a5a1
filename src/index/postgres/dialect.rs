//! What is PostgreSQL's own: opening, transactions, errors, patterns.

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::QueryBuilder;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::postgres::PgRow;

use crate::index::error::IndexError;
use crate::index::postgres::adapter::Adapter;
use crate::index::postgres::migration;
use crate::index::postgres::names;
use crate::index::texts::Word;

/// The driver.
pub(super) type Db = sqlx::Postgres;
/// A transaction.
pub(super) type Tx<'a> = sqlx::Transaction<'a, Db>;

/// The modalities of the rows `x`, with a backslash between.
pub(super) const MODALITIES: &str = "string_agg(x.modality, chr(92))";

/// How rows are locked until the end of the transaction, others' references to them let be.
pub(super) const LOCK_ROWS: Option<&str> = Some(" FOR NO KEY UPDATE");

/// Raises the event counter by what is bound between these two…
pub(super) const COUNT_BEFORE: &str = "WITH counted AS (UPDATE event_counter SET last = last + ";
/// …and goes on in the same statement.
pub(super) const COUNT_BEHIND: &str = " RETURNING last) ";
/// Where the raised counter is read.
pub(super) const COUNTED: &str = "counted";

/// Enters an access, which stands between these two…
pub(super) const TELL_BEFORE: &str = "WITH told AS (";
/// …and goes on in the same statement.
pub(super) const TELL_BEHIND: &str = " RETURNING id) ";
/// Where the id of the access just entered is read.
pub(super) const TOLD: &str = "told";

/// Whether a list may look at each row of the one before it (`LATERAL`).
pub(super) const LATERAL: bool = true;

/// Whether a trip to the database carries several statements with what is bound.
pub(super) const SEVERAL_AT_ONCE: bool = false;

/// Enters the words of a document, unless they are there: $1 its id, $2 the words.
pub(super) const PUT_WORDS: &str = "INSERT INTO document_words (document, words)
  VALUES ($1, to_tsvector('simple', $2)) ON CONFLICT DO NOTHING";
/// That the document `d` holds what is bound between these two.
pub(super) const HAS_WORDS: &str = "d.id IN (SELECT w.document FROM document_words w
  WHERE w.words @@ to_tsquery('simple', ";
/// The same, asked of each document: where few are left, or nearly all hold it.
pub(super) const EACH_HAS_WORDS: &str =
    "(SELECT w.words FROM document_words w WHERE w.document = d.id)
  @@ (to_tsquery('simple', ";
/// Behind what is bound.
pub(super) const HAS_WORDS_END: &str = "))";
/// How many documents hold what is bound between these two, counted up to what is bound behind.
pub(super) const COUNT_WORDS: &str = "SELECT count(*) FROM (SELECT 1 FROM document_words w
  WHERE w.words @@ to_tsquery('simple', ";
/// Behind what is bound first.
pub(super) const COUNT_WORDS_END: &str = ") LIMIT ";

/// Words in the language of text searches, all of which must be there.
pub(super) fn words_query(words: &[Word]) -> String {
    let one = |word: &Word| format!("'{}'{}", word.text, if word.begins { ":*" } else { "" });
    words.iter().map(one).collect::<Vec<_>>().join(" & ")
}

/// Claims due jobs: $1 worker, $2 lease end, $3 now, $4 limit; skips what another node claims now.
pub(super) const CLAIM: &str = "WITH due AS MATERIALIZED (SELECT id FROM job
    WHERE set_aside = 0 AND run_us <= $3 AND leased_until_us <= $3
    ORDER BY run_us LIMIT CAST($4 AS BIGINT) FOR UPDATE SKIP LOCKED)
  UPDATE job SET worker = $1, leased_until_us = $2, attempts = attempts + 1
  FROM due WHERE job.id = due.id
  RETURNING job.id, job.kind, job.subject, job.generation, job.attempts";

/// After so long without use a connection is asked whether it lives.
const LONG_IDLE: Duration = Duration::from_secs(5);

/// What a lost race looks like from outside; the same transaction may succeed when tried again.
const LOST_A_RACE: &str = "lost a race against another transaction";

/// Opens the database; makes the tables where they are missing.
pub async fn open(
    url: &str,
    connections: u32,
    search_within: Duration,
) -> Result<Adapter, IndexError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| IndexError::Unavailable("index.url is no PostgreSQL URL".to_owned()))?
        .application_name("lastra")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        // Asking each connection first whether it lives would double the way of every statement.
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(
                async move { Ok(state.idle_for < LONG_IDLE || connection.ping().await.is_ok()) },
            )
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Compiling a search takes longer than any of ours; databases that do not know
                // the setting have no such compiler.
                let _ = sqlx::query("SET jit = off").execute(connection).await;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(failed)?;
    let migrations = sqlx::migrate!("src/index/postgres/migrations");
    migrations.run(&pool).await.map_err(migration::failed)?;
    names::put_missing(&pool).await?;
    Ok(Adapter { write: pool.clone(), read: pool, search_within })
}

/// Runs a statement and gives its rows; past `bound` it is interrupted.
pub(super) async fn within(
    pool: &sqlx::Pool<Db>,
    mut sql: QueryBuilder<Db>,
    bound: Option<Duration>,
) -> Result<Vec<PgRow>, IndexError> {
    let Some(bound) = bound else { return sql.build().fetch_all(pool).await.map_err(failed) };
    bounded(pool, sql, bound, true).await
}

/// The same, planned for what is asked this time: of a word everybody's document has another plan is
/// right than of a rare one, and a statement kept prepared has one for both.
pub(super) async fn within_anew(
    pool: &sqlx::Pool<Db>,
    sql: QueryBuilder<Db>,
    bound: Duration,
) -> Result<Vec<PgRow>, IndexError> {
    bounded(pool, sql, bound, false).await
}

async fn bounded(
    pool: &sqlx::Pool<Db>,
    mut sql: QueryBuilder<Db>,
    bound: Duration,
    kept: bool,
) -> Result<Vec<PgRow>, IndexError> {
    let mut tx = begin(pool).await?;
    let mut limit = QueryBuilder::<Db>::new("SELECT set_config('statement_timeout', ");
    limit.push_bind(bound.as_millis().max(1).to_string()).push(", true)");
    limit.build().execute(&mut *tx).await.map_err(failed)?;
    let rows = sql.build().persistent(kept).fetch_all(&mut *tx).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(rows)
}

/// Begins a transaction.
pub(super) async fn begin(pool: &sqlx::Pool<Db>) -> Result<Tx<'static>, IndexError> {
    pool.begin().await.map_err(failed)
}

/// What another transaction did makes this one wrong.
pub(super) fn lost_a_race() -> IndexError {
    IndexError::Unavailable(LOST_A_RACE.to_owned())
}

/// Whether the same transaction may succeed when tried again.
pub(super) fn is_worth_a_retry(error: &IndexError) -> bool {
    matches!(error, IndexError::Unavailable(reason) if reason == LOST_A_RACE)
}

/// A failure by what the caller can do; without the values of the statement.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(super) fn failed(error: sqlx::Error) -> IndexError {
    // PostgreSQL manual, appendix A: serialization failure, deadlock, foreign key, disk full, statement timeout, and the classes of
    // values that do not fit and of broken constraints. Their texts may quote values: the code alone.
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        // A row it refers to was deleted meanwhile.
        Some("40001" | "40P01" | "23503") => lost_a_race(),
        Some("53100") => IndexError::NoRoom,
        Some("57014") => IndexError::TooBroad,
        Some(code) if code.starts_with("22") || code.starts_with("23") => {
            IndexError::Inconsistent(format!("PostgreSQL error {code}"))
        }
        Some(code) => IndexError::Unavailable(format!("PostgreSQL error {code}")),
        None => IndexError::Unavailable(error.to_string()),
    }
}

/// `column` matches a pattern of `*` and `?`, case-sensitive.
pub(super) fn pattern(sql: &mut QueryBuilder<Db>, column: &'static str, wanted: &str) {
    let mut like = String::with_capacity(wanted.len().saturating_add(8));
    for character in wanted.chars() {
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
