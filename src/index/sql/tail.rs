//! Statements whose rows nobody reads: sent together where the driver carries several at once.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;

use super::dialect::Db;
use super::dialect::SEVERAL_AT_ONCE;
use super::dialect::Tx;
use super::dialect::failed;

/// Statements gathered for one trip. A trip is what an entry costs most: each wakes two threads.
pub(super) struct Tail {
    sql: QueryBuilder<Db>,
    is_empty: bool,
}

impl Tail {
    /// No statement yet.
    pub(super) fn new() -> Self {
        Self { sql: QueryBuilder::new(""), is_empty: true }
    }

    /// Where the next statement is written; [`Self::end`] ends it.
    pub(super) fn begin(&mut self, statement: &str) -> &mut QueryBuilder<Db> {
        if !self.is_empty {
            self.sql.push("; ");
        }
        self.is_empty = false;
        self.sql.push(statement);
        &mut self.sql
    }

    /// The statement is whole: sent at once where a trip carries no more.
    pub(super) async fn end(&mut self, tx: &mut Tx<'_>) -> Result<(), IndexError> {
        if SEVERAL_AT_ONCE { Ok(()) } else { self.send(tx).await }
    }

    /// Sends what is gathered.
    pub(super) async fn send(&mut self, tx: &mut Tx<'_>) -> Result<(), IndexError> {
        self.send_counting(tx).await.map(drop)
    }

    /// Sends what is gathered; gives the rows that changed.
    pub(super) async fn send_counting(&mut self, tx: &mut Tx<'_>) -> Result<u64, IndexError> {
        if self.is_empty {
            return Ok(0);
        }
        let done = self.sql.build().execute(&mut **tx).await.map_err(failed)?;
        self.sql.reset();
        self.is_empty = true;
        Ok(done.rows_affected())
    }
}
