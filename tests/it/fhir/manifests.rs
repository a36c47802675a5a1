//! Requirement 44: manifests of studies as `DocumentReference` resources, in both of MADO's forms.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;

use crate::dicomweb::rejecting::note;
use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::CHEST;
use crate::fhir::world::World;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

const STRICT: [(&str, &str); 1] = [("prefer", "handling=strict")];
const MANIFESTS: &str = "DocumentReference?type=http://loinc.org|18748-4";

/// Of one study, first its FHIR document's and then its Key Object Selection's.
async fn both(world: &World, study: &str) -> [Value; 2] {
    let found = world.get(&format!("{MANIFESTS}&study-instance-uid={study}")).await;
    let found: Vec<Value> = found.entries("match").cloned().collect();
    found.try_into().expect("two manifests")
}

async fn bytes(url: &str, accept: &str) -> Vec<u8> {
    let answer = client().get(url).header("accept", accept).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.bytes().await.unwrap().to_vec()
}

fn url(named: &Value) -> &str {
    named["content"][0]["attachment"]["url"].as_str().unwrap()
}

/// An object of somebody.
fn of_somebody(study: u32, series: u32, instance: u32) -> Object {
    let mut object = Object::ct("RSSMRA79B11C566R", study, series, instance);
    object.text(0x0008_0020, b"DA", &format!("2026{:02}15", study % 12 + 1));
    object
}

#[tokio::test]
async fn requirement_44_every_study_has_two_manifests_that_lead_to_what_they_say() {
    let world = World::with(&["dx-chest", "cda-report"], 1, 1).await;
    let [fhir, dicom] = both(&world, CHEST).await;
    let study = world.get("ImagingStudy").await.entries("match").next().unwrap().clone();
    for (named, other) in [(&fhir, &dicom), (&dicom, &fhir)] {
        assert_eq!(named["status"], "current");
        assert_eq!(named["subject"]["reference"], study["subject"]["reference"]);
        assert_eq!(named["masterIdentifier"], other["masterIdentifier"]);
        assert_eq!(named["masterIdentifier"], named["identifier"][0]);
        assert_eq!(named["relatesTo"][0]["code"], "transforms");
        let target = format!("DocumentReference/{}", other["id"].as_str().unwrap());
        assert_eq!(named["relatesTo"][0]["target"]["reference"], target);
        let [own, order] = [&named["context"]["related"][0], &named["context"]["related"][1]];
        assert_eq!(own["identifier"]["type"]["coding"][0]["code"], "110180");
        assert_eq!(own["identifier"]["value"], format!("urn:oid:{CHEST}"));
        assert_eq!(own["reference"], format!("ImagingStudy/{}", study["id"].as_str().unwrap()));
        let codes: Vec<&Value> = order["identifier"]["type"]["coding"]
            .as_array()
            .unwrap()
            .iter()
            .map(|coding| &coding["code"])
            .collect();
        assert_eq!(codes, ["121022", "ACSN"]);
        assert_eq!(order["identifier"]["value"], "RX2600417");
        assert_eq!(order["identifier"]["system"], study["basedOn"][0]["identifier"]["system"]);
        assert!(named["context"]["period"]["start"].as_str().unwrap().starts_with("2026-03-02"));
        let text = named["extension"].to_string();
        assert!(text.contains("DocumentReference.modality") && text.contains("DX"), "{text}");
        assert!(text.contains("DocumentReference.bodySite") && text.contains("51185008"), "{text}");
        // Read by its id it is the same.
        let read = world.get(&format!("DocumentReference/{}", named["id"].as_str().unwrap())).await;
        assert_eq!(&read.json, named);
    }
    let uid = fhir["masterIdentifier"]["value"].as_str().unwrap().strip_prefix("urn:oid:").unwrap();
    assert_eq!(fhir["content"][0]["format"]["code"], "urn:ihe:rad:MADO:fhir-manifest:2026");
    assert_eq!(dicom["content"][0]["format"]["code"], "1.2.840.10008.5.1.4.1.1.88.59");
    // The Key Object Selection is the one DICOMweb gives, byte for byte.
    let at_study = format!("{}/studies/{CHEST}/manifest", world.server.dicomweb());
    let kos = bytes(url(&dicom), "*/*").await;
    assert!(kos == bytes(&at_study, "application/dicom").await);
    assert!(kos.windows(uid.len()).any(|window| window == uid.as_bytes()), "its SOP Instance UID");
    // The FHIR document is a Bundle, whichever way it is asked for.
    let document = world.get(url(&fhir)).await;
    assert_eq!(document.json["identifier"], fhir["masterIdentifier"]);
    assert_eq!((&document.json["type"], &document.json["id"]), (&json!("document"), &fhir["id"]));
    let text = bytes(&at_study, "application/fhir+json").await;
    let plain: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(document.json["entry"], plain["entry"]);
    let etag = document.headers["etag"].to_str().unwrap().to_owned();
    let again = world.get_with(url(&fhir), &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.json), (304, Value::Null));
    // As a Binary either form is its own bytes, or within a resource.
    for (named, own) in [(&fhir, &text), (&dicom, &kos)] {
        let id = named["id"].as_str().unwrap();
        let path = format!("{}/Binary/{id}", world.base());
        let media = named["content"][0]["attachment"]["contentType"].as_str().unwrap();
        let answer = client().get(&path).header("accept", "*/*").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], media);
        assert_eq!(answer.headers()["content-disposition"], "attachment");
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        assert!(answer.bytes().await.unwrap() == own.as_slice());
        let known = client().get(&path).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(known.status(), 304);
        let within = world.get(&format!("Binary/{id}?_format=json")).await.json;
        assert_eq!(
            (&within["resourceType"], &within["contentType"]),
            (&"Binary".into(), &media.into())
        );
    }
    let kos_as_bundle = world.get(&format!("Bundle/{}", dicom["id"].as_str().unwrap())).await;
    assert_eq!(kos_as_bundle.status, 404);
    // Instances are read once to name a manifest, and again only when they are others.
    assert!(world.server.metric("lastra_manifest_cache_bytes").await > 0.0);
    let digests = || world.server.metric("lastra_manifest_digests_total");
    let before = digests().await;
    both(&world, CHEST).await;
    world.get("ImagingStudy?_revinclude=DocumentReference:related").await;
    assert!(before >= 1.0 && digests().await <= before);
    world.import(&["ct-chest"]);
    world.wait_for("ImagingStudy", 2).await;
    world.get(MANIFESTS).await;
    world.get(MANIFESTS).await;
    let after = digests().await;
    assert!(after > before && after <= before + 2.0, "{before} {after}");
}

