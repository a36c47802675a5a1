//! The HTTP listener: HTTP/1.1 and HTTP/2 on one plain TCP port, bounded connections, an orderly
//! stop.

mod refusal;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::http::base::{BadUrl, LocalAddress, PublicUrl};
use crate::http::limits::Limits;
use crate::http::listener::refusal::Refusal;
use crate::http::socket::Patient;

/// The HTTP port's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The archive's address as clients see it (`https://pacs.example`), for absolute URLs in
    /// answers. Unset: what each request's `Host` says; on loopback that must be this machine's.
    pub public_url: Option<String>,
    /// Whether `Forwarded` and `X-Forwarded-*` are believed. Only behind a proxy that sets them.
    pub trust_forwarded: bool,
    /// Origins whose pages may read answers and change things (`https://viewer.example`), `*` for any;
    /// none: only the archive's own pages.
    pub cors_origins: Vec<String>,
    /// Most connections at once; more are told to come back (503).
    pub max_connections: usize,
    /// Most requests under way at once; more are told to come back.
    pub max_requests: usize,
    /// Longest path and query of a request, in bytes.
    pub max_uri_bytes: usize,
    /// Most header fields of a request.
    pub max_headers: usize,
    /// Longest request header as a whole, in bytes.
    pub max_header_bytes: u32,
    /// Seconds until an answer must have begun.
    pub request_timeout_s: u64,
    /// Seconds a client may take to send a request's header, or stay silent between two requests.
    pub header_timeout_s: u64,
    /// Seconds a client may stop reading an answer before it is given up.
    pub stall_timeout_s: u64,
    /// Seconds answers under way may take to end when the archive stops.
    pub drain_timeout_s: u64,
    /// Most HTTP/2 streams of one connection.
    pub h2_max_streams: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8042)),
            public_url: None,
            trust_forwarded: false,
            cors_origins: Vec::new(),
            max_connections: 1024,
            max_requests: 512,
            max_uri_bytes: 16 * 1024,
            max_headers: 100,
            max_header_bytes: 64 * 1024,
            request_timeout_s: 60,
            header_timeout_s: 30,
            stall_timeout_s: 60,
            drain_timeout_s: 10,
            h2_max_streams: 128,
        }
    }
}

impl Settings {
    /// Where absolute URLs begin.
    pub fn public(&self) -> Result<PublicUrl, BadUrl> {
        PublicUrl::new(self.public_url.as_deref(), self.trust_forwarded)
    }

    /// What requests are held to.
    pub fn limits(&self) -> Limits {
        Limits {
            uri_bytes: self.max_uri_bytes,
            answer_within: Duration::from_secs(self.request_timeout_s),
            requests: self.max_requests,
            ..Limits::default()
        }
    }
}

/// A bound port.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    settings: Settings,
}

impl Listener {
    /// Binds the port; the address says which one the system chose.
    pub async fn bind(settings: Settings) -> io::Result<(Self, SocketAddr)> {
        let tcp = TcpListener::bind(settings.address).await?;
        let address = tcp.local_addr()?;
        Ok((Self { tcp, settings }, address))
    }

    /// Serves `router` until `stop` is cancelled: then takes no more connections, lets answers
    /// under way end for `drain_timeout_s`, and cuts what is left.
    pub async fn run(self, router: Router, stop: CancellationToken) {
        let protocol = Arc::new(protocol(&self.settings));
        let places = Arc::new(Semaphore::new(self.settings.max_connections));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let refusal = Refusal::new();
        while let Some((stream, peer, place)) = self.next(&places, &refusal, &stop).await {
            while connections.try_join_next().is_some() {}
            let router = router.clone();
            let protocol = Arc::clone(&protocol);
            let watcher = graceful.watcher();
            let settings = self.settings.clone();
            let local = stream.local_addr().ok();
            connections.spawn(async move {
                let header = Duration::from_secs(settings.header_timeout_s);
                let stall = Duration::from_secs(settings.stall_timeout_s);
                let stream = TokioIo::new(Patient::new(stream, header, stall));
                let service =
                    service_fn(move |request| answer(router.clone(), peer, local, request));
                let connection = protocol.serve_connection(stream, service).into_owned();
                if let Err(error) = watcher.watch(connection).await {
                    tracing::debug!(%error, "http connection ended early");
                }
                metrics::gauge!("lastra_http_connections").decrement(1.0);
                drop(place);
            });
        }
        drop(self.tcp);
        let drain = Duration::from_secs(self.settings.drain_timeout_s);
        if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
            tracing::warn!(connections = connections.len(), "http answers cut at stop");
        }
        connections.shutdown().await;
    }

    /// The next connection there is a place for; `None` when it is time to stop.
    async fn next(
        &self,
        places: &Arc<Semaphore>,
        refusal: &Refusal,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            let (stream, peer) = match stop.run_until_cancelled(self.tcp.accept()).await? {
                Ok(accepted) => accepted,
                // Out of file descriptors, or the peer gone already: later may work.
                Err(error) => {
                    tracing::warn!(%error, "http accept failed");
                    let pause = tokio::time::sleep(Duration::from_millis(50));
                    stop.run_until_cancelled(pause).await?;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "tcp nodelay refused");
            }
            let Ok(place) = Arc::clone(places).try_acquire_owned() else {
                refusal.turn_away(stream);
                continue;
            };
            metrics::gauge!("lastra_http_connections").increment(1.0);
            return Some((stream, peer, place));
        }
    }
}

fn protocol(settings: &Settings) -> Builder<TokioExecutor> {
    let header_timeout = Duration::from_secs(settings.header_timeout_s);
    let header_bytes = usize::try_from(settings.max_header_bytes).unwrap_or(usize::MAX);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(settings.max_headers)
        .max_buf_size(header_bytes.max(8192))
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.h2_max_streams)
        .max_header_list_size(settings.max_header_bytes)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout);
    builder
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    local: Option<SocketAddr>,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(local) = local {
        request.extensions_mut().insert(LocalAddress(local));
    }
    router.oneshot(request).await
}

#[cfg(test)]
mod tests;
