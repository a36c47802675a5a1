//! Cross-origin requests: which pages of other sites may read answers (WHATWG Fetch §3.2).
//!
//! Off unless origins are named. Preflight requests are answered here; every other `OPTIONS` goes
//! on to its resource, which may have capabilities to tell.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

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

/// Dresses a router; without origins it stays as it is.
pub fn dress(router: Router, origins: Origins) -> Router {
    if origins.is_empty() {
        return router;
    }
    router.layer(from_fn_with_state(Arc::new(origins), share))
}

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

    #[test]
    fn what_is_no_origin_is_refused_at_the_start() {
        for bad in ["viewer.example", "ftp://x", "https://x/path", "https://u@x", "", "null"] {
            assert!(Origins::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
