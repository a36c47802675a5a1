//! Reading one resource and its versions (FHIR R4 §3.1.0.1, §3.1.0.2, §3.1.0.12).

use axum::extract::Path;
use axum::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::binary::binary;
use crate::fhir::bundle::body;
use crate::fhir::door::{Consultation, Visit};
use crate::fhir::kind::Kind;
use crate::fhir::manifest_given::document_bundle;
use crate::fhir::negotiate::takes_json;
use crate::fhir::outcome::Refusal;
use crate::fhir::recording::Shown;
use crate::fhir::resource::Resource;
use crate::fhir::search::no_such_type;
use crate::fhir::values::instant;
use crate::http::caching::ETag;
use crate::index::pages::{DocumentRule, Page, StudyRule};
use crate::model::ids;

/// `GET /fhir/{type}/{id}`
pub async fn read(
    Path((kind, id)): Path<(String, String)>,
    visit: Visit,
) -> Result<Response, Refusal> {
    let kind = Kind::parse(&kind).ok_or_else(no_such_type)?;
    if kind == Kind::Binary {
        return binary(&visit.consultation, &id, &visit.query, &visit.headers).await;
    }
    if kind == Kind::Bundle {
        return document_bundle(&id, &visit).await;
    }
    takes_json(&visit.headers, &visit.query)?;
    let found = visit.consultation.one(kind, &id).await?.ok_or_else(Refusal::not_found)?;
    Ok(written(&found, &visit))
}

/// `GET /fhir/{type}/{id}/_history/{version}`
pub async fn read_version(
    Path((kind, id, version)): Path<(String, String, String)>,
    visit: Visit,
) -> Result<Response, Refusal> {
    let versions = visit.versions(&kind, &id).await?;
    let found = versions.into_iter().find(|found| found.version() == version);
    Ok(written(&found.ok_or_else(Refusal::not_found)?, &visit))
}

/// `GET /fhir/{type}/{id}/_history`
pub async fn history(
    Path((kind, id)): Path<(String, String)>,
    visit: Visit,
) -> Result<Response, Refusal> {
    let versions = visit.versions(&kind, &id).await?;
    if versions.is_empty() {
        return Err(Refusal::not_found());
    }
    let answer = body(&history_of(&visit.consultation.base, &versions), false);
    Ok(Shown::of(&versions).on(answer))
}

impl Visit {
    /// The versions of a resource of which they are kept.
    async fn versions(&self, kind: &str, id: &str) -> Result<Vec<Resource>, Refusal> {
        let kind = with_history(kind)?;
        takes_json(&self.headers, &self.query)?;
        Ok(self.consultation.versions(kind, id).await?)
    }
}

/// Whether only one version of each is kept, and so there is no history.
fn with_history(kind: &str) -> Result<Kind, Refusal> {
    let kind = Kind::parse(kind).ok_or_else(no_such_type)?;
    if kind.has_history() {
        return Ok(kind);
    }
    let says = format!("of {} only what stands now is kept: read it without _history", kind.name());
    Err(Refusal::new(StatusCode::NOT_FOUND, "not-supported", says))
}

fn history_of(base: &str, versions: &[Resource]) -> serde_json::Value {
    let first = versions.len().saturating_sub(1);
    let entries = versions.iter().enumerate().map(|(number, version)| {
        let created = number == first;
        json!({
            "fullUrl": format!("{base}/{}", version.path()),
            "resource": version.written(),
            "request": {
                "method": if created { "POST" } else { "PUT" },
                "url": if created { version.kind.name().to_owned() } else { version.path() },
            },
            "response": {
                "status": if created { "201" } else { "200" },
                "etag": format!("W/\"{}\"", version.version()),
                "lastModified": instant(version.changed_us),
            },
        })
    });
    let entries: Vec<serde_json::Value> = entries.collect();
    json!({
        "resourceType": "Bundle", "type": "history", "total": entries.len(), "entry": entries,
    })
}

