//! Cross-origin requests: which pages of other sites may read answers (WHATWG Fetch §3.2).
//!
//! None unless origins are named; nor may pages of others change anything, which browsers would let
//! them without reading the answer. Preflight requests are answered here; every other `OPTIONS` goes
//! on to its resource, which may have capabilities to tell.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST,
    ORIGIN, VARY,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;

/// Methods pages may use.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");

/// Fields pages may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Charset, Authorization, Content-Type, If-Match, If-None-Match, If-Range, \
     Last-Event-ID, Range",
);

/// Fields of answers pages may read, beside those every page may.
const READ: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Content-Disposition, Content-Location, Content-Range, ETag, Location, \
     Retry-After, Warning, WWW-Authenticate, X-Request-ID, X-Total-Count, X-Total-Count-At-Least",
);

/// Seconds a browser may remember an answer to a preflight request.
const REMEMBERED: HeaderValue = HeaderValue::from_static("3600");

/// The origins whose pages may read answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    any: bool,
    named: Vec<HeaderValue>,
    own: Option<HeaderValue>,
}

/// An origin that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "http.cors_origins: {0} is not an origin like https://viewer.example or http://localhost:3000"
)]
pub struct BadOrigin(String);

impl Origins {
    /// Of a setting: `*` alone, or scheme, host and port of each.
    pub fn new(origins: &[String]) -> Result<Self, BadOrigin> {
        let mut all = Self::default();
        for origin in origins {
            if origin == "*" {
                all.any = true;
                continue;
            }
            let bad = || BadOrigin(origin.clone());
            let text = origin.trim_end_matches('/').to_ascii_lowercase();
            let uri: Uri = text.parse().map_err(|_| bad())?;
            let schemed = matches!(uri.scheme_str(), Some("http" | "https"));
            let bare = uri.path() == "/" && uri.query().is_none() && !text.contains('@');
            if !schemed || uri.authority().is_none() || !bare {
                return Err(bad());
            }
            all.named.push(HeaderValue::try_from(text).map_err(|_| bad())?);
        }
        Ok(all)
    }

    /// Where this server is reached behind a proxy: its own pages come from there.
    #[must_use]
    pub fn at(mut self, public_url: Option<&str>) -> Self {
        let origin = public_url.and_then(|url| {
            let (scheme, rest) = url.split_once("://")?;
            let origin = format!("{scheme}://{}", rest.split('/').next()?).to_ascii_lowercase();
            HeaderValue::try_from(origin).ok()
        });
        self.own = origin;
        self
    }

    fn is_empty(&self) -> bool {
        !self.any && self.named.is_empty()
    }

    /// What to answer the page of `origin` with; `None`: it may not read.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        self.named.contains(origin).then(|| origin.clone())
    }
}

/// Dresses a router.
pub fn dress(router: Router, origins: Origins) -> Router {
    let origins = Arc::new(origins);
    let router = router.layer(from_fn_with_state(Arc::clone(&origins), guard));
    if origins.is_empty() {
        return router;
    }
    router.layer(from_fn_with_state(origins, share))
}

/// Refuses what a page of another site makes a browser send and that changes something. Programs
/// send neither field; browsers send one of both.
async fn guard(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_own(&request) || is_named(&origins, &request) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "Sent by another site's page",
        "a page of another site may change nothing here; name its origin in http.cors_origins if it may",
    )
    .into_response()
}

/// Whether no browser sent it, or one for a page of this very server (WHATWG Fetch §3.1, Fetch
/// Metadata §2.4).
fn is_own(request: &Request) -> bool {
    let headers = request.headers();
    match (headers.get(FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, None) => true,
        (None, Some(origin)) => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
            let theirs = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            matches!((host, theirs), (Some(host), Some((_, theirs))) if theirs.eq_ignore_ascii_case(host))
        }
    }
}

fn is_named(origins: &Origins, request: &Request) -> bool {
    let origin = request.headers().get(ORIGIN);
    origin.is_some_and(|origin| {
        origins.own.as_ref() == Some(origin) || origins.allowed(origin).is_some()
    })
}

/// Where a browser's request comes from (Fetch Metadata §2.4).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

