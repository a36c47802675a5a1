//! WADO-RS: whole instances, of a study, a series or one (PS3.18 §10.4.1.1.1), and what every
//! retrieval has in common.

use std::sync::Arc;

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
use crate::archive::file_as::FileAs;
use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::{AskedPatient, Place, Urls, instance_path};
use crate::dicomweb::door::Door;
use crate::dicomweb::extent::{Extent, selected};
use crate::dicomweb::given::{self, Form, Given};
use crate::dicomweb::media::DICOM;
use crate::dicomweb::multipart::{Part, primed, related, related_one, single};
use crate::dicomweb::wado_zip::{retrieve_zip, zip_asked};
use crate::http::caching::{ETag, PRIVATE};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::imaging::error::ImagingError;
use crate::index::port::Located;
use crate::model::path::{InstancePath, Scope};

/// Files opened ahead of the one being sent, each with its first bytes read.
pub const FILES_AHEAD: usize = 8;

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
        if accept.is_mixed() {
            return Err(Problem::bad_request(
                "Accept (or ?accept=) names DICOM and rendered media types; name one kind",
            ));
        }
        let headers = parts.headers.clone();
        let archive = door.archive.clone();
        Ok(Self { archive, permit, scope, place, accept, urls, query, headers })
    }
}

/// Retrieve Study, Retrieve Series: `GET /studies/{study}[/series/{series}]`, every instance in the
/// transfer syntax the client takes best; 206 without those that cannot be given in any it takes,
/// 406 when that is all. Also as a zip archive.
pub async fn retrieve_instances(asked: Retrieval) -> Result<Response, Problem> {
    if let Some(accept) = zip_asked(&asked.accept, false) {
        return retrieve_zip(Retrieval { accept, ..asked }).await;
    }
    let extent = Extent::of(&asked, u64::MAX).await?;
    let asked = Arc::new(asked);
    let instances = selected(&asked, &extent).await?;
    let opener = Arc::clone(&asked);
    let parts = instances
        .map(move |located| {
            let asked = Arc::clone(&opener);
            async move { open_one(&asked, &located?).await }
        })
        .buffered(FILES_AHEAD);
    let mut response = related(DICOM, parts).await?;
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, PRIVATE);
    extent.tell(&asked, &mut response);
    Ok(vary(response))
}

/// Opens one instance of several, in the form the client takes best.
pub async fn open_one(asked: &Retrieval, located: &Located) -> Result<Part, ArchiveError> {
    let form = given::file(&asked.accept, &located.transfer_syntax, located.frames > 0, false);
    let form = form.ok_or_else(|| ImagingError::Unsupported(refusal(located)))?;
    open(asked, located, &form).await
}

/// Retrieve Instance: `GET /studies/{study}/series/{series}/instances/{instance}`, in a part or by
/// itself; also in a zip archive.
pub async fn retrieve_instance(asked: Retrieval) -> Result<Response, Problem> {
    if let Some(accept) = zip_asked(&asked.accept, true) {
        return retrieve_zip(Retrieval { accept, ..asked }).await;
    }
    let mut instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
    let located = instances.try_next().await?.ok_or_else(Problem::not_found)?;
    let syntax = located.transfer_syntax.clone();
    let form = given::file(&asked.accept, &syntax, located.frames > 0, true);
    let form = form.ok_or_else(|| Problem::not_acceptable(refusal(&located)))?;
    let etag = etag_of(&located, &form);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let part = open(&asked, &located, &form).await?;
    let mut response = if form.multipart { related_one(DICOM, part) } else { single(part) };
    etag.write(response.headers_mut());
    Ok(vary(response))
}

/// Why an instance is not given.
pub fn refusal(located: &Located) -> String {
    format!(
        "instances are given as multipart/related; type=\"application/dicom\" (one instance also as \
         application/dicom), as stored, here in transfer syntax {}, or re-encoded to those the \
         archive has encoders for; transfer-syntax=* takes any",
        located.transfer_syntax
    )
}

fn etag_of(located: &Located, form: &Form<'_>) -> ETag {
    let hash = hex(&located.data_set_sha256);
    let opaque = match form.given {
        Given::Stored if form.syntax.is_some() => hash,
        // The very file, its meta header included.
        Given::Stored => format!("{hash}-file"),
        Given::As(target) => format!("{hash}-{}-{ENCODERS}", target.uid()),
    };
    if form.multipart { ETag::weak(&opaque) } else { ETag::strong(&opaque) }
}

/// Part of the validators of what is re-encoded: raised when the encoders' bytes change.
pub const ENCODERS: &str = "1";

/// Lower case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Opens an instance's file and reads its first bytes, so that what cannot be read shows early.
/// What cannot be re-encoded is given as stored, if the client named no transfer syntax.
async fn open(asked: &Retrieval, located: &Located, form: &Form<'_>) -> Result<Part, ArchiveError> {
    let Given::As(target) = form.given else { return stored(asked, located, form).await };
    let made = match asked.archive.file_as(&asked.permit, located, target).await {
        Ok(FileAs { transfer_syntax, bytes, body }) => {
            primed(body).await.map(|body| (transfer_syntax, bytes, body))
        }
        Err(error) => Err(error),
    };
    match made {
        Ok((syntax, bytes, body)) => Ok(Part {
            content_type: format!("{DICOM}; transfer-syntax={syntax}"),
            location: asked.urls.of(&located.path),
            bytes: Some(bytes),
            body,
        }),
        Err(ArchiveError::Imaging(error))
            if given::takes_stored(
                &asked.accept,
                DICOM,
                &located.transfer_syntax,
                form.multipart,
            ) =>
        {
            tracing::warn!(instance = located.id, %error, "given as stored");
            stored(asked, located, form).await
        }
        Err(error) => Err(error),
    }
}

async fn stored(
    asked: &Retrieval,
    located: &Located,
    form: &Form<'_>,
) -> Result<Part, ArchiveError> {
    let body = primed(asked.archive.file(&asked.permit, located)?).await?;
    let content_type = if form.media == DICOM {
        format!("{DICOM}; transfer-syntax={}", located.transfer_syntax)
    } else {
        form.media.to_owned()
    };
    let location = asked.urls.of(&located.path);
    Ok(Part { content_type, location, bytes: Some(located.blob_bytes), body })
}

/// The answer depends on what the client takes.
pub fn vary(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}
