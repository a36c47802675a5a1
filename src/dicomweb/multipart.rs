//! `multipart/related` answers, written as they are read (PS3.18 §8.6.1.2, RFC 2387).
//!
//! An answer either ends with its closing boundary or its connection breaks: an error half way, or
//! a part of another length than announced, never looks like an end.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};

use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::blobs::error::BlobError;
use crate::http::problem::Problem;

/// One part.
pub struct Part {
    /// Media type, with transfer syntax.
    pub content_type: String,
    /// Absolute URL of what the part represents; empty when it is no resource's representation.
    pub location: String,
    /// Its length, where known.
    pub bytes: Option<u64>,
    /// Its bytes.
    pub body: ByteStream,
}

impl Part {
    /// A part whose bytes are here already.
    pub fn of_bytes(content_type: String, location: String, bytes: Bytes) -> Self {
        let length = u64::try_from(bytes.len()).ok();
        let body = stream::iter([Ok(bytes)]).boxed();
        Self { content_type, location, bytes: length, body }
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// An answer of many parts, all of media type `kind`. Waits for the first part, so that what fails
/// at once is a problem and not a broken answer.
pub async fn related(
    kind: &str,
    parts: impl Stream<Item = Result<Part, ArchiveError>> + Send + 'static,
) -> Result<Response, Problem> {
    let mut parts = parts.boxed();
    let first = parts.try_next().await?.ok_or_else(Problem::not_found)?;
    let boundary = boundary();
    let parts = stream::iter([Ok(first)]).chain(parts).boxed();
    Ok(response(kind, &boundary, None, write(boundary.clone(), parts)))
}

/// The same, named after the media type of its first part.
pub async fn related_as_first(
    parts: impl Stream<Item = Result<Part, ArchiveError>> + Send + 'static,
) -> Result<Response, Problem> {
    let mut parts = parts.boxed();
    let first = parts.try_next().await?.ok_or_else(Problem::not_found)?;
    let kind = first.content_type.split(';').next().unwrap_or_default().to_owned();
    let boundary = boundary();
    let parts = stream::iter([Ok(first)]).chain(parts).boxed();
    Ok(response(&kind, &boundary, None, write(boundary.clone(), parts)))
}

/// An answer of one part: its length is known as a whole when the part's is.
pub fn related_one(kind: &str, part: Part) -> Response {
    let boundary = boundary();
    let frame = head(&boundary, &part, true).len().saturating_add(closing(&boundary).len());
    let frame = u64::try_from(frame).ok();
    let length = part.bytes.zip(frame).and_then(|(part, frame)| part.checked_add(frame));
    response(kind, &boundary, length, write(boundary.clone(), stream::iter([Ok(part)]).boxed()))
}

/// A single part answer.
pub fn single(part: Part) -> Response {
    let mut response = Body::from_stream(checked(part.bytes, part.body)).into_response();
    put(&mut response, CONTENT_TYPE, &part.content_type);
    put(&mut response, axum::http::header::CONTENT_LOCATION, &part.location);
    if let Some(bytes) = part.bytes {
        put(&mut response, CONTENT_LENGTH, &bytes.to_string());
    }
    response
}

/// Waits for a stream's first bytes, so that what cannot be read is a problem and not a broken
/// answer.
pub async fn primed(mut body: ByteStream) -> Result<ByteStream, ArchiveError> {
    let first = body.try_next().await?;
    Ok(stream::iter(first.map(Ok)).chain(body).boxed())
}

/// Sets a header field; a value that cannot be one is left out.
pub fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Passes bytes on and breaks off when they are not as many as announced, or the store fails.
pub fn checked(bytes: Option<u64>, body: ByteStream) -> ByteStream {
    let state = (body, bytes, 0_u64);
    stream::try_unfold(state, |(mut body, bytes, seen)| async move {
        match body.try_next().await {
            Ok(Some(piece)) => {
                let seen = seen.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                if bytes.is_some_and(|bytes| seen > bytes) {
                    return Err(wrong_length(seen));
                }
                Ok(Some((piece, (body, bytes, seen))))
            }
            Ok(None) if bytes.is_none_or(|bytes| bytes == seen) => Ok(None),
            Ok(None) => Err(wrong_length(seen)),
            Err(error) => {
                let kind = Problem::from(error.clone()).kind;
                tracing::warn!(kind, "answer cut short");
                Err(error)
            }
        }
    })
    .boxed()
}

fn wrong_length(seen: u64) -> ArchiveError {
    tracing::error!(seen, "part is not as long as announced");
    BlobError::Short { key: String::new(), end: seen }.into()
}

struct Writing {
    boundary: String,
    parts: BoxStream<'static, Result<Part, ArchiveError>>,
    current: Option<ByteStream>,
    first: bool,
    closed: bool,
}

/// The answer's bytes.
fn write(boundary: String, parts: BoxStream<'static, Result<Part, ArchiveError>>) -> ByteStream {
    let state = Writing { boundary, parts, current: None, first: true, closed: false };
    stream::try_unfold(state, |mut state| async move {
        if let Some(current) = &mut state.current
            && let Some(piece) = current.try_next().await?
        {
            return Ok(Some((piece, state)));
        }
        state.current = None;
        if state.closed {
            return Ok(None);
        }
        let piece = if let Some(part) = state.parts.try_next().await? {
            let head = head(&state.boundary, &part, state.first);
            state.first = false;
            state.current = Some(checked(part.bytes, part.body));
            head
        } else {
            state.closed = true;
            closing(&state.boundary)
        };
        Ok(Some((piece.into(), state)))
    })
    .boxed()
}

fn head(boundary: &str, part: &Part, first: bool) -> String {
    let mut head = String::with_capacity(256);
    head.push_str(if first { "--" } else { "\r\n--" });
    head.push_str(boundary);
    head.push_str("\r\nContent-Type: ");
    head.push_str(&part.content_type);
    if !part.location.is_empty() {
        head.push_str("\r\nContent-Location: ");
        head.push_str(&part.location);
    }
    if let Some(bytes) = part.bytes {
        head.push_str("\r\nContent-Length: ");
        head.push_str(&bytes.to_string());
    }
    head.push_str("\r\n\r\n");
    head
}

fn closing(boundary: &str) -> String {
    format!("\r\n--{boundary}--\r\n")
}

/// A boundary no content can foresee.
fn boundary() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn response(kind: &str, boundary: &str, length: Option<u64>, body: ByteStream) -> Response {
    let mut response = Body::from_stream(body).into_response();
    let content_type = format!("multipart/related; type=\"{kind}\"; boundary={boundary}");
    put(&mut response, CONTENT_TYPE, &content_type);
    if let Some(length) = length {
        put(&mut response, CONTENT_LENGTH, &length.to_string());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::response::Response;
    use bytes::Bytes;
    use futures::StreamExt;
    use futures::stream;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::{Part, related, related_one, single};
    use crate::archive::error::ArchiveError;

    fn part(content: &[u8]) -> Part {
        let bytes = Bytes::copy_from_slice(content);
        Part::of_bytes("application/dicom; transfer-syntax=1.2".into(), "http://h/i".into(), bytes)
    }

    fn broken(announced: Option<u64>, pieces: Vec<Result<&'static [u8], ArchiveError>>) -> Part {
        let pieces = pieces.into_iter().map(|piece| piece.map(Bytes::from_static));
        Part { bytes: announced, body: stream::iter(pieces).boxed(), ..part(b"") }
    }

    async fn read(response: Response) -> (String, Vec<u8>) {
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        (kind, body)
    }

    /// Parts of a body, read with nothing but the grammar.
    fn split(kind: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let boundary = kind.split("boundary=").nth(1).unwrap();
        let marker = format!("\r\n--{boundary}");
        let mut whole = b"\r\n".to_vec();
        whole.extend_from_slice(body);
        let mut places: Vec<_> = memchr::memmem::find_iter(&whole, marker.as_bytes()).collect();
        let end = places.pop().unwrap();
        assert_eq!(&whole[end + marker.len()..], b"--\r\n");
        let ends: Vec<_> = places.iter().skip(1).copied().chain([end]).collect();
        places
            .into_iter()
            .zip(ends)
            .map(|(from, to)| {
                let part = &whole[from + marker.len() + 2..to];
                let blank = memchr::memmem::find(part, b"\r\n\r\n").unwrap();
                let head = String::from_utf8(part[..blank].to_vec()).unwrap();
                (head, part[blank + 4..].to_vec())
            })
            .collect()
    }

    #[tokio::test]
    async fn a_part_says_what_it_is_and_where_it_lives() {
        let (kind, body) = read(related_one("application/dicom", part(b"DICM\r\n--x"))).await;
        assert!(kind.starts_with("multipart/related; type=\"application/dicom\"; boundary="));
        let parts = split(&kind, &body);
        assert_eq!(
            parts,
            [(
                "Content-Type: application/dicom; transfer-syntax=1.2\r\n\
                 Content-Location: http://h/i\r\nContent-Length: 9"
                    .to_owned(),
                b"DICM\r\n--x".to_vec()
            )]
        );
    }

    #[tokio::test]
    async fn the_length_of_one_part_is_told_and_true() {
        let response = related_one("application/dicom", part(b"12345"));
        let told: usize = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert_eq!(read(response).await.1.len(), told);
        assert_eq!(single(part(b"12345")).headers()["content-length"], "5");
    }

    #[tokio::test]
    async fn an_error_half_way_is_never_an_end() {
        let fails = || Err(ArchiveError::Stopping);
        for bad in [
            broken(None, vec![Ok(b"half"), fails()]),
            broken(Some(5), vec![Ok(b"half")]),
            broken(Some(3), vec![Ok(b"half")]),
        ] {
            let parts = stream::iter([Ok(part(b"whole")), Ok(bad), Ok(part(b"never"))]);
            let response = related("application/dicom", parts).await.unwrap();
            let mut body = response.into_body();
            let mut seen = Vec::new();
            let error = loop {
                match body.frame().await {
                    Some(Ok(frame)) => seen.extend_from_slice(frame.data_ref().unwrap()),
                    other => break other.expect("an end that looks complete"),
                }
            };
            assert!(error.is_err());
            assert!(!seen.ends_with(b"--\r\n"));
            assert!(body.frame().await.is_none(), "nothing follows an error");
        }
        let parts = stream::iter([Ok(part(b"whole")), Err(ArchiveError::Stopping)]);
        let response = related("application/dicom", parts).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
    }

    #[tokio::test]
    async fn what_fails_at_once_is_a_problem() {
        let parts = stream::iter([Err(ArchiveError::Unknown("x".into()))]);
        assert_eq!(related("application/dicom", parts).await.unwrap_err().status, 404);
        let none: [Result<Part, ArchiveError>; 0] = [];
        assert_eq!(related("x/y", stream::iter(none)).await.unwrap_err().status, 404);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..6)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let parts: Vec<_> = contents.iter().map(|content| Ok(part(content))).collect();
            let (kind, body) = runtime.block_on(async {
                read(related("application/dicom", stream::iter(parts)).await.unwrap()).await
            });
            let read: Vec<_> = split(&kind, &body).into_iter().map(|(_, content)| content).collect();
            prop_assert_eq!(read, contents);
        }
    }
}
