//! Answers of documents: structured reports and encapsulated documents (PS3.18 Table 8.7.4-1, Text).

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;

use crate::archive::document::{Encapsulated, Reading, reading_tag};
use crate::archive::picture::Picture;
use crate::dicomweb::multipart::{Part, primed, related_one, single};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::rendered_pictures::whole;
use crate::dicomweb::wado::{Retrieval, vary};
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::index::port::Located;

/// No page of a stranger's text may run, load or send anything.
const HARMLESS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// A structured report as text/html or text/plain.
pub async fn report(asked: &Retrieval, located: &Located) -> Result<Response, Problem> {
    let readings = [(Reading::Html, "text/html"), (Reading::Plain, "text/plain")];
    let offers = readings.map(|(_, media)| offer(media));
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| readings.get(chosen));
    let (reading, _) = *chosen.ok_or_else(|| {
        Problem::not_acceptable("a structured report is given as text/html or text/plain")
    })?;
    let etag = ETag::strong(&reading_tag(located, reading));
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let page = asked.archive.report(&asked.permit, located, reading).await?;
    Ok(page_of(asked, page))
}

/// An encapsulated document as it is; CDA also as text/html and text/plain.
pub async fn encapsulated(asked: &Retrieval, located: &Located) -> Result<Response, Problem> {
    let document = asked.archive.encapsulated(&asked.permit, located).await?;
    let own = document.media_type.clone();
    let own = own.split(';').next().unwrap_or_default().trim().to_owned();
    let is_cda = matches!(own.as_str(), "text/xml" | "application/xml") || own.contains("cda");
    let media: Vec<&str> = if is_cda {
        vec!["text/html", "text/plain", "text/xml", "application/xml"]
    } else {
        vec![&own]
    };
    let single = media.iter().map(|media| offer(media));
    // In a part it is as it is stored.
    let stored = media.iter().filter(|media| !is_cda || media.ends_with("/xml"));
    let parts = stored.map(|media| Offer { multipart: true, ..offer(media) });
    let offers: Vec<Offer<'_>> = single.chain(parts).collect();
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| offers.get(chosen));
    let chosen = *chosen.ok_or_else(|| {
        Problem::not_acceptable(format!("the document is given as {}", media.join(", ")))
    })?;
    let reading = match chosen.media {
        "text/html" if is_cda => Some(Reading::Html),
        "text/plain" if is_cda => Some(Reading::Plain),
        _ => None,
    };
    match reading {
        Some(reading) => {
            let page = asked.archive.narrative(&document, reading).await?;
            Ok(page_of(asked, page))
        }
        None => as_it_is(asked, located, &document, &chosen).await,
    }
}

fn offer(media: &str) -> Offer<'_> {
    Offer { media, multipart: false, syntax: None }
}

async fn as_it_is(
    asked: &Retrieval,
    located: &Located,
    document: &Encapsulated,
    chosen: &Offer<'_>,
) -> Result<Response, Problem> {
    let etag = ETag::strong(&document.etag);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let part = Part {
        content_type: chosen.media.to_owned(),
        location: format!("{}/rendered", asked.urls.of(&located.path)),
        bytes: Some(document.bytes),
        body: primed(asked.archive.document_bytes(document)).await?,
    };
    let mut response =
        if chosen.multipart { related_one(chosen.media, part) } else { single(part) };
    let etag = if chosen.multipart { ETag::weak(&document.etag) } else { etag };
    etag.write(response.headers_mut());
    harmless(&mut response, chosen.media);
    Ok(vary(response))
}

fn page_of(asked: &Retrieval, page: Picture) -> Response {
    let media = page.media_type;
    let mut response = whole(&asked.headers, page);
    harmless(&mut response, media);
    response
}

/// What a browser may do with it. Readers of PDF need to run, in a place of the browser's own.
fn harmless(response: &mut Response, media: &str) {
    if media != "application/pdf" {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HARMLESS);
    }
}
