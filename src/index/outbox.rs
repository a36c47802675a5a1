//! The index's face for the national gateway: what is to be told it, each thing once.

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::model::outbox::Entry;
use crate::model::outbox::Operation;
use crate::model::outbox::Progress;
use crate::model::outbox::Stage;

/// Which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntriesOf {
    /// One, by id.
    Id(i64),
    /// A document's.
    Document(i64),
    /// Those of the versions a document takes the place of.
    Before(i64),
    /// Those of the versions that take a document's place.
    Behind(i64),
    /// All, or all of a stage, after an id.
    After(Option<Stage>, i64),
}

/// Rows of the outbox, durable when a call returns `Ok`.
#[async_trait]
pub trait OutboxRows: Send + Sync {
    /// Enters what is to be asked, and queues its job in the same transaction; gives its id and
    /// whether it is new. There is one entry a document and operation: asked again nothing changes.
    async fn put_entry(
        &self,
        document: i64,
        operation: Operation,
        actor: &str,
        now_us: i64,
    ) -> Result<(i64, bool), IndexError>;

    /// Enters that a document be obscured in the national index or shown again, and queues its job; the
    /// entry of an earlier update begins anew. `None`, and nothing done, while that is on its way.
    async fn put_update(
        &self,
        document: i64,
        obscured: bool,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError>;

    /// Lets the publication of a document begin anew, and queues its job, when what was published of it
    /// was deleted there: that entry goes. `None`, and nothing done, when it was not.
    async fn publish_again(
        &self,
        document: i64,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError>;

    /// Entries, in the order of their ids, at most `limit`.
    async fn entries(&self, of: EntriesOf, limit: u32) -> Result<Vec<Entry>, IndexError>;

    /// Records how far an entry is, and queues its next job at `run_us` where one is to come, in one
    /// transaction. False, and nothing done, when it changed since it was read: of two who go on with
    /// the same entry one stops here.
    async fn advance_entry(
        &self,
        entry: &Entry,
        progress: &Progress,
        run_us: Option<i64>,
        now_us: i64,
    ) -> Result<bool, IndexError>;

    /// How many entries there are of each stage.
    async fn entry_counts(&self) -> Result<Vec<(Stage, u64)>, IndexError>;
}
