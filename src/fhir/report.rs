//! Reports as DiagnosticReport resources: one for all versions of a report, which are its history.

use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::document::Beside;
use crate::fhir::document::identifiers;
use crate::fhir::document::radiology;
use crate::fhir::document::type_of;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::date;
use crate::fhir::values::instant_of_hl7;
use crate::fhir::values::reference;
use crate::index::pages::DocumentFound;
use crate::index::pages::DocumentRule;
use crate::index::pages::Page;
use crate::model::document::REPORT_TYPES;
use crate::model::ids;

/// The most versions of a report that are listed.
const MOST_VERSIONS: u32 = 1000;

/// That a document is a report in force.
pub fn in_force() -> [DocumentRule; 2] {
    let types = REPORT_TYPES.iter().map(|code| (*code).to_owned()).collect();
    [DocumentRule::Report(types), DocumentRule::Current(true)]
}

impl Consultation {
    /// Reports as resources.
    pub async fn reports(&self, found: &[DocumentFound]) -> Result<Vec<Resource>, FascicoloError> {
        let beside = self.beside(found).await?;
        Ok(found.iter().map(|found| self.report(found, &beside)).collect())
    }

    /// The versions of a report, the one in force first; none when it is no report's id.
    pub async fn report_versions(&self, id: &str) -> Result<Vec<Resource>, FascicoloError> {
        let Some(hash) = ids::document(id) else { return Ok(Vec::new()) };
        let page = Page { limit: MOST_VERSIONS, ..Page::default() };
        let one = [DocumentRule::Hash(vec![hash])];
        let Some(first) = self.fascicolo.documents_page(&self.permit, &one, &page).await?.pop()
        else {
            return Ok(Vec::new());
        };
        // A later version is none by itself.
        if first.first != hash {
            return Ok(Vec::new());
        }
        let [types, _] = in_force();
        let of_set = if first.document.set_id.is_empty() {
            DocumentRule::Hash(vec![hash])
        } else {
            DocumentRule::Set(vec![first.document.set_id.clone()])
        };
        let mut found =
            self.fascicolo.documents_page(&self.permit, &[of_set, types], &page).await?;
        found.sort_by_key(|found| {
            let document = &found.document;
            (document.superseded_by.is_some(), std::cmp::Reverse((document.version, document.id)))
        });
        self.reports(&found).await
    }

    fn report(&self, found: &DocumentFound, beside: &Beside) -> Resource {
        let document = &found.document;
        let body = json!({
            "identifier": identifiers(document),
            "basedOn": beside.orders_of(document.id),
            "status": if document.version > 1 { "amended" } else { "final" },
            "category": [radiology()],
            "code": type_of(document),
            "subject": document.person.map(|person| reference("Patient", &ids::of_person(person))),
            "effectiveDateTime": date(&document.service_date),
            "issued": instant_of_hl7(&document.effective),
            "performer": beside.keeper_of(document.id).into_iter().collect::<Vec<_>>(),
            "imagingStudy": beside.studies_of(document.id),
            "presentedForm": [self.attachment(document)],
        });
        let id = ids::of_document(&found.first);
        let (kind, person) = (Kind::DiagnosticReport, document.person);
        let resource = Resource::new(kind, person, id, found.changed_us, body);
        self.with_address(resource, "/presentedForm/0/url")
    }
}
