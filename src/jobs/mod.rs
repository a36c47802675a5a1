//! Work that can wait: a runner that claims jobs from the durable queue.
//!
//! Never here: jobs that are not idempotent, queues in memory without a bound.

pub mod runner;
