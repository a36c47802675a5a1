//! What must be true of a stored study, in no protocol's words: blob durable, then one index
//! transaction, then the answer; reads by ranges; derived objects made once.
//!
//! Never here: HTTP, DIMSE or FHIR types; an answer before what it says is durable.
//! Start at [`ingest`] for storing, [`frame`] for the shortest way out.

pub mod archive;
pub mod bin;
pub mod changes;
pub mod commitment;
pub mod derive;
pub mod directory;
pub mod document;
pub mod error;
pub mod extended;
mod facts;
pub mod file_as;
mod file_pixels;
mod flights;
pub mod follow;
mod fragments;
pub mod frame;
pub mod header;
mod inflate;
pub mod ingest;
pub mod integrity;
mod joined_bits;
mod joined_fragments;
pub mod kept;
pub mod make;
mod make_document;
mod make_gif;
mod make_pixels;
pub mod metadata;
pub mod picture;
mod prove;
mod rejection;
pub mod rendered;
pub mod retrieve;
mod scope;
pub mod search;
pub mod show;
pub mod spool;
mod subtracted;
mod tables;
pub mod transcode;
mod turned;
