//! Manifests of studies as DocumentReference resources (IHE MADO): of every study two, one of its FHIR
//! document and one of its Key Object Selection, each made by transforming the other.
//!
//! MADO is not settled: what R5 has in elements it wrote as HL7's cross-version extensions first, and
//! writes as its own since. Both stand here.

use serde_json::Value;
use serde_json::json;

use crate::dicom::uid::Uid;
use crate::documents::manifest::Assigned;
use crate::documents::manifest::Keeper;
use crate::documents::manifest::Manifest;
use crate::documents::manifest::Region;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::manifest::Addresses;
use crate::fascicolo::manifest::Outline;
use crate::fhir::door::Consultation;
use crate::fhir::facts::Facts;
use crate::fhir::fixed::id_under;
use crate::fhir::kind::Kind;
use crate::fhir::resource::Resource;
use crate::fhir::values::DCM;
use crate::fhir::values::DICOM_UID;
use crate::fhir::values::IDENTIFIER_TYPE;
use crate::fhir::values::LOINC;
use crate::fhir::values::SNOMED;
use crate::fhir::values::URI;
use crate::fhir::values::coding;
use crate::fhir::values::concept;
use crate::fhir::values::date_time;
use crate::fhir::values::instant;
use crate::fhir::values::reference;
use crate::fhir::values::study_uid;
use crate::fhir::values::system_of;
use crate::http::base::Segment;
use crate::index::pages::Page;
use crate::index::pages::StudyFound;
use crate::index::pages::StudyRule;
use crate::model::ids;

/// Manifests, by their type: diagnostic imaging study.
pub const MANIFEST: &str = "18748-4";
/// Categories of the European health data API.
pub const CATEGORIES: &str =
    "http://hl7.eu/fhir/eu-health-data-api/CodeSystem/eehrxf-document-priority-category-cs";
/// The category of manifests among these.
pub const IMAGING: &str = "Medical-Imaging";

/// Studies kept under one UID that are looked at.
const MOST_OF_UID: u32 = 64;

/// A form of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A FHIR document.
    Fhir,
    /// A Key Object Selection.
    Dicom,
}

impl Form {
    /// Both, in the order they are listed.
    pub const ALL: [Self; 2] = [Self::Fhir, Self::Dicom];

    /// The letter before a study's id.
    fn letter(self) -> char {
        match self {
            Self::Fhir => 'f',
            Self::Dicom => 'k',
        }
    }

    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Fhir => "application/fhir+json",
            Self::Dicom => "application/dicom",
        }
    }

    /// The id of such a manifest of a study.
    pub fn id(self, study: &StudyFound) -> String {
        self.id_of(&ids::of_study(&study.uid, &study.patient))
    }

    /// The same by the study's id.
    pub fn id_of(self, study: &str) -> String {
        ids::of_manifest(self.letter(), study)
    }

    /// The form and the study's id that a manifest's id names.
    pub fn parse(id: &str) -> Option<(Self, &str)> {
        let (letter, study) = ids::manifest(id)?;
        Some((Self::ALL.into_iter().find(|form| form.letter() == letter)?, study))
    }

    fn other(self) -> Self {
        match self {
            Self::Fhir => Self::Dicom,
            Self::Dicom => Self::Fhir,
        }
    }

    /// Where it is below the base: a FHIR document is a Bundle, the other's bytes a Binary.
    fn url(self, id: &str) -> String {
        match self {
            Self::Fhir => format!("{}/{id}", Kind::Bundle.name()),
            Self::Dicom => format!("{}/{id}", Kind::Binary.name()),
        }
    }

    fn format(self) -> Value {
        match self {
            Self::Fhir => json!({
                "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                "code": "urn:ihe:rad:MADO:fhir-manifest:2026",
            }),
            Self::Dicom => coding(
                "http://dicom.nema.org/resources/ontology/DCMUID",
                "1.2.840.10008.5.1.4.1.1.88.59",
                "Key Object Selection Document",
            ),
        }
    }

    /// What profile the bytes are of, as an extension of the content.
    fn profile(self) -> Value {
        match self {
            Self::Fhir => json!([{
                "url": format!("{R5}.content.profile"),
                "extension": [{ "url": "value[x]", "valueCanonical": format!("{MADO}MadoFhirBundle") }],
            }]),
            Self::Dicom => Value::Null,
        }
    }
}

/// Elements of R5 as HL7's extensions, and MADO's own definitions.
const R5: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference";
const MADO: &str = "https://profiles.ihe.net/RAD/MADO/StructureDefinition/";

/// Addresses below the DICOMweb base.
struct Below<'a>(&'a str);

impl Addresses for Below<'_> {
    fn root(&self) -> String {
        self.0.to_owned()
    }

    fn series(&self, study: &Uid, series: &Uid) -> String {
        let (study, series) = (Segment(study.as_str()), Segment(series.as_str()));
        format!("{}/studies/{study}/series/{series}", self.0)
    }
}

