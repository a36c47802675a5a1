//! Finding.

use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::index::query::Found;
use crate::index::query::Query;

impl Archive {
    /// Answers a search. `Ambiguous` when it names a Study Instance UID kept under several patients
    /// as its scope (`query.study`) without saying whose.
    pub async fn search(&self, permit: &Permit, query: &Query) -> Result<Vec<Found>, ArchiveError> {
        self.may_search(permit, query).await?;
        Ok(self.inner.index.find(query).await?)
    }

    /// How many rows a search would give, counted up to `at_most`.
    pub async fn count(
        &self,
        permit: &Permit,
        query: &Query,
        at_most: u32,
    ) -> Result<u32, ArchiveError> {
        self.may_search(permit, query).await?;
        Ok(self.inner.index.count(query, at_most).await?)
    }

    async fn may_search(&self, permit: &Permit, query: &Query) -> Result<(), ArchiveError> {
        match (permit.subject(), &query.study) {
            (Subject::Searching | Subject::Archive, _) => {}
            (Subject::Study(of), Some(study)) if of == study => {}
            _ => return Err(ArchiveError::Denied),
        }
        let (Some(study), None, None) = (&query.study, &query.series, &query.patient) else {
            return Ok(());
        };
        let patients = self.inner.index.patients_of_study(study.as_str()).await?;
        if patients.len() > 1 {
            return Err(ArchiveError::Ambiguous { study: study.clone(), patients });
        }
        Ok(())
    }
}
