//! Storage Commitment over HTTP (PS3.18 §13): a request is one resource, asked for by `POST` and
//! looked after by `GET`.

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::commitment::Standing;
use crate::dicom::uid::Uid;
use crate::dicomweb::accept::Accept;
use crate::dicomweb::commitment_answer::{Form, OFFERS, answer};
use crate::dicomweb::commitment_request::read;
use crate::dicomweb::content_type::ContentType;
use crate::dicomweb::door::Door;
use crate::dicomweb::offer::choose;
use crate::http::caller::Caller;
use crate::http::problem::{Problem, RETRY_AFTER_S};
use crate::model::commitment::Commitment;

/// Path of a request below the root (PS3.18 §13.4.1).
pub const COMMITMENT: &str = "/commitment-requests/{transaction}";

/// A request of either kind, decided.
#[derive(Debug)]
pub struct Committing {
    archive: Archive,
    permit: Permit,
    transaction: Result<Uid, Problem>,
    form: Form,
    content_type: ContentType,
}

impl FromRequestParts<Door> for Committing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let accept = Accept::from_request_parts(parts, door).await?;
        let path = RawPathParams::from_request_parts(parts, door).await;
        let path = path.map_err(|_| Problem::bad_request("the address is not UTF-8"))?;
        let named = path.iter().find(|(name, _)| *name == "transaction");
        let transaction = Uid::parse(named.map_or("", |(_, uid)| uid)).ok();
        let transaction = transaction.filter(Uid::is_valid).ok_or_else(|| {
            Problem::bad_parameter("transactionUID", "the path must end in a UID (PS3.5 §9.1)")
        });
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_store()?;
        let offers = OFFERS.map(|(offer, _)| offer);
        let chosen = choose(&accept, &offers).and_then(|chosen| OFFERS.get(chosen));
        let form = chosen.map(|(_, form)| *form).ok_or_else(|| {
            Problem::not_acceptable(
                "the result is told as application/dicom+json or application/dicom+xml, by itself \
                 or as multipart/related",
            )
        })?;
        let field = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = ContentType::parse(field.unwrap_or_default());
        Ok(Self { archive: door.archive.clone(), permit, transaction, form, content_type })
    }
}

/// Request: `POST /commitment-requests/{transactionUID}` (PS3.18 §13.4).
pub async fn request_commitment(
    State(_): State<Door>,
    asked: Committing,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let transaction = asked.transaction?;
    let references = read(&asked.archive, &asked.content_type, request.into_body()).await?;
    let commitment = Commitment { transaction, references, reasons: Vec::new(), finished_us: None };
    let standing = asked.archive.ask_commitment(&asked.permit, commitment).await?;
    told(standing.ok_or_else(in_use)?, asked.form)
}

/// Result Check: `GET /commitment-requests/{transactionUID}` (PS3.18 §13.5).
pub async fn check_commitment(asked: Committing) -> Result<Response, Problem> {
    let transaction = asked.transaction.map_err(|_| Problem::not_found())?;
    told(asked.archive.commitment(&asked.permit, &transaction).await?, asked.form)
}

fn told(standing: Standing, form: Form) -> Result<Response, Problem> {
    let mut response = match standing {
        Standing::Unknown => return Err(Problem::not_found()),
        Standing::Forgotten => {
            return Err(Problem::new(
                StatusCode::GONE,
                "result-forgotten",
                "Result forgotten",
                "the result of this request is no longer kept; ask anew under another transaction UID",
            ));
        }
        Standing::Working => {
            let mut response = StatusCode::ACCEPTED.into_response();
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S.into());
            response
        }
        Standing::Done(commitment) => answer(&commitment, form)?,
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn in_use() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "transaction-in-use",
        "Transaction UID in use",
        "this transaction UID is in use already: ask for its result with GET, or take another",
    )
}