impl Consultation {
    /// What the manifests of studies say beside their instances, each with its name.
    pub async fn manifests(&self, found: &[StudyFound]) -> Result<Vec<Outline>, FascicoloError> {
        let below = Below(&self.dicomweb);
        let outlines = self.fascicolo.manifest_outlines(&self.permit, found, &below).await;
        let mut outlines = outlines?;
        for outline in &mut outlines {
            self.fascicolo.name_manifest(outline).await?;
        }
        Ok(outlines)
    }

    /// Manifests as resources, in the order they are given; of a study that is gone meanwhile none.
    pub async fn manifest_references(
        &self,
        listed: &[(StudyFound, Form)],
    ) -> Result<Vec<Resource>, FascicoloError> {
        let mut studies: Vec<StudyFound> = Vec::new();
        for (study, _) in listed {
            if !studies.iter().any(|known| known.row == study.row) {
                studies.push(study.clone());
            }
        }
        let outlines = self.manifests(&studies).await?;
        let one = |(study, form): &(StudyFound, Form)| {
            let outline = outlines.iter().find(|outline| outline.study == study.row)?;
            Some(self.manifest_reference(study, outline, *form))
        };
        Ok(listed.iter().filter_map(one).collect())
    }

    /// The study whose manifest an id names, and the form of it.
    pub async fn study_of_manifest(
        &self,
        id: &str,
    ) -> Result<Option<(StudyFound, Form)>, FascicoloError> {
        let Some((form, study)) = Form::parse(id) else { return Ok(None) };
        let Some(uid) = ids::study(study) else { return Ok(None) };
        let page = Page { limit: MOST_OF_UID, ..Page::default() };
        let rules = [StudyRule::Uid(vec![uid])];
        let found = self.fascicolo.studies_page(&self.permit, &rules, &page).await?;
        // A UID may be kept under several patients; the id names one.
        Ok(found.into_iter().find(|found| form.id(found) == id).map(|found| (found, form)))
    }

    fn manifest_reference(&self, study: &StudyFound, outline: &Outline, form: Form) -> Resource {
        let changed_us = study.changed_us.max(outline.changed_us);
        let resource = Resource::new(
            Kind::DocumentReference,
            Some(study.person),
            form.id(study),
            changed_us,
            body(study, outline, form),
        );
        // As every time of change it makes no other version.
        let resource = resource.with(|body| body["date"] = instant(changed_us).into());
        self.with_address(resource, "/content/0/attachment/url")
    }
}

fn body(study: &StudyFound, outline: &Outline, form: Form) -> Value {
    let manifest = &outline.manifest;
    let identifier = json!({ "system": DICOM_UID, "value": format!("urn:oid:{}", manifest.uid) });
    let title = match form {
        Form::Fhir => "Imaging manifest (FHIR)",
        Form::Dicom => "Imaging manifest (DICOM Key Object Selection)",
    };
    let mut subject = reference("Patient", &ids::of_person(study.person));
    subject["type"] = "Patient".into();
    json!({
        "extension": extensions(manifest),
        "masterIdentifier": identifier,
        "identifier": [identifier],
        "status": "current",
        "docStatus": "final",
        "type": concept(LOINC, MANIFEST, "Diagnostic imaging study"),
        "category": [concept(CATEGORIES, IMAGING, IMAGING)],
        "subject": subject,
        "custodian": custodian(&manifest.organisation),
        "relatesTo": [{
            "code": "transforms",
            "target": reference("DocumentReference", &form.other().id(study)),
        }],
        "description": format!("Imaging manifest {}", manifest.description).trim_end(),
        "content": [{
            "extension": form.profile(),
            "attachment": {
                "contentType": form.media(),
                // MADO wants one; what is in words is in the objects' own.
                "language": "it-IT",
                "url": form.url(&form.id(study)),
                "title": title,
                "creation": instant(outline.changed_us),
            },
            "format": form.format(),
        }],
        "context": context(study, manifest),
    })
}

fn context(study: &StudyFound, manifest: &Manifest) -> Value {
    let facts = Facts::read(&study.attributes);
    let mut own = reference("ImagingStudy", &ids::of_study(&study.uid, &study.patient));
    own["type"] = "ImagingStudy".into();
    own["identifier"] = study_uid(&study.uid);
    let mut related = vec![own];
    if !manifest.accession.value.is_empty() {
        let identifier = accession(&manifest.accession);
        related.push(json!({ "type": "ServiceRequest", "identifier": identifier }));
    }
    json!({
        "period": { "start": date_time(&study.date, &study.time, &facts.text("00080201")) },
        // Nobody tells an archive what kind of place an image was made at.
        "facilityType": concept(ABSENT, "unknown", "Unknown"),
        "practiceSetting": concept(SNOMED, "394914008", "Radiology"),
        "related": related,
    })
}

