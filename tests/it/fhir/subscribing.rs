//! Subscriptions: made, told, ended, and over a kill.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;

use crate::fhir::world::World;
use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

const FHIR: &str = "application/fhir+json";

/// What a subscriber got: the field it asked for, and the bytes; and whether it takes them.
#[derive(Default)]
struct Subscriber {
    refuses: bool,
    told: Vec<(String, usize)>,
}

type Shared = Arc<Mutex<Subscriber>>;

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut subscriber = shared.lock().unwrap();
    let field = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    subscriber.told.push((field.to_owned(), body.len()));
    if subscriber.refuses { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

async fn subscriber() -> (Shared, String) {
    let shared = Shared::default();
    let router = Router::new().route("/told/{of}", post(receive)).with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (shared, url)
}

fn world(url: &str) -> (World, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("[fhir]\nsubscribers = ['{url}']\n")).unwrap();
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    (World { server }, file)
}

fn subscription(criteria: &str, endpoint: &str) -> Value {
    json!({
        "resourceType": "Subscription", "status": "requested", "reason": "a test",
        "criteria": criteria,
        "channel": {
            "type": "rest-hook", "endpoint": endpoint, "header": ["Authorization: Bearer abc"],
        },
    })
}

fn times(shared: &Shared) -> usize {
    shared.lock().unwrap().told.len()
}

#[tokio::test]
async fn a_subscriber_is_told_of_what_meets_the_criteria_until_the_subscription_is_deleted() {
    let (shared, url) = subscriber().await;
    let (never, other) = subscriber().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("[fhir]\nsubscribers = ['{url}', '{other}']\n")).unwrap();
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    let mut world = World { server };
    let reports = subscription("DiagnosticReport?code=68604-8", &format!("{url}/reports"));
    let made = world.post("/Subscription", FHIR, reports.to_string()).await;
    assert_eq!((made.status, &made.json["status"]), (201, &json!("active")), "{}", made.json);
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let unlike = subscription("DiagnosticReport?code=11502-2", &format!("{other}/none"));
    assert_eq!(world.post("/Subscription", FHIR, unlike.to_string()).await.status, 201);

    shared.lock().unwrap().refuses = true;
    world.import(&["dx-chest", "cda-report"]);
    until("the subscriber refuses", || std::future::ready(times(&shared) > 0)).await;
    until("the subscription says so", async || world.get(&place).await.json["status"] == "error")
        .await;
    assert_eq!(world.get(&place).await.json["error"], "answered 503");
    world.server = world.server.kill_and_restart();
    let id = made.json["id"].as_str().unwrap();
    let path = format!("Subscription/{id}");
    {
        let mut subscriber = shared.lock().unwrap();
        (subscriber.refuses, subscriber.told) = (false, Vec::new());
    }
    until("the subscriber is told after the restart", || std::future::ready(times(&shared) > 0))
        .await;
    until("the subscription is well again", async || {
        world.get(&path).await.json["status"] == "active"
    })
    .await;
    // Nothing but the field they asked for is sent, and that field is shown to nobody.
    assert!(shared.lock().unwrap().told.iter().all(|told| *told == ("Bearer abc".to_owned(), 0)));
    let read = world.get(&path).await;
    assert_eq!((read.status, read.json["channel"].get("header")), (200, None));
    let found = world.get("Subscription?criteria=diagnosticreport?code=68604&status=active").await;
    assert_eq!((found.json["total"].as_u64(), found.ids()), (Some(1), vec![id.to_owned()]));

    let deleted = client().delete(format!("{}/{path}", world.base())).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(world.get(&path).await.status, 404);
    let before = times(&shared);
    assert_eq!(times(&never), 0, "told of what does not meet its criteria");
    // Another subscriber, told of what comes now, shows that the feed was looked at since.
    let (last, last_url) = (Arc::clone(&never), format!("{other}/all"));
    let all = subscription("DocumentReference", &last_url);
    assert_eq!(world.post("/Subscription", FHIR, all.to_string()).await.status, 201);
    let unlinked =
        world.server.command("fascicolo").args(["unlink", "1", "--by", "rossi"]).output();
    assert!(unlinked.unwrap().status.success());
    until("the other one is told", || std::future::ready(times(&last) > 0)).await;
    assert_eq!(times(&shared), before);
}

