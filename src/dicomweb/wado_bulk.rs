//! WADO-RS: bulk values by the URI their metadata gives (PS3.18 §10.4.1.1.5), whole or a range.

use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::archive::retrieve::Bulk;
use crate::dicomweb::media::OCTETS;
use crate::dicomweb::multipart::{Part, primed, put, related_one, single};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::{Retrieval, vary};
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::http::range::Asked;

/// Retrieve Bulkdata: `GET …/instances/{instance}/bulkdata/{path}`, as octets by themselves or as
/// one part. `Range` is honoured of octets by themselves.
pub async fn retrieve_bulkdata(asked: Retrieval) -> Result<Response, Problem> {
    let path = asked.instance()?;
    let value = asked.place.value.as_deref().unwrap_or_default().to_ascii_uppercase();
    let bulk = asked.archive.bulk(&asked.permit, &path, &value).await?;
    let location = format!("{}/bulkdata/{value}", asked.urls.of(&path));
    let offers = [false, true].map(|multipart| Offer { media: OCTETS, multipart, syntax: None });
    let chosen = choose(&asked.accept, &offers).ok_or_else(not_acceptable)?;
    let multipart = chosen == 1;
    let etag = if multipart { ETag::weak(&bulk.etag) } else { ETag::strong(&bulk.etag) };
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let wanted =
        if multipart { Asked::Whole } else { Asked::of(&asked.headers, bulk.bytes, &etag) };
    if wanted == Asked::Unsatisfiable {
        return Ok(vary(unsatisfiable(bulk.bytes)));
    }
    let part = part(&asked, &bulk, location, wanted).await?;
    let mut response =
        if multipart { related_one(OCTETS, part) } else { partial(part, wanted, bulk.bytes) };
    etag.write(response.headers_mut());
    Ok(vary(response))
}

fn not_acceptable() -> Problem {
    Problem::not_acceptable(
        "bulk data is given as application/octet-stream, by itself or in multipart/related",
    )
}

async fn part(
    asked: &Retrieval,
    bulk: &Bulk,
    location: String,
    wanted: Asked,
) -> Result<Part, Problem> {
    let (from, to) = match wanted {
        Asked::Part { from, to } => (from, to),
        Asked::Whole | Asked::Unsatisfiable => (0, bulk.bytes),
    };
    let body = asked.archive.read_bulk(&asked.permit, &bulk.place, from, to)?;
    Ok(Part {
        content_type: OCTETS.to_owned(),
        location,
        bytes: Some(to.saturating_sub(from)),
        body: primed(body).await?,
    })
}

/// A single part answer to a request that may have asked for a range: 200 or 206. `part` holds the
/// bytes wanted, `length` says how many there are in all.
pub fn partial(part: Part, wanted: Asked, length: u64) -> Response {
    let mut response = single(part);
    if let Asked::Part { from, to } = wanted {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = to.saturating_sub(1);
        put(&mut response, CONTENT_RANGE, &format!("bytes {from}-{last}/{length}"));
    }
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// 416: the range asked for holds none of the `length` bytes there are.
pub fn unsatisfiable(length: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-not-satisfiable",
        "Range not satisfiable",
        format!("there are {length} bytes"),
    );
    let mut response = problem.into_response();
    put(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{partial, unsatisfiable};
    use crate::dicomweb::multipart::Part;
    use crate::http::range::Asked;

    #[test]
    fn ranges_are_told_as_they_are() {
        let part = || {
            let bytes = Bytes::from_static(b"abc");
            Part::of_bytes("application/octet-stream".into(), "http://h".into(), bytes)
        };
        for (response, status, range) in [
            (partial(part(), Asked::Whole, 3), 200, None),
            (partial(part(), Asked::Part { from: 2, to: 5 }, 10), 206, Some("bytes 2-4/10")),
            (unsatisfiable(10), 416, Some("bytes */10")),
        ] {
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(response.status(), status);
            assert_eq!(header("content-range"), range);
            if status < 400 {
                assert_eq!(header("content-length"), Some("3"));
            }
            assert_eq!(header("accept-ranges"), Some("bytes"));
        }
    }
}
