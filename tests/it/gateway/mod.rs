//! The national gateway's client against a strict simulator of the gateway's documented behaviour.

mod certificates;
mod claims;
mod faults;
mod killed;
mod pdf;
mod publishing;
mod simulator;
mod world;
