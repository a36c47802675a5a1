//! The national gateway of the Fascicolo Sanitario Elettronico 2.0, as its client: reports are validated,
//! published, replaced and deleted there, and what became of them is asked.
//!
//! Facts are those of the ministry's "Interfaccia REST Gateway" (it-fse-support,
//! `doc/integrazione-gateway`); tested against a strict simulator of them in `tests/`. No accreditation
//! is claimed. Never here: rows, blobs; which documents there are is the fascicolo's to say.
//! Start at [`outbound`]: the way of one entry of the outbox.

pub mod answer;
pub mod client;
pub mod outbound;
pub mod request;
pub mod settings;
pub mod sign;
pub mod token;
