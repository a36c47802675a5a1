//! Retrieve Capabilities: `OPTIONS /` of the service (PS3.18 §8.9, Annexes G and H).

use axum::extract::State;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::Urls;
use crate::dicomweb::door::Door;
use crate::dicomweb::media::JSON;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wadl::{application, to_json, to_xml};
use crate::dicomweb::wado::vary;
use crate::http::openapi::{described, validator};
use crate::http::problem::Problem;

/// Web Application Description Language (PS3.18 §8.9.4).
const WADL: &str = "application/vnd.sun.wadl+xml";

/// `OPTIONS /`
pub async fn capabilities(
    State(_): State<Door>,
    headers: HeaderMap,
    accept: Accept,
    urls: Urls,
) -> Result<Response, Problem> {
    let offers = [WADL, JSON].map(|media| Offer { media, multipart: false, syntax: None });
    let chosen = choose(&accept, &offers).and_then(|chosen| offers.get(chosen));
    let media = chosen.ok_or_else(|| {
        Problem::not_acceptable(format!("capabilities are given as {WADL} and {JSON}"))
    })?;
    let tree = application(urls.root());
    let (media, body) = match media.media {
        JSON => (HeaderValue::from_static(JSON), to_json(&tree).to_string()),
        _ => (HeaderValue::from_static(WADL), to_xml(&tree)),
    };
    let mut response = described(&headers, &validator(body.as_bytes()), media, body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("OPTIONS"));
    Ok(vary(response))
}
