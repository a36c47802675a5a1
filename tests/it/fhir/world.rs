//! An archive that serves FHIR, with sample studies in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fhir_sdk::r4b::resources::Resource;
use serde_json::Value;
use serde_json::json;

use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

/// The system of codici fiscali.
pub(super) const CF: &str = "urn:oid:2.16.840.1.113883.2.9.4.3.2";
/// Anna's codice fiscale.
pub(super) const ANNA: &str = "SMPNLC68H61H501I";
/// Study Instance UID of `dx-chest`.
pub(super) const CHEST: &str = "2.25.324285592026785104557929812395579159519";

pub(super) struct World {
    pub(super) server: Server,
}

/// An answer: status, headers, JSON.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) json: Value,
}

impl Answer {
    /// The ids of a bundle's matches, in their order.
    pub(super) fn ids(&self) -> Vec<String> {
        self.entries("match").map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The resources of a bundle, of one search mode.
    pub(super) fn entries<'a>(&'a self, mode: &'a str) -> impl Iterator<Item = &'a Value> {
        let entries = self.json["entry"].as_array().into_iter().flatten();
        entries.filter(move |entry| entry["search"]["mode"] == mode).map(|entry| &entry["resource"])
    }

    pub(super) fn next(&self) -> Option<String> {
        let links = self.json["link"].as_array()?;
        let next = links.iter().find(|link| link["relation"] == "next")?;
        Some(next["url"].as_str()?.to_owned())
    }

    /// What its OperationOutcome says.
    pub(super) fn says(&self) -> &str {
        assert_eq!(self.json["resourceType"], "OperationOutcome", "{}", self.json);
        self.json["issue"][0]["diagnostics"].as_str().unwrap()
    }
}

impl World {
    /// With these folders of sample studies, once all of them is joined.
    pub(super) async fn with(folders: &[&str], studies: u64, reports: u64) -> Self {
        let world = Self { server: Server::start() };
        world.import(folders);
        world.wait_for("ImagingStudy", studies).await;
        world.wait_for("DiagnosticReport", reports).await;
        world.wait_for("Provenance", reports).await;
        world
    }

    pub(super) fn import(&self, folders: &[&str]) {
        if folders.is_empty() {
            return;
        }
        self.server.import(folders);
    }

    /// Waits until so many are found.
    pub(super) async fn wait_for(&self, kind: &str, count: u64) {
        let path = format!("{kind}?_summary=count");
        until("the fascicolo knows them all", async || {
            self.get(&path).await.json["total"] == count
        })
        .await;
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}/fhir", self.server.http)
    }

    /// GET below the base, or of an absolute URL; every answer of this door is a resource.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.base())
        };
        let mut request = client().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.unwrap()).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        media: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let url = format!("{}{path}", self.base());
        let request = client().post(url).header("content-type", media).body(body);
        answer(request.send().await.unwrap()).await
    }

    /// Brings a report; the answer.
    pub(super) async fn bring(&self, bundle: &Value) -> Answer {
        self.post("", "application/fhir+json", bundle.to_string()).await
    }
}

async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let json = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    if !json.is_null() {
        let media = headers["content-type"].to_str().unwrap();
        assert!(media.starts_with("application/fhir+json"), "{status} {media} {text}");
        check(&json);
    }
    Answer { status, headers, json }
}

/// Reads a resource as the types of `fhir-sdk`, and writes it again: nothing is lost, nothing unknown.
pub(super) fn check(json: &Value) {
    let typed: Resource =
        serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{e}: {json}"));
    let again = serde_json::to_value(&typed).unwrap();
    assert_eq!(shape(&again), shape(json));
}

/// A resource without the digits of its times, which may be written in more ways than one.
fn shape(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) if text.len() >= 20 && text.as_bytes()[10] == b'T' => json!("a time"),
        other => other.clone(),
    }
}

/// A PDF nobody else has.
pub(super) fn pdf(words: &str) -> Vec<u8> {
    format!("%PDF-1.4\n% {words}\n%%EOF\n").into_bytes()
}

/// A transaction that brings a report about Anna.
pub(super) fn bundle(identifier: &str, document: &[u8]) -> Value {
    json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:8f0e3b5e-0001",
                "resource": {
                    "resourceType": "Patient",
                    "identifier": [{ "system": CF, "value": ANNA }],
                    "name": [{ "family": "Esempi", "given": ["Anna", "Lucìa"] }],
                    "birthDate": "1968-06-21", "gender": "female",
                },
                "request": { "method": "POST", "url": "Patient" },
            },
            {
                "resource": {
                    "resourceType": "DiagnosticReport", "status": "final",
                    "identifier": [{ "system": "urn:oid:2.25.7001", "value": identifier }],
                    "code": {
                        "coding": [{ "system": "http://loinc.org", "code": "68604-8" }],
                        "text": "Radiografia del torace",
                    },
                    "subject": { "reference": "urn:uuid:8f0e3b5e-0001" },
                    "effectiveDateTime": "2026-03-02",
                    "issued": "2026-03-02T12:00:00+01:00",
                    "imagingStudy": [{
                        "identifier": { "system": "urn:dicom:uid", "value": format!("urn:oid:{CHEST}") },
                    }],
                    "presentedForm": [{
                        "contentType": "application/pdf", "data": STANDARD.encode(document),
                    }],
                },
                "request": { "method": "POST", "url": "DiagnosticReport" },
            },
        ],
    })
}