const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// Modalities and the region; a modality is mandatory, DICOM's OT is what is nothing else.
fn extensions(manifest: &Manifest) -> Vec<Value> {
    let mut modalities = manifest.modalities();
    if modalities.is_empty() {
        modalities.push("OT");
    }
    let mut extensions = Vec::new();
    for code in modalities {
        let value = json!({ "coding": [{ "system": DCM, "code": code }] });
        for url in [format!("{R5}.modality"), format!("{MADO}ext-R5-DocumentReference.modality")] {
            extensions.push(json!({ "url": url, "valueCodeableConcept": value }));
        }
    }
    if let Some(Region { code, meaning }) = manifest.region() {
        let value = concept(SNOMED, code, meaning);
        extensions.push(json!({
            "url": format!("{R5}.bodySite"),
            "extension": [{ "url": "concept", "valueCodeableConcept": value }],
        }));
        extensions.push(json!({
            "url": format!("{MADO}ext-R5-DocumentReference.bodySite"),
            "valueCodeableConcept": value,
        }));
    }
    extensions
}

/// An accession number, typed as both DICOM and HL7 do.
fn accession(number: &Assigned) -> Value {
    json!({
        "type": { "coding": [
            coding(DCM, "121022", "Accession Number"),
            coding(IDENTIFIER_TYPE, "ACSN", "Accession ID"),
        ] },
        "system": system_of(&number.assigner),
        "value": number.value,
    })
}

fn custodian(keeper: &Keeper) -> Value {
    if keeper.name.is_empty() && keeper.oid.is_empty() {
        return Value::Null;
    }
    let value =
        if keeper.oid.is_empty() { String::new() } else { format!("urn:oid:{}", keeper.oid) };
    let system = if keeper.oid.is_empty() { "" } else { URI };
    let id = id_under(&keeper.oid, &keeper.name);
    json!({
        "reference": format!("{}/{id}", Kind::Organization.name()),
        "type": "Organization",
        "identifier": { "system": system, "value": value },
        "display": keeper.name,
    })
}

#[cfg(test)]
mod tests {
    use super::{Form, accession, custodian, extensions};
    use crate::documents::manifest::{Assigned, Keeper, Manifest, ManifestSeries};
    use crate::fhir::values::pruned;
    use crate::model::ids;
    use crate::people::patient_id::PatientId;

    #[test]
    fn an_id_names_its_form_and_study_and_nothing_else_is_one() {
        let patient = PatientId { issuer: "H".to_owned(), value: "1".to_owned() };
        let study = ids::of_study("1.2.3", &patient);
        for form in Form::ALL {
            let id = form.id_of(&study);
            assert_eq!(Form::parse(&id), Some((form, study.as_str())));
            assert_ne!(form.id_of(&study), form.other().id_of(&study));
        }
        let document = ids::of_document(&[0xfa; 32]);
        for other in [study.as_str(), &document, "f", "", "zuAAAA", &format!("x{study}")] {
            assert_eq!(Form::parse(other), None, "{other}");
        }
    }

    #[test]
    fn modalities_are_named_each_once_and_the_region_where_series_agree() {
        let series = |modality: &str, body_part: &str| ManifestSeries {
            modality: modality.to_owned(),
            body_part: body_part.to_owned(),
            ..ManifestSeries::default()
        };
        let of = |series: Vec<ManifestSeries>| {
            let written = extensions(&Manifest { series, ..Manifest::default() });
            let mut said: Vec<String> = Vec::new();
            for extension in &written {
                let value = if extension["valueCodeableConcept"].is_null() {
                    &extension["extension"][0]["valueCodeableConcept"]
                } else {
                    &extension["valueCodeableConcept"]
                };
                said.push(value["coding"][0]["code"].as_str().unwrap().to_owned());
            }
            said.dedup();
            said
        };
        let chest = || series("CT", "CHEST");
        assert_eq!(of(vec![chest(), series("SR", ""), chest()]), ["CT", "SR", "51185008"]);
        assert_eq!(of(vec![chest(), series("CT", "HEAD")]), ["CT"]);
        assert_eq!(of(Vec::new()), ["OT"]);
    }

    #[test]
    fn numbers_have_both_types_and_custodians_what_is_known() {
        let number = Assigned { value: "A1".to_owned(), assigner: "2.25.1".to_owned() };
        let written = accession(&number);
        assert_eq!(written["type"]["coding"][0]["code"], "121022");
        assert_eq!(written["type"]["coding"][1]["code"], "ACSN");
        assert_eq!(written["system"], "urn:oid:2.25.1");
        assert!(custodian(&Keeper::default()).is_null());
        let named = Keeper { name: "Ospedale".to_owned(), oid: String::new() };
        assert_eq!(
            pruned(custodian(&named)),
            serde_json::json!({
                "reference": format!("Organization/{}", super::id_under("", "Ospedale")),
                "type": "Organization", "display": "Ospedale",
            })
        );
    }
}
