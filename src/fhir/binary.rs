//! The bytes of documents as they came, and of manifests (FHIR R4 §2.41): themselves, or within a resource.

use axum::body::Body;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LAST_MODIFIED,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::bundle::body;
use crate::fhir::door::Consultation;
use crate::fhir::manifest_given::manifest_binary;
use crate::fhir::negotiate::wants_resource;
use crate::fhir::outcome::Refusal;
use crate::fhir::read::http_date;
use crate::fhir::recording::Shown;
use crate::http::caching::ETag;
use crate::http::query_string::QueryString;
use crate::index::pages::{DocumentRule, Page};
use crate::model::document::Document;
use crate::model::ids;

/// The most bytes written within a resource, where they take a third more and all at once.
pub const MOST_WITHIN: u64 = 16 * 1024 * 1024;

/// SHA-256 of the whole representation (RFC 9530).
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// `GET /fhir/Binary/{id}`
pub async fn binary(
    consultation: &Consultation,
    id: &str,
    query: &QueryString,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let Some(document) = consultation.document(id).await? else {
        let manifest = manifest_binary(consultation, id, query, headers).await?;
        return manifest.ok_or_else(Refusal::not_found);
    };
    let shown = Shown::nobody().and(document.person);
    if wants_resource(headers, query) {
        return Ok(shown.on(within(consultation, id, &document).await?));
    }
    let etag = ETag::strong(id);
    if let Some(response) = etag.not_modified(headers) {
        return Ok(shown.on(response));
    }
    let stream = consultation.fascicolo.document_stream(&consultation.permit, &document)?;
    let mut response = Body::from_stream(stream).into_response();
    dress(response.headers_mut(), &document);
    etag.write(response.headers_mut());
    Ok(shown.on(response))
}

/// A document comes from strangers: nothing in it runs in a browser.
fn dress(headers: &mut HeaderMap, document: &Document) {
    let media = HeaderValue::try_from(document.media_type.as_str());
    let media = media.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, media);
    headers.insert(CONTENT_LENGTH, document.blob_bytes.into());
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    let digest = format!("sha-256=:{}:", STANDARD.encode(document.sha256));
    if let Ok(digest) = HeaderValue::try_from(digest) {
        headers.insert(REPR_DIGEST, digest);
    }
    if let Some(modified) = http_date(document.received_us) {
        headers.insert(LAST_MODIFIED, modified);
    }
}

/// 406 for what is too long to be written within a resource.
pub fn too_long() -> Refusal {
    let says = "too long for a resource: ask for its own bytes (Accept: */*)";
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "too-long", says)
}

async fn within(
    consultation: &Consultation,
    id: &str,
    document: &Document,
) -> Result<Response, Refusal> {
    if document.blob_bytes > MOST_WITHIN {
        return Err(too_long());
    }
    let bytes = consultation.fascicolo.document_bytes(&consultation.permit, document.id).await?;
    let resource = json!({
        "resourceType": "Binary", "id": id, "contentType": document.media_type,
        "data": STANDARD.encode(bytes),
    });
    let mut response = body(&resource, false);
    ETag::weak(id).write(response.headers_mut());
    Ok(response)
}

impl Consultation {
    /// The document of an id, when it is somebody's.
    pub async fn document(&self, id: &str) -> Result<Option<Document>, FascicoloError> {
        let Some(hash) = ids::document(id) else { return Ok(None) };
        let page = Page { limit: 1, ..Page::default() };
        let rules = [DocumentRule::Hash(vec![hash])];
        let found = self.fascicolo.documents_page(&self.permit, &rules, &page).await?.pop();
        Ok(found.map(|found| found.document))
    }
}
