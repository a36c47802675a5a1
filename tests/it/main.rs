//! Integration tests: one binary, a folder a room, `promises/` for what spans them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod blobs;
mod cli;
mod dicom;
mod dicomweb;
mod dimse;
mod imaging;
mod index;
mod promises;
mod support;
