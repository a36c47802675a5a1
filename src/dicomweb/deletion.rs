//! Deleting over HTTP: `DELETE` on a study, series or instance puts it into the bin; who asks for it
//! then hears 410 (PS3.18 §8.5), as long as it is remembered.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::dicomweb::address::{AskedPatient, Place};
use crate::dicomweb::door::Door;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::path::Scope;

/// A request to delete, decided.
#[derive(Debug)]
pub struct Deleting {
    archive: Archive,
    permit: Permit,
    scope: Scope,
}

impl FromRequestParts<Door> for Deleting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let query = QueryString::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let mut scope = place.scope()?;
        let permit = caller.may_delete()?;
        scope.patient = door.patient_of(&caller, &scope.study, &AskedPatient::of(&query)).await?;
        Ok(Self { archive: door.archive.clone(), permit, scope })
    }
}

/// `DELETE /studies/{study}[/series/{series}[/instances/{instance}]]`: 204 once it is in the bin.
pub async fn delete(asked: Deleting) -> Result<Response, Problem> {
    let deleted = asked.archive.delete(&asked.permit, &asked.scope).await?;
    metrics::counter!("lastra_delete_instances_total", "via" => "http").increment(deleted);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Middleware: what is not there and was deleted is gone.
pub async fn gone(State(door): State<Door>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    if !reads {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let scope = Place::from_request_parts(&mut parts, &door).await.and_then(|place| place.scope());
    let Ok(caller) = Caller::from_request_parts(&mut parts, &door).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let Ok(scope) = scope else { return response };
    let Ok(permit) = caller.may_read(&scope.study) else { return response };
    match door.archive.was_deleted(&permit, &scope).await {
        Ok(true) => Problem::new(
            StatusCode::GONE,
            "gone",
            "Deleted",
            "it was here and was deleted; an operator may restore it until it is purged",
        )
        .into_response(),
        Ok(false) | Err(_) => response,
    }
}
