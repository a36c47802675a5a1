//! What the archive says of itself: capabilities (PS3.18 §8.9) and its OpenAPI document, held
//! against what it does.

use std::collections::BTreeSet;

use lastra::model::event::EventKind;
use reqwest::Method;
use serde_json::Value;

use crate::fascicolo::world::REPORT;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;

async fn document(server: &Server) -> Value {
    let url = format!("http://{}/openapi.json", server.http);
    let response = client().get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            document.pointer(&reference[1..]).expect("a reference that leads somewhere")
        }
        None => value,
    }
}

/// A path with the examples of its parameters.
fn address(document: &Value, path: &str, item: &Value) -> String {
    let parameters = item["parameters"].as_array().cloned().unwrap_or_default();
    parameters.iter().fold(path.to_owned(), |path, parameter| {
        let parameter = resolved(document, parameter);
        let (name, example) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
        let example = example.as_str().unwrap();
        path.replace(&format!("{{{name}}}"), example).replace(&format!("{{*{name}}}"), example)
    })
}

#[tokio::test]
async fn every_documented_route_answers_as_documented() {
    let server = Server::start();
    // The instance of the examples.
    server.store(&[Object::ct("P1", 1, 1, 1)]).await;
    // The document, and the person, of the examples.
    let report = client().post(format!("http://{}/documents", server.http)).body(REPORT);
    assert_eq!(report.send().await.unwrap().status(), 201);
    let document = document(&server).await;
    let (client, mut asked) = (client(), 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = format!("http://{}{}", server.http, address(&document, path, item));
        for method in ["post", "get", "options", "put"] {
            let Some(operation) = item.get(method) else { continue };
            let name = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = client.request(name, with_query(&url, &required(operation)));
            if method == "post" {
                let file = Object::ct("P1", 1, 1, 1).file();
                let content = &operation["requestBody"]["content"];
                let kinds = ["application/dicom+json", "application/json"];
                let example = kinds.map(|kind| (kind, &content[kind]["example"]));
                let example = example.into_iter().find(|(_, example)| !example.is_null());
                let (kind, body) = match example {
                    Some((kind, example)) => (kind, example.to_string().into_bytes()),
                    None => ("application/dicom", file),
                };
                request = request.header("content-type", kind).body(body);
            }
            let response = request.send().await.unwrap();
            let status = response.status().as_u16().to_string();
            let documented = &operation["responses"];
            let bulk = path.contains("bulkdata");
            // The example has no bulk value, nothing lies in the bin, and nothing is there to be decided
            // on; everything else is there.
            let absent = path.starts_with("/bin/studies") || operation["tags"][0] == "Fascicolo";
            let absent = absent && method == "post";
            assert!(status == "200" || bulk || absent, "{method} {path}: {status}");
            assert!(
                documented.get(&status).is_some(),
                "{method} {path}: {status} is not documented"
            );
            let media = response.headers().get("content-type").map(|m| m.to_str().unwrap());
            let media = media.unwrap_or_default().split(';').next().unwrap().to_owned();
            let content = &resolved(&document, &documented[&status])["content"];
            let known = content.as_object().unwrap().keys().any(|known| known.starts_with(&media));
            assert!(known, "{method} {path}: {media} is not documented");
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked}");
    for (path, item) in document["paths"].as_object().unwrap() {
        if let Some(operation) = item.get("delete") {
            let url = format!("http://{}{}", server.http, address(&document, path, item));
            server.store(&[Object::ct("P1", 1, 1, 1)]).await;
            assert_eq!(client.delete(url).send().await.unwrap().status(), 204, "{path}");
            assert!(operation["responses"].get("204").is_some(), "{path}");
        }
    }
}

/// The query parameters an operation cannot do without, by their examples.
fn required(operation: &Value) -> Vec<(String, String)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    // Of two that stand for each other one is needed.
    let is_needed = |one: &&Value| one["required"] == true || one["x-needed"] == true;
    let needed = parameters.filter(|one| one["in"] == "query" && is_needed(one));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    needed.map(|one| (text(&one["name"]), text(&one["example"]))).collect()
}

