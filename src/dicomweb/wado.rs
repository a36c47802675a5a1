//! WADO-RS: whole instances, of a study, a series or one (PS3.18 §10.4.1.1.1), and what every
//! retrieval has in common.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::VARY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures::{StreamExt, TryStreamExt};

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::{AskedPatient, Place, Urls, instance_path};
use crate::dicomweb::door::Door;
use crate::dicomweb::media::DICOM;
use crate::dicomweb::multipart::{Part, primed, related, related_one, single};
use crate::dicomweb::offer::{Offer, choose};
use crate::http::caching::{ETag, PRIVATE};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::port::Located;
use crate::model::path::{InstancePath, Scope};

/// Files opened ahead of the one being sent, each with its first bytes read.
const FILES_AHEAD: usize = 8;

/// A request to retrieve something of a study, decided: whoever holds one may read the study.
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// The archive.
    pub archive: Archive,
    /// Proof that the caller may.
    pub permit: Permit,
    /// Study, series or instance asked for, of which patient if that was said.
    pub scope: Scope,
    /// The path's other parts.
    pub place: Place,
    /// What the client takes.
    pub accept: Accept,
    /// Writes URLs.
    pub urls: Urls,
    /// The query.
    pub query: QueryString,
    /// The header fields.
    pub headers: HeaderMap,
}

impl Retrieval {
    /// The instance asked for.
    pub fn instance(&self) -> Result<InstancePath, Problem> {
        instance_path(&self.scope)
    }
}

impl FromRequestParts<Door> for Retrieval {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let query = QueryString::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let mut scope = place.scope()?;
        let permit = caller.may_read(&scope.study)?;
        scope.patient = door.patient_of(&caller, &scope.study, &AskedPatient::of(&query)).await?;
        let accept = Accept::of(&parts.headers, &query);
        let headers = parts.headers.clone();
        let archive = door.archive.clone();
        Ok(Self { archive, permit, scope, place, accept, urls, query, headers })
    }
}

/// Retrieve Study, Retrieve Series: `GET /studies/{study}[/series/{series}]`, every instance as it
/// is stored. 406 when any is stored in a transfer syntax the client does not take.
pub async fn retrieve_instances(asked: Retrieval) -> Result<Response, Problem> {
    check_syntaxes(&asked).await?;
    let Retrieval { archive, permit, scope, urls, .. } = asked;
    let instances = archive.instances(&permit, &scope).await?;
    let parts = instances
        .map(move |located| {
            let (archive, permit, urls) = (archive.clone(), permit.clone(), urls.clone());
            async move { open(&archive, &permit, &urls, &located?).await }
        })
        .buffered(FILES_AHEAD);
    let mut response = related(DICOM, parts).await?;
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, PRIVATE);
    Ok(vary(response))
}

/// Retrieve Instance: `GET /studies/{study}/series/{series}/instances/{instance}`, as it is stored,
/// in a part or by itself.
pub async fn retrieve_instance(asked: Retrieval) -> Result<Response, Problem> {
    let mut instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
    let located = instances.try_next().await?.ok_or_else(Problem::not_found)?;
    let syntax = Some(located.transfer_syntax.as_str());
    let offers = [true, false].map(|multipart| Offer { media: DICOM, multipart, syntax });
    let chosen = choose(&asked.accept, &offers).ok_or_else(|| not_acceptable(&located))?;
    let multipart = chosen == 0;
    let etag = etag_of(&located, multipart);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let part = open(&asked.archive, &asked.permit, &asked.urls, &located).await?;
    let mut response = if multipart { related_one(DICOM, part) } else { single(part) };
    etag.write(response.headers_mut());
    Ok(vary(response))
}

/// Every instance must be stored in a syntax the client takes; looked through beforehand only when
/// the client does not take any.
async fn check_syntaxes(asked: &Retrieval) -> Result<(), Problem> {
    let takes = |syntax: &str| {
        let offer = Offer { media: DICOM, multipart: true, syntax: Some(syntax) };
        choose(&asked.accept, &[offer]).is_some()
    };
    if takes("any") {
        return Ok(());
    }
    let mut instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
    while let Some(located) = instances.try_next().await? {
        if !takes(&located.transfer_syntax) {
            return Err(not_acceptable(&located));
        }
    }
    Ok(())
}

fn not_acceptable(located: &Located) -> Problem {
    Problem::not_acceptable(format!(
        "instances are given as multipart/related; type=\"application/dicom\" (one instance also as \
         application/dicom), in the transfer syntax they are stored in, here {}; \
         transfer-syntax=* takes any",
        located.transfer_syntax
    ))
}

fn etag_of(located: &Located, multipart: bool) -> ETag {
    let hash = hex(&located.data_set_sha256);
    if multipart { ETag::weak(&hash) } else { ETag::strong(&hash) }
}

/// Lower case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Opens an instance's file and reads its first bytes, so that what cannot be read shows early.
async fn open(
    archive: &Archive,
    permit: &Permit,
    urls: &Urls,
    located: &Located,
) -> Result<Part, ArchiveError> {
    let body = primed(archive.file(permit, located)?).await?;
    Ok(Part {
        content_type: format!("{DICOM}; transfer-syntax={}", located.transfer_syntax),
        location: urls.of(&located.path),
        bytes: Some(located.blob_bytes),
        body,
    })
}

/// The answer depends on what the client takes.
pub fn vary(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}
