//! The DICOM network: associations, C-ECHO, C-STORE, and the client side of both.
//!
//! Lives here: PDUs read in pieces ([`pdu`]), what an association may do ([`negotiate`]), command
//! sets ([`command`]), services ([`store`]), statuses ([`status`]).
//!
//! Never here: stores, other doors, a data set in memory as a whole. Start at [`listener`].
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod association;
pub mod client;
pub mod command;
pub mod listener;
pub mod message;
pub mod negotiate;
pub mod pdu;
pub mod socket;
pub mod status;
pub mod store;