#[tokio::test]
async fn every_search_parameter_takes_its_own_example() {
    let server = Server::start();
    server.store(&[Object::ct("P1", 1, 1, 1)]).await;
    let document = document(&server).await;
    let client = client();
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = format!("http://{}{}", server.http, address(&document, path, item));
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let mut pairs = Vec::new();
        for parameter in &parameters {
            let parameter = resolved(&document, parameter);
            assert!(!parameter["description"].as_str().unwrap().is_empty());
            let example = &parameter["example"];
            let example = example.as_array().and_then(|all| all.first()).unwrap_or(example);
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            if parameter["in"] == "query" && parameter["name"] != "accept" {
                pairs.push((parameter["name"].as_str().unwrap().to_owned(), text));
            }
        }
        let needed = required(&item["get"]);
        for pair in pairs {
            let mut asked = needed.clone();
            // One that stands for another takes its place.
            let alone = parameters.iter().any(|one| {
                one["name"] == pair.0.as_str()
                    && one["description"].as_str().is_some_and(|says| says.contains("instead of"))
            });
            asked.retain(|(name, _)| *name != pair.0 && !alone);
            asked.push(pair.clone());
            let response = client.get(with_query(&url, &asked)).send().await.unwrap();
            let status = response.status();
            let said = response.text().await.unwrap_or_default();
            assert!(status != 400, "{path} {pair:?}: {said}");
        }
    }
}

fn with_query(url: &str, pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    format!("{url}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// All identifiers of operations of a document.
fn operations(document: &Value) -> Vec<String> {
    operations_of(document, |_| true)
}

fn operations_of(document: &Value, tagged: impl Fn(&str) -> bool) -> Vec<String> {
    let items = document["paths"].as_object().unwrap().values();
    let methods = items.flat_map(|item| item.as_object().unwrap().values());
    let methods = methods.filter(|method| method["tags"][0].as_str().is_some_and(&tagged));
    methods.filter_map(|method| method["operationId"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn the_document_holds_together() {
    let server = Server::start();
    let document = document(&server).await;
    let all = operations(&document);
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(all.len(), distinct.len());
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        resolved(&document, value);
        match value {
            Value::Object(members) => waiting.extend(members.values()),
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    let kinds = &document["components"]["schemas"]["Change"]["properties"]["kind"]["enum"];
    let kinds: Vec<&str> = kinds.as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
    assert_eq!(kinds, EventKind::ALL.map(EventKind::as_str), "what the feed tells");
}

#[tokio::test]
async fn capabilities_are_told_as_wadl_and_as_json() {
    let server = Server::start();
    let client = client();
    let ask = |path: &str, accept: &str, etag: &str| {
        let url = format!("{}{path}", server.dicomweb());
        let request = client.request(Method::OPTIONS, url).header("accept", accept);
        request.header("if-none-match", etag).send()
    };
    for (section, path, accept, status, media) in [
        ("PS3.18 §8.9.4", "/", "application/vnd.sun.wadl+xml", 200, "application/vnd.sun.wadl+xml"),
        ("PS3.18 §8.9.4", "/", "application/json", 200, "application/json"),
        ("PS3.18 §8.9.1", "", "application/json", 200, "application/json"),
        ("PS3.18 §8.9.1", "/", "*/*", 200, "application/vnd.sun.wadl+xml"),
        ("PS3.18 §8.9.3", "/", "text/html", 406, "application/problem+json"),
    ] {
        let response = ask(path, accept, "\"x\"").await.unwrap();
        assert_eq!(response.status(), status, "{section}: {path} {accept}");
        assert_eq!(response.headers()["content-type"], media, "{section}: {path} {accept}");
    }
    let response = ask("/", "application/json", "\"x\"").await.unwrap();
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let json: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(json["application"]["resources"]["@base"], server.dicomweb(), "PS3.18 §H");
    let again = ask("/", "application/json", &etag).await.unwrap();
    assert_eq!(again.status(), 304, "PS3.18 §8.9.3.1");
    let xml = ask("/", "application/vnd.sun.wadl+xml", &etag).await.unwrap();
    assert_eq!(xml.status(), 200);
    let xml = xml.text().await.unwrap();
    // Every operation of DICOMweb is in it.
    let document = document(&server).await;
    let fascicolo = operations_of(&document, |tag| tag == "Fascicolo");
    for id in operations(&document) {
        let beside = [
            "changes",
            "description",
            "healthz",
            "readyz",
            "metrics",
            "retrieveByUri",
            "listBin",
            "restoreStudy",
            "restoreSeries",
            "restoreInstance",
        ]
        .contains(&id.as_str())
            || fascicolo.contains(&id);
        let itself = id.starts_with("retrieveCapabilities");
        assert_eq!(xml.contains(&format!("id=\"{id}\"")), !beside && !itself, "{id}");
    }
}
