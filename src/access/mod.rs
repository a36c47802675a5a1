//! Who may: actors, purposes, and the permit every read and write must show.
//!
//! Never here: a door's formats, rows. Only [`permit`] makes a `Permit`.

pub mod actor;
pub mod permit;
