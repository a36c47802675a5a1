//! Limits on requests: length of the address, body, time, how many at once; past them the client
//! is told politely, not dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::problem::Problem;

/// Limits every request is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest path and query, in bytes (414). Lists of UIDs make long ones.
    pub uri_bytes: usize,
    /// Longest request body, in bytes (413), but on the routes of `large_bodies`.
    pub body_bytes: u64,
    /// Patterns of routes that take bodies of any length as a stream, and time these themselves.
    pub large_bodies: &'static [&'static str],
    /// Time until the answer must have begun (503), but for a `POST` to `large_bodies`.
    pub answer_within: Duration,
    /// Most requests under way, bodies included (503).
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            uri_bytes: 16 * 1024,
            body_bytes: 64 * 1024,
            large_bodies: &[],
            answer_within: Duration::from_mins(1),
            requests: 512,
        }
    }
}

/// Lets requests through, or not.
#[derive(Debug, Clone)]
pub struct Gate {
    limits: Limits,
    places: Arc<Semaphore>,
}

impl Gate {
    /// A gate with all places free.
    pub fn new(limits: Limits) -> Self {
        Self { limits, places: Arc::new(Semaphore::new(limits.requests)) }
    }
}

/// Middleware: holds a request to the gate's limits.
pub async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if let Err(problem) = check(&gate.limits, &request) {
        return problem.into_response();
    }
    let Ok(place) = Arc::clone(&gate.places).try_acquire_owned() else {
        metrics::counter!("lastra_http_requests_turned_away_total").increment(1);
        return Problem::unavailable("too many requests under way; try again").into_response();
    };
    let within =
        if is_large(&gate.limits, &request) { Duration::MAX } else { gate.limits.answer_within };
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response.map(|body| Body::new(Held { body, _place: place })),
        Err(_) => Problem::unavailable("no answer in time; try again").into_response(),
    }
}

fn check(limits: &Limits, request: &Request) -> Result<(), Problem> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.uri_bytes {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "Address too long",
            format!("the address may have {} bytes", limits.uri_bytes),
        ));
    }
    if is_large(limits, request) {
        return Ok(());
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|l: u64| l > limits.body_bytes) {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "Body too large",
            format!("a request's body may have {} bytes", limits.body_bytes),
        ));
    }
    Ok(())
}

/// Whether the request brings a large body where one may be brought.
fn is_large(limits: &Limits, request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    request.method() == Method::POST
        && route.is_some_and(|route| limits.large_bodies.contains(&route))
}

/// A body that keeps its request's place until it ends or is dropped.
#[derive(Debug)]
struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::{Gate, Limits, admit};

    fn router(limits: Limits) -> Router {
        Router::new()
            .route("/quick", get(|| async { "quick" }))
            .route("/never", get(std::future::pending::<()>))
            .layer(from_fn_with_state(Gate::new(limits), admit))
    }

    async fn status(router: &Router, uri: &str) -> u16 {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn long_addresses_and_bodies_are_refused() {
        let router = router(Limits { uri_bytes: 20, body_bytes: 10, ..Limits::default() });
        assert_eq!(status(&router, "/quick").await, 200);
        assert_eq!(status(&router, &format!("/quick?{}", "x".repeat(20))).await, 414);
        let request =
            Request::get("/quick").header("content-length", "11").body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 413);
    }

    #[tokio::test]
    async fn a_route_that_streams_takes_bodies_of_any_length_and_time() {
        let limits = Limits {
            body_bytes: 10,
            large_bodies: &["/stow"],
            answer_within: Duration::ZERO,
            ..Limits::default()
        };
        let router = Router::new()
            .route("/stow", axum::routing::any(tokio::task::yield_now))
            .layer(from_fn_with_state(Gate::new(limits), admit));
        for (method, status) in [("POST", 200), ("PUT", 413)] {
            let request = Request::builder().method(method).uri("/stow");
            let request = request.header("content-length", "11").body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{method}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_given_up() {
        let limits = Limits { answer_within: Duration::from_millis(20), ..Limits::default() };
        assert_eq!(status(&router(limits), "/never").await, 503);
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_body_is_gone() {
        let router = router(Limits { requests: 1, ..Limits::default() });
        let request = Request::get("/quick").body(Body::empty()).unwrap();
        let first = router.clone().oneshot(request).await.unwrap();
        assert_eq!(status(&router, "/quick").await, 503);
        drop(first);
        assert_eq!(status(&router, "/quick").await, 200);
    }
}