async fn share(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let allowed = origin.as_ref().and_then(|origin| origins.allowed(origin));
    let preflight = request.method() == Method::OPTIONS
        && origin.is_some()
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        write(headers, allowed, preflight);
    }
    response
}

fn write(headers: &mut HeaderMap, allowed: HeaderValue, preflight: bool) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    } else {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::{Origins, dress};

    fn origins(origins: &[&str]) -> Origins {
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        Origins::new(&origins).unwrap()
    }

    async fn ask(allowed: &[&str], method: &str, fields: &[(&str, &str)]) -> Response {
        let router = Router::new().route("/x", get(|| async { "x" }).options(|| async { "can" }));
        let mut request = Request::builder().method(method).uri("/x");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let router = dress(router, origins(allowed));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn only_pages_of_named_origins_may_read() {
        let viewer = ("origin", "https://viewer.example");
        for (allowed, expected) in [
            (&["https://viewer.example/"][..], Some("https://viewer.example")),
            (&["http://localhost:3000", "HTTPS://Viewer.example"], Some("https://viewer.example")),
            (&["*"], Some("*")),
            (&["https://viewer.example:444"], None),
            (&["https://other.example"], None),
            (&[], None),
        ] {
            let response = ask(allowed, "GET", &[viewer]).await;
            let got = response.headers().get("access-control-allow-origin");
            assert_eq!(got.map(|value| value.to_str().unwrap()), expected, "{allowed:?}");
            assert_eq!(response.status(), 200);
            let exposed = response.headers().get("access-control-expose-headers");
            assert_eq!(exposed.is_some(), expected.is_some());
            assert_eq!(response.headers().contains_key("vary"), !allowed.is_empty());
        }
    }

    #[tokio::test]
    async fn a_preflight_request_is_answered_and_capabilities_are_not_swallowed() {
        let viewer = ("origin", "https://v.example");
        let asks = ("access-control-request-method", "POST");
        let response = ask(&["https://v.example"], "OPTIONS", &[viewer, asks]).await;
        assert_eq!(response.status(), 204);
        let methods = response.headers()["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.contains("POST"));
        let refused = ask(&["https://other.example"], "OPTIONS", &[viewer, asks]).await;
        assert!(!refused.headers().contains_key("access-control-allow-methods"));
        let plain = ask(&["*"], "OPTIONS", &[viewer]).await;
        assert_eq!((plain.status().as_u16(), plain.headers().contains_key("allow")), (200, false));
    }

    #[tokio::test]
    async fn a_page_of_another_site_changes_nothing() {
        let (own, other) = (("origin", "http://pacs:8042"), ("origin", "https://evil.example"));
        let site = |site| ("sec-fetch-site", site);
        let host = ("host", "pacs:8042");
        for (allowed, fields, expected) in [
            (&[][..], &[host][..], 405),
            (&[], &[host, own], 405),
            (&[], &[host, other], 403),
            (&[], &[host, ("origin", "null")], 403),
            (&[], &[other], 403),
            (&[], &[host, own, site("same-origin")], 405),
            (&[], &[host, site("none")], 405),
            (&[], &[host, other, site("cross-site")], 403),
            (&[], &[host, own, site("same-site")], 403),
            (&["https://evil.example"], &[host, other, site("cross-site")], 405),
            (&["*"], &[host, other], 405),
        ] {
            // Nothing takes a POST here: who may ask hears so.
            for (method, expected) in [("POST", expected), ("DELETE", expected), ("GET", 200)] {
                let response = ask(allowed, method, fields).await;
                assert_eq!(response.status().as_u16(), expected, "{method} {allowed:?} {fields:?}");
            }
        }
    }

    #[tokio::test]
    async fn behind_a_proxy_the_public_address_is_its_own() {
        let router =
            dress(Router::new(), Origins::default().at(Some("https://PACS.example/lastra")));
        for (origin, expected) in [("https://pacs.example", 404), ("https://pacs.example:1", 403)] {
            let request = Request::post("/x").header("host", "127.0.0.1:8042");
            let request = request.header("origin", origin).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status().as_u16(), expected, "{origin}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_at_the_start() {
        for bad in ["viewer.example", "ftp://x", "https://x/path", "https://u@x", "", "null"] {
            assert!(Origins::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
