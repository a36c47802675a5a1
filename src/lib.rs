//! Lastra, a DICOM imaging archive: studies come in over the network, their bytes stay exactly as
//! they came in object storage, and they are found and served over DICOMweb.
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | 11 | [`cli`] | the commands: serve, demo, import, send, echo, check, bin, fascicolo, viewer, config |
//! | 10 | [`server`] | assembly of all rooms, and the order in which they start and stop |
//! | 9 | [`config`] | reads file, environment and flags; remembers where each value came from |
//! | 8 | [`web`] | pages: the OHIF viewer |
//! | 8 | [`fhir`] | FHIR R4: people, studies, reports and documents read, searched and brought |
//! | 8 | [`api`] | JSON for those who look after fascicoli: people, documents, links, what waits |
//! | 8 | [`dicomweb`] | QIDO-RS, WADO-RS, STOW-RS, WADO-URI, capabilities; the change feed |
//! | 7 | [`gateway`] | the national gateway's client: reports published there |
//! | 7 | [`http`] | the hallway of the HTTP doors: who asks, errors, caching, limits, base URL |
//! | 7 | [`mllp`] | HL7 version 2 over TCP |
//! | 6 | [`fascicolo`] | whose studies and documents are, which belong together |
//! | 6 | [`dimse`] | the DICOM network: associations, C-ECHO, C-STORE; the client side |
//! | 5 | [`archive`] | what must be true of a stored study, in no protocol's words |
//! | 4 | [`access`] | who may: actors, purposes, permits |
//! | 4 | [`jobs`] | work that can wait: runner over the durable queue |
//! | 3 | [`documents`] | reports and CDA narratives as pages to read |
//! | 3 | [`index`] | rows: port, query, SQLite and PostgreSQL adapters |
//! | 2 | [`blobs`] | bytes: immutable keys, durable writes, ranged reads |
//! | 2 | [`hl7`] | CDA documents and HL7 version 2 messages, bytes to values |
//! | 2 | [`imaging`] | pixels: bounded pool, decoding, rendering, thumbnails |
//! | 2 | [`model`] | plain values the rooms above exchange |
//! | 1 | [`dicom`] | bytes to values: scanner, Part 10, frames, DICOM JSON, character sets |
//! | 1 | [`people`] | identifiers of people, and how alike two people are |
//! | 1 | [`clock`], [`telemetry`] | time as an argument; log and metric names |
//! | 1 | [`steps`] | where a debug build can be made to die, for the tests |
//!
//! Arrows lead down only; `tests/house.rs` holds that. Start reading at
//! [`archive::ingest`] for storing and [`dicomweb::wado`] for fetching.

pub mod access;
pub mod api;
pub mod archive;
pub mod blobs;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dicom;
pub mod dicomweb;
pub mod dimse;
pub mod documents;
pub mod fascicolo;
pub mod fhir;
pub mod gateway;
pub mod hl7;
pub mod http;
pub mod imaging;
pub mod index;
pub mod jobs;
pub mod mllp;
pub mod model;
pub mod people;
pub mod server;
pub mod steps;
pub mod telemetry;
pub mod web;
