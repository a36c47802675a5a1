//! Manifests themselves: the FHIR document as a Bundle, both forms as the bytes of a Binary.

use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LAST_MODIFIED,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::documents::manifest::Manifest;
use crate::documents::manifest_fhir::bundle;
use crate::documents::manifest_kos::{Profile, file};
use crate::fascicolo::manifest::Outline;
use crate::fhir::binary::{MOST_WITHIN, REPR_DIGEST, too_long};
use crate::fhir::bundle::body;
use crate::fhir::door::{Consultation, Visit};
use crate::fhir::kind::Kind;
use crate::fhir::manifest::Form;
use crate::fhir::negotiate::{takes_json, wants_resource};
use crate::fhir::outcome::Refusal;
use crate::fhir::read::http_date;
use crate::fhir::recording::Shown;
use crate::fhir::values::instant;
use crate::http::caching::ETag;
use crate::http::query_string::QueryString;

/// What writing a manifest of some thousand instances takes.
const WEIGHT_BYTES: u64 = 8 * 1024 * 1024;

/// A manifest that is to be given.
struct Given {
    outline: Outline,
    form: Form,
    changed_us: i64,
    /// Whose study it is of.
    person: i64,
}

impl Consultation {
    async fn manifest_of(&self, id: &str) -> Result<Option<Given>, Refusal> {
        let Some((study, form)) = self.study_of_manifest(id).await? else { return Ok(None) };
        let (changed_us, person) = (study.changed_us, study.person);
        let outline = self.manifests(&[study]).await?.pop();
        Ok(outline.map(|outline| {
            let changed_us = changed_us.max(outline.changed_us);
            Given { outline, form, changed_us, person }
        }))
    }

    /// The bytes of a manifest as they are written now.
    async fn bytes_of(&self, manifest: Manifest, form: Form) -> Result<Vec<u8>, Refusal> {
        let written = move || match form {
            Form::Fhir => Some(bundle(&manifest).to_string().into_bytes()),
            Form::Dicom => file(&manifest, Profile::Mado),
        };
        self.fascicolo.compute(WEIGHT_BYTES, written).await?.ok_or_else(Refusal::not_found)
    }
}

/// `GET /fhir/Bundle/{id}`: the FHIR document, with what makes it a resource here.
pub async fn document_bundle(id: &str, visit: &Visit) -> Result<Response, Refusal> {
    takes_json(&visit.headers, &visit.query)?;
    let consultation = &visit.consultation;
    let found = consultation.manifest_of(id).await?;
    let found = found.filter(|found| found.form == Form::Fhir).ok_or_else(Refusal::not_found)?;
    let etag = ETag::weak(&found.outline.manifest.uid);
    let shown = Shown::nobody().and([found.person]);
    if let Some(response) = etag.not_modified(&visit.headers) {
        return Ok(shown.on(response));
    }
    let manifest = consultation.fascicolo.whole_manifest(found.outline).await?;
    let etag = ETag::weak(&manifest.uid);
    let (id, changed_us) = (id.to_owned(), found.changed_us);
    let pretty = visit.query.all("_pretty").any(|pretty| pretty == "true");
    let written = move || body(&as_resource(&id, changed_us, &manifest), pretty);
    let mut response = consultation.fascicolo.compute(WEIGHT_BYTES, written).await?;
    dress(response.headers_mut(), &etag, changed_us);
    Ok(shown.on(response))
}

fn as_resource(id: &str, changed_us: i64, manifest: &Manifest) -> Value {
    let mut written = bundle(manifest);
    written["id"] = id.into();
    written["meta"]["versionId"] = manifest.uid.as_str().into();
    written["meta"]["lastUpdated"] = instant(changed_us).into();
    written
}

/// `GET /fhir/Binary/{id}` of a manifest; `None` when the id is none of one.
pub async fn manifest_binary(
    consultation: &Consultation,
    id: &str,
    query: &QueryString,
    headers: &HeaderMap,
) -> Result<Option<Response>, Refusal> {
    let Some(found) = consultation.manifest_of(id).await? else { return Ok(None) };
    let (form, changed_us) = (found.form, found.changed_us);
    let shown = Shown::nobody().and([found.person]);
    let within = wants_resource(headers, query);
    let etag = |uid: &str| {
        if within { ETag::weak(uid) } else { ETag::strong(&format!("{uid}-{}", form.media())) }
    };
    if let Some(response) = etag(&found.outline.manifest.uid).not_modified(headers) {
        return Ok(Some(shown.on(response)));
    }
    let manifest = consultation.fascicolo.whole_manifest(found.outline).await?;
    let etag = etag(&manifest.uid);
    let bytes = consultation.bytes_of(manifest, form).await?;
    let mut response = if within {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_WITHIN) {
            return Err(too_long());
        }
        body(&binary(id, form, &bytes), false)
    } else {
        plain(form, bytes)
    };
    dress(response.headers_mut(), &etag, changed_us);
    Ok(Some(shown.on(response)))
}

fn binary(id: &str, form: Form, bytes: &[u8]) -> Value {
    json!({
        "resourceType": Kind::Binary.name(), "id": id, "contentType": form.media(),
        "data": STANDARD.encode(bytes),
    })
}

/// The bytes themselves. Words in them are strangers': nothing in them runs in a browser.
fn plain(form: Form, bytes: Vec<u8>) -> Response {
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&bytes)));
    let mut response = (StatusCode::OK, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.media()));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if let Ok(digest) = HeaderValue::try_from(digest) {
        headers.insert(REPR_DIGEST, digest);
    }
    response
}

fn dress(headers: &mut HeaderMap, etag: &ETag, changed_us: i64) {
    etag.write(headers);
    if let Some(modified) = http_date(changed_us) {
        headers.insert(LAST_MODIFIED, modified);
    }
}
