//! Requirement 48: every request to the door is on record, as IHE's Basic Audit Log Patterns have it, and
//! found by patient and date. Requirement 33: what cannot be recorded is not given.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use sqlx::Connection;
use sqlx::SqliteConnection;

use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::World;
use crate::fhir::world::bundle;
use crate::fhir::world::pdf;
use crate::support::server::Server;
use crate::support::server::client;

/// Chest radiograph with report of Anna, head MR with report of Zoë.
async fn world() -> World {
    World::with(&["dx-chest", "cda-report", "mr-head", "pdf-report"], 2, 2).await
}

/// Chest radiograph with report of Anna; subscribers below one address.
async fn with_subscribers() -> (World, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[fhir]\nsubscribers = ['http://127.0.0.1:9/']\n").unwrap();
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    let world = World { server };
    world.import(&["dx-chest", "cda-report"]);
    world.wait_for("Provenance", 1).await;
    (world, file)
}

/// A subscription nobody is told of.
fn subscription() -> String {
    let channel = json!({ "type": "rest-hook", "endpoint": "http://127.0.0.1:9/x" });
    let made = json!({
        "resourceType": "Subscription", "status": "requested", "reason": "reports",
        "criteria": "DiagnosticReport?code=68604-8", "channel": channel,
    });
    made.to_string()
}

/// The server's own rows.
async fn rows(world: &World) -> SqliteConnection {
    let file = world.server.data().join("index.sqlite");
    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}

/// How many accesses are on record, and what the last one says.
async fn last(rows: &mut SqliteConnection) -> (i64, String) {
    let sql = "SELECT max(id), interaction || ' ' || kind || ' ' || status || ' ' ||
        (SELECT count(s.person) FROM access_subject s WHERE s.access = access.id) FROM access";
    sqlx::query_as(sql).fetch_one(rows).await.unwrap()
}

async fn id_of(world: &World, kind: &str) -> String {
    world.get(&format!("{kind}?_count=1")).await.ids().pop().unwrap()
}

/// A report's document.
async fn document(world: &World) -> String {
    world.get("DocumentReference?type=68604-8&_count=1").await.ids().pop().unwrap()
}

/// A study's manifest as FHIR document.
async fn manifest(world: &World) -> String {
    let found = world.get("DocumentReference?type=http://loinc.org|18748-4").await;
    let is_bundle = |named: &&Value| named.to_string().contains("/Bundle/");
    let named = found.entries("match").find(is_bundle).unwrap();
    named["id"].as_str().unwrap().to_owned()
}

async fn version_of(world: &World, report: &str) -> String {
    let report = world.get(&format!("DiagnosticReport/{report}")).await;
    report.json["meta"]["versionId"].as_str().unwrap().to_owned()
}

async fn anna(world: &World) -> String {
    world.get(&format!("Patient?identifier={CF}|{ANNA}")).await.ids().pop().unwrap()
}

const JSON: &str = "application/fhir+json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What is asked (method, path, body), and what is on record of it: interaction, type, status, and how
/// many people it concerns.
const ROUTES: [(&str, &str); 38] = [
    ("GET /Patient?name=esempi", "search-type Patient 200 1"),
    ("HEAD /Patient", "search-type Patient 200 1"),
    ("GET /Patient?name=nobody", "search-type Patient 200 0"),
    ("GET /ImagingStudy?patient={anna}&_count=0", "search-type ImagingStudy 200 1"),
    ("GET /DiagnosticReport?patient={anna}&modality=XX", "search-type DiagnosticReport 200 1"),
    ("GET /DocumentReference?subject=Patient/{anna}", "search-type DocumentReference 200 1"),
    ("GET /Provenance", "search-type Provenance 200 1"),
    ("GET /Endpoint", "search-type Endpoint 200 0"),
    ("GET /Organization", "search-type Organization 200 0"),
    ("GET /Subscription", "search-type Subscription 200 0"),
    ("GET /AuditEvent", "search-type AuditEvent 200 1"),
    ("GET /ImagingStudy?_count=x", "search-type ImagingStudy 400 0"),
    ("GET /Observation", "search-type Observation 404 0"),
    ("POST /Patient/_search gender=female", "search-type Patient 200 1"),
    ("POST /Patient/_search {}", "search-type Patient 415 0"),
    ("GET /Patient/{anna}", "read Patient 200 1"),
    ("GET /Patient/{anna}?_format=xml", "read Patient 406 1"),
    ("GET /Patient/none", "read Patient 404 0"),
    ("GET /ImagingStudy/{study}", "read ImagingStudy 200 1"),
    ("GET /DiagnosticReport/{report}", "read DiagnosticReport 200 1"),
    ("GET /DiagnosticReport/{report}/_history", "history-instance DiagnosticReport 200 1"),
    ("GET /DiagnosticReport/{report}/_history/{version}", "vread DiagnosticReport 200 1"),
    ("GET /DocumentReference/{document}", "read DocumentReference 200 1"),
    ("GET /Provenance/{link}", "read Provenance 200 1"),
    ("GET /Binary/{document}", "read Binary 200 1"),
    ("GET /Binary/{document}?_format=json", "read Binary 200 1"),
    ("GET /Binary/{manifest}", "read Binary 200 1"),
    ("GET /Bundle/{manifest}", "read Bundle 200 1"),
    ("GET /Endpoint/wado-rs", "read Endpoint 200 0"),
    ("GET /Patient/{anna}/$everything?_count=1", "operation Patient 200 1"),
    ("POST / {brought}", "transaction DiagnosticReport 200 1"),
    ("POST / {}", "transaction  422 0"),
    ("POST /Subscription {subscription}", "create Subscription 201 0"),
    ("POST /Patient {}", "create Patient 405 0"),
    ("DELETE /Subscription/none", "delete Subscription 404 0"),
    ("PUT /Patient/{anna} {}", "update Patient 405 1"),
    ("PATCH /ImagingStudy/{study} {}", "patch ImagingStudy 405 0"),
    ("GET /a/b/c/d/e", "operation a 404 0"),
];

