//! Reports brought in a transaction: kept with their versions, joined to their study, told once.

use serde_json::Value;
use serde_json::json;

use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::CHEST;
use crate::fhir::world::World;
use crate::fhir::world::bundle;
use crate::fhir::world::pdf;
use crate::support::server::client;

/// Status and place of the report's entry.
fn report(answer: &Value) -> (String, String) {
    let response = &answer["entry"][1]["response"];
    let text = |name: &str| response[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("location"))
}

#[tokio::test]
async fn a_report_is_kept_once_and_its_versions_are_its_history() {
    let mut world = World::with(&["dx-chest"], 1, 0).await;
    let (one, two) = (pdf("prima"), pdf("seconda"));
    let first = world.bring(&bundle("R1", &one)).await;
    assert_eq!(first.status, 200, "{}", first.json);
    assert_eq!(first.json["type"], "transaction-response");
    let (status, location) = report(&first.json);
    assert_eq!(status, "201 Created");
    // Answered is durable: a power cut takes nothing back.
    world.server = world.server.kill_and_restart();
    let made = world.get(&location).await;
    assert_eq!((made.status, &made.json["status"]), (200, &"final".into()), "{location}");
    let study = made.json["imagingStudy"][0]["reference"].as_str().unwrap();
    let study = world.get(study).await.json;
    assert_eq!(study["identifier"][0]["value"], format!("urn:oid:{CHEST}"));
    assert_eq!(made.json["identifier"][0]["value"], "R1");
    // The same again changes nothing.
    let again = world.bring(&bundle("R1", &one)).await;
    assert_eq!(report(&again.json), ("200 OK".to_owned(), location.clone()));
    // Other bytes are the next version.
    let second = world.bring(&bundle("R1", &two)).await;
    let (status, latest) = report(&second.json);
    assert_eq!(status, "200 OK");
    assert_ne!(latest, location);
    let (id, _) = location.split_once("/_history").unwrap();
    let current = world.get(id).await.json;
    assert_eq!(current["status"], "amended");
    let history = world.get(&format!("{id}/_history")).await.json;
    assert_eq!(history["total"], 2);
    assert_eq!(history["entry"][0]["resource"], current);
    let version = history["entry"][1]["resource"]["meta"]["versionId"].as_str().unwrap();
    let older = world.get(&format!("{id}/_history/{version}")).await.json;
    assert_eq!(older["status"], "final");
    for (version, bytes) in [(&older, &one), (&current, &two)] {
        let url = version["presentedForm"][0]["url"].as_str().unwrap();
        let got = client().get(url).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(got, *bytes);
    }
    assert_eq!(world.get("DiagnosticReport").await.json["total"], 1);
    let replaced = world.get("DocumentReference?status=superseded").await;
    let replaced = format!("DocumentReference/{}", replaced.ids()[0]);
    let current = world.get("DocumentReference?status=current&type=68604-8").await;
    let relates = &current.entries("match").next().unwrap()["relatesTo"][0];
    assert_eq!(
        (&relates["code"], &relates["target"]["reference"]),
        (&"replaces".into(), &replaced.into())
    );
}

#[tokio::test]
async fn only_new_reports_are_kept_when_asked_so_and_bytes_belong_to_one() {
    let world = World::with(&["dx-chest"], 1, 0).await;
    let mut only_new = bundle("R1", &pdf("prima"));
    only_new["entry"][1]["request"]["ifNoneExist"] = json!("identifier=urn:oid:2.25.7001|R1");
    assert_eq!(report(&world.bring(&only_new).await.json).0, "201 Created");
    let mut changed = bundle("R1", &pdf("seconda"));
    changed["entry"][1]["request"]["ifNoneExist"] = json!("identifier=urn:oid:2.25.7001|R1");
    assert_eq!(report(&world.bring(&changed).await.json).0, "200 OK");
    assert_eq!(world.get("DocumentReference?type=68604-8").await.json["total"], 1);
    let stolen = world.bring(&bundle("R2", &pdf("prima"))).await;
    assert_eq!((stolen.status, stolen.json["issue"][0]["code"].as_str()), (409, Some("duplicate")));
    assert_eq!(world.get("DiagnosticReport").await.json["total"], 1);
}

#[tokio::test]
async fn the_person_and_the_document_may_be_named_in_many_ways() {
    let world = World::with(&["dx-chest"], 1, 0).await;
    let anna = world.get("Patient").await.ids().pop().unwrap();
    for (number, subject) in [
        json!({ "reference": format!("Patient/{anna}") }),
        json!({ "identifier": { "system": CF, "value": ANNA } }),
        json!({ "reference": format!("Patient?identifier={CF}|{ANNA}") }),
        json!({ "reference": "#p" }),
    ]
    .into_iter()
    .enumerate()
    {
        let document = pdf(&format!("{number}"));
        let mut sent = bundle(&format!("R{number}"), &document);
        let entry = &mut sent["entry"][1]["resource"];
        entry["subject"] = subject.clone();
        entry["contained"] = json!([{
            "resourceType": "Patient", "id": "p", "identifier": [{ "system": CF, "value": ANNA }],
        }]);
        if number == 0 {
            let data = entry["presentedForm"][0]["data"].take();
            entry["presentedForm"] = json!([{ "url": "urn:uuid:b" }]);
            sent["entry"][0] = json!({
                "fullUrl": "urn:uuid:b",
                "resource": { "resourceType": "Binary", "contentType": "application/pdf", "data": data },
                "request": { "method": "POST", "url": "Binary" },
            });
        }
        let answer = world.bring(&sent).await;
        assert_eq!(report(&answer.json).0, "201 Created", "{subject} {}", answer.json);
    }
    let found = world.get(&format!("DiagnosticReport?patient={anna}")).await;
    assert_eq!(found.json["total"], 4);
}

#[tokio::test]
async fn requirement_4_a_report_of_nobody_known_is_kept_and_shown_in_no_fascicolo() {
    let world = World::with(&["dx-chest"], 1, 0).await;
    let mut sent = bundle("R1", &pdf("di nessuno"));
    sent["entry"][0]["resource"]["identifier"][0]["value"] = json!("PROVAX00X00X000Y");
    sent["entry"][1]["resource"]["imagingStudy"] = json!([]);
    let answer = world.bring(&sent).await;
    let response = &answer.json["entry"][1]["response"];
    assert_eq!((answer.status, &response["status"]), (200, &"202 Accepted".into()));
    assert_eq!(response["outcome"]["issue"][0]["severity"], "warning");
    for kind in ["DiagnosticReport", "DocumentReference?type=68604-8"] {
        assert_eq!(world.get(kind).await.json["total"], 0, "{kind}");
    }
    let queue = world.server.command("fascicolo").arg("queue").output().unwrap();
    assert!(String::from_utf8_lossy(&queue.stdout).contains("unverified"));
}
