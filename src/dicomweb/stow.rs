//! STOW-RS: instances come in over HTTP (PS3.18 §10.5), as a stream, in constant memory.
//!
//! A part is stored as soon as it is whole: while the stores make it durable the next is read. What
//! the answer names as stored is durable, and nothing else is.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use tokio::task::JoinHandle;

use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::{Place, Urls};
use crate::dicomweb::content_type::ContentType;
use crate::dicomweb::door::Door;
use crate::dicomweb::media::{DICOM, DICOM_JSON, JSON, OCTETS};
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::related::{Event, Reader, RelatedError};
use crate::dicomweb::stow_answer::{
    CANNOT_UNDERSTAND, Ended, Failure, Names, PROCESSING_FAILURE, module, status,
};
use crate::dicomweb::stow_part::{Part, Target};
use crate::http::caller::Caller;
use crate::http::problem::{Problem, RETRY_AFTER_S};

/// Parts being made durable while the next is read.
const FINISHING_MOST: usize = 8;
/// Most parts of one request; each is an entry of the answer.
const MAX_PARTS: usize = 100_000;
/// How long a client may be silent inside its body.
const SILENT_MOST: Duration = Duration::from_secs(60);

/// A request to store, decided.
#[derive(Debug)]
pub struct Storing {
    target: Target,
    content_type: ContentType,
    urls: Urls,
}

impl FromRequestParts<Door> for Storing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let accept = Accept::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_store()?;
        let offers =
            [DICOM_JSON, JSON].map(|media| Offer { media, multipart: false, syntax: None });
        if choose(&accept, &offers).is_none() {
            return Err(Problem::not_acceptable(
                "what was stored is told as application/dicom+json",
            ));
        }
        let field = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let source = caller.address().map_or_else(String::new, |peer| peer.ip().to_string());
        let source = format!("stow:{source}");
        let archive = door.archive.clone();
        let target = Target { archive, permit, study: place.study, source };
        Ok(Self { target, content_type: ContentType::parse(field.unwrap_or_default()), urls })
    }
}

/// Store Instances: `POST /studies[/{study}]`, as `multipart/related` of `application/dicom` parts,
/// or one `application/dicom` file as the body.
pub async fn store_instances(
    State(_): State<Door>,
    asked: Storing,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let Storing { target, content_type, urls } = asked;
    target.archive.check_room().await?;
    let body = request.into_body().into_data_stream();
    let mut intake = Intake::new(target);
    match content_type.media.as_str() {
        "multipart/related" if matches!(content_type.of_parts.as_str(), DICOM | OCTETS | "") => {
            intake.multipart(&content_type.boundary, body).await?;
        }
        DICOM | OCTETS => intake.single(body).await,
        _ => return Err(unsupported()),
    }
    let (ended, target) = intake.all().await;
    Ok(answer(&ended, &target, &urls))
}

/// The parts of one request.
struct Intake {
    target: Target,
    finishing: VecDeque<JoinHandle<Ended>>,
    ended: Vec<Ended>,
}

impl Intake {
    fn new(target: Target) -> Self {
        Self { target, finishing: VecDeque::new(), ended: Vec::new() }
    }

    /// Takes a body that is one file.
    async fn single(&mut self, mut body: BodyDataStream) {
        let mut part = Part::begin(DICOM);
        loop {
            match next(&mut body).await {
                Ok(Some(bytes)) => part.write(&self.target, bytes).await,
                Ok(None) => return self.finish(part).await,
                Err(failure) => return self.ended.push(Ended::Failed(Names::default(), failure)),
            }
        }
    }

    /// Takes the parts of a multipart body. An error only when nothing in it could be a part; what
    /// goes wrong later is among the failures, and what came whole before stays stored.
    async fn multipart(&mut self, boundary: &str, mut body: BodyDataStream) -> Result<(), Problem> {
        let mut reader = Reader::new(boundary).map_err(malformed)?;
        let mut part = None;
        let broken = loop {
            match reader.event() {
                Ok(Some(Event::Part(_))) if self.parts() >= MAX_PARTS => {
                    break format!("a request may have {MAX_PARTS} parts");
                }
                Ok(Some(Event::Part(head))) => part = Some(Part::begin(&head.content_type)),
                Ok(Some(Event::Bytes(bytes))) => {
                    if let Some(part) = &mut part {
                        part.write(&self.target, bytes).await;
                    }
                }
                Ok(Some(Event::PartEnd)) => {
                    if let Some(part) = part.take() {
                        self.finish(part).await;
                    }
                }
                Ok(Some(Event::End)) if self.parts() == 0 => {
                    return Err(Problem::bad_request("the body has no parts"));
                }
                Ok(Some(Event::End)) => return Ok(()),
                Ok(None) => match next(&mut body).await {
                    Ok(Some(bytes)) => reader.push(&bytes),
                    Ok(None) => break RelatedError::Cut.to_string(),
                    Err(failure) => break failure.comment,
                },
                Err(error) => break error.to_string(),
            }
        };
        if self.parts() == 0 && part.is_none() {
            return Err(Problem::bad_request(broken));
        }
        let failure = Failure { reason: CANNOT_UNDERSTAND, comment: broken };
        self.settle().await;
        self.ended.push(Ended::Failed(Names::default(), failure));
        Ok(())
    }

    fn parts(&self) -> usize {
        self.ended.len().saturating_add(self.finishing.len())
    }

    /// Leaves a whole part to the stores.
    async fn finish(&mut self, part: Part) {
        if self.finishing.len() >= FINISHING_MOST {
            self.settle_one().await;
        }
        let target = self.target.clone();
        self.finishing.push_back(tokio::spawn(async move { part.finish(&target).await }));
    }

    async fn settle_one(&mut self) {
        let Some(finishing) = self.finishing.pop_front() else { return };
        let ended = finishing.await.unwrap_or_else(|_lost| {
            let comment = "the archive failed".to_owned();
            let failure = Failure { reason: PROCESSING_FAILURE, comment };
            Ended::Failed(Names::default(), failure)
        });
        let result = if matches!(ended, Ended::Stored(_)) { "stored" } else { "refused" };
        metrics::counter!("lastra_store_instances_total", "via" => "stow", "result" => result)
            .increment(1);
        self.ended.push(ended);
    }

    async fn settle(&mut self) {
        while !self.finishing.is_empty() {
            self.settle_one().await;
        }
    }

    /// What became of all parts, in their order.
    async fn all(mut self) -> (Vec<Ended>, Target) {
        self.settle().await;
        (self.ended, self.target)
    }
}

/// The next bytes of a body, or why there are none.
async fn next(body: &mut BodyDataStream) -> Result<Option<Bytes>, Failure> {
    let broken =
        |comment: &str| Err(Failure { reason: CANNOT_UNDERSTAND, comment: comment.to_owned() });
    match tokio::time::timeout(SILENT_MOST, body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(_))) => broken("the body was cut off"),
        Err(_) => broken("the body stopped coming"),
    }
}

fn answer(ended: &[Ended], target: &Target, urls: &Urls) -> Response {
    let study = target.study.as_ref();
    let module = module(ended, study, urls);
    let mut response = (status(ended), module.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(DICOM_JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S.into());
    }
    if let Some(url) = module["00081190"]["Value"][0].as_str() {
        put(&mut response, CONTENT_LOCATION, url);
    }
    response
}

fn malformed(error: RelatedError) -> Problem {
    Problem::bad_request(error.to_string())
}

fn unsupported() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        "instances are taken as multipart/related; type=\"application/dicom\" or application/dicom",
    )
}