#[tokio::test]
async fn requirement_48_every_route_leaves_exactly_one_record() {
    let (world, _settings) = with_subscribers().await;
    let mut rows = rows(&world).await;
    let report = id_of(&world, "DiagnosticReport").await;
    let anna = anna(&world).await;
    let filled = [
        ("{study}", id_of(&world, "ImagingStudy").await),
        ("{document}", document(&world).await),
        ("{manifest}", manifest(&world).await),
        ("{link}", id_of(&world, "Provenance").await),
        ("{version}", version_of(&world, &report).await),
        ("{report}", report),
        ("{anna}", anna.clone()),
        ("{brought}", bundle("A1", &pdf("audit")).to_string()),
        ("{subscription}", subscription()),
    ];
    let filled = |text: &str| {
        filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    for (asked, expected) in ROUTES {
        let (before, _) = last(&mut rows).await;
        let mut parts = asked.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap(), filled(parts.next().unwrap()));
        let body = filled(parts.next().unwrap_or_default());
        let url = format!("{}{path}", world.base());
        let mut request = client().request(method.parse().unwrap(), url);
        if !body.is_empty() {
            let media = if body.starts_with('{') { JSON } else { FORM };
            request = request.header("content-type", media).body(body);
        }
        let answer = request.send().await.unwrap();
        answer.bytes().await.unwrap();
        assert_eq!(last(&mut rows).await, (before + 1, expected.to_owned()), "{asked}");
    }
    // A subscription that is there goes, and what there is to ask is nobody's business.
    let made = id_of(&world, "Subscription").await;
    let url = format!("{}/Subscription/{made}", world.base());
    assert_eq!(client().delete(url).send().await.unwrap().status(), 204);
    let (before, said) = last(&mut rows).await;
    assert_eq!(said, "delete Subscription 204 0");
    world.get("metadata").await;
    assert_eq!(last(&mut rows).await.0, before);
    // What a client has already was confirmed to it: that is an access too.
    let known = world.get(&format!("Patient/{anna}")).await.headers["etag"].clone();
    let again = [("if-none-match", known.to_str().unwrap())];
    assert_eq!(world.get_with(&format!("Patient/{anna}"), &again).await.status, 304);
    assert_eq!(last(&mut rows).await, (before + 2, "read Patient 304 1".to_owned()));
    let counted = world.server.metric("lastra_access_records_total").await;
    assert_eq!(counted, (before + 2) as f64);
}

/// A pattern's mandatory parts (BALP 1.1.4): action, one of these subtypes, the types of client and
/// server, the role of what was asked, whether a patient stands there.
struct Pattern {
    name: &'static str,
    action: &'static str,
    subtypes: &'static [&'static str],
    client: &'static str,
    server: &'static str,
    roles: &'static [&'static str],
}

