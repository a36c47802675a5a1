//! The index in PostgreSQL: what differs is in `dialect`; the statements both databases speak stand in
//! `index/sql/`, compiled here for this one.

#[path = "../sql/adapter.rs"]
pub mod adapter;
pub mod dialect;
#[path = "../sql/jobs.rs"]
mod jobs;
#[path = "../sql/records.rs"]
mod records;
#[path = "../sql/search.rs"]
mod search;
#[path = "../sql/store.rs"]
mod store;
