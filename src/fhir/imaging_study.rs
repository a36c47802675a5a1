//! Studies as ImagingStudy resources, built from what the DICOM objects say: the national map from CDA
//! gives a document section's code as modality and an item's as SOP class.

use serde_json::Value;
use serde_json::json;

use crate::documents::manifest::Region;
use crate::documents::manifest::region;
use crate::fascicolo::error::FascicoloError;
use crate::fhir::door::Consultation;
use crate::fhir::facts::Code;
use crate::fhir::facts::Facts;
use crate::fhir::fixed::WADO_RS;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::DCM;
use crate::fhir::values::LOINC;
use crate::fhir::values::SNOMED;
use crate::fhir::values::URI;
use crate::fhir::values::coding;
use crate::fhir::values::date_time;
use crate::fhir::values::human_name;
use crate::fhir::values::number;
use crate::fhir::values::pruned;
use crate::fhir::values::reference;
use crate::fhir::values::study_uid;
use crate::index::pages::InstanceFound;
use crate::index::pages::SeriesFound;
use crate::index::pages::StudyFound;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::ids;
use crate::model::link::Waiting;

/// The most instances written in one resource; of a study with more it says that it is in part.
pub const MOST_INSTANCES: u32 = 50_000;

impl Consultation {
    /// Studies as resources, their series without their instances: searches say that they are in part.
    pub async fn imaging_studies(
        &self,
        found: &[StudyFound],
    ) -> Result<Vec<Resource>, FascicoloError> {
        let rows: Vec<i64> = found.iter().map(|study| study.row).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let series = self.fascicolo.series_of_studies(&self.permit, &rows).await?;
        let waiting: Vec<Waiting> = rows.iter().map(|row| Waiting::Study(*row)).collect();
        let references = self.fascicolo.references_of(&self.permit, &waiting).await?;
        let studies = found.iter().map(|study| {
            let series: Vec<&SeriesFound> =
                series.iter().filter(|series| series.study == study.row).collect();
            let own = references.iter().filter(|(row, _)| *row == study.row);
            let numbers: Vec<&Reference> = own.map(|(_, reference)| reference).collect();
            resource(study, &series, &numbers).in_part()
        });
        Ok(studies.collect())
    }

    /// A study as a resource, whole.
    pub async fn imaging_study(&self, found: &StudyFound) -> Result<Resource, FascicoloError> {
        let rows = [found.row];
        let series = self.fascicolo.series_of_studies(&self.permit, &rows).await?;
        let waiting = [Waiting::Study(found.row)];
        let references = self.fascicolo.references_of(&self.permit, &waiting).await?;
        let numbers: Vec<&Reference> = references.iter().map(|(_, reference)| reference).collect();
        let instances = self.fascicolo.instances_of_study(&self.permit, found.row, MOST_INSTANCES);
        let instances = instances.await?;
        let all: Vec<&SeriesFound> = series.iter().collect();
        let written = resource(found, &all, &numbers).with(|body| {
            let items = body.get_mut("series").and_then(Value::as_array_mut);
            for (item, series) in items.into_iter().flatten().zip(&series) {
                let own = instances.iter().filter(|instance| instance.series == series.row);
                item["instance"] = own.map(instance_item).collect();
            }
        });
        let whole = u32::try_from(instances.len()).is_ok_and(|length| length < MOST_INSTANCES);
        Ok(if whole { written } else { written.in_part() })
    }
}

