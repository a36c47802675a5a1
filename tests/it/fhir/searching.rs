//! Requirements 42, 44 and 47: searches, each as it is declared; pages that stay right.

use std::collections::BTreeSet;

use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::CHEST;
use crate::fhir::world::World;
use crate::fhir::world::bundle;
use crate::fhir::world::pdf;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::until;

/// Chest radiograph with report and chest CT of Anna, head MR with report of Zoë.
async fn world() -> World {
    World::with(&["dx-chest", "cda-report", "ct-chest", "mr-head", "pdf-report"], 3, 2).await
}

const STRICT: [(&str, &str); 1] = [("prefer", "handling=strict")];

#[tokio::test]
async fn requirement_42_studies_are_found_by_what_is_declared() {
    let world = world().await;
    let anna = world.get(&format!("Patient?identifier={CF}|{ANNA}")).await.ids().pop().unwrap();
    let chest = world.get(&format!("ImagingStudy?identifier={CHEST}")).await;
    let id = chest.ids().pop().unwrap();
    let study = world.get(&format!("ImagingStudy/{id}")).await.json;
    let series = study["series"][0]["uid"].as_str().unwrap();
    let instance = study["series"][0]["instance"][0]["uid"].as_str().unwrap();
    let issuer = study["basedOn"][0]["identifier"]["system"].as_str().unwrap();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for (query, count) in [
        (String::new(), 3),
        (format!("_id={id}"), 1),
        (format!("_id={id},none"), 1),
        (format!("patient={anna}"), 2),
        (format!("subject=Patient/{anna}"), 2),
        (format!("subject:Patient={anna}"), 2),
        (format!("patient.identifier={CF}|{ANNA}"), 2),
        (format!("patient.identifier=http://hl7.it/sid/codiceFiscale|{ANNA}"), 2),
        (format!("subject.identifier={CF}|{ANNA}&modality=CT"), 1),
        (format!("patient.identifier={CF}|RSSMRA79B11C566R"), 0),
        (format!("identifier=urn:dicom:uid|urn:oid:{CHEST}"), 1),
        (format!("identifier=urn:oid:{CHEST}"), 1),
        (format!("identifier={CHEST}"), 1),
        ("identifier=1.2.3".to_owned(), 0),
        (format!("identifier={issuer}|RX2600417"), 1),
        ("identifier=urn:oid:2.25.1|RX2600417".to_owned(), 0),
        ("accession-number=RX2600417".to_owned(), 1),
        (format!("basedon:identifier={issuer}|RX2600417"), 1),
        ("started=2026-03-02".to_owned(), 1),
        ("started=2026-03".to_owned(), 2),
        ("started=ge2026-03-09".to_owned(), 2),
        ("started=gt2026-03-09".to_owned(), 1),
        ("started=ge2026-03-01&started=lt2026-03-03".to_owned(), 1),
        ("started=2026-03-02,2026-03-09".to_owned(), 2),
        ("modality=http://dicom.nema.org/resources/ontology/DCM|MR".to_owned(), 1),
        ("modality=MR,CT".to_owned(), 2),
        ("modality=http://loinc.org|MR".to_owned(), 0),
        ("bodysite=chest".to_owned(), 2),
        ("bodysite=http://snomed.info/sct|51185008".to_owned(), 2),
        (format!("series={series}"), 1),
        (format!("instance=urn:oid:{instance}"), 1),
        ("endpoint=Endpoint/wado-rs".to_owned(), 3),
        ("status=available".to_owned(), 3),
        ("status=cancelled".to_owned(), 0),
        (format!("_lastUpdated=ge{day}"), 3),
        (format!("_lastUpdated=lt{day}"), 0),
    ] {
        let found = world.get_with(&format!("ImagingStudy?{query}"), &STRICT).await;
        assert_eq!(found.status, 200, "{query} {}", found.json);
        assert_eq!((found.ids().len(), &found.json["total"]), (count, &count.into()), "{query}");
        // The same question in a body, as identifiers should be asked with.
        let form = "application/x-www-form-urlencoded";
        let posted = world.post("/ImagingStudy/_search", form, query.clone()).await;
        assert_eq!(posted.ids(), found.ids(), "{query}");
        let counted = world.get(&format!("ImagingStudy?{query}&_summary=count")).await;
        assert_eq!((counted.ids().len(), &counted.json["total"]), (0, &count.into()), "{query}");
    }
}

