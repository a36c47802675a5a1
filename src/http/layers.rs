//! What wraps every request of every door: request id, span, figures, limits, and a panic made a
//! problem.

use std::any::Any;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::http::limits::{Gate, Limits, admit};
use crate::http::problem::Problem;

/// Names a request in the log and in its answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id a request got; among its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Dresses a router: all its routes get the layers of this room. Call it once, on the router that
/// holds every door's routes.
pub fn dress(router: Router, limits: Limits) -> Router {
    router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Gate::new(limits), admit))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| panicked()))
        .layer(from_fn(watch))
}

async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        format!("{method} is not among this resource's methods"),
    )
}

/// Middleware: gives the request an id and a span, and counts and times it. The span and the
/// figures name the route's pattern, never the address itself, which holds UIDs and names.
async fn watch(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let method = method_name(request.method());
    let id = uuid::Uuid::new_v4().simple().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("http", id, method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    let status = response.status();
    let elapsed = begun.elapsed();
    span.in_scope(|| {
        let status = status.as_u16();
        tracing::debug!(status, us = elapsed.as_micros(), "request answered");
    });
    metrics::histogram!(
        "lastra_http_request_duration_seconds",
        "route" => route, "method" => method, "status_class" => class(status.as_u16())
    )
    .record(elapsed.as_secs_f64());
    response
}

/// A method as a label: the known ones, all others alike, so that labels stay few.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// The panic's own words may quote a patient's data: where it happened, the panic hook tells.
fn panicked() -> Response {
    metrics::counter!("lastra_http_panics_total").increment(1);
    tracing::error!("request panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::dress;
    use crate::http::limits::Limits;

    #[expect(clippy::unused_async, reason = "a handler must be async")]
    async fn never() -> &'static str {
        panic!("as the test wants")
    }

    async fn answer(method: &str, uri: &str) -> Response {
        let router = Router::new()
            .route("/well", get(|| async { "well" }))
            .route("/panic", get(|| async { never().await }));
        let router: Router = dress(router, Limits::default());
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_has_an_id_and_problems_are_problems() {
        for (method, uri, status) in [
            ("GET", "/well", 200),
            ("HEAD", "/well", 200),
            ("GET", "/elsewhere", 404),
            ("DELETE", "/well", 405),
            ("GET", "/panic", 500),
        ] {
            let response = answer(method, uri).await;
            assert_eq!(response.status(), status, "{method} {uri}");
            assert_eq!(response.headers()["x-request-id"].len(), 32);
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.headers().contains_key("allow"), status == 405);
            if status >= 400 {
                assert_eq!(response.headers()["content-type"], "application/problem+json");
            }
        }
    }
}
