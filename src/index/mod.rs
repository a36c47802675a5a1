//! Rows: what is where, findable; one port, two adapters (SQLite, PostgreSQL).
//!
//! Never here: pixels, blobs, a protocol's formats. SQL stands in [`sqlite`] and [`postgres`] only.
//! Start at [`port`].

pub mod commit;
pub mod error;
pub mod open;
pub mod port;
pub mod postgres;
pub mod query;
pub mod sqlite;
