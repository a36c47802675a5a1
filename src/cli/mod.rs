//! The commands: each reads its arguments, asks the rooms below, says what came of it.
//!
//! Results go to standard output, messages to standard error; `--json` makes results machine
//! readable on every command. Start at [`args`], then [`run`].

pub mod args;
pub mod bin;
pub mod check;
pub mod checklist;
pub mod configuration;
pub mod conformance;
pub mod demo;
pub mod exit;
pub mod fascicolo;
pub mod fascicolo_args;
pub mod fascicolo_figures;
pub mod fascicolo_look;
pub mod fascicolo_outbox;
pub mod import;
pub mod journal;
pub mod object;
pub mod output;
pub mod run;
pub mod samples;
pub mod send;
pub mod serve;
pub mod sources;
pub mod viewer;