#[tokio::test]
async fn requirements_43_and_44_reports_documents_and_links_are_found_by_what_is_declared() {
    let world = world().await;
    let study = world.get(&format!("ImagingStudy?identifier={CHEST}")).await.ids().pop().unwrap();
    let loinc = "http://loinc.org";
    let own = "urn:oid:2.16.840.1.113883.2.9.2.120.4.4|PROVA.RX2600417.1";
    for (query, count) in [
        ("DiagnosticReport".to_owned(), 2),
        (format!("DiagnosticReport?patient.identifier={CF}|{ANNA}&code=68604-8"), 1),
        (format!("DiagnosticReport?code={loinc}|85430-7"), 2),
        (format!("DiagnosticReport?code={loinc}|11502-2"), 0),
        (format!("DiagnosticReport?identifier={own}"), 1),
        (format!("DiagnosticReport?imaging-study=ImagingStudy/{study}"), 1),
        ("DiagnosticReport?based-on:identifier=RX2600417".to_owned(), 1),
        (format!("DiagnosticReport?study-instance-uid=urn:oid:{CHEST}"), 1),
        ("DiagnosticReport?date=2026-03&status=final".to_owned(), 1),
        ("DiagnosticReport?status=amended".to_owned(), 0),
        (
            "DiagnosticReport?category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD"
                .to_owned(),
            2,
        ),
        ("DiagnosticReport?category=LAB".to_owned(), 0),
        (format!("DocumentReference?type={loinc}|68604-8&status=current"), 1),
        (format!("DocumentReference?type={loinc}|18748-4"), 6),
        (format!("DocumentReference?patient.identifier={CF}|{ANNA}"), 5),
        (format!("DocumentReference?study-instance-uid={CHEST}"), 3),
        ("DocumentReference?accession-number=RX2600417".to_owned(), 3),
        ("DocumentReference?modality=DX".to_owned(), 3),
        ("DocumentReference?bodysite=CHEST".to_owned(), 5),
        ("DocumentReference?anatomical-region=CHEST".to_owned(), 5),
        (format!("DocumentReference?related=ImagingStudy/{study}"), 3),
        ("DocumentReference?contenttype=application/pdf".to_owned(), 1),
        ("DocumentReference?contenttype=text/xml".to_owned(), 1),
        ("DocumentReference?status=superseded".to_owned(), 0),
        ("DocumentReference?period=ge2026-04".to_owned(), 3),
        ("DocumentReference?date=lt2026-01-01".to_owned(), 0),
        (format!("DocumentReference?identifier={own}"), 1),
        (format!("Provenance?target=ImagingStudy/{study}"), 1),
        (format!("Provenance?patient.identifier={CF}|{ANNA}"), 1),
        ("Provenance?recorded=lt2026-01-01".to_owned(), 0),
        ("Patient?birthdate=1968-06-21".to_owned(), 1),
        ("DiagnosticReport?_content=torace".to_owned(), 1),
        ("DocumentReference?_content=TORACE%20rad*".to_owned(), 1),
        ("DocumentReference?_content=torace%20xyz,xyz*".to_owned(), 0),
        ("Patient?name=esem".to_owned(), 1),
        ("Patient?name=LUCIA".to_owned(), 1),
        ("Patient?name=anna%20luc".to_owned(), 1),
        ("Patient?name=sempi".to_owned(), 0),
        ("Patient?family=ESEMPI&given=lucia".to_owned(), 1),
        ("Patient?family=anna".to_owned(), 0),
        ("Patient?given=esempi,anna&birthdate=1968-06-21".to_owned(), 1),
        ("Patient?family:exact=Esempi".to_owned(), 1),
        ("Patient?family:exact=esempi".to_owned(), 0),
        ("Patient?family:exact=Esem".to_owned(), 0),
        ("Patient?birthdate=ge1980&gender=female".to_owned(), 1),
        ("Patient?gender=male".to_owned(), 0),
        (format!("Patient?identifier={ANNA}"), 1),
        ("Endpoint?connection-type=dicom-wado-rs&status=active".to_owned(), 1),
        ("Endpoint?_id=qido-rs".to_owned(), 1),
        ("Organization?identifier=urn:oid:2.25.1".to_owned(), 0),
    ] {
        let found = world.get_with(&query, &STRICT).await;
        assert_eq!(found.status, 200, "{query} {}", found.json);
        assert_eq!((found.ids().len(), &found.json["total"]), (count, &count.into()), "{query}");
    }
}

#[tokio::test]
async fn requirement_42_what_belongs_to_the_answers_is_included_once() {
    let world = world().await;
    let query = "ImagingStudy?_include=ImagingStudy:endpoint&_include=ImagingStudy:subject\
                 &_revinclude=DiagnosticReport:imaging-study&_revinclude=DocumentReference:related\
                 &_revinclude=Provenance:target&_sort=-started";
    let found = world.get_with(query, &STRICT).await;
    let mut included: Vec<&str> = found
        .entries("include")
        .map(|resource| resource["resourceType"].as_str().unwrap())
        .collect();
    included.sort_unstable();
    let expected = [
        "DiagnosticReport",
        "DiagnosticReport",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "Endpoint",
        "Patient",
        "Patient",
        "Provenance",
        "Provenance",
    ];
    assert_eq!(included, expected);
    for (query, kind) in [
        ("DiagnosticReport?_include=DiagnosticReport:imaging-study", "ImagingStudy"),
        ("DocumentReference?_include=DocumentReference:related", "ImagingStudy"),
        ("Provenance?_include=Provenance:target", "DocumentReference"),
    ] {
        let found = world.get_with(query, &STRICT).await;
        assert!(
            found.entries("include").any(|resource| resource["resourceType"] == kind),
            "{query}"
        );
    }
}

