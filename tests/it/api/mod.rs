//! JSON over HTTP for those who look after fascicoli.

mod deciding;
mod keeping_up;
mod reading;
mod world;