#[tokio::test]
async fn requirement_44_manifests_are_found_by_what_mado_declares_and_documents_by_theirs() {
    let folders = ["dx-chest", "cda-report", "ct-chest", "mr-head", "pdf-report"];
    let world = World::with(&folders, 3, 2).await;
    let anna = world.get(&format!("Patient?identifier={CF}|{ANNA}")).await.ids().pop().unwrap();
    let id = world.get(&format!("ImagingStudy?identifier={CHEST}")).await.ids().pop().unwrap();
    let [fhir, dicom] = both(&world, CHEST).await;
    let [one, other] = [&fhir, &dicom].map(|named| named["id"].as_str().unwrap());
    let name = fhir["masterIdentifier"]["value"].as_str().unwrap();
    let query = format!("DocumentReference?related=ImagingStudy/{id}&type=68604-8");
    let document = world.get(&query).await.ids().pop().unwrap();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let imaging =
        "http://hl7.eu/fhir/eu-health-data-api/CodeSystem/eehrxf-document-priority-category-cs";
    for (query, count) in [
        (String::new(), 8),
        ("type=18748-4".to_owned(), 6),
        ("type=http://loinc.org|68604-8".to_owned(), 1),
        ("type=http://loinc.org|68604-8,http://loinc.org|18748-4".to_owned(), 7),
        ("type=http://snomed.info/sct|18748-4".to_owned(), 0),
        (format!("category={imaging}|Medical-Imaging"), 6),
        ("category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD".to_owned(), 2),
        (format!("patient={anna}&type=18748-4"), 4),
        (format!("patient.identifier={CF}|{ANNA}&type=18748-4&status=current"), 4),
        (format!("study-instance-uid=urn:dicom:uid|urn:oid:{CHEST}&type=18748-4"), 2),
        ("accession-number=RX2600417&type=18748-4".to_owned(), 2),
        ("accession-number=urn:oid:2.25.1|RX2600417".to_owned(), 0),
        ("modality=http://dicom.nema.org/resources/ontology/DCM|MR&type=18748-4".to_owned(), 2),
        ("bodysite=chest&type=18748-4".to_owned(), 4),
        ("anatomical-region=http://snomed.info/sct|51185008&type=18748-4".to_owned(), 4),
        ("anatomical-region=http://loinc.org|51185008".to_owned(), 0),
        ("contenttype=application/dicom".to_owned(), 3),
        ("contenttype=application/fhir%2Bjson".to_owned(), 3),
        ("contenttype=application/fhir%2Bjson,application/dicom&modality=MR".to_owned(), 2),
        (format!("related=ImagingStudy/{id}&contenttype=application/dicom"), 1),
        ("period=2026-03&type=18748-4".to_owned(), 4),
        ("period=gt2026-03-09&type=18748-4".to_owned(), 2),
        (format!("_lastUpdated=ge{day}&type=18748-4"), 6),
        (format!("_lastUpdated=lt{day}&type=18748-4"), 0),
        (format!("date=ge{day}&type=18748-4"), 6),
        ("status=superseded&type=18748-4".to_owned(), 0),
        ("_content=torace&type=18748-4".to_owned(), 0),
        (format!("_id={one}"), 1),
        (format!("_id={one},{other},none,{document}"), 3),
        (format!("_id={one}&contenttype=application/dicom"), 0),
        (format!("identifier=urn:dicom:uid|{name}"), 2),
        (format!("identifier=urn:ietf:rfc:3986|{name}&contenttype=application/dicom"), 1),
        ("identifier=urn:dicom:uid|urn:oid:2.25.1".to_owned(), 0),
    ] {
        let found = world.get_with(&format!("DocumentReference?{query}"), &STRICT).await;
        assert_eq!(found.status, 200, "{query} {}", found.json);
        assert_eq!((found.ids().len(), &found.json["total"]), (count, &count.into()), "{query}");
        let counted = world.get(&format!("DocumentReference?{query}&_summary=count")).await;
        assert_eq!((counted.ids().len(), &counted.json["total"]), (0, &count.into()), "{query}");
    }
    let uncounted = world.get(&format!("{MANIFESTS}&_total=none")).await;
    assert!(uncounted.json.get("total").is_none() && uncounted.ids().len() == 6);
    // What belongs to them goes with them, and they with their study.
    let query = format!(
        "{MANIFESTS}&study-instance-uid={CHEST}&_include=DocumentReference:related\
         &_include=DocumentReference:subject&_revinclude=Provenance:target"
    );
    let found = world.get_with(&query, &STRICT).await;
    let kinds: Vec<&Value> = found.entries("include").map(|found| &found["resourceType"]).collect();
    assert_eq!(kinds, ["ImagingStudy", "Patient"]);
    let query = format!("ImagingStudy?_id={id}&_revinclude=DocumentReference:related");
    let found = world.get_with(&query, &STRICT).await;
    let with: BTreeSet<&str> =
        found.entries("include").map(|found| found["id"].as_str().unwrap()).collect();
    assert_eq!(with, BTreeSet::from([one, other, document.as_str()]));
    let whole = world.get(&format!("Patient/{anna}/$everything?_count=200")).await.ids();
    assert!(whole.iter().any(|id| id == one) && whole.iter().any(|id| id == other));
}

