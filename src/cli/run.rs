//! From the command line to an exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::Cli;
use crate::cli::args::Command;
use crate::cli::bin;
use crate::cli::check;
use crate::cli::configuration;
use crate::cli::conformance;
use crate::cli::demo;
use crate::cli::exit::Exit;
use crate::cli::exit::of_error;
use crate::cli::fascicolo;
use crate::cli::import;
use crate::cli::output::Output;
use crate::cli::send;
use crate::cli::serve;
use crate::cli::viewer;
use crate::config::ConfigError;
use crate::config::Flag;
use crate::config::Loaded;
use crate::config::load;
use crate::telemetry;

/// Runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let output = Output { json: cli.json };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli.command, output)),
        Err(error) => Err(error.into()),
    };
    let exit = ended.unwrap_or_else(|error| {
        output.say(&format!("lastra: {error:#}"));
        of_error(&error)
    });
    exit.into()
}

async fn dispatch(command: Command, output: Output) -> anyhow::Result<Exit> {
    match command {
        Command::Serve(stores) => serve::run(&stores, output).await,
        Command::Demo(demo) => demo::run(&demo, output).await,
        Command::Import(import) => import::run(&import, output).await,
        Command::Send(send) => send::send(&send, output).await,
        Command::Echo(echo) => send::echo(&echo, output).await,
        Command::Check(check) => check::run(&check, output).await,
        Command::Viewer(viewer) => viewer::run(&viewer, output),
        Command::Bin(bin) => bin::run(&bin, output).await,
        Command::Fascicolo(fascicolo) => fascicolo::run(&fascicolo, output).await,
        Command::Conformance(conformance) => Ok(conformance::run(&conformance, output)),
        Command::Config(config) => configuration::run(&config, output),
    }
}

/// Loads the configuration with this process' environment.
pub(in crate::cli) fn loaded(file: Option<&Path>, flags: &[Flag]) -> Result<Loaded, ConfigError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load(file, environment, flags)
}

/// Sets up the log; a second set-up in one process (tests) keeps the first.
pub(in crate::cli) fn set_up_log(settings: &telemetry::Settings) -> Result<(), ConfigError> {
    match telemetry::log(settings) {
        Ok(()) | Err(telemetry::TelemetryError::Twice(_)) => Ok(()),
        Err(error @ telemetry::TelemetryError::Level(_)) => Err(ConfigError::Value {
            origin: crate::config::Origin::Default,
            reason: error.to_string(),
        }),
    }
}
