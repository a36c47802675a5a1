//! `GET /fhir/metadata`: the CapabilityStatement, drawn from the tables requests are read by.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::fhir::audit_event::profiles;
use crate::fhir::bundle::body;
use crate::fhir::door::{Door, ROOT};
use crate::fhir::kind::Kind;
use crate::fhir::negotiate::takes_json;
use crate::fhir::outcome::Refusal;
use crate::fhir::resource::Resource;
use crate::fhir::values::pruned;
use crate::http::base::Base;
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// The day the tables last changed.
const DATE: &str = "2026-11-26";

/// `GET /fhir/metadata`: no permit is needed to learn what there is.
pub async fn metadata(
    State(_): State<Door>,
    base: Result<Base, Problem>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = query?;
    takes_json(&headers, &query)?;
    let statement = statement(&format!("{}{ROOT}", base?.0));
    let stamp = Resource::new(Kind::Endpoint, None, String::new(), 0, statement.clone());
    let etag = ETag::weak(stamp.version());
    let mut response = etag
        .not_modified(&headers)
        .unwrap_or_else(|| body(&statement, query.all("_pretty").any(|pretty| pretty == "true")));
    etag.write(response.headers_mut());
    Ok(response)
}

/// What is served, and nothing that is not.
pub(in crate::fhir) fn statement(base: &str) -> Value {
    pruned(json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": { "name": "Lastra", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Lastra: images and reports of the fascicolo", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "documentation": "Only what is somebody's is found: studies and documents that wait to be \
              reconciled are in no fascicolo. Parameters that are not listed are passed over with a \
              warning, or refused under Prefer: handling=strict.",
            "resource": Kind::ALL.map(resource),
            "interaction": [{
                "code": "transaction",
                "documentation": "One DiagnosticReport with its document, and the Patient, Binary, \
                  ImagingStudy, ServiceRequest and Organization it refers to. Its identifier is that of \
                  all its versions: the same bytes change nothing, others are the next version.",
            }],
        }],
    }))
}

fn resource(kind: Kind) -> Value {
    let mut interactions = vec![json!({ "code": "read" })];
    if kind.has_history() {
        interactions.extend(["vread", "history-instance"].map(|code| json!({ "code": code })));
    }
    if kind.is_made() {
        interactions.extend(["create", "delete"].map(|code| json!({ "code": code })));
    }
    if kind.is_searched() {
        interactions.push(json!({ "code": "search-type" }));
    }
    let params: Vec<Value> = kind
        .params()
        .iter()
        // Modifiers and chains are no parameters of their own.
        .filter(|param| !param.name.contains('.') && !param.name.ends_with(":exact"))
        .map(|param| {
            let (name, modifier) = param.name.split_once(':').unwrap_or((param.name, ""));
            let kind = if modifier == "identifier" { "reference" } else { param.kind };
            let says = if modifier.is_empty() {
                param.says.to_owned()
            } else {
                format!("As {name}:{modifier} only. {}", param.says)
            };
            json!({ "name": name, "type": kind, "documentation": says })
        })
        .collect();
    let operation = if kind == Kind::Patient {
        json!([{
            "name": "everything",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
            "documentation": "Takes _count, _since and _type.",
        }])
    } else {
        Value::Null
    };
    json!({
        "type": kind.name(),
        "supportedProfile": if kind == Kind::AuditEvent { profiles() } else { Vec::new() },
        "interaction": interactions,
        "versioning": if kind.has_history() { "versioned" } else { "no-version" },
        "readHistory": kind.has_history(),
        "searchInclude": kind.includes(),
        "searchRevInclude": kind.rev_includes(),
        "searchParam": params,
        "operation": operation,
    })
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn requirement_47_the_statement_lists_what_the_tables_hold() {
        let statement = statement("http://h/fhir");
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        assert_eq!(resources.len(), super::Kind::ALL.len());
        let study = resources.iter().find(|resource| resource["type"] == "ImagingStudy").unwrap();
        let names: Vec<&str> = study["searchParam"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| param["name"].as_str().unwrap())
            .collect();
        for name in ["identifier", "patient", "started", "modality", "basedon", "_lastUpdated"] {
            assert!(names.contains(&name), "{name}");
        }
        let binary = resources.iter().find(|resource| resource["type"] == "Binary").unwrap();
        assert!(binary.get("searchParam").is_none());
    }
}
