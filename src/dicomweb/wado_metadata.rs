//! WADO-RS: metadata as DICOM JSON or XML (PS3.18 §10.4.1.1.2).

use std::io::Read;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use futures::stream;
use futures::{Stream, StreamExt, TryStreamExt};

use crate::archive::metadata::Metadata;
use crate::archive::retrieve::ByteStream;
use crate::dicomweb::media::{DICOM_JSON, DICOM_XML, JSON};
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::Retrieval;
use crate::dicomweb::xml_answer::related_xml;
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::imaging::error::ImagingError;

/// Bytes inflated at a time: about a tenth of a millisecond.
const INFLATED_BYTES: usize = 32 * 1024;

/// Retrieve Metadata: `GET …/metadata` of a study, series or instance. Compressed when it lies
/// ready so and the client takes it.
pub async fn retrieve_metadata(asked: Retrieval) -> Result<Response, Problem> {
    let chosen = choose(&asked.accept, &OFFERS).and_then(|chosen| OFFERS.get(chosen));
    let media = chosen.ok_or_else(not_acceptable)?.media;
    let base = asked.urls.root();
    let opaque = asked.archive.metadata_etag(&asked.permit, &asked.scope, base).await?;
    let (plain, gzipped) = (ETag::strong(&opaque), ETag::strong(&format!("{opaque}-gzip")));
    let xml = ETag::weak(&format!("{opaque}-xml"));
    for etag in [&plain, &gzipped, &xml] {
        if let Some(response) = etag.not_modified(&asked.headers) {
            return Ok(vary(response));
        }
    }
    let metadata = asked.archive.metadata(&asked.permit, &asked.scope, base).await?;
    if media == DICOM_XML {
        let mut response = related_xml(plain_bytes(metadata), Some(asked.urls)).await?;
        xml.write(response.headers_mut());
        return Ok(vary(response));
    }
    let gzip = takes_gzip(&asked.headers) && matches!(metadata, Metadata::Gzipped(_));
    let mut response = body(metadata, gzip).await?;
    put(&mut response, CONTENT_TYPE, media);
    if gzip { &gzipped } else { &plain }.write(response.headers_mut());
    Ok(vary(response))
}

/// What metadata is given as. The XML is always multipart, also for a client that does not say so.
const OFFERS: [Offer<'static>; 4] = [
    Offer { media: DICOM_JSON, multipart: false, syntax: None },
    Offer { media: JSON, multipart: false, syntax: None },
    Offer { media: DICOM_XML, multipart: true, syntax: None },
    Offer { media: DICOM_XML, multipart: false, syntax: None },
];

fn not_acceptable() -> Problem {
    Problem::not_acceptable(
        "metadata is given as application/dicom+json or multipart/related; \
         type=\"application/dicom+xml\"",
    )
}

/// Metadata as plain JSON.
fn plain_bytes(metadata: Metadata) -> ByteStream {
    match metadata {
        Metadata::Gzipped(bytes) => {
            let damaged = |error: std::io::Error| ImagingError::Damaged(error.to_string()).into();
            inflate(bytes).map_err(damaged).boxed()
        }
        Metadata::Plain(pieces) => pieces,
    }
}

fn vary(mut response: Response) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}

async fn body(metadata: Metadata, gzip: bool) -> Result<Response, Problem> {
    match metadata {
        Metadata::Gzipped(bytes) if gzip => {
            let length = bytes.len();
            let mut response = Body::from(bytes).into_response();
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            put(&mut response, CONTENT_LENGTH, &length.to_string());
            Ok(response)
        }
        Metadata::Gzipped(bytes) => Ok(Body::from_stream(inflate(bytes)).into_response()),
        Metadata::Plain(mut pieces) => {
            // The first piece is waited for, so that what fails at once is a problem.
            let first = pieces.try_next().await?;
            let pieces = stream::iter(first.map(Ok)).chain(pieces);
            Ok(Body::from_stream(pieces).into_response())
        }
    }
}

/// Whether the client takes gzip (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|field| field.to_str().ok());
    let mut any = false;
    for coding in codings.flat_map(|field| field.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1").trim();
        let taken = weight.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return taken,
            "*" => any = taken,
            _ => {}
        }
    }
    any
}

/// Inflates in small pieces, giving other tasks their turn between them.
fn inflate(bytes: Bytes) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    let decoder = MultiGzDecoder::new(bytes.reader());
    stream::try_unfold(decoder, |mut decoder| async move {
        tokio::task::yield_now().await;
        let mut piece = Vec::with_capacity(INFLATED_BYTES);
        let most = u64::try_from(INFLATED_BYTES).unwrap_or(u64::MAX);
        decoder.by_ref().take(most).read_to_end(&mut piece)?;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), decoder)))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderMap;
    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures::{StreamExt, TryStreamExt};
    use http_body_util::BodyExt;

    use super::{INFLATED_BYTES, body, inflate, takes_gzip};
    use crate::archive::error::ArchiveError;
    use crate::archive::metadata::Metadata;

    fn gzipped(content: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        for (field, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("gzip;q=0.0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept-encoding", field.parse().unwrap());
            assert_eq!(takes_gzip(&headers), expected, "{field}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn what_lies_compressed_comes_out_plain_in_pieces() {
        let content = b"[{}]".repeat(50_000);
        let pieces: Vec<Bytes> = inflate(gzipped(&content)).try_collect().await.unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= INFLATED_BYTES));
        assert_eq!(pieces.concat(), content);
    }

    #[tokio::test]
    async fn a_cut_gzip_is_an_error_and_not_an_end() {
        let whole = gzipped(&b"[{}]".repeat(50_000));
        let cut = whole.slice(..whole.len() - 9);
        assert!(inflate(cut).try_collect::<Vec<_>>().await.is_err());
    }

    #[tokio::test]
    async fn each_form_of_metadata_becomes_a_body() {
        let response = body(Metadata::Gzipped(gzipped(b"[]")), true).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let plain = body(Metadata::Gzipped(gzipped(b"[1]")), false).await.unwrap();
        assert_eq!(plain.into_body().collect().await.unwrap().to_bytes(), "[1]");
        let pieces = futures::stream::iter([Ok("[".into()), Ok("]".into())]).boxed();
        let plain = body(Metadata::Plain(pieces), true).await.unwrap();
        assert_eq!(plain.into_body().collect().await.unwrap().to_bytes(), "[]");
        let fails = futures::stream::iter([Err(ArchiveError::Unknown("x".into()))]).boxed();
        assert_eq!(body(Metadata::Plain(fails), true).await.unwrap_err().status, 404);
    }
}
