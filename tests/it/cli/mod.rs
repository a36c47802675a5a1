//! Tests of the commands: what the README tells people to type.

mod commands;
mod conformance;
mod demo;
mod readme;
