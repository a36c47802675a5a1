//! What requests say: JSON bodies of a few fields, limits and places of pages, and answers.

use axum::Json;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::Path;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::caching::PRIVATE;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// Entries of a page unless the client says otherwise, and the most of one.
const LIMIT: u32 = 20;
const LARGEST_LIMIT: u32 = 100;
/// Who decided, where nobody says who.
const NOBODY: &str = "http";
/// Characters of who decided, and of why.
const MOST_BY: usize = 100;
const MOST_REASON: usize = 500;

/// A body as JSON; none is `{}`. A field that is not known is refused, so that none is passed over.
#[derive(Debug)]
pub struct Said<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes =
            bytes.map_err(|_| Problem::bad_request("the body is too long, or was cut off"))?;
        let text = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
        let read = serde_json::from_slice(text);
        read.map(Self).map_err(|error| Problem::bad_request(format!("the body: {error}")))
    }
}

/// The number an address ends in.
#[derive(Debug, Clone, Copy)]
pub struct Numbered(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let number = Path::<i64>::from_request_parts(parts, state).await;
        number.map(|Path(number)| Self(number)).map_err(|_| Problem::not_found())
    }
}

/// Who decides, for the record: what they say of themselves, until access control knows them.
pub fn by(said: Option<&str>) -> Result<&str, Problem> {
    bounded("by", said.unwrap_or(NOBODY), MOST_BY)
}

/// Why, for the record.
pub fn reason(said: &str) -> Result<&str, Problem> {
    bounded("reason", said, MOST_REASON)
}

fn bounded<'a>(name: &str, text: &'a str, most: usize) -> Result<&'a str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        let says = format!("write 1 to {most} characters on one line");
        return Err(Problem::bad_parameter(name, says));
    }
    Ok(text)
}

/// Entries of a page.
pub fn limit(query: &QueryString) -> Result<u32, Problem> {
    limit_up_to(query, LARGEST_LIMIT)
}

/// The same, where there may be so many.
pub fn limit_up_to(query: &QueryString, largest: u32) -> Result<u32, Problem> {
    let Some(text) = query.one("limit")? else { return Ok(LIMIT) };
    let number = text.trim().parse::<u32>();
    let number = number.map_err(|_| Problem::bad_parameter("limit", "not a whole number"))?;
    Ok(number.clamp(1, largest))
}

/// Patients' data as an answer.
pub fn answer(value: impl Serialize) -> Response {
    ([(CACHE_CONTROL, PRIVATE)], Json(value)).into_response()
}

/// The same, of what was made.
pub fn made(value: Value) -> Response {
    (StatusCode::CREATED, answer(value)).into_response()
}
