//! Reading the fascicolo page by page, as other systems ask for it. What is nobody's is not found.

use crate::access::permit::Permit;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::issuers::Issuer;
use crate::index::accesses::AccessRule;
use crate::index::pages::Counted;
use crate::index::pages::DocumentFound;
use crate::index::pages::DocumentRule;
use crate::index::pages::InstanceFound;
use crate::index::pages::LinkFound;
use crate::index::pages::LinkRule;
use crate::index::pages::Page;
use crate::index::pages::PersonFound;
use crate::index::pages::PersonRule;
use crate::index::pages::SeriesFound;
use crate::index::pages::StudyFound;
use crate::index::pages::StudyRule;
use crate::model::access::Access;
use crate::model::document::Reference;
use crate::model::link::Waiting;
use crate::model::person::Demographics;
use crate::model::person::Person;
use crate::people::identifier::Identifier;

impl Fascicolo {
    /// A page of people.
    pub async fn people_page(
        &self,
        permit: &Permit,
        rules: &[PersonRule],
        page: &Page,
    ) -> Result<Vec<PersonFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.people_page(rules, page).await?)
    }

    /// A page of studies.
    pub async fn studies_page(
        &self,
        permit: &Permit,
        rules: &[StudyRule],
        page: &Page,
    ) -> Result<Vec<StudyFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.studies_page(rules, page).await?)
    }

    /// A page of documents.
    pub async fn documents_page(
        &self,
        permit: &Permit,
        rules: &[DocumentRule],
        page: &Page,
    ) -> Result<Vec<DocumentFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.documents_page(rules, page).await?)
    }

    /// A page of links, undone ones too.
    pub async fn links_page(
        &self,
        permit: &Permit,
        rules: &[LinkRule],
        page: &Page,
    ) -> Result<Vec<LinkFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.links_page(rules, page).await?)
    }

    /// A page of the record of accesses.
    pub async fn accesses_page(
        &self,
        permit: &Permit,
        rules: &[AccessRule],
        page: &Page,
    ) -> Result<Vec<Access>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.accesses_page(rules, page).await?)
    }

    /// How many there are, counted up to `at_most`.
    pub async fn count_page(
        &self,
        permit: &Permit,
        counted: Counted<'_>,
        at_most: u32,
    ) -> Result<u32, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.count_page(counted, at_most).await?)
    }

    /// The series of studies.
    pub async fn series_of_studies(
        &self,
        permit: &Permit,
        studies: &[i64],
    ) -> Result<Vec<SeriesFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.series_of_studies(studies).await?)
    }

    /// The instances of a study, at most `limit`.
    pub async fn instances_of_study(
        &self,
        permit: &Permit,
        study: i64,
        limit: u32,
    ) -> Result<Vec<InstanceFound>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.instances_of_study(study, limit).await?)
    }

    /// The numbers several studies, or several documents, are known by.
    pub async fn references_of(
        &self,
        permit: &Permit,
        of: &[Waiting],
    ) -> Result<Vec<(i64, Reference)>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.references_of(of).await?)
    }

    /// A person by any of their rows.
    pub async fn person(&self, permit: &Permit, row: i64) -> Result<Person, FascicoloError> {
        may(permit)?;
        let found = self.inner.index.person(row).await?;
        found.ok_or(FascicoloError::Unknown("this person"))
    }

    /// What was said of a person's name and birth, oldest first.
    pub async fn demographics(
        &self,
        permit: &Permit,
        person: i64,
    ) -> Result<Vec<Demographics>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.demographics(person).await?)
    }

    /// The person an identifier is of, its issuer under whatever name.
    pub async fn person_of(
        &self,
        permit: &Permit,
        identifier: &Identifier,
    ) -> Result<Option<i64>, FascicoloError> {
        may(permit)?;
        let kept = self.inner.issuers.identifiers(std::slice::from_ref(identifier)).pop();
        let Some(kept) = kept else { return Ok(None) };
        Ok(self.inner.index.person_of(&kept).await?)
    }

    /// Work of a door that takes more than half a millisecond, off the async threads.
    pub async fn compute<T: Send + 'static>(
        &self,
        weight: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, FascicoloError> {
        Ok(self.inner.archive.compute(weight, work).await?)
    }

    /// The name an issuer is kept under.
    pub fn issuer_of(&self, assigner: &str) -> String {
        self.inner.issuers.named(assigner)
    }

    /// Issuers the settings name.
    pub fn issuers(&self) -> Vec<Issuer> {
        self.inner.issuers.all()
    }
}
