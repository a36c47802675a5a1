//! `/healthz`, `/readyz` and `/metrics`: for whoever runs the archive, not for its users.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};

/// One thing that must work for the archive to be ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name: `index`, `blobs`, `dicom`.
    pub name: &'static str,
    /// What is wrong with it, in a few words without patient data; `None`: nothing.
    pub fault: Option<String>,
}

/// Whatever the server asks to know whether it is ready.
#[derive(Clone)]
pub struct Readiness(Arc<dyn Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync>);

impl Readiness {
    /// Readiness by a function that runs all checks, quickly.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readiness")
    }
}

/// The three routes. Without `metrics` there is no `/metrics`.
pub fn router(readiness: Readiness, metrics: Option<PrometheusHandle>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { ([(CACHE_CONTROL, "no-store")], "ok\n") }))
        .route("/readyz", get(ready).with_state(readiness));
    if let Some(metrics) = metrics {
        router = router.route("/metrics", get(figures).with_state(metrics));
    }
    router
}

/// 200 when every check passes, else 503; the body says which do.
async fn ready(State(readiness): State<Readiness>) -> Response {
    let checks = (readiness.0)().await;
    let ready = checks.iter().all(|check| check.fault.is_none());
    let checks: Map<String, Value> = checks
        .into_iter()
        .map(|check| (check.name.to_owned(), json!(check.fault.as_deref().unwrap_or("ok"))))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Json(json!({ "ready": ready, "checks": checks }));
    (status, [(CACHE_CONTROL, "no-store")], body).into_response()
}

/// Figures in the Prometheus text format.
async fn figures(State(metrics): State<PrometheusHandle>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use futures::FutureExt;
    use http_body_util::BodyExt;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::{Check, Readiness, router};

    async fn ask(uri: &str, fault: Option<&str>) -> (u16, String) {
        let fault = fault.map(str::to_owned);
        let readiness = Readiness::new(move || {
            let fault = fault.clone();
            async move { vec![Check { name: "index", fault }] }.boxed()
        });
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = router(readiness, Some(metrics)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_says_what_is_missing() {
        for (fault, status, expected) in [
            (None, 200, json!({"ready": true, "checks": {"index": "ok"}})),
            (Some("locked"), 503, json!({"ready": false, "checks": {"index": "locked"}})),
        ] {
            let (got, body) = ask("/readyz", fault).await;
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((got, body), (status, expected));
        }
        assert_eq!(ask("/healthz", Some("locked")).await.0, 200);
        assert_eq!(ask("/metrics", None).await.0, 200);
    }
}
