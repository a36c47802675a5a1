//! Documents for people to read: structured reports and CDA narratives as HTML and plain text
//! (PS3.18 §8.7.4, category Text).
//!
//! Never here: I/O, recursion on input, markup of a stranger passed on as it is.
//! Start at [`report`] for structured reports, [`cda`] for CDA; both become a [`page`].

pub mod cda;
pub mod letter;
pub mod manifest;
pub mod manifest_fhir;
pub mod manifest_kos;
pub mod page;
pub mod pdf;
mod pdf_content;
pub mod pdf_text;
pub mod report;