#[tokio::test]
async fn requirement_44_pages_of_documents_and_manifests_stay_right_while_studies_arrive() {
    let world = World::with(&["dx-chest", "cda-report", "mr-head", "pdf-report"], 2, 2).await;
    let first: Vec<Object> = (1..=5).map(|number| of_somebody(number, 1, 1)).collect();
    world.server.store(&first).await;
    world.wait_for("ImagingStudy", 7).await;
    let mut studies = 7;
    for sort in ["", "-period", "period", "_id", "-_id", "_lastUpdated", "-_lastUpdated"] {
        let sort = if sort.is_empty() { String::new() } else { format!("&_sort={sort}") };
        let counts: &[usize] = if sort.is_empty() { &[1, 2, 3] } else { &[3] };
        for &count in counts {
            let path = format!("DocumentReference?_count={count}{sort}");
            let before = world.get(&format!("DocumentReference?_count=200{sort}")).await.ids();
            assert_eq!(before.len(), 2 + 2 * studies, "{path}");
            let (mut seen, mut next, mut pages) = (Vec::new(), Some(path.clone()), 0);
            while let Some(page) = next {
                let found = world.get(&page).await;
                assert!(found.ids().len() <= count, "{page}");
                seen.extend(found.ids());
                next = found.next();
                pages += 1;
                if pages == 2 && count == 3 {
                    studies += 1;
                    let number = u32::try_from(studies).unwrap();
                    world.server.store(&[of_somebody(number, 1, 1)]).await;
                    world.wait_for("ImagingStudy", studies as u64).await;
                }
            }
            let unique: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{path}: something came twice");
            let known: Vec<&String> = seen.iter().filter(|id| before.contains(id)).collect();
            assert_eq!(known, before.iter().collect::<Vec<_>>(), "{path}: something was left out");
        }
    }
    let bad = world.get("DocumentReference?_cursor=WzAsbnVsbCxudWxsXQ").await;
    assert_eq!(bad.status, 400, "a cursor of another shape");
}

