//! What peers that leave, stall or lie leave behind: one line in the log of the real binary, and
//! in it nothing about a patient.

use std::net::TcpStream;
use std::time::Duration;

use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::associate_rq;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::server::Server;
use crate::support::server::until;

const CONTEXT: [(u8, &str, &str); 1] = [(1, CT_IMAGE, EXPLICIT_LITTLE)];

fn object() -> Object {
    let mut object = Object::ct("GEHEIM-4711", 1, 1, 1);
    object.bytes(0x7FE0_0010, b"OW", vec![7; 3_000_000]);
    object
}

/// A peer that has sent the command and most of the data set.
async fn half_way(server: &Server) -> Parrot {
    let object = object();
    let mut parrot = Parrot::associated(server.dicom, &CONTEXT).await;
    let request = command(0x0001, CT_IMAGE, &object.sop_instance, true);
    parrot.say(&p_data(1, COMMAND | LAST, &request)).await;
    for piece in object.data_set()[..2_500_000].chunks(100_000) {
        parrot.say(&p_data(1, 0, piece)).await;
    }
    parrot
}

fn lines(server: &Server) -> Vec<String> {
    let log = server.log();
    log.lines().filter(|line| line.contains("dimse")).map(str::to_owned).collect()
}

#[tokio::test]
async fn whoever_breaks_off_leaves_one_line_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[dicom]\nread_timeout_s = 2\nidle_s = 1\nartim_s = 1\n").unwrap();
    let server = Server::start_logged(&["-c", config.to_str().unwrap()]);

    // Leaves; aborts; stalls; announces a PDV longer than its PDU; keeps silent once associated;
    // never asks; asks for nonsense.
    drop(half_way(&server).await);
    half_way(&server).await.say(&[7, 0, 0, 0, 0, 4, 0, 0, 0, 0]).await;
    let mut stalled = half_way(&server).await;
    assert_eq!(stalled.hear_abort().await, (2, 0));
    let mut lying = half_way(&server).await;
    lying.say(&[4, 0, 0, 0, 0, 8, 0, 0, 0, 9, 1, 2, 0, 0]).await;
    assert_eq!(lying.hear_abort().await, (2, 6));
    let mut idle = Parrot::associated(server.dicom, &CONTEXT).await;
    assert_eq!(idle.hear_abort().await, (2, 0));
    let mut silent = Parrot::connect(server.dicom).await;
    assert_eq!(silent.hear().await, None);
    let mut nonsense = Parrot::connect(server.dicom).await;
    nonsense.say(&associate_rq("PARROT", "X", &[(2, CT_IMAGE, EXPLICIT_LITTLE)], &[])).await;
    assert_eq!(nonsense.hear_abort().await, (2, 6));

    until("each has its line", || async { lines(&server).len() >= 7 }).await;
    let log = lines(&server);
    assert_eq!(log.len(), 7, "{log:#?}");
    for ended in ["closed", "aborted", "timed_out", "violation"] {
        assert!(log.iter().any(|line| line.contains(ended)), "no {ended}: {log:#?}");
    }
    until("nothing is left", || async { server.blob_files().is_empty() }).await;
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn the_log_names_peers_and_never_objects_or_patients() {
    let server = Server::start_logged(&[]);
    let good = object();
    let mut other = good.clone();
    other.sop_instance = "1.2.3.4.5".to_owned();
    let mut cut = good.clone();
    cut.bytes(0x7FE0_0010, b"OW", vec![0; 511]);
    assert_eq!(server.store(&[good.clone(), other, cut]).await, [0, 0xA900, 0]);
    let mut parrot = Parrot::associated(server.dicom, &CONTEXT).await;
    let request = command(0x0001, CT_IMAGE, &good.sop_instance, true);
    parrot.say(&p_data(1, COMMAND | LAST, &request)).await;
    parrot.say(&p_data(1, LAST, &good.data_set()[..1000])).await;
    assert_eq!(parrot.hear_status().await, 0xC000);
    parrot.say(&request).await;
    drop(parrot);
    until("both have ended", || async {
        lines(&server).iter().filter(|line| line.contains("association ended")).count() == 2
    })
    .await;

    let log = server.log();
    assert!(log.contains("PARROT") && log.contains("127.0.0.1") && log.contains("A900"), "{log}");
    for secret in ["GEHEIM", "4711", "Prova", &good.sop_instance, &good.study, "1.2.840", "1.2.3"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn silent_connections_take_no_place_and_push_out_only_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[dicom]\nmax_associations = 1\n").unwrap();
    let server = Server::start_with(&["-c", config.to_str().unwrap()]);
    // More than are held at a time; each says nothing, or the first byte of a request.
    let mut silent = Vec::new();
    for n in 0..400 {
        let mut peer = TcpStream::connect(server.dicom).unwrap();
        if n % 2 == 0 {
            std::io::Write::write_all(&mut peer, &[1]).unwrap();
        }
        silent.push(peer);
    }
    assert_eq!(server.store(&[Object::ct("P1", 1, 1, 1)]).await, [0]);
    let mut oldest = silent.remove(0);
    oldest.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let read = std::io::Read::read(&mut oldest, &mut [0]);
    let ended = match read {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    assert!(ended, "the oldest was not pushed out");
}
