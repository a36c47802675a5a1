//! Assembly: the only room that knows every other, the order in which they start, and the order in
//! which they stop.
//!
//! Never here: logic. Start at [`app`].

pub mod app;
pub mod error;
pub mod lock;
pub mod sweep;
