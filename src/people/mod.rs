//! Who an object is about: patient identifiers, who assigned them, and how alike two people are.
//!
//! Never here: I/O, formats of a door. Start at [`identifier`]; [`codice_fiscale`] checks the
//! Italian one; [`candidate`] scores "is this the same person?" and never decides it.

pub mod candidate;
pub mod codice_fiscale;
pub mod identifier;
pub mod patient_id;
pub mod phonetic;
