//! Tests of the DICOM door: stock clients, peers that say exactly what they are told, limits.

mod admission;
mod conversations;
mod door;
mod full_disk;
mod hostile;
mod limits;
mod negotiation;
mod statuses;
mod stock_clients;
mod stopping;
mod tools;
mod traces;
