//! Links as Provenance resources: what belongs together, by which evidence, who said so and when.

use serde_json::Value;
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::link::ITSELF;
use crate::fhir::document::is_report_type;
use crate::fhir::door::Consultation;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::concept;
use crate::fhir::values::instant;
use crate::fhir::values::number;
use crate::fhir::values::reference;
use crate::index::pages::LinkFound;
use crate::index::pages::LinkRule;
use crate::index::pages::Page;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::ids;
use crate::model::link::Method;

/// Part somebody has (FHIR R4 provenance-participant-type).
const PART: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
/// How links are found.
const METHOD: &str = "urn:lastra:link-method";

impl Consultation {
    /// The link of an id, as a resource.
    pub async fn provenance(&self, id: &str) -> Result<Option<Resource>, FascicoloError> {
        let Some(row) = ids::link(id) else { return Ok(None) };
        let page = Page { limit: 1, ..Page::default() };
        let rules = [LinkRule::Row(vec![row])];
        let found = self.fascicolo.links_page(&self.permit, &rules, &page).await?.pop();
        // A row used again is another link.
        Ok(found.map(|found| provenance(&found)).filter(|found| found.id == id))
    }
}

/// A link as a resource.
pub fn provenance(found: &LinkFound) -> Resource {
    let link = &found.link;
    let evidence: Value = serde_json::from_str(&link.evidence).unwrap_or_default();
    let said = |name: &str| evidence.get(name).and_then(Value::as_str).unwrap_or_default();
    let shared = ReferenceKind::parse(said("kind")).map(|kind| {
        number(&Reference {
            kind,
            assigner: said("issuer").to_owned(),
            value: said("value").to_owned(),
        })
    });
    let entity =
        shared.map(|identifier| json!({ "role": "source", "what": { "identifier": identifier } }));
    let mut target = vec![
        reference("DocumentReference", &ids::of_document(&found.document)),
        reference("ImagingStudy", &ids::of_study(&link.study_uid, &found.patient)),
    ];
    if is_report_type(&found.type_code) {
        target.push(reference("DiagnosticReport", &ids::of_document(&found.first)));
    }
    let undone = link.undone.as_ref();
    let mut agents = vec![agent(&link.actor, "author")];
    agents.extend(undone.map(|(_, by)| agent(by, "verifier")));
    let how = match link.method {
        Method::Reference(ReferenceKind::Study) => "the document names the study's UID",
        Method::Reference(ReferenceKind::Accession) => "both name the same accession number",
        Method::Reference(ReferenceKind::Order) => "both name the same order",
        Method::Manual => "somebody said so",
    };
    let body = json!({
        "target": target,
        "occurredPeriod": {
            "start": instant(link.made_us), "end": undone.map(|(at, _)| instant(*at)),
        },
        "recorded": instant(link.made_us),
        "reason": [concept(METHOD, link.method.as_str(), how)],
        "activity": concept(
            "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
            if undone.is_some() { "DELETE" } else { "CREATE" },
            if undone.is_some() { "delete" } else { "create" },
        ),
        "agent": agents,
        "entity": [entity],
    });
    let changed_us = undone.map_or(link.made_us, |(at, _)| *at);
    let id = ids::of_link(link.id, link.made_us);
    Resource::new(Kind::Provenance, Some(found.person), id, changed_us, body)
}

fn agent(actor: &str, part: &str) -> Value {
    let (kind, part) = if actor == ITSELF { ("Device", "assembler") } else { ("", part) };
    json!({ "type": concept(PART, part, ""), "who": { "type": kind, "display": actor } })
}
