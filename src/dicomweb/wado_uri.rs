//! WADO-URI: one instance by its query, as it is stored or rendered (PS3.18 §9).

use axum::extract::FromRequestParts;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;

use crate::archive::error::ArchiveError;
use crate::archive::rendered::Applied;
use crate::archive::show::{Kind, kind_of};
use crate::dicomweb::accept::{Accept, MediaRange, Syntax, Wrapping};
use crate::dicomweb::address::{AskedPatient, Place, Urls};
use crate::dicomweb::door::Door;
use crate::dicomweb::media::DICOM;
use crate::dicomweb::multipart::put;
use crate::dicomweb::rendered_documents::{encapsulated, report};
use crate::dicomweb::rendered_pictures::{Asked, Shown, pictures};
use crate::dicomweb::rendered_presentation::presented;
use crate::dicomweb::wado::{Retrieval, retrieve_instance};
use crate::dicomweb::wado_rendered::tell_unknown;
use crate::dicomweb::wado_uri_anonymize::anonymized;
use crate::dicomweb::wado_uri_params::{
    UriRendering, anonymize, check_dicom, content_type, rendering, target, transfer_syntax, unknown,
};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::port::Located;
use crate::model::path::Scope;

/// A request to the URI service, decided as one of WADO-RS.
#[derive(Debug, Clone)]
pub struct UriRetrieval {
    asked: Retrieval,
    /// Media types of `contentType`; none: left to Accept.
    content_type: Vec<MediaRange>,
}

impl FromRequestParts<Door> for UriRetrieval {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let query = QueryString::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let mut scope = Scope::instance(target(&query)?);
        let content_type = content_type(&query)?;
        let permit = caller.may_read(&scope.study)?;
        scope.patient = door.patient_of(&caller, &scope.study, &AskedPatient::of(&query)).await?;
        let mut accept = Accept::of(&parts.headers, &query);
        accept.parameter.clone_from(&content_type);
        let (headers, archive) = (parts.headers.clone(), door.archive.clone());
        let place = Place::default();
        let asked = Retrieval { archive, permit, scope, place, accept, urls, query, headers };
        Ok(Self { asked, content_type })
    }
}

impl UriRetrieval {
    /// Whether the transaction is Retrieve DICOM Instance: `contentType` says so, or without one
    /// the Accept header names nothing else (PS3.18 §9.3).
    fn is_dicom(&self) -> bool {
        let ranges = if self.content_type.is_empty() {
            &self.asked.accept.header
        } else {
            &self.content_type
        };
        !ranges.is_empty() && ranges.iter().all(|range| range.media == DICOM)
    }
}

/// `GET /wado?requestType=WADO&studyUID=…&seriesUID=…&objectUID=…`
pub async fn retrieve_by_uri(uri: UriRetrieval) -> Result<Response, Problem> {
    let is_dicom = uri.is_dicom();
    let asked = uri.asked;
    let mut response =
        if is_dicom { dicom(asked.clone()).await? } else { rendered(&asked).await? };
    tell_unknown(&mut response, &asked, &unknown(&asked.query));
    Ok(response)
}

/// Retrieve DICOM Instance (PS3.18 §9.4): the same representations as WADO-RS gives by itself.
async fn dicom(mut asked: Retrieval) -> Result<Response, Problem> {
    check_dicom(&asked.query)?;
    let transfer_syntax = transfer_syntax(&asked.query)?;
    if anonymize(&asked.query)? {
        return anonymized(&asked, transfer_syntax.as_deref()).await;
    }
    let transfer_syntax = match transfer_syntax {
        None => Syntax::Default,
        Some(uid) => Syntax::Only(uid),
    };
    let range = MediaRange {
        media: DICOM.to_owned(),
        wrapping: Wrapping::Single,
        transfer_syntax,
        weight: 1000,
    };
    asked.accept = Accept { parameter: vec![range], header: Vec::new() };
    let mut response = retrieve_instance(asked).await?;
    // The URI service's media types have no parameters (PS3.18 §9.1.3).
    if response.status().is_success() {
        put(&mut response, CONTENT_TYPE, DICOM);
    }
    Ok(response)
}

/// Retrieve Rendered Instance (PS3.18 §9.5).
async fn rendered(asked: &Retrieval) -> Result<Response, Problem> {
    let UriRendering { request, frame, presentation } = rendering(&asked.query)?;
    let located = asked.archive.to_show(&asked.permit, &asked.scope).await?;
    match kind_of(&located) {
        Kind::Image => {
            let applied = match presentation {
                None => None,
                Some((series, instance)) => {
                    let scope = Scope {
                        series: Some(series),
                        instance: Some(instance),
                        ..asked.scope.clone()
                    };
                    Some(applied(asked, &scope, &located).await?)
                }
            };
            let frames = checked(frame, &located)?;
            // Without a frame number the first is meant, where only one is shown.
            pictures(asked, Shown { located, frames, lone: 1 }, Asked { request, applied }).await
        }
        Kind::Presentation => presented(asked, &located, request).await,
        Kind::Report => report(asked, &located).await,
        Kind::Encapsulated => encapsulated(asked, &located).await,
        Kind::Other => Err(Problem::not_acceptable(
            "the object has neither pixels nor text that could be shown",
        )),
    }
}

/// The presentation state named, which must be one and be about the image (PS3.18 §8.3.5.1.6).
async fn applied(asked: &Retrieval, scope: &Scope, image: &Located) -> Result<Applied, Problem> {
    let bad = |reason| Problem::bad_parameter("presentationUID", reason);
    let state = match asked.archive.to_show(&asked.permit, scope).await {
        Err(ArchiveError::Unknown(_)) => {
            return Err(bad("no such presentation state in this study's presentation series"));
        }
        state => state?,
    };
    let applied = asked.archive.presentation(&asked.permit, &state).await?;
    if applied.state.is_of(image.path.instance.as_str()) {
        Ok(applied)
    } else {
        Err(bad("this presentation state is not about this image"))
    }
}

/// A frame number must be one of the image's (PS3.18 §9.5.2.1).
fn checked(frame: Option<u32>, located: &Located) -> Result<Vec<u32>, Problem> {
    match frame {
        Some(frame) if frame > located.frames => {
            let reason = format!("the instance has {} frames", located.frames);
            Err(Problem::bad_parameter("frameNumber", reason))
        }
        frame => Ok(frame.into_iter().collect()),
    }
}
