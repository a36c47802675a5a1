//! The hallway every HTTP door shares: who asks, how errors look, caching, ranges, limits, the
//! public address, the listener.
//!
//! Never here: DICOMweb or any other door's formats, rows, bytes of blobs. Start at [`listener`]
//! for connections and [`layers`] for what wraps every request.

pub mod base;
pub mod caching;
pub mod caller;
pub mod cors;
pub mod health;
pub mod host;
pub mod layers;
pub mod limits;
pub mod listener;
pub mod openapi;
pub mod pace;
pub mod problem;
pub mod query_string;
pub mod range;
pub mod receiving;
pub mod socket;