/// The kinds of what happened to people.
async fn of_people(world: &World) -> Vec<String> {
    let url = format!("http://{}/changes?since=0&limit=1000", world.server.http);
    let page = client().get(url).send().await.unwrap().text().await.unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    let changes = page["changes"].as_array().unwrap().iter();
    let kinds = changes.map(|change| change["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.starts_with("person-")).collect()
}

#[tokio::test]
async fn a_subscriber_to_people_is_told_when_a_message_makes_or_renames_one() {
    let (shared, url) = subscriber().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("[fhir]\nsubscribers = ['{url}']\n")).unwrap();
    let arguments = ["-c", file.path().to_str().unwrap()];
    let server = Server::start_in(&arguments, &[("LASTRA_MLLP__ADDRESS", "127.0.0.1:0")]);
    let (address, world) = (server.hl7.unwrap(), World { server });
    let rossi = subscription("Patient?family=ROSSI", &format!("{url}/rossi"));
    assert_eq!(world.post("/Subscription", FHIR, rossi.to_string()).await.status, 201);
    let send = async |trigger: &str, local: &str, name: &str| {
        let message = format!(
            "MSH|^~\\&|ADT|OSP|LASTRA|PACS|20260302||ADT^{trigger}|1|P|2.5\rEVN|{trigger}\r\
             PID|1||{local}^^^OSP||{name}^MARIO||19790211|M\r"
        );
        let answer = crate::mllp::say(address, &crate::mllp::framed(&message), b"\x1C\r").await;
        assert!(String::from_utf8(answer).unwrap().contains("MSA|AA|1"), "{message}");
    };
    send("A28", "P1", "ROSSI").await;
    until("the new person is told", || std::future::ready(times(&shared) > 0)).await;
    // Nothing of this is new, and what is new is another's.
    for trigger in ["A01", "A08", "A31"] {
        send(trigger, "P1", "ROSSI").await;
    }
    send("A28", "P2", "BIANCHI").await;
    assert_eq!(of_people(&world).await, ["person-changed"; 2]);
    shared.lock().unwrap().told.clear();
    send("A31", "P2", "ROSSI").await;
    until("the new name is told", || std::future::ready(times(&shared) > 0)).await;
    assert_eq!(of_people(&world).await, ["person-changed"; 3]);
}

#[tokio::test]
async fn nobody_is_told_where_the_settings_do_not_say() {
    let (_, url) = subscriber().await;
    let (world, _file) = world(&url);
    let elsewhere = subscription("Patient", "http://127.0.0.1:9/told");
    let refused = world.post("/Subscription", FHIR, elsewhere.to_string()).await;
    assert_eq!(refused.status, 422);
    assert!(refused.says().contains("fhir.subscribers"), "{}", refused.says());
    for criteria in ["Patient?birthdate=x", "Patient?name=", "Patient?_content=x", "Encounter"] {
        let never = subscription(criteria, &format!("{url}/never"));
        let refused = world.post("/Subscription", FHIR, never.to_string()).await;
        assert_eq!(refused.status, 422, "{criteria}: {}", refused.says());
        assert!(refused.says().contains("Subscription.criteria"), "{}", refused.says());
    }
    for (path, media, body, status) in [
        ("/Subscription", "text/plain", "{}", 415),
        ("/Subscription", FHIR, "{", 400),
        ("/Patient", FHIR, "{}", 405),
        ("/Observation", FHIR, "{}", 405),
    ] {
        assert_eq!(world.post(path, media, body).await.status, status, "{path} {body}");
    }
    assert_eq!(world.get("Subscription").await.json["total"], 0);
}
