//! The FHIR door of the real binary.

mod auditing;
mod bringing;
mod hostile;
mod manifests;
mod reading;
mod searching;
mod stock;
mod subscribing;
mod world;
