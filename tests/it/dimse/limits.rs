//! Peers that are too many, too slow, or leave in the middle.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use lastra::dimse::client::Scu;
use lastra::dimse::client::ScuError;

use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::store_with;

#[tokio::test]
async fn associations_over_the_limit_are_told_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[dicom]\nmax_associations = 2\n").unwrap();
    let server = Server::start_with(&["-c", config.to_str().unwrap()]);
    let object = Object::ct("P1", 1, 1, 1);
    let one = server.scu(std::slice::from_ref(&object)).await;
    let mut two = server.scu(std::slice::from_ref(&object)).await;

    let contexts = [(object.sop_class.clone(), EXPLICIT_LITTLE.to_owned())];
    let address = server.dicom.to_string();
    let third = Scu::connect(&address, "TEST", "LASTRA", &contexts).await;
    assert!(
        matches!(&third, Err(ScuError::Rejected { rejection, .. }) if rejection.is_transient()),
        "{third:?}"
    );

    assert_eq!(store_with(&mut two, &object).await, 0);
    one.release().await.unwrap();
    crate::support::server::until("a place is free again", || async {
        Scu::connect(&address, "TEST", "LASTRA", &contexts).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn private_sop_classes_and_unknown_transfer_syntaxes_are_kept_as_sent() {
    let server = Server::start();
    let mut object = Object::ct("P1", 1, 1, 1);
    object.sop_class = "1.3.12.2.1107.5.9.999".to_owned();
    let class = object.sop_class.clone();
    object.text(0x0008_0016, b"UI", &class);
    let syntax = "1.2.826.0.1.3680043.10.999.77".to_owned();
    let contexts = [(class.clone(), syntax.clone())];
    let mut scu =
        Scu::connect(&server.dicom.to_string(), "TEST", "LASTRA", &contexts).await.unwrap();
    let data_set = object.data_set();
    let status =
        scu.store(&class, &object.sop_instance, &syntax, &mut &data_set[..]).await.unwrap();
    assert_eq!(status.code, 0, "{status:?}");
    let file = server.file(&object.path()).await;
    assert_eq!(crate::support::objects::data_set_of(&file), data_set);
}

#[tokio::test]
async fn as_many_contexts_as_an_association_can_have_are_accepted() {
    let server = Server::start();
    let contexts: Vec<(String, String)> =
        (0..128).map(|n| (format!("1.2.3.{n}"), EXPLICIT_LITTLE.to_owned())).collect();
    let mut last = Object::ct("P1", 1, 1, 1);
    last.sop_class = "1.2.3.127".to_owned();
    last.text(0x0008_0016, b"UI", "1.2.3.127");
    let mut scu =
        Scu::connect(&server.dicom.to_string(), "TEST", "LASTRA", &contexts).await.unwrap();
    assert_eq!(store_with(&mut scu, &last).await, 0);
}

/// A data set that never ends: the peer says so many bytes and then leaves.
#[tokio::test]
async fn a_peer_that_leaves_in_the_middle_of_a_data_set_leaves_no_trace() {
    let server = Server::start();
    let object = Object::ct("P1", 1, 1, 1);
    let mut scu = server.scu(std::slice::from_ref(&object)).await;
    let data_set = object.data_set();
    let endless = tokio::io::AsyncReadExt::chain(&data_set[..], tokio::io::empty());
    let mut stalled = tokio::io::AsyncReadExt::chain(endless, Never);
    let class = object.sop_class.clone();
    let sending = scu.store(&class, &object.sop_instance, EXPLICIT_LITTLE, &mut stalled);
    assert!(tokio::time::timeout(Duration::from_millis(300), sending).await.is_err());
    drop(scu);

    let other = Object::ct("P1", 1, 1, 2);
    assert_eq!(server.store(&[other]).await, [0]);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}

/// A stream that gives nothing and does not end.
struct Never;

impl tokio::io::AsyncRead for Never {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_peer_that_sends_byte_by_byte_keeps_nobody_waiting() {
    let server = Server::start();
    let address = server.dicom;
    let slow = std::thread::spawn(move || {
        let mut peer = TcpStream::connect(address).unwrap();
        // The beginning of an association request of 200 bytes, a byte at a time.
        for byte in [1, 0, 0, 0, 0, 200].into_iter().chain(std::iter::repeat_n(0, 150)) {
            if peer.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::yield_now();
        }
        drop(peer);
    });
    let objects: Vec<Object> = (1..=20).map(|n| Object::ct("P1", 1, 1, n)).collect();
    assert_eq!(server.store(&objects).await, [0; 20]);
    slow.join().unwrap();
}
