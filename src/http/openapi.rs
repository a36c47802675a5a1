//! The description of everything the archive answers over HTTP: `openapi.json` beside
//! this file, kept by hand. The capabilities of DICOMweb are drawn from it.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http::caching::ETag;

/// The document.
pub const TEXT: &str = include_str!("openapi.json");

/// The document, read.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

static VALIDATOR: LazyLock<ETag> = LazyLock::new(|| validator(TEXT.as_bytes()));

/// What a `$ref` of the document stands for; anything else stands for itself.
pub fn resolved(value: &Value) -> &Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| DOCUMENT.pointer(pointer)).unwrap_or(value)
}

/// `GET /openapi.json`
pub async fn description(headers: HeaderMap) -> Response {
    described(&headers, &VALIDATOR, HeaderValue::from_static("application/json"), TEXT.into())
}

/// A description, or 304 when the client has it: no patient's data, so every cache may keep it and
/// ask again.
pub fn described(
    headers: &HeaderMap,
    validator: &ETag,
    media: HeaderValue,
    body: String,
) -> Response {
    let mut response = validator.not_modified(headers).unwrap_or_else(|| {
        let mut response = ([(CONTENT_TYPE, media)], body).into_response();
        validator.write(response.headers_mut());
        response
    });
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The paths of one tag, or of all but one, as they are documented.
#[cfg(test)]
pub fn documented(of: impl Fn(&str) -> bool) -> std::collections::BTreeSet<String> {
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    let tagged = |item: &Value| {
        let mut methods = item.as_object().into_iter().flat_map(|item| item.values());
        methods.any(|method| method["tags"][0].as_str().is_some_and(&of))
    };
    paths.filter(|(_, item)| tagged(item)).map(|(path, _)| path.clone()).collect()
}

/// The patterns of a router, as its debug form shows them: axum tells them in no other way.
#[cfg(test)]
pub fn patterns<S>(router: &axum::Router<S>) -> std::collections::BTreeSet<String> {
    let shown = format!("{router:?}");
    let quoted = shown.split('"').skip(1).step_by(2).map(str::to_owned);
    // Two are axum's own, for what no route answers.
    let own = |text: &String| text == "/" || text.contains("__private__axum_fallback");
    quoted.filter(|text| text.starts_with('/') && !own(text)).collect()
}

/// The validator of a description.
pub fn validator(bytes: &[u8]) -> ETag {
    ETag::strong(&hex(&Sha256::digest(bytes)))
}

/// Lower case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
