//! The index in PostgreSQL: what differs is in `dialect`; the statements both databases speak stand in
//! `index/sql/`, compiled here for this one.

#[path = "../sql/accesses.rs"]
mod accesses;
#[path = "../sql/adapter.rs"]
pub mod adapter;
#[path = "../sql/bin.rs"]
mod bin;
#[path = "../sql/bin_links.rs"]
mod bin_links;
#[path = "../sql/commitment.rs"]
mod commitment;
#[path = "../sql/condition.rs"]
mod condition;
pub mod dialect;
#[path = "../sql/documents.rs"]
mod documents;
#[path = "../sql/events.rs"]
mod events;
#[path = "../sql/extended.rs"]
mod extended;
#[path = "../sql/fascicolo.rs"]
mod fascicolo;
#[path = "../sql/fuzzy.rs"]
mod fuzzy;
#[path = "../sql/happenings.rs"]
mod happenings;
#[path = "../sql/jobs.rs"]
mod jobs;
#[path = "../sql/kept.rs"]
mod kept;
#[path = "../sql/links.rs"]
mod links;
#[path = "../sql/migration.rs"]
mod migration;
#[path = "../sql/names.rs"]
mod names;
#[path = "../sql/origins.rs"]
mod origins;
#[path = "../sql/outbox.rs"]
mod outbox;
#[path = "../sql/pages.rs"]
mod pages;
#[path = "../sql/pages_documents.rs"]
mod pages_documents;
#[path = "../sql/people.rs"]
mod people;
#[path = "../sql/people_alike.rs"]
mod people_alike;
#[path = "../sql/people_read.rs"]
mod people_read;
#[path = "../sql/places.rs"]
mod places;
#[path = "../sql/records.rs"]
mod records;
#[path = "../sql/rejection.rs"]
mod rejection;
#[path = "../sql/rows.rs"]
mod rows;
#[path = "../sql/search.rs"]
mod search;
#[path = "../sql/secret.rs"]
mod secret;
#[path = "../sql/span.rs"]
mod span;
#[path = "../sql/store.rs"]
mod store;
#[path = "../sql/subscriptions.rs"]
mod subscriptions;
#[path = "../sql/tail.rs"]
mod tail;
#[path = "../sql/texts.rs"]
mod texts;
#[path = "../sql/waiting.rs"]
mod waiting;
