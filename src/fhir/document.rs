//! Documents as DocumentReference resources, each version its own; what reports share with them.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::door::Consultation;
use crate::fhir::fixed::id_of;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::LOINC;
use crate::fhir::values::REPORT_EU;
use crate::fhir::values::REPORT_IT;
use crate::fhir::values::SERVICE;
use crate::fhir::values::coding;
use crate::fhir::values::concept;
use crate::fhir::values::date;
use crate::fhir::values::instant;
use crate::fhir::values::instant_of_hl7;
use crate::fhir::values::number;
use crate::fhir::values::own_identifier;
use crate::fhir::values::reference;
use crate::index::pages::DocumentFound;
use crate::index::pages::DocumentRule;
use crate::index::pages::LinkFound;
use crate::index::pages::LinkRule;
use crate::index::pages::Page;
use crate::model::document::Document;
use crate::model::document::REPORT_TYPES;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::ids;
use crate::model::link::Waiting;

/// Links, or replaced versions, of one page of documents that are looked at.
const MOST_BESIDE: u32 = 10_000;
/// Confidentiality (HL7 v3).
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// What a page of documents stands on.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    links: Vec<LinkFound>,
    numbers: Vec<(i64, Reference)>,
    keepers: BTreeMap<i64, String>,
}

impl Consultation {
    /// What documents are linked to and which numbers they name.
    pub async fn beside(&self, found: &[DocumentFound]) -> Result<Beside, FascicoloError> {
        let rows: Vec<i64> = found.iter().map(|found| found.document.id).collect();
        if rows.is_empty() {
            return Ok(Beside::default());
        }
        let waiting: Vec<Waiting> = rows.iter().map(|row| Waiting::Document(*row)).collect();
        let numbers = self.fascicolo.references_of(&self.permit, &waiting).await?;
        let page = Page { limit: MOST_BESIDE, ..Page::default() };
        let rules = [LinkRule::Document(rows)];
        let mut links = self.fascicolo.links_page(&self.permit, &rules, &page).await?;
        links.retain(|found| found.link.undone.is_none());
        let keepers = self.fascicolo.organisations_of(&self.permit, &waiting).await?;
        let keepers = keepers.into_iter().map(|(row, keeper)| (row, id_of(keeper))).collect();
        Ok(Beside { links, numbers, keepers })
    }

    /// Documents as resources.
    pub async fn document_references(
        &self,
        found: &[DocumentFound],
    ) -> Result<Vec<Resource>, FascicoloError> {
        let beside = self.beside(found).await?;
        let rows: Vec<i64> = found.iter().map(|found| found.document.id).collect();
        let replaced = if rows.is_empty() {
            Vec::new()
        } else {
            let page = Page { limit: MOST_BESIDE, ..Page::default() };
            let rules = [DocumentRule::ReplacedBy(rows)];
            self.fascicolo.documents_page(&self.permit, &rules, &page).await?
        };
        Ok(found.iter().map(|found| self.document_reference(found, &beside, &replaced)).collect())
    }

    fn document_reference(
        &self,
        found: &DocumentFound,
        beside: &Beside,
        replaced: &[DocumentFound],
    ) -> Resource {
        let document = &found.document;
        let id = ids::of_document(&document.sha256);
        let older =
            replaced.iter().filter(|older| older.document.superseded_by == Some(document.id));
        let relates = older.map(|older| {
            let older = ids::of_document(&older.document.sha256);
            json!({ "code": "replaces", "target": reference("DocumentReference", &older) })
        });
        let related = beside.studies_of(document.id).into_iter();
        let related = related.chain(
            beside.named_by(document.id).into_iter().map(|number| json!({ "identifier": number })),
        );
        let category = if is_report(document) { radiology() } else { Value::Null };
        let body = json!({
            "masterIdentifier": identifiers(document).first(),
            "identifier": identifiers(document),
            "status": if document.superseded_by.is_none() { "current" } else { "superseded" },
            "docStatus": "final",
            "type": type_of(document),
            "category": [category],
            "subject": document.person.map(|person| reference("Patient", &ids::of_person(person))),
            "date": instant(document.received_us),
            "custodian": beside.keeper_of(document.id),
            "relatesTo": relates.collect::<Vec<_>>(),
            "description": document.title,
            "securityLabel": [confidentiality(&found.confidentiality)],
            "content": [{ "attachment": self.attachment(document) }],
            "context": {
                "period": period(&document.service_date),
                "related": related.collect::<Vec<_>>(),
            },
        });
        let kind = Kind::DocumentReference;
        let resource = Resource::new(kind, document.person, id, found.changed_us, body);
        self.with_address(resource, "/content/0/attachment/url")
    }

