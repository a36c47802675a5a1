//! Tests of the room `imaging`.

mod codestreams;
mod hostile;
mod look;
mod object;
mod pydicom;
