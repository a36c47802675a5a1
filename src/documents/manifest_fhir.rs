//! A manifest as a FHIR R4 document (profile `MadoFhirBundle`): a Bundle that begins with its
//! Composition, then the study, the patient, where it is fetched, and what it was ordered by.

use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::documents::manifest::Assigned;
use crate::documents::manifest::Manifest;
use crate::documents::manifest::ManifestInstance;
use crate::documents::manifest::ManifestSeries;
use crate::documents::manifest::region;
use crate::documents::page::escape;

/// A manifest as a Bundle.
pub fn bundle(manifest: &Manifest) -> Value {
    let entry = |kind: &str, mut resource: Value| {
        resource["resourceType"] = json!(kind);
        json!({ "fullUrl": url(manifest, kind), "resource": resource })
    };
    let mut entries = vec![
        entry("Composition", composition(manifest)),
        entry("ImagingStudy", imaging_study(manifest)),
        entry("Patient", patient(manifest)),
        entry("Endpoint", endpoint(manifest)),
        entry("Device", device(manifest)),
    ];
    if has_keeper(manifest) {
        entries.push(entry("Organization", organization(manifest)));
    }
    if !manifest.accession.value.is_empty() {
        entries.push(entry("ServiceRequest", request(manifest)));
    }
    json!({
        "resourceType": "Bundle",
        "meta": { "profile": [profile("MadoFhirBundle")] },
        "identifier": identifier(manifest),
        "type": "document",
        "timestamp": moment(manifest),
        "entry": entries,
    })
}

fn composition(manifest: &Manifest) -> Value {
    let title = if manifest.description.is_empty() {
        "Imaging study".to_owned()
    } else {
        manifest.description.clone()
    };
    let sections: Vec<Value> = manifest
        .series
        .iter()
        .map(|series| {
            let name =
                if series.description.is_empty() { &series.uid } else { &series.description };
            json!({
                "title": name,
                "text": narrative(&format!("{} {name}: {} objects", series.modality,
                    series.instances.len())),
                "entry": [reference(manifest, "Endpoint")],
            })
        })
        .collect();
    let mut authors = vec![reference(manifest, "Device")];
    if has_keeper(manifest) {
        authors.push(reference(manifest, "Organization"));
    }
    let mut composition = json!({
        "identifier": identifier(manifest),
        "status": "final",
        "type": { "coding": [{ "system": "http://loinc.org", "code": "18748-4",
            "display": "Diagnostic imaging study" }] },
        "category": [{ "coding": [{
            "system": "http://hl7.eu/fhir/eu-health-data-api/CodeSystem/eehrxf-document-priority-category-cs",
            "code": "Medical-Imaging" }] }],
        "subject": reference(manifest, "Patient"),
        "date": moment(manifest),
        "author": authors,
        "title": title,
        "event": [{ "detail": [reference(manifest, "ImagingStudy")] }],
    });
    if !sections.is_empty() {
        composition["section"] = json!(sections);
    }
    composition
}

fn imaging_study(manifest: &Manifest) -> Value {
    let modalities: Vec<Value> = manifest.modalities().into_iter().map(modality).collect();
    let series: Vec<Value> =
        manifest.series.iter().map(|series| one_series(manifest, series)).collect();
    let mut study = json!({
        "identifier": [{
            "type": { "coding": [{ "system": DCM, "code": "110180",
                "display": "Study Instance UID" }] },
            "system": "urn:dicom:uid",
            "value": format!("urn:oid:{}", manifest.study_uid),
        }],
        "status": "available",
        "subject": reference(manifest, "Patient"),
        "numberOfSeries": manifest.series.len(),
        "numberOfInstances": manifest.instances(),
    });
    put(&mut study, "modality", modalities);
    put(&mut study, "series", series);
    if let Some(date) = date(&manifest.study_date) {
        study["started"] = json!(date);
    }
    if !manifest.description.is_empty() {
        study["description"] = json!(manifest.description);
        study["procedureCode"] = json!([{ "text": manifest.description }]);
    }
    if !manifest.accession.value.is_empty() {
        let mut order = reference(manifest, "ServiceRequest");
        order["identifier"] = accession(&manifest.accession);
        study["basedOn"] = json!([order]);
    }
    if let Some(region) = manifest.region() {
        study["extension"] = json!([{ "url": profile("MadoAnatomicalRegionExtension"),
            "valueCodeableConcept": { "coding": [{ "system": SCT, "code": region.code,
                "display": region.meaning }] } }]);
    }
    study
}

