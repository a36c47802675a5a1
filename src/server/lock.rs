//! One server a data folder: two would not lose data, but surely are a mistake.

use std::fs::File;
use std::path::Path;

use crate::server::error::StartError;

/// Held while this process serves a data folder; the system releases it with the process.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Makes the folder where it is missing, and takes it.
    pub fn take(data: &Path) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| StartError::Data {
            path: data.to_owned(),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(data).map_err(failed)?;
        let file = File::create(data.join("lastra.lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(StartError::Locked(data.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