/// A study's resource, without its instances; a new instance makes it another version all the same.
fn resource(study: &StudyFound, series: &[&SeriesFound], numbers: &[&Reference]) -> Resource {
    let facts = Facts::read(&study.attributes);
    let mut modalities: Vec<&str> = series.iter().map(|series| series.modality.as_str()).collect();
    modalities.sort_unstable();
    modalities.dedup();
    let instances: u64 = series.iter().map(|series| u64::from(series.instances)).sum();
    let ordered = numbers.iter().filter(|number| number.kind != ReferenceKind::Study);
    let based_on: Vec<Value> = ordered
        .map(|order| json!({ "type": "ServiceRequest", "identifier": number(order) }))
        .collect();
    let accessions = numbers.iter().filter(|number| number.kind == ReferenceKind::Accession);
    let mut identifiers = vec![study_uid(&study.uid)];
    identifiers.extend(accessions.map(|accession| number(accession)));
    let referrer = pruned(human_name(&facts.text("00080090")));
    let items: Vec<Value> = series.iter().map(|series| series_item(series)).collect();
    let body = json!({
        "identifier": identifiers,
        "status": "available",
        "modality": modalities.iter().map(|code| modality(code)).collect::<Vec<_>>(),
        "subject": reference("Patient", &ids::of_person(study.person)),
        "started": date_time(&study.date, &study.time, &facts.text("00080201")),
        "basedOn": based_on,
        "referrer": { "display": referrer.get("text") },
        "endpoint": [reference("Endpoint", WADO_RS)],
        "numberOfSeries": series.len(),
        "numberOfInstances": instances,
        "procedureCode": facts.codes("00081032").iter().map(procedure).collect::<Vec<_>>(),
        "description": study.description,
        "series": items,
    });
    let revisions: Vec<String> =
        series.iter().map(|series| format!("{}:{}", series.row, series.revision)).collect();
    let id = ids::of_study(&study.uid, &study.patient);
    Resource::new(Kind::ImagingStudy, Some(study.person), id, study.changed_us, body)
        .stamped(revisions.join(" "))
}

fn series_item(series: &SeriesFound) -> Value {
    let facts = Facts::read(&series.attributes);
    let begun = [("00080021", "00080031"), ("00400244", "00400245")]
        .map(|(day, time)| date_time(&facts.text(day), &facts.text(time), &facts.text("00080201")));
    let performers: Vec<Value> = [("00081070", "Operator"), ("00081050", "Performing physician")]
        .into_iter()
        .filter_map(|(tag, role)| {
            let name = pruned(human_name(&facts.text(tag)));
            let text = name.get("text")?.clone();
            Some(json!({ "function": { "text": role }, "actor": { "display": text } }))
        })
        .collect();
    json!({
        "uid": series.uid,
        "number": series.number.parse::<u32>().ok(),
        "modality": modality(&series.modality),
        "description": series.description,
        "numberOfInstances": series.instances,
        "endpoint": [reference("Endpoint", WADO_RS)],
        "bodySite": body_site(&series.body_part),
        "laterality": laterality(&facts.text("00200060")),
        "started": begun.into_iter().find(|begun| !begun.is_empty()),
        "performer": performers,
    })
}

fn instance_item(instance: &InstanceFound) -> Value {
    pruned(json!({
        "uid": instance.uid,
        "sopClass": { "system": URI, "code": format!("urn:oid:{}", instance.sop_class) },
        "number": instance.number.parse::<u32>().ok(),
    }))
}

/// A modality; R4 wants one of every series.
fn modality(code: &str) -> Value {
    if code.is_empty() {
        let system = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
        return coding(system, "unknown", "Unknown");
    }
    json!({ "system": DCM, "code": code })
}

/// A body part by its SNOMED CT code, where that is known.
fn body_site(body_part: &str) -> Value {
    match region(body_part) {
        Some(Region { code, meaning }) => coding(SNOMED, code, meaning),
        None => json!({ "display": body_part }),
    }
}

fn laterality(code: &str) -> Value {
    match code {
        "R" => coding(SNOMED, "24028007", "Right"),
        "L" => coding(SNOMED, "7771000", "Left"),
        _ => Value::Null,
    }
}

/// A procedure's code; of a scheme without a known system its text stays.
fn procedure(code: &Code) -> Value {
    let system = match code.scheme.as_str() {
        "DCM" => DCM,
        "LN" => LOINC,
        "SCT" => SNOMED,
        _ => "",
    };
    json!({
        "coding": [{ "system": system, "code": code.value, "display": code.meaning }],
        "text": code.meaning,
    })
}
