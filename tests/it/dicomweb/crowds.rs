//! Far more clients than there is room for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::objects::Object;
use crate::support::server::Server;

const PLACES: usize = 32;

async fn ask(mut stream: TcpStream) -> (TcpStream, String) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut status = vec![0; 12];
    stream.read_exact(&mut status).await.unwrap();
    (stream, String::from_utf8(status).unwrap())
}

/// From one of many addresses of the loopback network: one has only so many ports.
async fn connect(number: u32, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let last = u8::try_from(2 + number % 16).unwrap();
    socket.bind((IpAddr::from(Ipv4Addr::new(127, 0, 1, last)), 0).into()).unwrap();
    socket.connect(server).await.unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_connections_are_refused_politely_and_nobody_inside_notices() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, format!("[http]\nmax_connections = {PLACES}\n")).unwrap();
    let server = Server::start_with(&["-c", config.to_str().unwrap()]);
    assert_eq!(server.store(&[Object::ct("P1", 1, 1, 1)]).await, [0]);
    let mut inside = Vec::new();
    for number in 0..PLACES {
        let (stream, status) = ask(connect(number as u32, server.http).await).await;
        assert_eq!(status, "HTTP/1.1 200");
        inside.push(stream);
    }
    let before = server.peak_kib();
    let refused = stream::iter(0..100_000)
        .map(|number| async move {
            let mut answer = Vec::new();
            let mut stream = connect(number, server.http).await;
            let _ = stream.read_to_end(&mut answer).await;
            answer.starts_with(b"HTTP/1.1 503") && answer.ends_with(b"}")
        })
        .buffer_unordered(100)
        .filter(|told| std::future::ready(*told))
        .count()
        .await;
    assert_eq!(refused, 100_000);
    assert!(server.peak_kib() < before + 64 * 1024, "{} KiB more", server.peak_kib() - before);
    let (_, status) = ask(inside.remove(0)).await;
    // What is left of its last answer comes first: the connection still talks.
    assert!(!status.is_empty());
    drop(inside);
    let free = async { while server.get("/studies").await.status() != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), free).await.unwrap();
}
