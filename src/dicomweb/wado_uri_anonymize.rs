//! WADO-URI `anonymize=yes`: an instance without what identifies its patient (PS3.18 §9.4.2.3).

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::archive::file_as::FileAs;
use crate::dicomweb::media::DICOM;
use crate::dicomweb::multipart::{Part, primed, put, single};
use crate::dicomweb::wado::Retrieval;
use crate::http::problem::Problem;
use crate::imaging::transcode::Target;

/// The instance asked for, de-identified, in Explicit VR Little Endian unless another transfer
/// syntax is asked for that the archive can write.
pub async fn anonymized(
    asked: &Retrieval,
    transfer_syntax: Option<&str>,
) -> Result<Response, Problem> {
    let target = match transfer_syntax {
        None => Target::Native,
        Some(uid) => {
            Target::ALL.into_iter().find(|target| target.uid() == uid).ok_or_else(|| {
                Problem::not_acceptable(
                    "de-identified instances are given in Explicit VR Little Endian or one of the \
                     lossless transfer syntaxes the archive can write",
                )
            })?
        }
    };
    let located = asked.archive.to_show(&asked.permit, &asked.scope).await?;
    let made = asked.archive.deidentified(&asked.permit, &located, target).await?;
    let FileAs { bytes, body, .. } = made.ok_or_else(burned_in)?;
    let body = primed(body).await?;
    let part =
        Part { content_type: DICOM.to_owned(), location: String::new(), bytes: Some(bytes), body };
    let mut response = single(part);
    response.headers_mut().remove(axum::http::header::CONTENT_LOCATION);
    put(&mut response, CONTENT_TYPE, DICOM);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn burned_in() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "identity-in-pixels",
        "The pixels show whose they are",
        "parameter anonymize: Burned In Annotation (0028,0301) or Recognizable Visual Features \
         (0028,0302) is YES, and pixels are not altered here; nothing was sent",
    )
}
