//! Hostile input is boring: the server stays up, others are served, memory stays bounded.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::stores::Stores;

on_both_stores! {
    a_bomb_of_nested_sequences_is_refused_with_the_place,
    a_value_announced_as_four_gib_takes_no_memory_and_is_refused,
    a_deflated_data_set_that_inflates_without_end_is_refused,
    a_pdu_announced_as_four_gib_ends_the_association_before_it_is_read,
    peers_that_trickle_stall_or_leave_harm_nobody_else,
    http_requests_that_make_no_sense_are_answered_or_cut_and_nothing_more,
}

/// Memory hostile input may cost above what a plain object costs.
const ALLOWED_KIB: u64 = 64 * 1024;

async fn is_well(server: &Server, instance: u32) {
    let object = Object::ct("P1", 1, 1, instance);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
}

/// Sequences within sequences, `depth` of them, all of undefined length (PS3.5 §7.5).
fn nested(depth: usize) -> Vec<u8> {
    let begin = [
        0x40, 0x00, 0x30, 0xA7, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, // (0040,A730)
        0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF, // item
    ];
    let mut data_set = Object::ct("P1", 9, 1, 1).without(0x7FE0_0010).data_set();
    for _ in 0..depth {
        data_set.extend_from_slice(&begin);
    }
    data_set
}

async fn a_bomb_of_nested_sequences_is_refused_with_the_place(stores: Stores) {
    let server = stores.server();
    is_well(&server, 1).await;
    let before = server.peak_kib();
    let bomb = Object::ct("P1", 9, 1, 1);
    let mut scu = server.scu(std::slice::from_ref(&bomb)).await;
    let data_set = nested(100_000);
    let status = scu
        .store(&bomb.sop_class, &bomb.sop_instance, "1.2.840.10008.1.2.1", &mut &data_set[..])
        .await
        .unwrap();
    assert_eq!(status.code & 0xF000, 0xC000, "{status:?}");
    assert!(status.comment.unwrap_or_default().contains("byte"));
    // The association goes on, and so does the server.
    assert_eq!(crate::support::server::store_with(&mut scu, &bomb).await, 0);
    is_well(&server, 2).await;
    assert!(server.peak_kib() < before + ALLOWED_KIB);
}

async fn a_value_announced_as_four_gib_takes_no_memory_and_is_refused(stores: Stores) {
    let server = stores.server();
    is_well(&server, 1).await;
    let before = server.peak_kib();
    let lie = Object::ct("P1", 9, 1, 1);
    let mut data_set = lie.data_set();
    let at = data_set.len() - 512 - 4;
    data_set[at..at + 4].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
    let mut scu = server.scu(std::slice::from_ref(&lie)).await;
    let status = scu
        .store(&lie.sop_class, &lie.sop_instance, "1.2.840.10008.1.2.1", &mut &data_set[..])
        .await
        .unwrap();
    assert_eq!(status.code & 0xF000, 0xC000, "{status:?}");
    is_well(&server, 2).await;
    assert!(server.peak_kib() < before + ALLOWED_KIB);
}

async fn a_deflated_data_set_that_inflates_without_end_is_refused(stores: Stores) {
    let server = stores.server();
    is_well(&server, 1).await;
    let before = server.peak_kib();
    let bomb = Object::ct("P1", 9, 1, 1);
    let mut header = bomb.clone().without(0x7FE0_0010).data_set();
    header.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]);
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflater.write_all(&header).unwrap();
    for _ in 0..64 {
        deflater.write_all(&vec![0; 16 << 20]).unwrap();
    }
    let data_set = deflater.finish().unwrap();
    let syntax = "1.2.840.10008.1.2.1.99".to_owned();
    let contexts = [(bomb.sop_class.clone(), syntax.clone())];
    let address = server.dicom.to_string();
    let mut scu =
        lastra::dimse::client::Scu::connect(&address, "TEST", "LASTRA", &contexts).await.unwrap();
    let status =
        scu.store(&bomb.sop_class, &bomb.sop_instance, &syntax, &mut &data_set[..]).await.unwrap();
    assert_eq!(status.code & 0xF000, 0xC000, "{status:?}");
    is_well(&server, 2).await;
    assert!(server.peak_kib() < before + ALLOWED_KIB);
}

async fn a_pdu_announced_as_four_gib_ends_the_association_before_it_is_read(stores: Stores) {
    let server = stores.server();
    is_well(&server, 1).await;
    let before = server.peak_kib();
    let mut peer = TcpStream::connect(server.dicom).unwrap();
    // A-ASSOCIATE-RQ (PS3.8 §9.3.2): type 1, reserved, length.
    peer.write_all(&[1, 0, 0xFF, 0xFF, 0xFF, 0xF0]).unwrap();
    let zeros = vec![0; 1 << 20];
    let mut sent = 0;
    while sent < 512 && peer.write_all(&zeros).is_ok() {
        sent += 1;
    }
    assert!(sent < 512, "the server read on");
    is_well(&server, 2).await;
    assert!(server.peak_kib() < before + ALLOWED_KIB);
}

async fn peers_that_trickle_stall_or_leave_harm_nobody_else(stores: Stores) {
    let server = stores.server();
    // Some say nothing, some say one byte, some begin HTTP and never end it.
    let silent: Vec<TcpStream> =
        (0..10).map(|_| TcpStream::connect(server.dicom).unwrap()).collect();
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut peer = TcpStream::connect(server.http).unwrap();
            peer.write_all(b"GET /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                .unwrap();
            peer
        })
        .collect();
    let begun = Instant::now();
    for instance in 1..=5 {
        is_well(&server, instance).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop((silent, slow));
    is_well(&server, 6).await;
}

async fn http_requests_that_make_no_sense_are_answered_or_cut_and_nothing_more(stores: Stores) {
    let server = stores.server();
    for request in [
        "GET /dicom-web/studies?limit=99999999999999999999 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /dicom-web/studies/%FF%FE/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /dicom-web/studies/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "a".repeat(200_000)),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-A: b\r\n".repeat(5000)),
        format!("GET /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: {}\r\n\r\n", "a/b;q=0.1,".repeat(5000)),
        "\0\u{1}\u{2}\r\n\r\n".to_owned(),
    ] {
        let mut peer = TcpStream::connect(server.http).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = peer.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = peer.take(1 << 20).read_to_end(&mut answer);
        let status = String::from_utf8_lossy(&answer).get(9..12).unwrap_or("cut").to_owned();
        // 204: a search for nothing that exists, however much of it is asked for.
        assert!(status == "cut" || status == "204" || status.starts_with('4'), "{}: {status}", &request[..60.min(request.len())]);
    }
    is_well(&server, 1).await;
}