const READ: Pattern = Pattern {
    name: "Read",
    action: "R",
    subtypes: &["read", "vread"],
    client: "110152",
    server: "110153",
    roles: &["4", "3", "20"],
};
const QUERY: Pattern = Pattern {
    name: "Query",
    action: "E",
    subtypes: &["search", "search-type", "search-system"],
    client: "110153",
    server: "110152",
    roles: &["24"],
};
const CREATE: Pattern = Pattern {
    name: "Create",
    action: "C",
    subtypes: &["create"],
    client: "110153",
    server: "110152",
    roles: &["4", "3", "20"],
};
const DELETE: Pattern = Pattern {
    name: "Delete",
    action: "D",
    subtypes: &["delete"],
    client: "110150",
    server: "custodian",
    roles: &["4", "3", "20"],
};

/// The codings at a place of each of several elements that are of a system.
fn of<'a>(all: &'a Value, system: &str, code: &str) -> Vec<&'a Value> {
    let is = |coding: &Value| coding["system"] == system && coding["code"] == code;
    let items = all.as_array().unwrap().iter();
    items
        .filter(|item| {
            is(&item["type"]) || item["type"]["coding"].as_array().is_some_and(|c| c.iter().any(is))
        })
        .collect()
}

/// Holds an event against a pattern.
fn check(event: &Value, pattern: &Pattern, patient: Option<&str>) {
    let kind = if patient.is_some() { "Patient" } else { "" };
    let profile = format!(
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{kind}{}",
        pattern.name
    );
    assert_eq!(event["meta"]["profile"], json!([profile]), "{event}");
    let rest = "http://terminology.hl7.org/CodeSystem/audit-event-type";
    assert_eq!((&event["type"]["system"], &event["type"]["code"]), (&json!(rest), &json!("rest")));
    let subtypes = event["subtype"].as_array().unwrap();
    let known = subtypes.iter().filter(|one| {
        one["system"] == "http://hl7.org/fhir/restful-interaction"
            && pattern.subtypes.iter().any(|code| one["code"] == *code)
    });
    assert_eq!(known.count(), 1, "{event}");
    assert_eq!((&event["action"], &event["outcome"]), (&json!(pattern.action), &json!("0")));
    assert!(event["recorded"].as_str().unwrap().ends_with('Z'));
    for code in [pattern.client, pattern.server] {
        let system = if code == "custodian" {
            "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
        } else {
            "http://dicom.nema.org/resources/ontology/DCM"
        };
        let agents = of(&event["agent"], system, code);
        let [agent] = agents.as_slice() else { panic!("{code}: {event}") };
        assert!(agent["who"].is_object() && agent["network"]["address"].is_string(), "{event}");
        assert!(agent.get("media").is_none() && agent["requestor"].is_boolean());
    }
    assert_eq!(event["source"]["observer"]["type"], "Device");
    let entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    let objects = of(&event["entity"], entity_type, "2");
    let [object] = objects.as_slice() else { panic!("{event}") };
    assert_eq!(object["role"]["system"], "http://terminology.hl7.org/CodeSystem/object-role");
    assert!(pattern.roles.iter().any(|role| object["role"]["code"] == *role), "{event}");
    if pattern.name == "Query" {
        assert!(object["query"].is_string(), "{event}");
        assert!(["what", "lifecycle", "detail"].iter().all(|none| object.get(none).is_none()));
    } else {
        assert!(object["what"].is_object(), "{event}");
    }
    let patients = of(&event["entity"], entity_type, "1");
    match (patient, patients.as_slice()) {
        (None, []) => {}
        (Some(id), [entity]) => {
            assert_eq!(entity["what"]["reference"], format!("Patient/{id}"));
            assert_eq!(entity["role"]["code"], "1");
        }
        _ => panic!("{event}"),
    }
    let balp = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
    let requests = of(&event["entity"], balp, "XrequestId");
    let [request] = requests.as_slice() else { panic!("{event}") };
    assert!(!request["what"]["identifier"]["value"].as_str().unwrap().is_empty());
}

/// The event of what is asked next, or of the one before.
async fn event(world: &World) -> Value {
    let found = world.get("AuditEvent?_count=1").await;
    found.entries("match").next().unwrap().clone()
}

