//! Exit codes; a code not listed means failure.

use std::process::ExitCode;

use crate::config::ConfigError;
use crate::fascicolo::error::FascicoloError;
use crate::server::error::StartError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// It finished, but some items failed.
    SomeFailed = 3,
    /// What was asked for is not there.
    NotFound = 4,
    /// The other side refused.
    Refused = 5,
    /// A check found something.
    Findings = 6,
    /// Another process serves the data folder.
    Locked = 11,
    /// The configuration is wrong.
    Config = 12,
    /// Interrupted; running the same command again goes on where it stopped.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit code an error calls for.
pub fn of_error(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<ConfigError>().is_some() {
        return Exit::Config;
    }
    match error.downcast_ref::<FascicoloError>() {
        Some(FascicoloError::Unknown(_)) => return Exit::NotFound,
        Some(FascicoloError::Refused(_) | FascicoloError::Denied) => return Exit::Refused,
        _ => {}
    }
    match error.downcast_ref::<StartError>() {
        Some(StartError::Locked(_)) => Exit::Locked,
        _ => Exit::Failed,
    }
}
