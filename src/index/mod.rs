//! Rows: what is where, findable; one port, two adapters (SQLite, PostgreSQL).
//!
//! Never here: pixels, blobs, a protocol's formats. SQL stands in [`sqlite`] and [`postgres`] only,
//! what both speak alike in `sql/`, which is compiled once for each.
//! Start at [`port`].

pub mod accesses;
pub mod commit;
pub mod error;
pub mod fascicolo;
pub mod kept;
pub mod open;
pub mod origins;
pub mod outbox;
pub mod pages;
pub mod port;
pub mod postgres;
pub mod query;
pub mod sqlite;
pub mod subscriptions;
pub mod texts;
