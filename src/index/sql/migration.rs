//! Why the tables could not be brought up to date.

use sqlx::migrate::MigrateError;

use crate::index::error::IndexError;

use super::dialect::failed as not_answered;

/// A failure to migrate, in an operator's words.
pub(super) fn failed(error: MigrateError) -> IndexError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            not_answered(error)
        }
        MigrateError::VersionMissing(version) => IndexError::Inconsistent(format!(
            "its tables are of a newer version of lastra (schema {version}): use that version"
        )),
        MigrateError::VersionMismatch(version) => IndexError::Inconsistent(format!(
            "its tables were made by another build of lastra (schema {version} differs)"
        )),
        error => IndexError::Inconsistent(format!("schema: {error}")),
    }
}
