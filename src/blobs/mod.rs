//! Bytes: blobs under immutable keys, written once and durably, read by ranges.
//!
//! Never here: patients, whole large objects in memory, unbounded listings. A key is never written
//! twice. Start at [`store`].

pub mod error;
pub mod key;
pub mod open;
pub mod range;
pub mod store;
pub mod writer;