#[tokio::test]
async fn requirement_44_a_manifest_is_another_one_at_once_and_gone_with_its_study() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = "[[organisations]]\nname = \"Ospedale di Prova\"\nae_titles = [\"TEST\"]\n";
    std::fs::write(file.path(), settings).unwrap();
    let world = World { server: Server::start_with(&["-c", file.path().to_str().unwrap()]) };
    world.server.store(&[of_somebody(1, 1, 1), of_somebody(2, 1, 1)]).await;
    world.wait_for("ImagingStudy", 2).await;
    let (one, two) = (of_somebody(1, 1, 1), of_somebody(2, 1, 1));
    let [before, _] = both(&world, &one.study).await;
    let keeper = world.get(before["custodian"]["reference"].as_str().unwrap()).await.json;
    assert_eq!(keeper["name"], "Ospedale di Prova");
    let path = format!("DocumentReference/{}", before["id"].as_str().unwrap());
    let version = |named: &Value| named["meta"]["versionId"].as_str().unwrap().to_owned();
    // Known as soon as the object is: no job has to run first.
    world.server.store(&[of_somebody(1, 2, 2)]).await;
    let after = world.get(&path).await.json;
    assert_ne!(after["masterIdentifier"], before["masterIdentifier"]);
    assert_ne!(version(&after), version(&before));
    assert!(after["meta"]["lastUpdated"].as_str() > before["meta"]["lastUpdated"].as_str());
    let document = world.get(url(&after)).await.json;
    assert_eq!(document["identifier"], after["masterIdentifier"]);
    let own = document["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    let own = own.clone().find(|own| own["resourceType"] == "ImagingStudy").unwrap();
    assert_eq!(own["numberOfInstances"], 2);
    // The older name leads nowhere any more.
    let name = |named: &Value| named["masterIdentifier"]["value"].as_str().unwrap().to_owned();
    let named = |name: String| format!("DocumentReference?identifier=urn:dicom:uid|{name}");
    assert_eq!(world.get(&named(name(&before))).await.json["total"], 0);
    assert_eq!(world.get(&named(name(&after))).await.json["total"], 2);
    // Without it the study is what it was, and its manifest is called so again.
    let object = of_somebody(1, 2, 2);
    let deleted = client().delete(format!("{}{}", world.server.dicomweb(), object.path()));
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    let less = world.get(&path).await.json;
    assert_eq!(name(&less), name(&before));
    // An object less is another manifest too.
    world.server.store(&[of_somebody(1, 1, 3)]).await;
    let more = world.get(&path).await.json;
    let object = of_somebody(1, 1, 1);
    let deleted = client().delete(format!("{}{}", world.server.dicomweb(), object.path()));
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    let less = world.get(&path).await.json;
    let names = BTreeSet::from([&before, &after, &more, &less].map(name));
    assert_eq!(names.len(), 4);
    let study = format!("{}/studies/{}", world.server.dicomweb(), one.study);
    assert_eq!(client().delete(&study).send().await.unwrap().status(), 204);
    for path in [path.clone(), path.replace("DocumentReference/f", "DocumentReference/k")] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(world.get(url(&less)).await.status, 404);
    assert_eq!(world.get(&named(name(&less))).await.json["total"], 0);
    // Rejected is gone as well.
    assert_eq!(world.get(MANIFESTS).await.json["total"], 2);
    assert_eq!(world.server.store(&[note(1, "113037", std::slice::from_ref(&two))]).await, [0]);
    assert_eq!(world.get(MANIFESTS).await.json["total"], 0);
    assert_eq!(world.get("DocumentReference").await.ids().len(), 0);
}

