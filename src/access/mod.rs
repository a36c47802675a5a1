//! Who may: actors, purposes, and the permit every read and write must show; who did: [`record`].
//!
//! Never here: a door's formats, rows. Only [`permit`] makes a `Permit`.

pub mod actor;
pub mod permit;
pub mod record;
