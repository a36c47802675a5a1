//! JSON over HTTP for those who look after fascicoli, and for ordering systems: people, their
//! episodes, documents, links and what they rest on, what waits for a decision, figures.
//!
//! Never here: rules of linking, rows, DICOM. Everything that is decided here is decided in
//! `fascicolo`, with who said so. Start at [`routes`].

pub mod asked;
pub mod completeness;
pub mod documents;
pub mod door;
pub mod error;
pub mod links;
pub mod people;
pub mod priors;
pub mod queue;
pub mod reports;
pub mod routes;
