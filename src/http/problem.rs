//! Failures as RFC 9457 problem details, and the one translation of the archive's errors.

use std::fmt;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access::permit::Denied;
use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::imaging::error::ImagingError;
use crate::index::error::IndexError;

/// Seconds after which a client turned away for want of time or room may try again.
pub const RETRY_AFTER_S: u32 = 5;

/// Why a request could not be answered, as the client reads it.
///
/// Texts never hold patient data, identifiers or the store's own words: those go to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Status of the response.
    pub status: StatusCode,
    /// Last part of the `type` URI; empty: `about:blank`.
    pub kind: &'static str,
    /// What went wrong, the same for every occurrence.
    pub title: &'static str,
    /// What went wrong this time, and what the client can do.
    pub detail: String,
    /// Seconds to wait before trying again, where that helps.
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of that status.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, kind, title, detail: detail.into(), retry_after_s: None }
    }

    /// 404, alike for what is not there and what the caller may not know of.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "nothing here under this address, or nothing you may know of",
        )
    }

    /// 400 about one parameter of the request.
    pub fn bad_parameter(name: &str, reason: impl fmt::Display) -> Self {
        let name: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-parameter",
            "Malformed parameter",
            format!("parameter {name}: {reason}"),
        )
    }

    /// 400 about the request as a whole.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "Malformed request", reason)
    }

    /// 406 with what there is instead.
    pub fn not_acceptable(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable", reason)
    }

    /// 503 with a time to come back.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self {
            retry_after_s: Some(RETRY_AFTER_S),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", reason)
        }
    }

    /// 500; the reason is in the log.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "the archive failed; its log says why, under this response's x-request-id",
        )
    }

    /// The `type` member.
    fn type_uri(&self) -> String {
        if self.kind.is_empty() {
            "about:blank".to_owned()
        } else {
            format!("urn:lastra:problem:{}", self.kind)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": self.type_uri(),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(_: Denied) -> Self {
        Self::not_found()
    }
}

/// The one translation of the archive's errors into HTTP. No `_` arm: a new error must choose its
/// status here.
impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        match &error {
            ArchiveError::Unknown(_) | ArchiveError::Denied => Self::not_found(),
            ArchiveError::Ambiguous { patients, .. } => ambiguous(patients.len()),
            ArchiveError::Rejected(_) => rejected(&error),
            ArchiveError::Malformed(_)
            | ArchiveError::Unidentified(_)
            | ArchiveError::Mismatch(_) => {
                Self::new(StatusCode::BAD_REQUEST, "refused", "Data set refused", error.to_string())
            }
            ArchiveError::Imaging(error) => of_imaging(error),
            ArchiveError::Blobs(error) => of_blobs(error),
            ArchiveError::Index(error) => of_index(error),
            ArchiveError::Stopping => Self::unavailable("the archive is stopping"),
        }
    }
}

fn rejected(error: &ArchiveError) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "rejected",
        "Rejected by a note",
        format!("{error}; with rejected=true it is restored from the bin all the same"),
    )
}

fn ambiguous(patients: usize) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "ambiguous-study",
        "Study kept under several patients",
        format!(
            "{patients} patients have a study with this Study Instance UID: name one with \
             ?PatientID=\u{2026}&IssuerOfPatientID=\u{2026}"
        ),
    )
}

fn of_imaging(error: &ImagingError) -> Problem {
    match error {
        ImagingError::NoPixels => {
            Problem::not_acceptable("the object has no pixel data to give or draw")
        }
        ImagingError::Unsupported(_) | ImagingError::Video(_) => {
            Problem::not_acceptable(error.to_string())
        }
        ImagingError::NoSuchFrame { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "no-such-frame", "No such frame", error.to_string())
        }
        ImagingError::Damaged(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "damaged",
            "The stored pixels do not decode",
            error.to_string(),
        ),
        ImagingError::TooLarge { .. } | ImagingError::TooManyFrames { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", error.to_string())
        }
        ImagingError::OutsidePicture { .. } => Problem::bad_parameter("viewport or region", error),
        ImagingError::Stopped => Problem::unavailable("the archive is stopping"),
    }
}

