//! Requirements 41, 43 and 45: resources read one by one, their links followed, their versions told.

use serde_json::Value;

use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::CHEST;
use crate::fhir::world::World;
use crate::support::server::Server;
use crate::support::server::client;

#[tokio::test]
async fn requirement_41_a_study_is_what_its_objects_say() {
    let world = World::with(&["dx-chest", "cda-report"], 1, 1).await;
    let id = world.get("ImagingStudy").await.ids().pop().unwrap();
    let study = world.get(&format!("ImagingStudy/{id}")).await.json;
    assert_eq!(study["identifier"][0]["value"], format!("urn:oid:{CHEST}"));
    let accession = &study["basedOn"][0]["identifier"];
    assert_eq!(accession["type"]["coding"][0]["code"], "ACSN");
    assert_eq!(accession["value"], "RX2600417");
    assert!(accession["system"].as_str().unwrap().starts_with("urn:oid:"), "{accession}");
    let series: Vec<&Value> = study["series"].as_array().unwrap().iter().collect();
    let dx = series.iter().find(|series| series["modality"]["code"] == "DX").unwrap();
    assert_eq!(dx["instance"][0]["sopClass"]["code"], "urn:oid:1.2.840.10008.5.1.4.1.1.1.1");
    assert_eq!((&study["numberOfSeries"], &study["numberOfInstances"]), (&2.into(), &2.into()));
    assert!(study["started"].as_str().unwrap().starts_with("2026-03-02"));
    // A search gives it without its instances, and says so.
    let found = world.get("ImagingStudy").await;
    let found = found.entries("match").next().unwrap();
    assert_eq!(found["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(found["series"][0].get("instance").is_none() && study["meta"].get("tag").is_none());
    assert_eq!(found["meta"]["versionId"], study["meta"]["versionId"]);
}

#[tokio::test]
async fn requirement_43_a_report_names_the_organisation_that_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lastra.toml");
    // The report's custodian is 2.16.840.1.113883.2.9.4.1.1 120999.
    let settings = "[[organisations]]\nname = \"Ospedale di Prova\"\nregime = \"accredited-private\"\n\
        oid = \"2.16.840.1.113883.2.9.4.1.1.120999\"\n";
    std::fs::write(&file, settings).unwrap();
    let world = World { server: Server::start_with(&["-c", file.to_str().unwrap()]) };
    world.import(&["cda-report", "mr-head"]);
    world.wait_for("DiagnosticReport", 1).await;
    let identifier = "urn:oid:2.16.840.1.113883.2.9.4.1.1.120999";
    let found = world.get(&format!("Organization?identifier={identifier}")).await;
    let organization = found.entries("match").next().unwrap();
    assert_eq!(organization["name"], "Ospedale di Prova");
    assert_eq!(organization["type"][0]["text"], "accredited-private");
    let report = world.get("DiagnosticReport").await;
    let report = report.entries("match").next().unwrap();
    let named = report["performer"][0]["reference"].as_str().unwrap();
    assert_eq!(&world.get(named).await.json["id"], &organization["id"]);
    let document = world.get("DocumentReference?type=68604-8").await;
    let document = document.entries("match").next().unwrap();
    assert_eq!(document["custodian"]["reference"].as_str(), Some(named));
}

#[tokio::test]
async fn requirements_43_and_45_every_link_leads_somewhere() {
    let world = World::with(&["dx-chest", "cda-report", "mr-head", "pdf-report"], 2, 2).await;
    let found = world.get("DiagnosticReport?code=http://loinc.org|68604-8").await;
    let report = found.entries("match").next().unwrap();
    let codes: Vec<&Value> =
        report["code"]["coding"].as_array().unwrap().iter().map(|coding| &coding["code"]).collect();
    assert_eq!(codes, ["68604-8", "85430-7"]);
    let study = world.get(report["imagingStudy"][0]["reference"].as_str().unwrap()).await.json;
    assert_eq!(study["identifier"][0]["value"], format!("urn:oid:{CHEST}"));
    assert_eq!(study["subject"], report["subject"]);
    let patient = world.get(report["subject"]["reference"].as_str().unwrap()).await.json;
    let codes: Vec<&Value> =
        patient["identifier"].as_array().unwrap().iter().filter(|id| id["system"] == CF).collect();
    assert_eq!(codes[0]["value"], ANNA);
    // The document is the one that was brought, byte for byte.
    let url = report["presentedForm"][0]["url"].as_str().unwrap();
    let bytes = client().get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, include_bytes!("../../../sample-studies/cda-report/referto.xml").as_slice());
    // The series' endpoint gives the objects.
    let endpoint =
        world.get(study["series"][0]["endpoint"][0]["reference"].as_str().unwrap()).await;
    let address = endpoint.json["address"].as_str().unwrap();
    for series in study["series"].as_array().unwrap() {
        let url = format!("{address}/studies/{CHEST}/series/{}", series["uid"].as_str().unwrap());
        let answer = client().get(url).header("accept", "*/*").send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    // And why they belong together is told.
    let target = format!("Provenance?target=ImagingStudy/{}", study["id"].as_str().unwrap());
    let found = world.get(&target).await;
    let provenance = found.entries("match").next().unwrap();
    assert_eq!(provenance["reason"][0]["coding"][0]["code"], "study-uid");
    assert_eq!(provenance["agent"][0]["who"]["display"], "lastra");
    let source = &provenance["entity"][0]["what"]["identifier"]["value"];
    assert_eq!(*source, format!("urn:oid:{CHEST}"));
    for target in provenance["target"].as_array().unwrap() {
        assert_eq!(world.get(target["reference"].as_str().unwrap()).await.status, 200);
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let world = World::with(&["dx-chest", "cda-report"], 1, 1).await;
    for kind in ["Patient", "ImagingStudy", "DiagnosticReport", "DocumentReference", "Provenance"] {
        let path = format!("{kind}/{}", world.get(kind).await.ids()[0]);
        let first = world.get(&path).await;
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(etag, format!("W/\"{}\"", first.json["meta"]["versionId"].as_str().unwrap()));
        let modified = first.headers["last-modified"].to_str().unwrap().to_owned();
        let again = world.get_with(&path, &[("if-none-match", &etag)]).await;
        assert_eq!((again.status, again.json), (304, Value::Null), "{path}");
        assert_eq!(world.get_with(&path, &[("if-modified-since", &modified)]).await.status, 304);
        assert_eq!(world.get_with(&path, &[("if-none-match", "W/\"x\"")]).await.status, 200);
        let head = client().head(format!("{}/{path}", world.base())).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), head.headers()["etag"].to_str().unwrap()),
            (200, &*etag)
        );
    }
}

