//! What is SQLite's own: opening, transactions, errors, patterns.

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use sqlx::ConnectOptions;
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::sqlite::SqliteRow;
use sqlx::sqlite::SqliteSynchronous;

use crate::index::error::IndexError;
use crate::index::sqlite::adapter::Adapter;
use crate::index::sqlite::migration;
use crate::index::sqlite::names;
use crate::index::texts::Word;

/// The driver.
pub(super) type Db = sqlx::Sqlite;
/// A transaction.
pub(super) type Tx<'a> = sqlx::Transaction<'a, Db>;

/// The modalities of the rows `x`, with a backslash between.
pub(super) const MODALITIES: &str = "group_concat(x.modality, '\\')";

/// How rows are locked until the end of the transaction: needless where one connection writes.
pub(super) const LOCK_ROWS: Option<&str> = None;

/// Raises the event counter by what is bound between these two…
pub(super) const COUNT_BEFORE: &str = "UPDATE event_counter SET last = last + ";
/// …and goes on with the next statement.
pub(super) const COUNT_BEHIND: &str = "; ";
/// Where the raised counter is read.
pub(super) const COUNTED: &str = "event_counter";

/// Enters an access, which stands between these two…
pub(super) const TELL_BEFORE: &str = "";
/// …and goes on with the next statement.
pub(super) const TELL_BEHIND: &str = "; ";
/// Where the id of the access just entered is read: one connection writes.
pub(super) const TOLD: &str = "(SELECT max(id) AS id FROM access)";

/// Whether a list may look at each row of the one before it (`LATERAL`).
pub(super) const LATERAL: bool = false;

/// Whether a trip to the database carries several statements with what is bound.
pub(super) const SEVERAL_AT_ONCE: bool = true;

/// Enters the words of a document, unless they are there: $1 its id, $2 the words.
pub(super) const PUT_WORDS: &str = "INSERT INTO document_words (rowid, words)
  SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM document_words WHERE rowid = $1)";
/// That the document `d` holds what is bound between these two.
pub(super) const HAS_WORDS: &str =
    "d.id IN (SELECT rowid FROM document_words WHERE document_words MATCH ";
/// The same, asked of each document: where few are left, or nearly all hold it.
pub(super) const EACH_HAS_WORDS: &str =
    "EXISTS (SELECT 1 FROM document_words WHERE rowid = d.id AND document_words MATCH ";
/// Behind what is bound.
pub(super) const HAS_WORDS_END: &str = ")";
/// How many documents hold what is bound between these two, counted up to what is bound behind.
pub(super) const COUNT_WORDS: &str =
    "SELECT count(*) FROM (SELECT 1 FROM document_words WHERE document_words MATCH ";
/// Behind what is bound first.
pub(super) const COUNT_WORDS_END: &str = " LIMIT ";

/// Words in FTS5's language: strings, all of which must be there.
pub(super) fn words_query(words: &[Word]) -> String {
    let one = |word: &Word| format!("\"{}\"{}", word.text, if word.begins { "*" } else { "" });
    words.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Claims due jobs: $1 worker, $2 lease end, $3 now, $4 limit.
pub(super) const CLAIM: &str =
    "UPDATE job SET worker = $1, leased_until_us = $2, attempts = attempts + 1
  WHERE id IN (SELECT id FROM job WHERE set_aside = 0 AND run_us <= $3 AND leased_until_us <= $3
    ORDER BY run_us LIMIT CAST($4 AS BIGINT))
  RETURNING id, kind, subject, generation, attempts";

/// Opens (and makes) the database file.
pub async fn open(
    path: &Path,
    readers: u32,
    search_within: Duration,
) -> Result<Adapter, IndexError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is synced: a success that was answered survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
        .pragma("cache_size", "-32768")
        .pragma("mmap_size", "1073741824")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    migrate(&write).await?;
    names::put_missing(&write).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(readers)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.read_only(true).create_if_missing(false))
        .await
        .map_err(failed)?;
    Ok(Adapter { write, read, search_within })
}

async fn migrate(pool: &sqlx::Pool<Db>) -> Result<(), IndexError> {
    sqlx::migrate!("src/index/sqlite/migrations").run(pool).await.map_err(migration::failed)
}

/// Runs a statement and gives its rows; past `bound` it is interrupted.
pub(super) async fn within(
    pool: &sqlx::Pool<Db>,
    mut sql: QueryBuilder<Db>,
    bound: Option<Duration>,
) -> Result<Vec<SqliteRow>, IndexError> {
    let Some(bound) = bound else { return sql.build().fetch_all(pool).await.map_err(failed) };
    let mut connection = pool.acquire().await.map_err(failed)?;
    // A task of its own: whoever asked may go, and the connection still loses its watch.
    let task = tokio::spawn(async move {
        let end = Instant::now().checked_add(bound);
        let watch = move || end.is_none_or(|end| Instant::now() < end);
        let handle = connection.lock_handle();
        handle.await.map_err(failed)?.set_progress_handler(STEPS_BETWEEN_LOOKS, watch);
        let rows = sql.build().fetch_all(&mut *connection).await.map_err(failed);
        connection.lock_handle().await.map_err(failed)?.remove_progress_handler();
        rows
    });
    task.await.map_err(|error| IndexError::Unavailable(error.to_string()))?
}

