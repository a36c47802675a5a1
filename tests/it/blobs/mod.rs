//! Tests of the room `blobs`.

mod conformance;
mod disk;
mod faults;
mod speed;
mod stores;
