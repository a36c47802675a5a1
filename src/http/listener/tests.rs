//! The listener against real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Listener, Settings};

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(router: Router, settings: Settings) -> Running {
    let settings = Settings { address: "127.0.0.1:0".parse().unwrap(), ..settings };
    let (listener, address) = Listener::bind(settings).await.unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(listener.run(router, stop.clone()));
    Running { address, stop, task }
}

fn greeting() -> Router {
    Router::new().route(
        "/",
        get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
    )
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn handlers_learn_the_peer_and_the_stop_is_orderly() {
    let running = start(greeting(), Settings::default()).await;
    let answer =
        exchange(running.address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
    running.stop.cancel();
    running.task.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_client_that_drips_its_header_is_cut() {
    let settings = Settings { header_timeout_s: 1, ..Settings::default() };
    let running = start(greeting(), settings).await;
    let silent = exchange(running.address, "");
    let slow = exchange(running.address, "GET / HTTP/1.1\r\nhost:");
    let both = futures::future::join(silent, slow);
    let (silent, slow) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert!(!silent.contains("200") && !slow.contains("200"), "{silent} {slow}");
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let settings = Settings { max_headers: 8, ..Settings::default() };
    let running = start(greeting(), settings).await;
    let fields = "x: y\r\n".repeat(20);
    let answer = exchange(running.address, &format!("GET / HTTP/1.1\r\n{fields}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_that_fails_half_way_never_looks_complete() {
    let fail = Arc::new(Notify::new());
    let failing = Arc::clone(&fail);
    let router = Router::new().route(
        "/",
        get(|| async {
            let half = stream::iter([Ok(Bytes::from_static(b"half"))]);
            let failure = stream::once(async move {
                failing.notified().await;
                Err(std::io::Error::other("the store fails"))
            });
            Body::from_stream(half.chain(failure))
        }),
    );
    let running = start(router, Settings::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"half\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    fail.notify_one();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("transfer-encoding: chunked"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn http2_is_spoken_without_being_asked() {
    let running = start(greeting(), Settings::default()).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request =
        hyper::Request::get(format!("http://{}/", running.address)).body(Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn connections_beyond_the_bound_are_told_to_come_back_and_later_may() {
    let settings = Settings { max_connections: 3, ..Settings::default() };
    let running = start(greeting(), settings).await;
    let ask = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..3 {
        // An answer shows that the connection has its place; keep-alive keeps it.
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    for _ in 0..100 {
        let answer = exchange(running.address, ask).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("retry-after: 1"), "{answer}");
    }
    held.clear();
    // The places are free once the server has seen the connections end.
    let free = async { while !exchange(running.address, ask).await.starts_with("HTTP/1.1 200") {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.unwrap();
}
