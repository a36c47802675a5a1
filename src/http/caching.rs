//! Validators and conditional requests (RFC 9110 §13), and what caches may do with patient data.

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// What every answer that holds patient data says to caches: the client's own may keep it, and
/// must ask each time whether it still may show it. Shared caches may not.
pub const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A representation's validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag {
    opaque: String,
    weak: bool,
}

impl ETag {
    /// A validator of exactly these bytes. Characters an entity tag may not hold become `_`.
    pub fn strong(opaque: &str) -> Self {
        Self { opaque: clean(opaque), weak: false }
    }

    /// A validator of the content, not of each byte (multipart answers have a random boundary).
    pub fn weak(opaque: &str) -> Self {
        Self { opaque: clean(opaque), weak: true }
    }

    /// Whether the entity tag `text` is this one by the strong comparison.
    pub fn is_strongly(&self, text: &str) -> bool {
        let opaque = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        !self.weak && opaque == Some(self.opaque.as_str())
    }

    /// Whether the request's `If-None-Match` names this validator, by the weak comparison.
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|field| field.to_str().ok())
            .any(|field| field.trim() == "*" || tags(field).any(|tag| tag == self.opaque))
    }

    /// 304, when the client has this already.
    pub fn not_modified(&self, headers: &HeaderMap) -> Option<Response> {
        self.is_known(headers).then(|| {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            self.write(response.headers_mut());
            response
        })
    }

    /// Writes `ETag` and `Cache-Control`.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, PRIVATE);
        let text = format!("{}\"{}\"", if self.weak { "W/" } else { "" }, self.opaque);
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(ETAG, value);
        }
    }
}

fn clean(opaque: &str) -> String {
    opaque.chars().map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' }).collect()
}

/// Opaque parts of a list of entity tags; commas may stand inside the quotes.
fn tags(field: &str) -> impl Iterator<Item = &str> {
    field.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use proptest::prelude::*;

    use super::ETag;

    #[test]
    fn a_known_validator_answers_not_modified() {
        let etag = ETag::strong("a,b-1");
        for (field, known) in [
            ("\"a,b-1\"", true),
            ("W/\"a,b-1\"", true),
            ("\"x\", W/\"y\" ,\"a,b-1\"", true),
            ("*", true),
            (" * ", true),
            ("\"a\"", false),
            ("a,b-1", false),
            ("\"x\", \"y\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("if-none-match", field.parse().unwrap());
            assert_eq!(etag.is_known(&headers), known, "{field}");
            let status = etag.not_modified(&headers).map(|response| response.status());
            assert_eq!(status, known.then_some(StatusCode::NOT_MODIFIED));
        }
        assert!(!etag.is_known(&HeaderMap::new()));
    }

    #[test]
    fn validators_are_written_with_what_caches_may_do() {
        let mut headers = HeaderMap::new();
        ETag::weak("x\"\r\ny").write(&mut headers);
        assert_eq!(headers["etag"], "W/\"x___y\"");
        assert_eq!(headers["cache-control"], "private, no-cache");
    }

    proptest! {
        #[test]
        fn no_list_panics(field in "[ -~]*") {
            let mut headers = HeaderMap::new();
            headers.insert("if-none-match", field.parse().unwrap());
            ETag::strong("t").is_known(&headers);
        }
    }
}