#[tokio::test]
async fn requirement_47_what_is_declared_is_answered_and_what_is_not_is_refused_or_named() {
    let world = World::with(&["dx-chest", "cda-report"], 1, 1).await;
    let statement = world.get("metadata").await.json;
    let value = |kind: &str| match kind {
        "date" => "2026-03-02",
        "reference" => "ImagingStudy/a",
        _ => "urn:oid:2.25.1|a",
    };
    let mut asked = 0;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap();
        for param in resource["searchParam"].as_array().into_iter().flatten() {
            let name = param["name"].as_str().unwrap();
            let says = param["documentation"].as_str().unwrap();
            let name = if says.contains(":identifier only") {
                format!("{name}:identifier")
            } else {
                name.to_owned()
            };
            let query = format!("{kind}?{name}={}", value(param["type"].as_str().unwrap()));
            let answer = world.get_with(&query, &STRICT).await;
            assert_eq!(answer.status, 200, "{query} {}", answer.json);
            asked += 1;
        }
        for include in resource["searchInclude"].as_array().into_iter().flatten() {
            let query = format!("{kind}?_include={}", include.as_str().unwrap());
            assert_eq!(world.get_with(&query, &STRICT).await.status, 200, "{query}");
        }
        if resource["searchParam"].is_array() {
            let query = format!("{kind}?colour=red&_sort=_id");
            assert_eq!(world.get_with(&query, &STRICT).await.status, 400, "{query}");
            let lenient = world.get(&query).await;
            assert_eq!(lenient.status, 200);
            let said = lenient.entries("outcome").next().unwrap();
            assert!(said["issue"][0]["diagnostics"].as_str().unwrap().contains("colour"), "{kind}");
            assert!(!lenient.json["link"][0]["url"].as_str().unwrap().contains("colour"));
        }
    }
    assert!(asked > 50, "{asked}");
}

#[tokio::test]
async fn requirement_42_pages_stay_right_while_data_arrives() {
    let world = World { server: Server::start() };
    let study = |number: u32| {
        let mut object = Object::ct("RSSMRA79B11C566R", number, 1, 1);
        object.text(0x0008_0020, b"DA", &format!("2026{:02}15", number % 12 + 1));
        object.text(0x0008_0050, b"SH", &format!("ACC{number}"));
        object
    };
    let first: Vec<Object> = (1..=30).map(study).collect();
    world.server.store(&first).await;
    world.wait_for("ImagingStudy", 30).await;
    for sort in ["-started", "started", "_id", "-_id", "_lastUpdated", "-_lastUpdated"] {
        let before: Vec<String> =
            world.get(&format!("ImagingStudy?_count=200&_sort={sort}")).await.ids();
        assert_eq!(before.len(), 30 + usize::from(sort != "-started") * extra(sort));
        let mut seen = Vec::new();
        let mut next = Some(format!(
            "ImagingStudy?_count=7&_sort={sort}&patient.identifier={CF}|RSSMRA79B11C566R"
        ));
        let mut page = 0;
        while let Some(path) = next {
            let found = world.get(&path).await;
            seen.extend(found.ids());
            // Links name the person by id only.
            assert!(found.next().is_none_or(|next| !next.contains("RSSMRA")), "{:?}", found.next());
            next = found.next();
            page += 1;
            if page == 2 {
                let number = 100 + u32::try_from(before.len()).unwrap();
                world.server.store(&[study(number)]).await;
                world.wait_for("ImagingStudy", before.len() as u64 + 1).await;
            }
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{sort}: something came twice");
        let known: Vec<&String> = seen.iter().filter(|id| before.contains(id)).collect();
        assert_eq!(known, before.iter().collect::<Vec<_>>(), "{sort}: something was left out");
    }
}

/// How many arrived before this order was tried.
fn extra(sort: &str) -> usize {
    let orders = ["-started", "started", "_id", "-_id", "_lastUpdated", "-_lastUpdated"];
    orders.iter().position(|known| *known == sort).unwrap()
}

#[tokio::test]
async fn what_changed_since_is_found_by_when_it_last_changed() {
    let world = World::with(&["dx-chest"], 1, 0).await;
    let before = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let since = |kind: &str| format!("{kind}?_lastUpdated=ge{before}");
    assert_eq!(world.get(&since("ImagingStudy")).await.json["total"], 0);
    assert_eq!(world.bring(&bundle("R1", &pdf("uno"))).await.status, 200);
    for kind in ["DiagnosticReport", "DocumentReference"] {
        assert_eq!(world.get(&since(kind)).await.json["total"], 1, "{kind}");
    }
    // Another object of the study makes it another version, later.
    let id = world.get("ImagingStudy").await.ids().pop().unwrap();
    let version = world.get(&format!("ImagingStudy/{id}")).await.json["meta"]["versionId"].clone();
    world.import(&["cda-report"]);
    until("the study has changed", async || {
        world.get(&since("ImagingStudy")).await.json["total"] == 1
    })
    .await;
    assert_ne!(world.get(&format!("ImagingStudy/{id}")).await.json["meta"]["versionId"], version);
}
