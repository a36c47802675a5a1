//! HL7 version 2 messages: the codec, what ADT, order and result messages say, acknowledgements,
//! and the frames they travel in (MLLP).
//!
//! Start at [`message`]; the others read facts out of it.

pub mod ack;
pub mod adt;
pub mod examined;
pub mod header;
pub mod message;
pub mod mllp;
pub mod order;
pub mod report;
pub mod types;