fn of_blobs(error: &BlobError) -> Problem {
    match error {
        BlobError::NoRoom => no_room(),
        BlobError::Unavailable(_) => {
            tracing::warn!(%error, "blob store did not answer");
            Problem::unavailable("the blob store does not answer; try again")
        }
        BlobError::Missing(_) | BlobError::Exists(_) | BlobError::Short { .. } => {
            tracing::error!(%error, "blob store contradicts the index");
            Problem::internal()
        }
    }
}

fn of_index(error: &IndexError) -> Problem {
    match error {
        IndexError::NoRoom => no_room(),
        IndexError::Unavailable(_) => {
            tracing::warn!(%error, "index did not answer");
            Problem::unavailable("the index does not answer; try again")
        }
        // PS3.18 §10.6.3.1.
        IndexError::TooBroad => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-broad",
            "Search too broad",
            "the search looks through more than it may take time for: narrow it, by date, Patient \
             ID or the beginning of a name for example",
        ),
        IndexError::Inconsistent(_) => {
            tracing::error!(%error, "index is inconsistent");
            Problem::internal()
        }
    }
}

fn no_room() -> Problem {
    Problem {
        retry_after_s: Some(60),
        ..Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "no-room",
            "No room",
            "the archive has no room left; nothing was stored",
        )
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;

    use super::Problem;
    use crate::archive::error::ArchiveError;
    use crate::blobs::error::BlobError;
    use crate::dicom::uid::Uid;
    use crate::imaging::error::ImagingError;
    use crate::index::error::IndexError;
    use crate::model::rejection::Reason;
    use crate::people::patient_id::PatientId;

    #[test]
    fn each_archive_error_has_its_status() {
        let patients = vec![PatientId { issuer: String::new(), value: "ROSSI-1".into() }; 2];
        for (error, status) in [
            (ArchiveError::Unknown("x".into()), 404),
            (ArchiveError::Denied, 404),
            (ArchiveError::Ambiguous { study: Uid::parse("1.2").unwrap(), patients }, 409),
            (ArchiveError::Unidentified("no UID".into()), 400),
            (ArchiveError::Imaging(ImagingError::NoPixels), 406),
            (ArchiveError::Imaging(ImagingError::Unsupported("x".into())), 406),
            (ArchiveError::Imaging(ImagingError::Video("MPEG-2")), 406),
            (ArchiveError::Imaging(ImagingError::NoSuchFrame { frame: 2, frames: 1 }), 404),
            (ArchiveError::Imaging(ImagingError::Damaged("x".into())), 422),
            (ArchiveError::Imaging(ImagingError::TooLarge { bytes: 9 }), 413),
            (ArchiveError::Blobs(BlobError::NoRoom), 507),
            (ArchiveError::Blobs(BlobError::Unavailable("x".into())), 503),
            (ArchiveError::Blobs(BlobError::Missing("x".into())), 500),
            (ArchiveError::Index(IndexError::Unavailable("x".into())), 503),
            (ArchiveError::Rejected(Reason::PatientSafety), 409),
            (ArchiveError::Stopping, 503),
        ] {
            let text = error.to_string();
            assert_eq!(Problem::from(error).status.as_u16(), status, "{text}");
        }
    }

    #[test]
    fn what_is_denied_looks_like_what_is_unknown() {
        let unknown = Problem::from(ArchiveError::Unknown("1.2.3".into()));
        assert_eq!(unknown, Problem::from(ArchiveError::Denied));
    }

    #[test]
    fn an_ambiguous_study_names_the_remedy_and_no_patient() {
        let patients = vec![PatientId { issuer: "X".into(), value: "ROSSI-1".into() }; 3];
        let study = Uid::parse("1.2").unwrap();
        let problem = Problem::from(ArchiveError::Ambiguous { study, patients });
        assert!(problem.detail.contains("3 patients") && problem.detail.contains("?PatientID="));
        assert!(!problem.detail.contains("ROSSI"));
    }

    #[tokio::test]
    async fn a_problem_is_problem_json_with_a_time_to_come_back() {
        let response = Problem::unavailable("busy").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "5");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["status"], 503);
        assert_eq!(body["type"], "urn:lastra:problem:unavailable");
        assert_eq!(body["detail"], "busy");
    }
}
