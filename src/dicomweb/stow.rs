//! STOW-RS: instances come in over HTTP (PS3.18 §10.5), as a stream, in constant memory.
//!
//! An instance is stored as soon as it is whole: while the stores make it durable the next is read.
//! What the answer names as stored is durable, and nothing else is. Who takes in what: `stow_intake`.

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::dicom::limits::Limits;
use crate::dicom::xml;
use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::{Place, Urls};
use crate::dicomweb::content_type::ContentType;
use crate::dicomweb::door::Door;
use crate::dicomweb::media::{DICOM, DICOM_JSON, DICOM_XML, JSON, OCTETS};
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::stow_answer::{Ended, module, status};
use crate::dicomweb::stow_body::Incoming;
use crate::dicomweb::stow_intake::Intake;
use crate::dicomweb::stow_metadata::Metadata;
use crate::dicomweb::stow_part::Target;
use crate::http::caller::Caller;
use crate::http::problem::{Problem, RETRY_AFTER_S};

/// How a zip file begins.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// A request to store, decided.
#[derive(Debug)]
pub struct Storing {
    target: Target,
    content_type: ContentType,
    urls: Urls,
    /// What the answer is to be.
    media: &'static str,
}

impl FromRequestParts<Door> for Storing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let accept = Accept::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_store()?;
        let offers = [DICOM_JSON, JSON, DICOM_XML].map(|media| Offer {
            media,
            multipart: false,
            syntax: None,
        });
        let chosen = choose(&accept, &offers).and_then(|chosen| offers.get(chosen));
        let media = chosen.map(|offer| offer.media).ok_or_else(|| {
            Problem::not_acceptable(
                "what was stored is told as application/dicom+json or application/dicom+xml",
            )
        })?;
        let field = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let source = caller.address().map_or_else(String::new, |peer| peer.ip().to_string());
        let source = format!("stow:{source}");
        let archive = door.archive.clone();
        let target = Target { archive, permit, study: place.study, source };
        let content_type = ContentType::parse(field.unwrap_or_default());
        Ok(Self { target, content_type, urls, media })
    }
}

/// Store Instances: `POST /studies[/{study}]`, as `multipart/related` of whole instances or of
/// metadata and bulk data, or as one instance, metadata document or zip file.
pub async fn store_instances(
    State(_): State<Door>,
    asked: Storing,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let Storing { target, content_type, urls, media } = asked;
    target.archive.check_room().await?;
    let mut body = Incoming::new(request.into_body());
    let mut intake = Intake::new(target);
    let taken = take(&mut intake, &content_type, &mut body).await;
    body.discard().await;
    taken?;
    let (ended, target) = intake.all().await;
    if ended.is_empty() {
        return Err(Problem::bad_request("the body has no instances"));
    }
    answer(&ended, &target, &urls, media)
}

/// Takes in what comes, by what it says it is.
async fn take(
    intake: &mut Intake,
    content_type: &ContentType,
    body: &mut Incoming,
) -> Result<(), Problem> {
    match (content_type.media.as_str(), Metadata::begin(&content_type.media)) {
        ("multipart/related", _) if is_root(&content_type.of_parts) => {
            intake.multipart(&content_type.boundary, body).await?;
        }
        (_, Some(metadata)) => intake.metadata(metadata, body).await,
        ("application/zip" | "application/x-zip-compressed", _) => intake.zip(body).await,
        (OCTETS, _) if body.begins_with(ZIP_MAGIC).await => intake.zip(body).await,
        (DICOM | OCTETS, _) => intake.single(body).await,
        _ => return Err(unsupported()),
    }
    Ok(())
}

/// What the first part of a multipart body may be.
fn is_root(media: &str) -> bool {
    matches!(media, DICOM | DICOM_JSON | DICOM_XML | JSON | OCTETS | "")
}

/// The Store Instances Response in the media type asked for.
fn answer(
    ended: &[Ended],
    target: &Target,
    urls: &Urls,
    media: &'static str,
) -> Result<Response, Problem> {
    let module = module(ended, target.study.as_ref(), urls);
    let text = match media {
        DICOM_XML => xml::from_json(module.to_string().as_bytes(), Limits::DEFAULT)
            .map_err(|_| Problem::internal())?,
        _ => module.to_string(),
    };
    let mut response = (status(ended), text).into_response();
    put(&mut response, CONTENT_TYPE, media);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S.into());
    }
    if let Some(url) = module["00081190"]["Value"][0].as_str() {
        put(&mut response, CONTENT_LOCATION, url);
        put(&mut response, LOCATION, url);
    }
    Ok(response)
}

fn unsupported() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        "instances are taken as multipart/related of type application/dicom, application/dicom+json, \
         application/dicom+xml or application/octet-stream, or as one body of application/dicom, \
         application/dicom+json, application/dicom+xml or application/zip",
    )
}
