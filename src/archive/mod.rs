//! What must be true of a stored study, in no protocol's words: blob durable, then one index
//! transaction, then the answer; reads by ranges; derived objects made once.
//!
//! Never here: HTTP, DIMSE or FHIR types. Start at [`ingest`].

pub mod archive;
pub mod derive;
pub mod error;
pub mod frame;
pub mod ingest;
pub mod integrity;
pub mod metadata;
pub mod picture;
pub mod retrieve;
pub mod search;