#[tokio::test]
async fn requirement_48_events_have_the_shape_of_their_profiles() {
    let (world, _settings) = with_subscribers().await;
    let anna = anna(&world).await;
    let study = id_of(&world, "ImagingStudy").await;
    let named = [("x-request-id", "client-7"), ("user-agent", "ris/2")];

    world.get_with(&format!("ImagingStudy/{study}"), &named).await;
    let read = event(&world).await;
    check(&read, &READ, Some(&anna));
    assert_eq!(read["entity"][0]["what"]["reference"], format!("ImagingStudy/{study}"));
    assert_eq!(read["entity"][2]["what"]["identifier"]["value"], "client-7");
    assert_eq!(read["agent"][0]["name"], "ris/2");
    assert_eq!(read["agent"][0]["network"], json!({ "address": "127.0.0.1", "type": "2" }));
    assert_eq!(read["agent"][1]["network"], json!({ "address": world.base(), "type": "5" }));

    let report = id_of(&world, "DiagnosticReport").await;
    let version = version_of(&world, &report).await;
    world.get(&format!("DiagnosticReport/{report}/_history/{version}")).await;
    let vread = event(&world).await;
    check(&vread, &READ, Some(&anna));
    let what = format!("DiagnosticReport/{report}/_history/{version}");
    assert_eq!(vread["entity"][0]["what"]["reference"], what);

    let question = format!("Patient?identifier={CF}%7C{ANNA}");
    let answer = world.get(&question).await;
    let searched = event(&world).await;
    check(&searched, &QUERY, Some(&anna));
    let raw = STANDARD.decode(searched["entity"][0]["query"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(raw).unwrap(), format!("GET /fhir/{question}"));
    // What names the request stands in its answer and in its record.
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert_eq!(searched["entity"][2]["what"]["identifier"]["value"], id);

    world.get("Endpoint").await;
    check(&event(&world).await, &QUERY, None);
    world.get("Endpoint/wado-rs").await;
    check(&event(&world).await, &READ, None);

    let brought = world.bring(&bundle("S1", &pdf("shape"))).await;
    let made = event(&world).await;
    check(&made, &CREATE, Some(&anna));
    let report = brought.json["entry"][1]["response"]["location"].as_str().unwrap();
    let report = report.split("/_history").next().unwrap();
    assert_eq!(made["entity"][0]["what"]["reference"], report);

    let made = world.post("/Subscription", JSON, subscription()).await;
    check(&event(&world).await, &CREATE, None);
    let id = made.json["id"].as_str().unwrap();
    client().delete(format!("{}/Subscription/{id}", world.base())).send().await.unwrap();
    check(&event(&world).await, &DELETE, None);

    // The log is read, and that is on record; about whom it told, too.
    world.get(&format!("AuditEvent?patient={anna}&_count=1")).await;
    check(&event(&world).await, &QUERY, Some(&anna));

    // What failed meets no profile, which are of successes.
    world.get("Patient/none").await;
    let refused = event(&world).await;
    assert!(refused["meta"].get("profile").is_none());
    assert_eq!(
        (&refused["outcome"], &refused["outcomeDesc"]),
        (&json!("4"), &json!("404 Not Found"))
    );
    assert_eq!(refused["entity"][0]["what"]["reference"], "Patient/none");

    // Whatever there is to read of it is read again as it was found.
    let event = event(&world).await;
    let again = world.get(&format!("AuditEvent/{}", event["id"].as_str().unwrap())).await;
    assert_eq!(again.json, event);
}

#[tokio::test]
async fn requirement_48_accesses_are_found_by_patient_and_date() {
    let world = world().await;
    let mut rows = rows(&world).await;
    let anna = anna(&world).await;
    let all = world.get("Patient").await.ids();
    let zoe = all.iter().find(|id| **id != anna).unwrap().clone();
    let studies = world.get(&format!("ImagingStudy?patient={anna}")).await;
    let study = studies.ids().pop().unwrap();
    let strict = [("prefer", "handling=strict")];
    // Only what comes from here on is counted.
    let begun = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    world.get(&format!("Patient/{anna}")).await;
    world.get(&format!("Patient/{zoe}")).await;
    world.get(&format!("ImagingStudy/{study}")).await;
    world.get("Patient").await;
    world.get("Patient/none").await;
    world.get(&format!("Patient/{anna}?_format=xml")).await;
    let ended = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let within = format!("date=ge{begun}&date=lt{ended}");
    for (query, count) in [
        (String::new(), 7),
        (format!("patient={anna}"), 4),
        (format!("patient=Patient/{zoe}"), 2),
        (format!("patient:Patient={zoe}"), 2),
        (format!("patient.identifier={CF}|{ANNA}"), 4),
        (format!("patient.identifier={CF}|RSSMRA79B11C566R"), 0),
        (format!("patient={anna}&action=R"), 3),
        ("action=http://hl7.org/fhir/audit-event-action|E".to_owned(), 2),
        ("action=C,D,U".to_owned(), 0),
        ("subtype=read".to_owned(), 5),
        ("subtype=search".to_owned(), 2),
        ("subtype=http://hl7.org/fhir/restful-interaction|search-type".to_owned(), 2),
        ("subtype=http://loinc.org|read".to_owned(), 0),
        ("outcome=0".to_owned(), 5),
        ("outcome=4".to_owned(), 2),
        ("outcome=8".to_owned(), 0),
        ("type=rest".to_owned(), 7),
        ("type=http://dicom.nema.org/resources/ontology/DCM|110112".to_owned(), 0),
        (format!("entity=ImagingStudy/{study}"), 1),
        (format!("entity=Patient/{anna}"), 4),
        ("entity=Patient/none".to_owned(), 1),
        ("address=127.0.".to_owned(), 7),
        ("address=10.".to_owned(), 0),
        (format!("_lastUpdated=lt{begun}"), 0),
    ] {
        let query = format!("AuditEvent?{within}&{query}");
        let query = query.trim_end_matches('&');
        let found = world.get_with(query, &strict).await;
        assert_eq!(found.status, 200, "{query} {}", found.json);
        assert_eq!(found.ids().len(), count, "{query} {}", found.json);
        assert!(found.json.get("total").is_none(), "{query}");
        let counted = world.get(&format!("{query}&_summary=count")).await;
        assert_eq!(counted.json["total"], count, "{query}");
    }
    let id = world.get(&format!("AuditEvent?{within}")).await.ids()[3].clone();
    let found = world.get(&format!("AuditEvent?_id={id}&_total=accurate")).await;
    assert_eq!((found.ids(), &found.json["total"]), (vec![id], &json!(1)));
    for bad in ["date=yesterday", "entity=x", "agent=x", "_sort=address", "_include=AuditEvent:x"] {
        let refused = world.get_with(&format!("AuditEvent?{bad}"), &strict).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
    for (method, path) in [("POST", ""), ("PUT", "/x"), ("PATCH", "/x"), ("DELETE", "/x")] {
        let url = format!("{}/AuditEvent{path}", world.base());
        let answer =
            client().request(method.parse().unwrap(), url).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }

    // Page by page, newest first, while the pages themselves are recorded.
    let whole = world.get(&format!("AuditEvent?date=lt{ended}&_count=200")).await;
    let mut seen = Vec::new();
    let mut next = Some(format!("AuditEvent?date=lt{ended}&_count=3&_sort=-date"));
    while let Some(path) = next {
        let page = world.get(&path).await;
        seen.extend(page.ids());
        next = page.next();
    }
    assert_eq!(seen, whole.ids());
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
    let times: Vec<&Value> = whole.entries("match").map(|event| &event["recorded"]).collect();
    assert!(times.windows(2).all(|two| two[0].as_str() >= two[1].as_str()));
    let oldest = world.get("AuditEvent?_sort=date&_count=1").await;
    let first: String = sqlx::query_scalar("SELECT interaction FROM access ORDER BY id LIMIT 1")
        .fetch_one(&mut rows)
        .await
        .unwrap();
    assert_eq!(oldest.entries("match").next().unwrap()["subtype"][0]["code"], first);
}

#[tokio::test]
async fn requirement_33_what_cannot_be_recorded_is_not_given() {
    let world = world().await;
    let mut rows = rows(&world).await;
    let anna = anna(&world).await;
    let binary = document(&world).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON access_subject
        BEGIN SELECT RAISE(ABORT, 'no more'); END";
    sqlx::query(full).execute(&mut rows).await.unwrap();
    let brought = bundle("F1", &pdf("unrecorded"));
    let asked = [
        format!("Patient/{anna}"),
        format!("Patient?identifier={CF}|{ANNA}"),
        format!("Patient/{anna}/$everything"),
        format!("Binary/{binary}"),
        "Patient/none".to_owned(),
    ];
    for path in &asked {
        let refused = world.get(path).await;
        assert_eq!(refused.status, 503, "{path}");
        assert!(refused.says().contains("cannot be recorded"), "{path}");
        assert_eq!(refused.headers["retry-after"], "5");
        assert!(
            refused.headers.get("etag").is_none() && !refused.json.to_string().contains("Esempi")
        );
    }
    assert_eq!(world.bring(&brought).await.status, 503);
    assert_eq!(world.get("metadata").await.status, 200);
    sqlx::query("DROP TRIGGER full").execute(&mut rows).await.unwrap();
    for path in &asked {
        let url = format!("{}/{path}", world.base());
        let status = client().get(url).send().await.unwrap().status();
        assert_eq!(status, if path.ends_with("none") { 404 } else { 200 }, "{path}");
    }
    // What was kept, and could not be told then, is told when it is brought again.
    assert_eq!(world.bring(&brought).await.json["entry"][1]["response"]["status"], "200 OK");
}
