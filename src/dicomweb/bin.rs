//! The bin over HTTP: what was deleted and not yet purged, and its way back.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::dicomweb::address::Place;
use crate::dicomweb::door::Door;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::path::Scope;
use crate::model::rejection::Reason;
use crate::people::patient_id::PatientId;

/// Where the bin is.
pub const BIN: &str = "/bin";

/// Most studies listed.
const MOST: u32 = 1000;

/// A request to look into the bin, decided.
#[derive(Debug)]
pub struct Looking {
    archive: Archive,
    permit: Permit,
    limit: u32,
}

impl FromRequestParts<Door> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let query = QueryString::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_delete()?;
        let limit = match query.all("limit").next() {
            None => MOST,
            Some(limit) => limit
                .parse::<u32>()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::bad_parameter("limit", "use a number from 1 to 1000"))?,
        };
        Ok(Self { archive: door.archive.clone(), permit, limit })
    }
}

/// A request to take something out of the bin, decided.
#[derive(Debug)]
pub struct Restoring {
    archive: Archive,
    permit: Permit,
    scope: Scope,
    rejected: bool,
}

impl FromRequestParts<Door> for Restoring {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let query = QueryString::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_delete()?;
        let scope = Scope { patient: patient(&query), ..place.scope()? };
        let rejected = match query.all("rejected").next() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::bad_parameter("rejected", "use true or false")),
        };
        Ok(Self { archive: door.archive.clone(), permit, scope, rejected })
    }
}

/// The patient named, who has no row to be looked up in while all they have is in the bin.
fn patient(query: &QueryString) -> Option<PatientId> {
    let value = query.all("PatientID").next()?.to_owned();
    let issuer = query.all("IssuerOfPatientID").next().unwrap_or_default().to_owned();
    Some(PatientId { issuer, value })
}

/// `GET /bin`: the studies that have something in the bin, last deleted first.
pub async fn list_bin(asked: Looking) -> Result<Response, Problem> {
    let binned = asked.archive.bin(&asked.permit, asked.limit).await?;
    let studies: Vec<Value> = binned
        .into_iter()
        .map(|binned| {
            json!({
                "study": binned.study, "copies": binned.copies, "deleted_us": binned.deleted_us,
                "reason": binned.reason.map(Reason::code),
                "why": binned.reason.map_or("deleted", Reason::meaning),
            })
        })
        .collect();
    Ok(answer(&json!({ "studies": studies })))
}

/// `POST /bin/studies/{study}[/series/{series}[/instances/{instance}]]/restore`: it is served again.
pub async fn restore(asked: Restoring) -> Result<Response, Problem> {
    let restored = asked.archive.restore(&asked.permit, &asked.scope, asked.rejected).await?;
    metrics::counter!("lastra_restore_copies_total", "via" => "http").increment(restored);
    Ok(answer(&json!({ "restored": restored })))
}

fn answer(value: &Value) -> Response {
    let mut response = value.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
