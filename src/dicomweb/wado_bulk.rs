//! WADO-RS: bulk values by the URI their metadata gives (PS3.18 §10.4.1.1.5), whole or a range.

use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use futures::{StreamExt, TryStreamExt};

use crate::archive::retrieve::{Bulk, ByteStream};
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicomweb::media::{OCTETS, stated_syntax};
use crate::dicomweb::multipart::{Part, primed, put, related_one, single};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::{Retrieval, vary};
use crate::dicomweb::wado_pixels::{retrieve_instance_pixels, value_path};
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::http::range::Asked;

/// Retrieve Bulkdata: `GET …/instances/{instance}/bulkdata/{path}`, as octets by themselves or as
/// one part. `Range` is honoured of octets by themselves. Pixel data that is not native and little
/// endian is given as by Retrieve Pixel Data: decoded, or in frames.
pub async fn retrieve_bulkdata(asked: Retrieval) -> Result<Response, Problem> {
    let path = asked.instance()?;
    let value = asked.place.value.as_deref().unwrap_or_default().to_ascii_uppercase();
    if PIXELS.contains(&value.as_str()) {
        let plan = asked.archive.frames(&asked.permit, &path, &[]).await?;
        let little = stated_syntax(&plan.located.transfer_syntax) == EXPLICIT_LITTLE;
        if !little && plan.layout.pixels.is_some() && value_path(&plan) == value {
            return retrieve_instance_pixels(asked).await;
        }
    }
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

/// Paths of pixel data: integers, single and double precision.
const PIXELS: [&str; 3] = ["7FE00010", "7FE00008", "7FE00009"];

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

/// Bytes `from..to` of a stream; what lies before has to be made, and is dropped.
pub fn cut(body: ByteStream, from: u64, to: u64) -> ByteStream {
    let state = (body, 0_u64);
    stream::try_unfold(state, move |(mut body, mut place)| async move {
        while place < to {
            let Some(mut piece) = body.try_next().await? else { return Ok(None) };
            let start = place;
            place = place.saturating_add(piece.len() as u64);
            let offset = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            piece.truncate(offset(to));
            let piece = piece.split_off(offset(from).min(piece.len()));
            if !piece.is_empty() {
                return Ok(Some((piece, (body, place))));
            }
        }
        Ok(None)
    })
    .boxed()
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

    use futures::{StreamExt, TryStreamExt, stream};

    use super::{cut, partial, unsatisfiable};
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

    #[tokio::test]
    async fn a_range_is_cut_out_of_a_stream_wherever_its_pieces_end() {
        for size in [1, 2, 3, 10] {
            for (from, to) in [(0_u8, 10_u8), (0, 1), (3, 7), (9, 10), (10, 10), (4, 99)] {
                let whole: Vec<u8> = (0..10).collect();
                let pieces: Vec<_> =
                    whole.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                let read: Vec<Bytes> = cut(stream::iter(pieces).boxed(), from.into(), to.into())
                    .try_collect()
                    .await
                    .unwrap();
                let expected = &whole[from.into()..usize::from(to).min(10)];
                assert_eq!(read.concat(), expected, "{from}..{to} by {size}");
            }
        }
    }
}
