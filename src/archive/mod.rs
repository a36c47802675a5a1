//! What must be true of a stored study, in no protocol's words: blob durable, then one index
//! transaction, then the answer; reads by ranges; derived objects made once.
//!
//! Never here: HTTP, DIMSE or FHIR types; an answer before what it says is durable.
//! Start at [`ingest`] for storing, [`frame`] for the shortest way out.

pub mod archive;
pub mod derive;
pub mod error;
mod facts;
mod flights;
pub mod frame;
pub mod header;
mod inflate;
pub mod ingest;
pub mod integrity;
pub mod metadata;
pub mod picture;
pub mod retrieve;
mod scope;
pub mod search;
