//! `POST /fhir`: a transaction that brings a report. What it answers is durable.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fascicolo::intake::{Arriving, Taken};
use crate::fhir::bringing::{Bringing, read};
use crate::fhir::bundle::body;
use crate::fhir::door::{Consultation, Door};
use crate::fhir::negotiate::takes_json;
use crate::fhir::outcome::{Refusal, outcome};
use crate::fhir::recording::Shown;
use crate::fhir::resource::Resource;
use crate::fhir::values::instant;
use crate::http::base::Base;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::pages::{DocumentFound, DocumentRule, Page};
use crate::model::document::DocumentSubject;
use crate::model::ids;

/// `POST /fhir`
pub async fn transaction(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Refusal> {
    takes_json(&headers, &query?)?;
    is_json(&headers)?;
    let consultation = door.consult(&caller, &base?)?;
    let received = door.places.receive(&headers, sent).await?;
    let (answer, shown) = consultation.bring(&received.bytes).await?;
    Ok(shown.on(body(&answer, false)))
}

/// What is sent is JSON; 415 else.
pub(in crate::fhir) fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(media.as_str(), "application/fhir+json" | "application/json") {
        return Ok(());
    }
    let says = "send application/fhir+json: XML is not read";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", says))
}

impl Consultation {
    async fn bring(&self, bytes: &Bytes) -> Result<(Value, Shown), Refusal> {
        let shared = bytes.clone();
        let weight = u64::try_from(bytes.len().saturating_mul(2)).unwrap_or(u64::MAX);
        // Reading and decoding megabytes takes more than half a millisecond: off the async threads.
        let work = move || decoded(&shared);
        let (bringing, document, sha256) = self.fascicolo.compute(weight, work).await??;
        let set = [DocumentRule::Set(vec![bringing.described.set_id.clone()])];
        let page = Page { limit: 1, ..Page::default() };
        let known = self.fascicolo.documents_page(&self.permit, &set, &page).await?.pop();
        if let (true, Some(known)) = (bringing.only_new, &known) {
            return self.said(&bringing, known, "200 OK").await;
        }
        let same = [DocumentRule::Hash(vec![sha256])];
        let same = self.fascicolo.documents_page(&self.permit, &same, &page).await?.pop();
        if let Some(same) = &same
            && same.document.set_id != bringing.described.set_id
            && same.document.document_id.is_empty()
        {
            return Err(kept_already(&bringing));
        }
        let taken = self.take(&bringing, document).await?;
        let own = [DocumentRule::Row(vec![taken.document.id])];
        let found = self.fascicolo.documents_page(&self.permit, &own, &page).await?.pop();
        let status = if known.is_none() && !taken.known { "201 Created" } else { "200 OK" };
        match found {
            Some(found) => self.said(&bringing, &found, status).await,
            None => Ok((waiting(&bringing), Shown::nobody())),
        }
    }

    async fn take(&self, bringing: &Bringing<'_>, document: Bytes) -> Result<Taken, Refusal> {
        let mut subject = bringing.subject.clone();
        if let Some(row) = bringing.person {
            let at = format!("Bundle.entry[{}].resource.subject", bringing.entry);
            let person = self.fascicolo.person(&self.permit, row).await;
            let person = person.map_err(|_| Refusal::element(at, "no such Patient is here"))?;
            let identifiers = person.identifiers.into_iter().map(|known| known.identifier);
            subject = DocumentSubject {
                identifiers: identifiers.collect(),
                name: person.name,
                birth_date: person.birth_date,
                sex: person.sex,
            };
        }
        let arriving = Arriving {
            bytes: document,
            source: "fhir".to_owned(),
            subject,
            references: bringing.references.clone(),
            title: bringing.title.clone(),
            service_date: bringing.service_date.clone(),
            instance: None,
            as_read: None,
            described: bringing.described.clone(),
        };
        let taken = self.fascicolo.take(&self.permit, arriving).await?;
        let other = taken.document.set_id != bringing.described.set_id;
        if taken.known && other && taken.document.document_id.is_empty() {
            return Err(kept_already(bringing));
        }
        Ok(taken)
    }

    /// What became of each entry.
    async fn said(
        &self,
        bringing: &Bringing<'_>,
        found: &DocumentFound,
        status: &str,
    ) -> Result<(Value, Shown), Refusal> {
        let versions = self.report_versions(&ids::of_document(&found.first)).await?;
        let report = versions.first();
        let binary = format!("Binary/{}", ids::of_document(&found.document.sha256));
        let person = found.document.person.map(|row| format!("Patient/{}", ids::of_person(row)));
        let entry = |kind: &String| match (kind.as_str(), report) {
            ("DiagnosticReport", Some(report)) => {
                response(status, &version_of(report), Some(report))
            }
            ("Binary", _) => response(status, &binary, None),
            ("Patient", _) => response("200 OK", person.as_deref().unwrap_or_default(), None),
            _ => response("200 OK", "", None),
        };
        let entries: Vec<Value> = bringing.kinds.iter().map(entry).collect();
        let shown = Shown::nobody().and(found.document.person);
        let shown = match report {
            Some(report) => shown.made(report.kind, &report.id),
            None => shown,
        };
        let said =
            json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": entries });
        Ok((said, shown))
    }
}

fn version_of(report: &Resource) -> String {
    format!("{}/_history/{}", report.path(), report.version())
}

fn response(status: &str, location: &str, report: Option<&Resource>) -> Value {
    let mut response = json!({ "status": status });
    if !location.is_empty() {
        response["location"] = location.into();
    }
    if let Some(report) = report {
        response["etag"] = format!("W/\"{}\"", report.version()).into();
        response["lastModified"] = instant(report.changed_us).into();
    }
    json!({ "response": response })
}

/// It is kept, and whose it is somebody must decide: until then it is in no fascicolo.
fn waiting(bringing: &Bringing<'_>) -> Value {
    let says = "the document is kept; whose it is waits for a decision, because its identifiers \
                identify nobody or contradict what is known";
    let entry = |kind: &String| {
        let mut response = json!({ "status": "202 Accepted" });
        if kind == "DiagnosticReport" {
            response["outcome"] = outcome("warning", "incomplete", says, None);
        }
        json!({ "response": response })
    };
    let entries: Vec<Value> = bringing.kinds.iter().map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": entries })
}

fn kept_already(bringing: &Bringing<'_>) -> Refusal {
    let says = "the same bytes are kept already as another report: give that one's identifier, or the \
                right document";
    Refusal::new(StatusCode::CONFLICT, "duplicate", says).about(bringing.place.clone())
}

type Decoded = (Bringing<'static>, Bytes, [u8; 32]);

fn decoded(bytes: &Bytes) -> Result<Decoded, Refusal> {
    let bringing = read(bytes)?;
    let at = |says: &str| Refusal::element(bringing.place.clone(), says);
    let plain = if bringing.data.contains(|c: char| c.is_ascii_whitespace()) {
        let text: String = bringing.data.split_ascii_whitespace().collect();
        STANDARD.decode(text)
    } else {
        STANDARD.decode(bringing.data.as_bytes())
    };
    let document = plain.map_err(|_| at("it is not base64"))?;
    if document.is_empty() {
        return Err(at("it is empty"));
    }
    if bringing.media_type.starts_with("application/pdf") && !document.starts_with(b"%PDF") {
        return Err(at("it is said to be application/pdf and is none"));
    }
    let sha256 = Sha256::digest(&document).into();
    Ok((bringing.without_data(), document.into(), sha256))
}