fn one_series(manifest: &Manifest, series: &ManifestSeries) -> Value {
    let mut written = json!({
        "uid": series.uid,
        // Modality is mandatory; DCM OT is what is nothing else.
        "modality": modality(if series.modality.is_empty() { "OT" } else { &series.modality }),
        "numberOfInstances": series.instances.len(),
        "endpoint": [reference(manifest, "Endpoint")],
    });
    let instances: Vec<Value> = series.instances.iter().map(one_instance).collect();
    put(&mut written, "instance", instances);
    if let Some(number) = unsigned(&series.number) {
        written["number"] = json!(number);
    }
    if !series.description.is_empty() {
        written["description"] = json!(series.description);
    }
    if let Some(date) = date(&series.date) {
        written["started"] = json!(date);
    }
    match region(&series.body_part) {
        Some(region) => {
            written["bodySite"] =
                json!({ "system": SCT, "code": region.code, "display": region.meaning });
        }
        None if !series.body_part.is_empty() => {
            written["bodySite"] = json!({ "display": series.body_part });
        }
        None => {}
    }
    written
}

fn one_instance(instance: &ManifestInstance) -> Value {
    let mut written = json!({
        "uid": instance.uid,
        "sopClass": { "system": "urn:ietf:rfc:3986",
            "code": format!("urn:oid:{}", instance.sop_class) },
    });
    if let Some(number) = unsigned(&instance.number) {
        written["number"] = json!(number);
    }
    if instance.frames > 1 {
        written["extension"] = json!([{ "url": profile("MadoNumberOfFramesExtension"),
            "valueUnsignedInt": instance.frames }]);
    }
    written
}

fn patient(manifest: &Manifest) -> Value {
    let patient = &manifest.patient;
    let mut identifiers: Vec<Value> = Vec::new();
    if !patient.id.value.is_empty() {
        let mut own = assigned(&patient.id);
        own["type"] = json!({ "coding": [{ "system": V2_0203, "code": "MR" }] });
        identifiers.push(own);
    }
    identifiers.extend(patient.others.iter().map(assigned));
    let mut written = json!({ "name": [name(&patient.name)] });
    put(&mut written, "identifier", identifiers);
    let gender = match patient.sex.as_str() {
        "M" => "male",
        "F" => "female",
        "O" => "other",
        _ => "unknown",
    };
    written["gender"] = json!(gender);
    if let Some(date) = date(&patient.birth_date) {
        written["birthDate"] = json!(date);
    }
    written
}

