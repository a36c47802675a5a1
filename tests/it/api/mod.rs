//! JSON over HTTP for those who look after fascicoli.

mod deciding;
mod reading;
mod world;