/// The same: its plans do not depend on what is bound.
pub(super) async fn within_anew(
    pool: &sqlx::Pool<Db>,
    sql: QueryBuilder<Db>,
    bound: Duration,
) -> Result<Vec<SqliteRow>, IndexError> {
    within(pool, sql, Some(bound)).await
}

/// Instructions of SQLite between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

/// Begins a transaction that may write at once, so that it never has to give up half way.
pub(super) async fn begin(pool: &sqlx::Pool<Db>) -> Result<Tx<'static>, IndexError> {
    match pool.begin_with(BEGIN).await {
        // SQLite ended the last transaction by itself, as it does when the disk is full
        // (sqlite.org/lang_transaction §2.2): the driver's rollback then failed, and it believes
        // for good that the transaction is open. Only a new connection knows better.
        Err(sqlx::Error::InvalidSavePointStatement) => {
            pool.acquire().await.map_err(failed)?.close().await.map_err(failed)?;
            pool.begin_with(BEGIN).await.map_err(failed)
        }
        begun => begun.map_err(failed),
    }
}

const BEGIN: &str = "BEGIN IMMEDIATE";

/// Never: one connection writes.
pub(super) fn lost_a_race() -> IndexError {
    IndexError::Unavailable("two wrote at once".to_owned())
}

/// Only one connection writes: nothing is lost against others.
pub(super) fn is_worth_a_retry(_: &IndexError) -> bool {
    false
}

/// A failure by what the caller can do; without the values of the statement.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(super) fn failed(error: sqlx::Error) -> IndexError {
    // The primary result code is the lowest byte of the extended one: interrupted, disk full, constraint,
    // corrupt, not a database.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    match code.map(|code| code & 0xFF) {
        Some(9) => IndexError::TooBroad,
        Some(13) => IndexError::NoRoom,
        Some(11 | 19 | 26) => IndexError::Inconsistent(error.to_string()),
        _ => IndexError::Unavailable(error.to_string()),
    }
}

/// `column` matches a pattern of `*` and `?`, case-sensitive.
pub(super) fn pattern(sql: &mut QueryBuilder<Db>, column: &'static str, wanted: &str) {
    // A bracket opens a set in GLOB: in a set of its own it is itself.
    sql.push(column).push(" GLOB ").push_bind(wanted.replace('[', "[[]"));
}

/// Writes the log back into the database and closes.
pub(super) async fn close(adapter: &Adapter) {
    adapter.read.close().await;
    let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&adapter.write).await;
    adapter.write.close().await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::QueryBuilder;

    use super::{begin, failed, open, within};
    use crate::index::error::IndexError;

    #[tokio::test]
    async fn after_a_full_disk_writing_goes_on_as_soon_as_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let adapter =
            open(&folder.path().join("index.db"), 1, Duration::from_secs(5)).await.unwrap();
        let table = sqlx::query("CREATE TABLE filler (bytes BLOB)");
        table.execute(&adapter.write).await.unwrap();
        for _ in 0..3 {
            let mut tx = begin(&adapter.write).await.unwrap();
            sqlx::query("PRAGMA max_page_count = 1").execute(&mut *tx).await.unwrap();
            let fill = sqlx::query("INSERT INTO filler VALUES (randomblob(1000000))");
            let full = failed(fill.execute(&mut *tx).await.unwrap_err());
            assert!(matches!(full, IndexError::NoRoom), "{full}");
        }
        begin(&adapter.write).await.unwrap().commit().await.unwrap();
    }

    #[tokio::test]
    async fn names_of_people_from_before_are_entered_when_it_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.db");
        let adapter = open(&path, 1, Duration::from_secs(5)).await.unwrap();
        for number in 1..=1001_i64 {
            let old = sqlx::query(
                "INSERT INTO person (id, root, merged_into, name, sound, birth_date, sex, origin,
                   created_us) VALUES ($1, $1, 0, 'Rossi^Mario Anna', '', '', '', 'dicom', 1)",
            );
            old.bind(number).execute(&adapter.write).await.unwrap();
        }
        super::close(&adapter).await;
        let adapter = open(&path, 1, Duration::from_secs(5)).await.unwrap();
        let count = "SELECT count(*) FROM person_name";
        let parts: i64 = sqlx::query_scalar(count).fetch_one(&adapter.read).await.unwrap();
        assert_eq!(parts, 4 * 1001);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_interrupted_and_the_connection_lives_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        let adapter = open(&path, 1, Duration::from_secs(1)).await.unwrap();
        let endless = || {
            QueryBuilder::new(
                "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c",
            )
        };
        let bound = Some(Duration::from_millis(20));
        let broad = within(&adapter.read, endless(), bound).await;
        assert!(matches!(broad, Err(IndexError::TooBroad)), "{broad:?}");
        // Whoever asked has gone: the statement ends all the same, and the next is not interrupted.
        let gone = tokio::time::timeout(Duration::ZERO, within(&adapter.read, endless(), bound));
        assert!(gone.await.is_err());
        let rows = within(&adapter.read, QueryBuilder::new("SELECT 1"), None).await.unwrap();
        assert_eq!(rows.len(), 1);
    }
}
