//! The DICOM network: associations, C-ECHO, C-STORE; and the client side of both.
//!
//! From the socket up: [`socket`] and [`wire`] move bytes, [`pdu`] and [`encode`] know their form,
//! [`message`] and [`command`] make messages of them, [`negotiate`] decides what is spoken,
//! [`association`] holds the conversation, [`store`] and [`echo`] serve it, [`listener`] lets
//! peers in.
//!
//! Memory of an association, however large the objects: one read buffer of 256 KiB (16 KiB and
//! its request, at most 512 KiB, before it is accepted), what the archive has not written yet of earlier ones, a command set of
//! at most 64 KiB.
//!
//! Never here: rules on what is stored, the index, blobs. Start at [`association`].
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::cast_possible_truncation))]

pub mod association;
pub mod client;
pub mod command;
pub mod echo;
pub mod encode;
mod end;
mod items;
pub mod listener;
pub mod message;
pub mod negotiate;
pub mod pdu;
pub mod refusal;
pub mod services;
pub mod socket;
pub mod status;
pub mod store;
mod waiting;
pub mod wire;