/// A resource as an answer, or 304 when the client has it.
fn written(found: &Resource, visit: &Visit) -> Response {
    let headers = &visit.headers;
    let etag = ETag::weak(found.version());
    let modified = http_date(found.changed_us);
    let known = etag.is_known(headers)
        || (!headers.contains_key(IF_NONE_MATCH)
            && is_not_newer(found.changed_us, headers.get(IF_MODIFIED_SINCE)));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body(&found.written(), visit.query.all("_pretty").any(|pretty| pretty == "true"))
    };
    etag.write(response.headers_mut());
    if let Some(modified) = modified {
        response.headers_mut().insert(LAST_MODIFIED, modified);
    }
    Shown::of([found]).on(response)
}

/// A time as HTTP writes it (RFC 9110 §5.6.7).
pub fn http_date(us: i64) -> Option<HeaderValue> {
    let moment = jiff::Timestamp::from_microsecond(us).ok().filter(|_| us > 0)?;
    HeaderValue::try_from(moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

/// Whether something changed last no later than the client says it knows; to the second.
fn is_not_newer(changed_us: i64, since: Option<&HeaderValue>) -> bool {
    let Some(since) = since.and_then(|since| since.to_str().ok()) else { return false };
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(since);
    parsed
        .is_ok_and(|since| changed_us > 0 && changed_us.div_euclid(1_000_000) <= since.as_second())
}

impl Consultation {
    /// One resource; `None` when there is none of that id.
    pub async fn one(&self, kind: Kind, id: &str) -> Result<Option<Resource>, FascicoloError> {
        if !ids::is_id(id) {
            return Ok(None);
        }
        let named = |found: Vec<Resource>| found.into_iter().find(|found| found.id == id);
        Ok(match kind {
            Kind::Patient => match ids::person(id) {
                Some(row) => self.person(row).await?,
                None => None,
            },
            Kind::ImagingStudy => self.one_study(id).await?,
            Kind::DiagnosticReport => self.report_versions(id).await?.into_iter().next(),
            Kind::DocumentReference => {
                let Some(hash) = ids::document(id) else {
                    let found = self.study_of_manifest(id).await?;
                    let found: Vec<_> = found.into_iter().collect();
                    return Ok(named(self.manifest_references(&found).await?));
                };
                let page = Page { limit: 1, ..Page::default() };
                let rules = [DocumentRule::Hash(vec![hash])];
                let found = self.fascicolo.documents_page(&self.permit, &rules, &page).await?;
                named(self.document_references(&found).await?)
            }
            Kind::Provenance => self.provenance(id).await?,
            Kind::Endpoint => named(self.endpoints()),
            Kind::Organization => named(self.organizations()),
            Kind::Subscription => self.subscription(id).await?,
            Kind::AuditEvent => self.audit_event(id).await?,
            Kind::Binary | Kind::Bundle => None,
        })
    }

    async fn one_study(&self, id: &str) -> Result<Option<Resource>, FascicoloError> {
        let Some(uid) = ids::study(id) else { return Ok(None) };
        // A UID may be kept under several patients; the id names one.
        let page = Page { limit: 64, ..Page::default() };
        let rules = [StudyRule::Uid(vec![uid])];
        let found = self.fascicolo.studies_page(&self.permit, &rules, &page).await?;
        let found = found.iter().find(|study| ids::of_study(&study.uid, &study.patient) == id);
        match found {
            Some(found) => Ok(Some(self.imaging_study(found).await?)),
            None => Ok(None),
        }
    }

    async fn versions(&self, kind: Kind, id: &str) -> Result<Vec<Resource>, FascicoloError> {
        match kind {
            Kind::DiagnosticReport => self.report_versions(id).await,
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::{http_date, is_not_newer};

    #[test]
    fn times_are_written_and_compared_as_http_does() {
        let at = 1_772_445_600_000_000;
        let written = http_date(at).unwrap();
        assert_eq!(written, "Mon, 02 Mar 2026 10:00:00 GMT");
        assert!(is_not_newer(at + 999_999, Some(&written)));
        assert!(!is_not_newer(at + 1_000_000, Some(&written)));
        assert!(!is_not_newer(at, Some(&HeaderValue::from_static("yesterday"))));
        assert!(!is_not_newer(at, None) && http_date(0).is_none());
    }
}
