//! Failures as OperationOutcome (FHIR R4 §2.29), and the one translation into them.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use serde_json::json;

use crate::archive::error::ArchiveError;
use crate::fascicolo::error::FascicoloError;
use crate::fhir::door::ROOT;
use crate::http::problem::Problem;

/// The media type of everything this door writes.
pub const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json; charset=utf-8");

/// Why a request could not be answered, as the client reads it. Texts never hold patient data or
/// what the client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the response.
    pub status: StatusCode,
    /// Kind of issue (FHIR R4 `IssueType`).
    pub code: &'static str,
    /// What went wrong and what the client can do.
    pub says: String,
    /// What it is about: a parameter (`http.identifier`) or an element (`Bundle.entry[1]`).
    pub about: Option<String>,
    /// Seconds to wait before trying again, where that helps.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, code: &'static str, says: impl Into<String>) -> Self {
        Self { status, code, says: says.into(), about: None, retry_after_s: None }
    }

    /// 400 about one parameter.
    pub fn parameter(name: &str, says: impl Into<String>) -> Self {
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        let says = format!("parameter {name}: {}", says.into());
        Self::new(StatusCode::BAD_REQUEST, "invalid", says).about(format!("http.{name}"))
    }

    /// 422 about one element of what was sent.
    pub fn element(path: impl Into<String>, says: impl Into<String>) -> Self {
        let path = path.into();
        let says = format!("{path}: {}", says.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", says).about(path)
    }

    /// 404, alike for what is not there and what the caller may not know of.
    pub fn not_found() -> Self {
        let says = "nothing here under this id, or nothing you may know of";
        Self::new(StatusCode::NOT_FOUND, "not-found", says)
    }

    /// What it is about.
    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }
}

/// An OperationOutcome of one issue.
pub fn outcome(severity: &str, code: &str, says: &str, about: Option<&str>) -> Value {
    let mut issue = json!({ "severity": severity, "code": code, "diagnostics": says });
    if let Some(about) = about {
        issue["expression"] = json!([about]);
    }
    json!({ "resourceType": "OperationOutcome", "issue": [issue] })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = outcome("error", self.code, &self.says, self.about.as_deref());
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, FHIR_JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Middleware around everything: what the hallway says of a request below `/fhir` (too long an
/// address, too many at once, a panic) is an outcome too.
pub async fn as_outcomes(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_ours =
        path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let response = next.run(request).await;
    let problem = response.headers().get(CONTENT_TYPE).is_some_and(|media| media == PROBLEM);
    if !is_ours || !problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, MOST_PROBLEM).await.unwrap_or_default();
    let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let says = said["detail"].as_str().unwrap_or_default();
    let written = outcome("error", code_of(parts.status), says, None).to_string();
    parts.headers.insert(CONTENT_TYPE, FHIR_JSON);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, written.into())
}

const PROBLEM: &str = "application/problem+json";
const MOST_PROBLEM: usize = 64 * 1024;

/// The hallway's problems, with the issue each status is.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status,
            code: match problem.kind {
                known @ ("too-long" | "incomplete" | "timeout") => known,
                _ => code_of(problem.status),
            },
            says: problem.detail,
            about: None,
            retry_after_s: problem.retry_after_s,
        }
    }
}

/// The issue a status is.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "invalid",
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::NOT_ACCEPTABLE | StatusCode::METHOD_NOT_ALLOWED => "not-supported",
        StatusCode::CONFLICT => "conflict",
        StatusCode::PAYLOAD_TOO_LARGE => "too-costly",
        StatusCode::URI_TOO_LONG => "too-long",
        StatusCode::SERVICE_UNAVAILABLE => "transient",
        StatusCode::INSUFFICIENT_STORAGE => "no-store",
        StatusCode::UNPROCESSABLE_ENTITY => "processing",
        _ => "exception",
    }
}

/// The one translation of the fascicolo's errors. No `_` arm: a new error must choose its status here.
impl From<FascicoloError> for Refusal {
    fn from(error: FascicoloError) -> Self {
        match error {
            FascicoloError::Unknown(_) | FascicoloError::Denied => Self::not_found(),
            FascicoloError::Refused(says) => Self::new(StatusCode::CONFLICT, "conflict", says),
            FascicoloError::TooLong(bytes) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-long",
                format!("a document may have {bytes} bytes"),
            ),
            FascicoloError::Archive(error) => Problem::from(error).into(),
            FascicoloError::Index(error) => Problem::from(ArchiveError::from(error)).into(),
            FascicoloError::Blobs(error) => Problem::from(ArchiveError::from(error)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::{Refusal, outcome};
    use crate::blobs::error::BlobError;
    use crate::fascicolo::error::FascicoloError;
    use crate::index::error::IndexError;

    #[test]
    fn each_error_of_the_fascicolo_has_its_status_and_issue() {
        for (error, status, code) in [
            (FascicoloError::Unknown("this person"), 404, "not-found"),
            (FascicoloError::Denied, 404, "not-found"),
            (FascicoloError::Refused("they are one already"), 409, "conflict"),
            (FascicoloError::TooLong(9), 413, "too-long"),
            (FascicoloError::Index(IndexError::TooBroad), 413, "too-costly"),
            (FascicoloError::Index(IndexError::Unavailable("x".into())), 503, "transient"),
            (FascicoloError::Blobs(BlobError::NoRoom), 507, "no-store"),
        ] {
            let text = error.to_string();
            let refusal = Refusal::from(error);
            assert_eq!((refusal.status.as_u16(), refusal.code), (status, code), "{text}");
        }
        assert_eq!(Refusal::from(FascicoloError::Denied), Refusal::not_found());
    }

    #[test]
    fn an_outcome_names_what_it_is_about() {
        let refusal = Refusal::parameter("started\n", "a date is YYYY-MM-DD");
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
        let written = outcome("error", refusal.code, &refusal.says, refusal.about.as_deref());
        assert_eq!(written["issue"][0]["expression"][0], "http.started");
        assert_eq!(written["issue"][0]["diagnostics"], "parameter started: a date is YYYY-MM-DD");
    }
}
