//! HL7 as bytes to values and back: CDA documents and version 2 messages.
//!
//! Never here: I/O, waiting, recursion on input. Start at [`cda::document`] and [`v2::message`].

pub mod cda;
pub mod fhir_report;
pub mod v2;
