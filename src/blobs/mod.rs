//! Bytes: blobs under immutable keys, written once and durably, read by ranges.
//!
//! On local disk by code of our own (`disk`), because the promise is durability at speed;
//! elsewhere (S3, memory) through `object_store` (`remote`).
//!
//! Never here: patients, whole large objects in memory, unbounded listings. A key is never written
//! twice. Start at [`store`].

pub(crate) mod disk;
pub(crate) mod disk_read;
pub(crate) mod disk_writer;
pub mod error;
pub(crate) mod folders;
pub mod key;
pub mod open;
pub(crate) mod pending;
pub mod range;
pub(crate) mod remote;
pub(crate) mod room;
pub(crate) mod s3;
pub mod stats;
pub mod store;
pub(crate) mod threads;
pub(crate) mod upload;
pub mod writer;
