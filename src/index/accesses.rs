//! The index's face for the record of accesses. Nothing of it is ever changed or taken away.
//!
//! An access is told once; it stands there once for each person it concerns, or once for nobody.
//! Whoever was one with somebody then is concerned too: a merge undone later hides nothing.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::index::pages::Micros;
use crate::index::pages::Page;
use crate::model::access::Access;
use crate::model::access::Interaction;
use crate::model::access::NewAccess;

/// A condition on accesses; each holds when any of its values does, and all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRule {
    /// One of these rows, even of somebody who was found to be another and stands there beside.
    Row(Vec<i64>),
    /// Concerns somebody, by any of their rows.
    Person(Vec<i64>),
    /// Recorded then.
    At(Vec<Micros>),
    /// What was asked.
    Interaction(Vec<Interaction>),
    /// The answer's HTTP status.
    Status(Vec<RangeInclusive<u16>>),
    /// Type and id of what was asked for.
    Item(Vec<(String, String)>),
    /// The client's address begins so.
    Address(Vec<String>),
}

/// The record of accesses.
#[async_trait]
pub trait AccessRows: Send + Sync {
    /// Records accesses in one transaction, synced before this returns.
    async fn put_accesses(&self, told: &[NewAccess], now_us: i64) -> Result<(), IndexError>;

    /// Accesses, each once a person; their date is when they were recorded.
    async fn accesses_page(
        &self,
        rules: &[AccessRule],
        page: &Page,
    ) -> Result<Vec<Access>, IndexError>;
}
