//! What goes with the answers of a search: what they point at, and what points at them.

use std::collections::BTreeSet;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::cursor::Cursor;
use crate::fhir::door::Consultation;
use crate::fhir::fixed::WADO_RS;
use crate::fhir::listing::Wanted;
use crate::fhir::manifest_rules::of_all;
use crate::fhir::provenance::provenance;
use crate::fhir::report::in_force;
use crate::fhir::resource::Resource;
use crate::index::pages::DocumentRule;
use crate::index::pages::LinkRule;
use crate::index::pages::Page;
use crate::index::pages::StudyRule;

/// The most resources of one kind that go with a page.
pub const MOST_INCLUDED: u32 = 1000;

/// The rows of a page's answers.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Whose they are.
    pub people: BTreeSet<i64>,
    /// Studies.
    pub studies: Vec<i64>,
    /// Documents.
    pub documents: Vec<i64>,
    /// Studies whose manifests they are.
    pub listed_studies: BTreeSet<i64>,
}

/// What goes with a page, each once.
#[derive(Debug, Clone, Default)]
pub struct Included {
    /// The resources.
    pub resources: Vec<Resource>,
    /// Whether there are more than may go with one page.
    pub cut: bool,
}

impl Included {
    fn add(&mut self, found: Vec<Resource>) {
        self.cut |= u32::try_from(found.len()).is_ok_and(|length| length >= MOST_INCLUDED);
        for resource in found {
            let known = |own: &Resource| own.kind == resource.kind && own.id == resource.id;
            if !self.resources.iter().any(known) {
                self.resources.push(resource);
            }
        }
    }
}

impl Consultation {
    /// Fetches what is to go with a page.
    pub async fn included(
        &self,
        rows: &Rows,
        includes: &[&'static str],
        rev_includes: &[&'static str],
    ) -> Result<Included, FascicoloError> {
        let mut included = Included::default();
        for include in includes {
            included.add(self.include(rows, include).await?);
        }
        for include in rev_includes {
            included.add(self.rev_include(rows, include).await?);
        }
        Ok(included)
    }

    async fn include(&self, rows: &Rows, include: &str) -> Result<Vec<Resource>, FascicoloError> {
        let (_, element) = include.split_once(':').unwrap_or_default();
        match element {
            "endpoint" if !rows.studies.is_empty() => {
                let mut endpoints = self.endpoints();
                endpoints.retain(|endpoint| endpoint.id == WADO_RS);
                Ok(endpoints)
            }
            "patient" | "subject" if !rows.people.is_empty() => {
                self.people(rows.people.iter().copied().collect()).await
            }
            "imaging-study" => self.studies_of(StudyRule::Document(rows.documents.clone())).await,
            "related" => {
                let mut found =
                    self.studies_of(StudyRule::Document(rows.documents.clone())).await?;
                let listed = rows.listed_studies.iter().copied().collect();
                found.extend(self.studies_of(StudyRule::Row(listed)).await?);
                Ok(found)
            }
            "target" => {
                let mut found = self.studies_of(StudyRule::Row(rows.studies.clone())).await?;
                let all = [DocumentRule::Row(rows.documents.clone())];
                let page = included_page();
                let documents = self.fascicolo.documents_page(&self.permit, &all, &page).await?;
                found.extend(self.document_references(&documents).await?);
                Ok(found)
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn rev_include(
        &self,
        rows: &Rows,
        include: &str,
    ) -> Result<Vec<Resource>, FascicoloError> {
        let page = included_page();
        match include {
            "DiagnosticReport:imaging-study" => {
                let [types, current] = in_force();
                let rules = [DocumentRule::Study(rows.studies.clone()), types, current];
                let found = self.fascicolo.documents_page(&self.permit, &rules, &page).await?;
                self.reports(&found).await
            }
            "DocumentReference:related" => {
                let wanted = Wanted {
                    documents: vec![DocumentRule::Study(rows.studies.clone())],
                    manifests: of_all(&[StudyRule::Row(rows.studies.clone())]),
                };
                let (listed, _) =
                    self.list(&wanted, &page, Cursor::default(), MOST_INCLUDED).await?;
                self.listed(&listed).await
            }
            _ => {
                let rule = if rows.studies.is_empty() {
                    LinkRule::Document(rows.documents.clone())
                } else {
                    LinkRule::Study(rows.studies.clone())
                };
                let found = self.fascicolo.links_page(&self.permit, &[rule], &page).await?;
                Ok(found.iter().map(provenance).collect())
            }
        }
    }

    async fn studies_of(&self, rule: StudyRule) -> Result<Vec<Resource>, FascicoloError> {
        let page = included_page();
        let found = self.fascicolo.studies_page(&self.permit, &[rule], &page).await?;
        self.imaging_studies(&found).await
    }
}

fn included_page() -> Page {
    Page { limit: MOST_INCLUDED, ..Page::default() }
}