#[tokio::test]
async fn people_who_were_found_to_be_one_say_so_and_are_two_again() {
    let world = World::with(&["dx-chest", "mr-head"], 2, 0).await;
    let ids = world.get("Patient").await.ids();
    let by = |code: &str| format!("2.16.840.1.113883.2.9.4.3.2|{code}");
    let decide = |arguments: &[&str]| {
        let mut command = world.server.command("fascicolo");
        let done = command.args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    decide(&["--by", "rossi", "merge", &by(ANNA), &by("FTTZOE84S42F205X"), "--reason", "prova"]);
    let (stays, goes) = {
        let found = world.get(&format!("Patient?identifier={CF}|{ANNA}")).await.ids();
        let goes = ids.iter().find(|id| **id != found[0]).unwrap();
        (found[0].clone(), goes.clone())
    };
    assert_eq!(world.get("Patient").await.ids(), [stays.as_str()]);
    let stub = world.get(&format!("Patient/{goes}")).await.json;
    assert_eq!((&stub["active"], &stub["link"][0]["type"]), (&false.into(), &"replaced-by".into()));
    assert_eq!(stub["link"][0]["other"]["reference"], format!("Patient/{stays}"));
    let one = world.get(&format!("Patient/{stays}")).await.json;
    assert_eq!(one["link"][0]["type"], "replaces");
    // Either id finds the studies of both.
    for id in [&stays, &goes] {
        assert_eq!(world.get(&format!("ImagingStudy?patient=Patient/{id}")).await.json["total"], 2);
    }
    decide(&["--by", "rossi", "unmerge", "1"]);
    assert_eq!(world.get("Patient").await.json["total"], 2);
    assert_eq!(world.get(&format!("Patient/{goes}")).await.json["active"], true);
}

#[tokio::test]
async fn everything_of_somebody_comes_page_by_page_and_nothing_of_others() {
    let world = World::with(&["dx-chest", "cda-report", "ct-chest", "mr-head"], 3, 1).await;
    let anna = world.get(&format!("Patient?identifier={CF}|{ANNA}")).await.ids().pop().unwrap();
    let whole = world.get(&format!("Patient/{anna}/$everything")).await;
    let mut kinds: Vec<String> = whole
        .entries("match")
        .map(|resource| resource["resourceType"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "Patient",
        "Endpoint",
        "ImagingStudy",
        "ImagingStudy",
        "DiagnosticReport",
        "DocumentReference",
        // The manifests of both studies, in both forms.
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "Provenance",
    ];
    assert_eq!(kinds, expected);
    let mut paged = Vec::new();
    let mut next = Some(format!("Patient/{anna}/$everything?_count=2"));
    while let Some(path) = next {
        let page = world.get(&path).await;
        assert!(page.ids().len() <= 2);
        paged.extend(page.ids());
        next = page.next();
    }
    assert_eq!(paged, whole.ids());
    let some = world.get(&format!("Patient/{anna}/$everything?_type=ImagingStudy,Patient")).await;
    kinds.retain(|kind| kind == "ImagingStudy" || kind == "Patient");
    assert_eq!(some.ids().len(), kinds.len());
    let later = world.get(&format!("Patient/{anna}/$everything?_since=2999-01-01T00:00:00Z")).await;
    assert_eq!(later.ids(), ["wado-rs"]);
    let refused = world.get_with(&format!("Patient/{anna}/$everything?x=1"), &STRICT).await;
    assert_eq!(
        (refused.status, refused.says()),
        (400, "parameter x: $everything takes _count, _since and _type")
    );
    assert_eq!(world.get("Patient/none/$everything").await.status, 404);
}

const STRICT: [(&str, &str); 1] = [("prefer", "handling=strict")];

#[tokio::test]
async fn every_failure_is_an_outcome_with_its_remedy() {
    let world = World::with(&[], 0, 0).await;
    for (path, headers, status, code, says) in [
        ("Patient/0000000000000000", [("a", "b")], 404, "not-found", "nothing here"),
        ("ImagingStudy/uAAAA", [("a", "b")], 404, "not-found", "nothing here"),
        ("DocumentReference/zz", [("a", "b")], 404, "not-found", "nothing here"),
        ("Binary/zz", [("a", "b")], 404, "not-found", "nothing here"),
        ("Bundle/zz", [("a", "b")], 404, "not-found", "nothing here"),
        ("DocumentReference/fuAAAA", [("a", "b")], 404, "not-found", "nothing here"),
        ("Bundle", [("a", "b")], 404, "not-supported", "see /fhir/metadata"),
        ("Patient/no_id", [("a", "b")], 404, "not-found", "nothing here"),
        ("Observation", [("a", "b")], 404, "not-supported", "see /fhir/metadata"),
        ("Observation/1", [("a", "b")], 404, "not-supported", "see /fhir/metadata"),
        ("Binary", [("a", "b")], 404, "not-supported", "see /fhir/metadata"),
        ("Patient/1/2/3/4/5", [("a", "b")], 404, "not-supported", "see /fhir/metadata"),
        ("Patient/1/_history", [("a", "b")], 404, "not-supported", "without _history"),
        ("Patient", [("accept", "application/fhir+xml")], 406, "not-supported", "JSON only"),
        ("Patient?_format=xml", [("a", "b")], 406, "not-supported", "JSON only"),
        ("metadata?_format=ttl", [("a", "b")], 406, "not-supported", "JSON only"),
        ("Patient?a=%FF", [("a", "b")], 400, "invalid", "UTF-8"),
        ("Patient?colour=1", STRICT, 400, "invalid", "parameter colour: Patient is not searched"),
        (
            "ImagingStudy?started=ieri",
            [("a", "b")],
            400,
            "invalid",
            "parameter started: write YYYY",
        ),
        (
            "ImagingStudy?modality=",
            [("a", "b")],
            400,
            "invalid",
            "parameter modality: give a value",
        ),
        ("DiagnosticReport?identifier=1", [("a", "b")], 400, "invalid", "system|value"),
    ] {
        let answer = world.get_with(path, &headers).await;
        assert_eq!(answer.status, status, "{path} {}", answer.json);
        assert_eq!(answer.json["issue"][0]["code"], code, "{path}");
        assert!(answer.says().contains(says), "{path}: {}", answer.says());
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    for (method, path) in [("DELETE", "/Patient/1"), ("PUT", "/Patient/1"), ("GET", "")] {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", world.base()));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert!(answer.headers().contains_key("allow"));
        assert!(answer.text().await.unwrap().contains("OperationOutcome"));
    }
}
