//! Whom a request says it is for. A server that only this machine reaches is called by this machine's
//! names: a page whose own name was made to lead here (DNS rebinding) would else read everything as if
//! it were the server's.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::http::listener::Settings;
use crate::http::problem::Problem;

/// Dresses a router. Where others than this machine reach it, and where a proxy is trusted to say
/// whom requests are for, it stays as it is.
pub fn dress(router: Router, settings: &Settings, bound: SocketAddr) -> Router {
    if !bound.ip().is_loopback() || settings.trust_forwarded {
        return router;
    }
    let public = settings.public_url.as_deref().and_then(|url| url.split_once("://"));
    let public = public.and_then(|(_, rest)| rest.split('/').next());
    let public = public.map(|authority| name(authority).to_ascii_lowercase());
    router.layer(from_fn_with_state(Arc::new(public), only_known))
}

async fn only_known(
    State(public): State<Arc<Option<String>>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
    if host.is_none_or(|host| is_known(host, public.as_deref())) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected",
        "Not this server's name",
        "a server on loopback is called localhost or by its address; set http.public_url to the name it has",
    )
    .into_response()
}

fn is_known(host: &str, public: Option<&str>) -> bool {
    let name = name(host).to_ascii_lowercase();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || public == Some(name.as_str())
}

/// An authority without its port; an IPv6 address keeps its brackets.
fn name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::dress;
    use crate::http::listener::Settings;

    async fn asked(settings: &Settings, bound: &str, host: &str) -> u16 {
        let router = Router::new().route("/x", get(|| async { "x" }));
        let router = dress(router, settings, bound.parse().unwrap());
        let request = Request::get("/x").header("host", host).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn on_loopback_only_this_machines_names_are_answered() {
        let plain = Settings::default();
        let url = Some("https://PACS.example:8443/lastra".to_owned());
        let public = Settings { public_url: url, ..Settings::default() };
        let proxied = Settings { trust_forwarded: true, ..Settings::default() };
        for (settings, bound, host, expected) in [
            (&plain, "127.0.0.1:8042", "127.0.0.1:8042", 200),
            (&plain, "127.0.0.1:8042", "LocalHost:8042", 200),
            (&plain, "127.0.0.1:8042", "ct.localhost", 200),
            (&plain, "[::1]:8042", "[::1]:8042", 200),
            (&plain, "[::1]:8042", "[::1]", 200),
            (&plain, "127.0.0.1:8042", "rebound.example:8042", 421),
            (&plain, "127.0.0.1:8042", "localhost.rebound.example", 421),
            (&plain, "127.0.0.1:8042", "\u{e9}", 421),
            (&public, "127.0.0.1:8042", "pacs.EXAMPLE:8443", 200),
            (&public, "127.0.0.1:8042", "other.example", 421),
            (&proxied, "127.0.0.1:8042", "pacs.example", 200),
            (&plain, "10.0.0.1:8042", "pacs.example", 200),
        ] {
            assert_eq!(asked(settings, bound, host).await, expected, "{bound} {host}");
        }
    }
}
