//! Plain values the rooms exchange: what an object says of itself, where its copy lies, what
//! happened, what is to be done.
//!
//! Never here: behaviour that needs a store, a protocol's formats.

pub mod access;
pub mod commitment;
pub mod document;
pub mod event;
pub mod ids;
pub mod job;
pub mod link;
pub mod node;
pub mod order;
pub mod organisation;
pub mod outbox;
pub mod path;
pub mod person;
pub mod rejection;
pub mod study;
pub mod subscription;
