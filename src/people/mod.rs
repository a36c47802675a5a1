//! Who an object is about: patient identifiers and who assigned them.
//!
//! Never here: I/O, formats of a door.

pub mod patient_id;