/// A name of DICOM's form: family, given, middle, prefix, suffix (PS3.5 §6.2.1).
fn name(name: &str) -> Value {
    let first = name.split('=').next().unwrap_or_default();
    let parts: Vec<&str> = first.split('^').map(str::trim).collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let given: Vec<&str> = [part(1), part(2)].into_iter().filter(|p| !p.is_empty()).collect();
    let shown: Vec<&str> =
        given.iter().copied().chain([part(0)]).filter(|p| !p.is_empty()).collect();
    let mut written = json!({ "text": shown.join(" ") });
    if shown.is_empty() {
        written = json!({ "extension": [{ "valueCode": "unknown",
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason" }] });
    }
    if !part(0).is_empty() {
        written["family"] = json!(part(0));
    }
    if !given.is_empty() {
        written["given"] = json!(given);
    }
    written
}

fn endpoint(manifest: &Manifest) -> Value {
    json!({
        "extension": [{ "url": profile("MadoRetrieveLocationUIDExtension"),
            "valueString": manifest.location_uid }],
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs" },
        "payloadType": [{
            "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type",
                "code": "none" }],
            "text": "DICOM WADO-RS" }],
        "payloadMimeType": ["application/dicom", "application/dicom+json", "image/jpeg"],
        "address": manifest.root_url,
    })
}

fn device(manifest: &Manifest) -> Value {
    let mut device = json!({
        "deviceName": [{ "name": "Lastra", "type": "user-friendly-name" }],
        "manufacturer": "Lastra",
        "type": { "coding": [{ "code": "mado-creator",
            "system": "https://profiles.ihe.net/RAD/MADO/CodeSystem/MadoDeviceType" }] },
    });
    if has_keeper(manifest) {
        device["owner"] = reference(manifest, "Organization");
    }
    device
}

fn organization(manifest: &Manifest) -> Value {
    let keeper = &manifest.organisation;
    let mut organization = json!({});
    if !keeper.name.is_empty() {
        organization["name"] = json!(keeper.name);
    }
    if !keeper.oid.is_empty() {
        organization["identifier"] = json!([{ "system": "urn:ietf:rfc:3986",
            "value": format!("urn:oid:{}", keeper.oid) }]);
    }
    organization
}

fn request(manifest: &Manifest) -> Value {
    let mut identifiers = vec![accession(&manifest.accession)];
    if !manifest.order.value.is_empty() {
        let mut order = assigned(&manifest.order);
        order["type"] = json!({ "coding": [{ "system": V2_0203, "code": "PLAC" }] });
        identifiers.push(order);
    }
    json!({
        "identifier": identifiers,
        "status": "completed",
        "intent": "order",
        "category": [{ "coding": [{ "system": SCT, "code": "363679005", "display": "Imaging" }] }],
        "subject": reference(manifest, "Patient"),
    })
}

/// An accession number, typed as both DICOM and HL7 do.
fn accession(number: &Assigned) -> Value {
    let mut written = assigned(number);
    written["type"] = json!({ "coding": [
        { "system": DCM, "code": "121022", "display": "Accession Number" },
        { "system": V2_0203, "code": "ACSN" },
    ] });
    written
}

/// A number with who assigned it: as its system where that is an OID.
fn assigned(number: &Assigned) -> Value {
    let mut written = json!({ "value": number.value });
    if number.by_oid() {
        written["system"] = json!(format!("urn:oid:{}", number.assigner));
    } else if !number.assigner.is_empty() {
        written["assigner"] = json!({ "display": number.assigner });
    }
    written
}

fn has_keeper(manifest: &Manifest) -> bool {
    !manifest.organisation.name.is_empty() || !manifest.organisation.oid.is_empty()
}

fn identifier(manifest: &Manifest) -> Value {
    json!({ "system": "urn:dicom:uid", "value": format!("urn:oid:{}", manifest.uid) })
}

fn modality(code: &str) -> Value {
    json!({ "system": DCM, "code": code })
}

fn reference(manifest: &Manifest, kind: &str) -> Value {
    json!({ "reference": url(manifest, kind), "type": kind })
}

/// The name of a resource within this document: the same whenever it is written.
fn url(manifest: &Manifest, kind: &str) -> String {
    let hash = Sha256::digest(format!("{} {kind}", manifest.uid));
    let bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    format!("urn:uuid:{}", uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn profile(name: &str) -> String {
    format!("https://profiles.ihe.net/RAD/MADO/StructureDefinition/{name}")
}

fn narrative(text: &str) -> Value {
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", escape(text));
    json!({ "status": "generated", "div": div })
}

/// Puts a list where it is not empty: FHIR has no empty ones.
fn put(resource: &mut Value, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        resource[key] = Value::Array(list);
    }
}

fn unsigned(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number <= 2_147_483_647)
}

/// `YYYYMMDD` as FHIR writes dates; times are left out, whose zone nobody tells.
fn date(date: &str) -> Option<String> {
    let whole = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range| date.get(range);
    match (part(0..4), part(4..6), part(6..8)) {
        (Some(year), Some(month), Some(day)) if whole => Some(format!("{year}-{month}-{day}")),
        _ => None,
    }
}

fn moment(manifest: &Manifest) -> String {
    let made = &manifest.made;
    let part = |range| made.get(range).unwrap_or("00");
    format!(
        "{}T{}:{}:{}Z",
        date(part(0..8)).unwrap_or_else(|| "1970-01-01".to_owned()),
        part(8..10),
        part(10..12),
        part(12..14)
    )
}

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const SCT: &str = "http://snomed.info/sct";
const V2_0203: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
