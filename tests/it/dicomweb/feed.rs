//! The change feed: pages, server-sent events, signed webhooks.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::post;
use lastra::dicomweb::webhooks::signature;
use serde_json::Value;

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

const SECRET: &str = "a secret of the tests";

async fn page(server: &Server, query: &str) -> Value {
    let url = format!("http://{}/changes?{query}", server.http);
    let response = client().get(url).send().await.unwrap();
    assert_eq!(response.status(), 200, "{query}");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn sequences(page: &Value) -> Vec<i64> {
    let changes = page["changes"].as_array().unwrap().iter();
    changes.map(|change| change["sequence"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn pages_of_changes_join_to_all_that_happened() {
    let server = Server::start();
    assert_eq!(
        page(&server, "").await,
        serde_json::json!({"changes": [], "next": 0, "more": false})
    );
    let objects: Vec<Object> = (1..=5).map(|instance| Object::ct("P1", 1, 1, instance)).collect();
    server.store(&objects).await;
    let mut other = Object::ct("P1", 1, 1, 1);
    other.text(0x0008_1030, b"LO", "other bytes");
    server.store(&[other]).await;

    let (mut since, mut all) = (0, Vec::new());
    loop {
        let page = page(&server, &format!("since={since}&limit=2")).await;
        all.extend(page["changes"].as_array().unwrap().clone());
        since = page["next"].as_i64().unwrap();
        if !page["more"].as_bool().unwrap() {
            break;
        }
    }
    assert_eq!(all.len(), 6);
    assert_eq!((all[5]["kind"].as_str(), since), (Some("instance-conflict"), 6));
    let first = &all[0];
    assert_eq!(first["url"], format!("{}{}", server.dicomweb(), objects[0].path()));
    assert!(first["at"].as_str().unwrap().ends_with('Z'));
    for (query, name) in [("since=x", "since"), ("since=-1", "since"), ("limit=many", "limit")] {
        let url = format!("http://{}/changes?{query}", server.http);
        let response = client().get(url).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
        assert!(response.text().await.unwrap().contains(name));
    }
}

/// Listens until so many events came; their numbers.
async fn listen(server: &Server, query: &str, last: Option<&str>, count: usize) -> Vec<i64> {
    let url = format!("http://{}/changes{query}", server.http);
    let mut request = client().get(url).header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut stored = false;
    loop {
        let events: Vec<&str> =
            text.split("\n\n").filter(|event| event.contains("data:")).collect();
        if events.len() >= count && text.ends_with("\n\n") {
            let data = |event: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
                serde_json::from_str::<Value>(line).unwrap()["sequence"].as_i64().unwrap()
            };
            return events.into_iter().map(data).collect();
        }
        // What happens while somebody listens.
        if !std::mem::replace(&mut stored, true) {
            server.store(&[Object::ct("P9", 9, 1, 1)]).await;
        }
        let chunk = response.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn events_go_on_where_the_listener_was() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=3).map(|instance| Object::ct("P1", 1, 1, instance)).collect();
    server.store(&objects).await;
    assert_eq!(listen(&server, "", None, 1).await, [4], "from now on");
    assert_eq!(listen(&server, "?since=0", None, 4).await, [1, 2, 3, 4]);
    assert_eq!(listen(&server, "?since=0", Some("3"), 1).await, [4], "as a browser reconnects");
}

/// What a receiver got, and how often it refuses first.
#[derive(Default)]
struct Receiver {
    refusals: usize,
    deliveries: Vec<(String, String)>,
}

type Shared = Arc<Mutex<Receiver>>;

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut receiver = shared.lock().unwrap();
    let field = headers["lastra-signature"].to_str().unwrap().to_owned();
    receiver.deliveries.push((field, String::from_utf8(body.to_vec()).unwrap()));
    if receiver.refusals > 0 {
        receiver.refusals -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::NO_CONTENT
}

async fn receiver(refusals: usize) -> (Shared, String) {
    let shared: Shared = Arc::new(Mutex::new(Receiver { refusals, ..Receiver::default() }));
    let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (shared, url)
}

/// Sequences of what was delivered, each delivery's signature checked.
fn delivered(shared: &Shared) -> Vec<i64> {
    let receiver = shared.lock().unwrap();
    let mut all = Vec::new();
    for (field, body) in &receiver.deliveries {
        let seconds = field.split(',').next().unwrap().strip_prefix("t=").unwrap();
        assert_eq!(*field, signature(SECRET, seconds.parse().unwrap(), body));
        all.extend(sequences(&serde_json::from_str(body).unwrap()));
    }
    all
}

fn configured(url: &str, kinds: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "[[webhooks]]\nname = 'ris'\nurl = '{url}'\nsecret = '{SECRET}'\nkinds = [{kinds}]\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test]
async fn webhooks_are_signed_retried_and_survive_a_kill() {
    let (shared, url) = receiver(1).await;
    let file = configured(&url, "");
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    server.store(&[Object::ct("P1", 1, 1, 1)]).await;
    // Refused once, and delivered again.
    until("the change is delivered twice", || std::future::ready(delivered(&shared) == [1, 1]))
        .await;

    shared.lock().unwrap().refusals = usize::MAX;
    server.store(&[Object::ct("P1", 1, 1, 2)]).await;
    until("the second is refused", || std::future::ready(delivered(&shared).contains(&2))).await;
    let server = server.kill_and_restart();
    server.store(&[Object::ct("P1", 1, 1, 3)]).await;
    {
        let mut receiver = shared.lock().unwrap();
        receiver.refusals = 0;
        receiver.deliveries.clear();
    }
    until("both are delivered after the restart", || {
        let all = delivered(&shared);
        std::future::ready(all.contains(&2) && all.contains(&3))
    })
    .await;
    assert!(!delivered(&shared).contains(&1), "what was accepted does not come again");
}

#[tokio::test]
async fn a_webhook_gets_only_the_kinds_it_wants() {
    let (shared, url) = receiver(0).await;
    let file = configured(&url, "'instance-conflict'");
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    let mut other = Object::ct("P1", 1, 1, 1);
    other.text(0x0008_1030, b"LO", "other bytes");
    server.store(&[Object::ct("P1", 1, 1, 1), other]).await;
    until("the conflict is delivered", || std::future::ready(!delivered(&shared).is_empty())).await;
    assert_eq!(delivered(&shared), [2]);
}

/// The changes delivered and accepted, in their order, each once.
fn accepted(shared: &Shared) -> Vec<Value> {
    let mut changes: Vec<Value> = Vec::new();
    for (_, body) in &shared.lock().unwrap().deliveries {
        let body: Value = serde_json::from_str(body).unwrap();
        for change in body["changes"].as_array().unwrap() {
            if !changes.contains(change) {
                changes.push(change.clone());
            }
        }
    }
    changes
}

fn kinds(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn webhooks_tell_of_fascicoli_in_order_over_a_kill_and_of_nobody_by_name() {
    let (shared, url) = receiver(usize::MAX).await;
    let wanted = "'fascicolo-changed', 'study-linked', 'study-unlinked', 'document-arrived'";
    let file = configured(&url, wanted);
    let server = Server::start_with(&["-c", file.path().to_str().unwrap()]);
    server.import(&["dx-chest", "cda-report"]);
    until("they are linked", async || {
        let page = page(&server, "").await;
        kinds(page["changes"].as_array().unwrap()).contains(&"study-linked")
    })
    .await;
    until("a delivery is refused", || {
        std::future::ready(!shared.lock().unwrap().deliveries.is_empty())
    })
    .await;
    let server = server.kill_and_restart();
    {
        let mut receiver = shared.lock().unwrap();
        receiver.refusals = 0;
        receiver.deliveries.clear();
    }
    until("all is delivered after the restart", || {
        std::future::ready(kinds(&accepted(&shared)).contains(&"study-linked"))
    })
    .await;
    let unlink = ["unlink", "1", "--by", "rossi"];
    let done = server.command("fascicolo").args(unlink).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    until("the undoing is delivered", || {
        std::future::ready(kinds(&accepted(&shared)).contains(&"study-unlinked"))
    })
    .await;

    let changes = accepted(&shared);
    let told = kinds(&changes);
    for kind in ["document-arrived", "fascicolo-changed", "study-linked", "study-unlinked"] {
        assert!(told.contains(&kind), "{kind}: {told:?}");
    }
    let sequences: Vec<i64> = changes.iter().map(|c| c["sequence"].as_i64().unwrap()).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    // What a change names can be read, and its text holds nothing else.
    let linked = changes.iter().find(|change| change["kind"] == "study-linked").unwrap();
    assert_eq!(linked.as_object().unwrap().len(), 4);
    let concerns = linked["concerns"].as_array().unwrap();
    assert_eq!(concerns.len(), 4);
    for id in concerns {
        let url = format!("http://{}/fhir/{}", server.http, id.as_str().unwrap());
        let response = client().get(url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{id}");
    }
    let all = format!("{:?}", shared.lock().unwrap().deliveries);
    for word in ["SMPNLC68H61H501I", "Esempi", "ESEMPI", "Anna", "19680621", "1968-06-21"] {
        assert!(!all.contains(word), "{word}");
    }
}
