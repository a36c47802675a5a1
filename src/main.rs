//! The `lastra` command.

use std::process::ExitCode;

use lastra::cli::run::run;

/// Image-sized allocations that come and go fragment the system allocator's heap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(std::env::args_os())
}
