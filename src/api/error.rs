//! The one translation of the fascicolo's errors into problems.

use axum::http::StatusCode;

use crate::archive::error::ArchiveError;
use crate::fascicolo::error::FascicoloError;
use crate::http::problem::Problem;

/// What the fascicolo could not do, as the client reads it. No `_` arm: a new error must choose its
/// status here.
pub fn problem(error: FascicoloError) -> Problem {
    match error {
        FascicoloError::Unknown(what) => {
            Problem { detail: format!("{what} is not here"), ..Problem::not_found() }
        }
        FascicoloError::Denied => Problem::not_found(),
        FascicoloError::Refused(why) => {
            Problem::new(StatusCode::CONFLICT, "conflict", "Not as things stand", why)
        }
        FascicoloError::TooLong(bytes) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-long",
            "Document too long",
            format!("a document may have {bytes} bytes"),
        ),
        FascicoloError::Archive(error) => error.into(),
        FascicoloError::Index(error) => ArchiveError::from(error).into(),
        FascicoloError::Blobs(error) => ArchiveError::from(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::problem;
    use crate::blobs::error::BlobError;
    use crate::fascicolo::error::FascicoloError;
    use crate::index::error::IndexError;

    #[test]
    fn each_error_of_the_fascicolo_has_its_status() {
        for (error, status) in [
            (FascicoloError::Unknown("this person"), 404),
            (FascicoloError::Denied, 404),
            (FascicoloError::Refused("they are one already"), 409),
            (FascicoloError::TooLong(9), 413),
            (FascicoloError::Index(IndexError::Unavailable("x".into())), 503),
            (FascicoloError::Blobs(BlobError::NoRoom), 507),
        ] {
            let text = error.to_string();
            assert_eq!(problem(error).status.as_u16(), status, "{text}");
        }
    }
}
