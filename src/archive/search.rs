//! Finding.

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::index::query::{Found, Query};

impl Archive {
    /// Answers a search. `Ambiguous` when it names a Study Instance UID kept under several patients
    /// as its scope (`query.study`) without saying whose.
    pub async fn search(&self, permit: &Permit, query: &Query) -> Result<Vec<Found>, ArchiveError> {
        todo!("{permit:?} {query:?}")
    }

    /// How many rows a search would give, counted up to `at_most`.
    pub async fn count(
        &self,
        permit: &Permit,
        query: &Query,
        at_most: u32,
    ) -> Result<u32, ArchiveError> {
        todo!("{permit:?} {query:?} {at_most}")
    }
}
