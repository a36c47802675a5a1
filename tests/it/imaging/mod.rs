//! Tests of the room `imaging`.

mod bombs;
mod codestreams;
mod dcmtk;
mod groups;
mod hostile;
mod look;
mod object;
mod table;
