//! Integration tests: one binary, a folder a room, `promises/` for what spans them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::assigning_clones,
    clippy::float_cmp,
    clippy::trivially_copy_pass_by_ref,
    clippy::unwrap_used
)]

mod api;
mod blobs;
mod cli;
mod dicom;
mod dicomweb;
mod dimse;
mod fascicolo;
mod fhir;
mod gateway;
mod imaging;
mod index;
mod mllp;
mod promises;
mod support;
mod web;