    /// The resource with the whole address at `pointer`: under whichever the archive is reached, it is
    /// the same version.
    pub fn with_address(&self, resource: Resource, pointer: &str) -> Resource {
        resource.with(|body| {
            if let Some(Value::String(url)) = body.pointer_mut(pointer) {
                *url = format!("{}/{url}", self.base);
            }
        })
    }

    /// A document's bytes as an attachment: where they are below the base, and what they are.
    pub fn attachment(&self, document: &Document) -> Value {
        let made = instant_of_hl7(&document.effective);
        json!({
            "contentType": document.media_type,
            "language": "it-IT",
            "url": format!("Binary/{}", ids::of_document(&document.sha256)),
            "size": u32::try_from(document.blob_bytes).ok(),
            "title": document.title,
            "creation": if made.is_empty() { date(&document.effective) } else { made },
        })
    }
}

impl Beside {
    /// The studies a document is linked to.
    pub fn studies_of(&self, document: i64) -> Vec<Value> {
        let own = self.links.iter().filter(|found| found.link.document == document);
        own.map(|found| {
            reference("ImagingStudy", &ids::of_study(&found.link.study_uid, &found.patient))
        })
        .collect()
    }

    /// The numbers a document names: of studies, of accessions, of orders.
    pub fn named_by(&self, document: i64) -> Vec<Value> {
        self.own(document).map(number).collect()
    }

    /// Accession and order numbers a document names.
    pub fn orders_of(&self, document: i64) -> Vec<Value> {
        self.own(document)
            .filter(|number| number.kind != ReferenceKind::Study)
            .map(|order| json!({ "type": "ServiceRequest", "identifier": number(order) }))
            .collect()
    }

    /// The organisation a document is of.
    pub fn keeper_of(&self, document: i64) -> Option<Value> {
        self.keepers.get(&document).map(|keeper| reference("Organization", keeper))
    }

    fn own(&self, document: i64) -> impl Iterator<Item = &Reference> {
        self.numbers.iter().filter(move |(row, _)| *row == document).map(|(_, number)| number)
    }
}

/// Whether a document is a report, by its type; one of no type is when it is linked.
fn is_report(document: &Document) -> bool {
    is_report_type(&document.type_code)
}

/// Whether a linked document of this type is a report.
pub fn is_report_type(code: &str) -> bool {
    code.is_empty() || REPORT_TYPES.contains(&code)
}

/// SHA-256 of a document's bytes as its identifier.
pub const HASH: &str = "urn:lastra:sha-256";

/// Identifiers of a document; one without any is named by its bytes.
pub fn identifiers(document: &Document) -> Vec<Value> {
    let mut own: Vec<&str> = vec![&document.document_id, &document.set_id];
    own.retain(|id| !id.is_empty());
    own.dedup();
    if own.is_empty() {
        return vec![json!({ "system": HASH, "value": ids::of_document(&document.sha256) })];
    }
    own.into_iter().map(own_identifier).collect()
}

/// The type of a document: as it says, and reports of imaging as European profiles have it too.
pub fn type_of(document: &Document) -> Value {
    let code = document.type_code.as_str();
    let mut codings = Vec::new();
    if !code.is_empty() && code != REPORT_EU {
        let display = if code == REPORT_IT { "Radiology Diagnostic study note" } else { "" };
        codings.push(coding(LOINC, code, display));
    }
    if is_report(document) {
        codings.push(coding(LOINC, REPORT_EU, "Diagnostic imaging report"));
    }
    json!({ "coding": codings, "text": document.title })
}

/// Radiology, as a category.
pub fn radiology() -> Value {
    concept(SERVICE, "RAD", "Radiology")
}

fn confidentiality(code: &str) -> Value {
    let display = match code {
        "N" => "normal",
        "R" => "restricted",
        "V" => "very restricted",
        _ => return Value::Null,
    };
    concept(CONFIDENTIALITY, code, display)
}

fn period(day: &str) -> Value {
    json!({ "start": date(day), "end": date(day) })
}
