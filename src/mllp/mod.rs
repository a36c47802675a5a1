//! HL7 version 2 over TCP (MLLP): messages in, acknowledgements out. Off until it has an address.
//!
//! Never here: what a message means (`fascicolo::messages`), its codec (`hl7::v2`).

pub mod listener;
