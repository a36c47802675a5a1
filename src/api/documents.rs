//! `/documents`: brought, described, given as they came, and as pages people can read.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header::ACCEPT;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::header::CONTENT_LENGTH;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::VARY;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Value;

use crate::api::asked::Numbered;
use crate::api::asked::answer;
use crate::api::asked::made;
use crate::api::door::Desk;
use crate::api::door::Door;
use crate::api::error::problem;
use crate::archive::document::Reading;
use crate::fascicolo::intake::Arriving;
use crate::fascicolo::told;
use crate::http::caching::ETag;
use crate::http::caching::PRIVATE;
use crate::http::problem::Problem;
use crate::index::fascicolo::LinksOf;
use crate::model::document::Document;
use crate::model::ids;

/// No page of a stranger's text may run, load or send anything.
const HARMLESS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// `POST /documents`: a CDA, a PDF (a CDA inside is found) or a text. It is kept whatever it says; the
/// answer names the national rules it breaks, whose it is and what it was linked to. 200 where the
/// same bytes were here.
pub async fn bring(
    State(door): State<Door>,
    desk: Desk,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Problem> {
    let received = door.places.receive(&headers, sent).await?;
    if received.bytes.is_empty() {
        return Err(Problem::bad_request("the body is empty: send the document's bytes"));
    }
    let bytes = received.bytes.clone();
    let arriving = Arriving { bytes, source: "http".to_owned(), ..Arriving::default() };
    let taken = desk.fascicolo.take(&desk.permit, arriving).await.map_err(problem)?;
    let told = desk.document_told(&taken.document).await?;
    Ok(if taken.known { answer(told) } else { made(told) })
}

/// `GET /documents/{document}`: what is known of it, and its links.
pub async fn document(desk: Desk, Numbered(document): Numbered) -> Result<Response, Problem> {
    let found = desk.fascicolo.document(&desk.permit, document).await.map_err(problem)?;
    Ok(answer(desk.document_told(&found).await?))
}

/// `GET /documents/{document}/content`: its bytes as they came.
pub async fn content(
    desk: Desk,
    headers: HeaderMap,
    Numbered(document): Numbered,
) -> Result<Response, Problem> {
    let found = desk.fascicolo.document(&desk.permit, document).await.map_err(problem)?;
    let etag = ETag::strong(&ids::of_document(&found.sha256));
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let stream = desk.fascicolo.document_stream(&desk.permit, &found).map_err(problem)?;
    let mut response = Body::from_stream(stream).into_response();
    put(&mut response, CONTENT_TYPE, &found.media_type);
    put(&mut response, CONTENT_LENGTH, &found.blob_bytes.to_string());
    put(&mut response, CONTENT_DISPOSITION, "attachment");
    put(&mut response, CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    etag.write(response.headers_mut());
    Ok(response)
}

/// `GET /documents/{document}/rendered`: as a page, HTML or plain text.
pub async fn rendered(
    desk: Desk,
    headers: HeaderMap,
    Numbered(document): Numbered,
) -> Result<Response, Problem> {
    let found = desk.fascicolo.document(&desk.permit, document).await.map_err(problem)?;
    let reading = reading(&headers)?;
    let etag = ETag::strong(&format!("{}-{reading:?}", ids::of_document(&found.sha256)));
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let page = desk.fascicolo.page_of(&desk.permit, &found, reading).await.map_err(problem)?;
    let mut response = page.into_response();
    put(&mut response, CONTENT_TYPE, reading.media_type());
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HARMLESS);
    put(&mut response, VARY, "accept");
    etag.write(response.headers_mut());
    Ok(response)
}

/// HTML unless only plain text is taken.
fn reading(headers: &HeaderMap) -> Result<Reading, Problem> {
    let accept = headers.get(ACCEPT).map_or("*/*", |accept| accept.to_str().unwrap_or_default());
    let takes = |names: &[&str]| {
        accept.split(',').any(|range| {
            let media = range.split(';').next().unwrap_or_default().trim();
            names.iter().any(|name| media.eq_ignore_ascii_case(name))
        })
    };
    match (takes(&["text/html", "text/*", "*/*"]), takes(&["text/plain"])) {
        (true, _) => Ok(Reading::Html),
        (false, true) => Ok(Reading::Plain),
        (false, false) => Err(Problem::not_acceptable("a page is text/html or text/plain")),
    }
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE);
}

impl Desk {
    /// A document with its links.
    async fn document_told(&self, document: &Document) -> Result<Value, Problem> {
        let links = self.fascicolo.links(&self.permit, LinksOf::Document(document.id)).await;
        let mut told = told::document(document);
        told["links"] = links.map_err(problem)?.iter().map(told::link).collect();
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;

    use super::reading;
    use crate::archive::document::Reading;

    #[test]
    fn a_page_is_html_unless_only_text_is_taken() {
        let of = |accept: &'static str| {
            let field = ("accept".parse().unwrap(), HeaderValue::from_static(accept));
            reading(&HeaderMap::from_iter([field]))
        };
        for accept in ["text/html", "*/*", "text/plain;q=0.5, TEXT/HTML", "text/*"] {
            assert_eq!(of(accept).unwrap(), Reading::Html, "{accept}");
        }
        assert_eq!(of("text/plain; q=0.9").unwrap(), Reading::Plain);
        assert_eq!(of("image/png").unwrap_err().status.as_u16(), 406);
        assert_eq!(reading(&HeaderMap::new()).unwrap(), Reading::Html);
    }
}