#[tokio::test]
async fn requirement_44_who_follows_manifests_is_told_when_a_study_changes() {
    let told = Arc::new(Mutex::new(0_usize));
    let router = Router::new()
        .route(
            "/told",
            post(async |State(told): State<Arc<Mutex<usize>>>| *told.lock().unwrap() += 1),
        )
        .with_state(Arc::clone(&told));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("[fhir]\nsubscribers = ['{url}']\n")).unwrap();
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    let world = World { server };
    let subscription = json!({
        "resourceType": "Subscription", "status": "requested", "reason": "a test",
        "criteria": MANIFESTS, "channel": { "type": "rest-hook", "endpoint": url },
    });
    let made = world.post("/Subscription", "application/fhir+json", subscription.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.json);
    world.server.store(&[of_somebody(1, 1, 1)]).await;
    let times = || *told.lock().unwrap();
    until("the subscriber is told of a new study", || std::future::ready(times() > 0)).await;
    let before = times();
    world.server.store(&[of_somebody(1, 1, 2)]).await;
    until("and of one that changed", || std::future::ready(times() > before)).await;
}

/// Names of all elements, lists passed through; values of any type are alike.
fn elements(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if name.starts_with("value") && name != "value" {
                    "value[x]"
                } else {
                    name.as_str()
                };
                elements(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                elements(item, path, found);
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

/// The samples IHE publishes with its profile, where they are at hand.
#[tokio::test]
async fn requirement_44_our_document_references_have_the_elements_of_ihes_own_samples() {
    let Ok(folder) = std::env::var("LASTRA_MADO_SAMPLES") else {
        println!("SKIPPED: LASTRA_MADO_SAMPLES names no folder with mado-fhir-…-docref.json");
        return;
    };
    let world = World::with(&["dx-chest"], 1, 0).await;
    let [fhir, dicom] = both(&world, CHEST).await;
    for study in ["101", "102"] {
        for (form, ours) in [("fhir", &fhir), ("kos", &dicom)] {
            let name = format!("mado-{form}-1.2.250.1.59.40211.22756022.2.1.{study}-docref.json");
            let text = std::fs::read_to_string(Path::new(&folder).join(&name)).unwrap();
            let sample: Value = serde_json::from_str(&text).unwrap();
            for constant in [
                "/type/coding/0/code",
                "/type/coding/0/system",
                "/category/0/coding/0",
                "/content/0/attachment/contentType",
                "/content/0/format/code",
            ] {
                let pointed = |value: &Value| match value.pointer(constant).cloned() {
                    Some(Value::Object(coding)) => json!([coding["system"], coding["code"]]),
                    other => other.unwrap(),
                };
                assert_eq!(pointed(ours), pointed(&sample), "{name} {constant}");
            }
            let (mut own, mut theirs) = (BTreeSet::new(), BTreeSet::new());
            elements(ours, "", &mut own);
            elements(&sample, "", &mut theirs);
            let missing: Vec<&String> = theirs.difference(&own).collect();
            let known = [
                // A name stands in the Patient alone.
                ".subject.display",
                // The profile of a FHIR document, which the sample names for the DICOM object too.
                ".content.extension.url",
                ".content.extension.extension.url",
                ".content.extension.extension.value[x]",
            ];
            let excused = |path: &&&String| {
                let known = if form == "kos" { &known[..] } else { &known[..1] };
                known.contains(&path.as_str())
            };
            let missing: Vec<&&String> = missing.iter().filter(|path| !excused(path)).collect();
            assert!(missing.is_empty(), "{name}: {missing:?}");
        }
    }
}
