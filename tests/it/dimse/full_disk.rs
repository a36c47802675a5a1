//! A disk that is full, and one that is about to be: A700, and what was taken stays.

use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::server::Server;
use crate::support::server::until;

const OUT_OF_RESOURCES: u16 = 0xA700;

/// A CT image with pixels of 2 MB.
fn large(instance: u32) -> Object {
    let mut object = Object::ct("P1", 1, 1, instance);
    object.number(0x0028_0010, 1024).number(0x0028_0011, 1024);
    object.bytes(0x7FE0_0010, b"OW", vec![u8::try_from(instance).unwrap(); 2 * 1024 * 1024]);
    object
}

async fn store(parrot: &mut Parrot, object: &Object) -> (u16, String) {
    let request = command(0x0001, CT_IMAGE, &object.sop_instance, true);
    parrot.say(&p_data(1, COMMAND | LAST, &request)).await;
    let data_set = object.data_set();
    let (last, first) = data_set.split_last_chunk::<100>().map(|(a, b)| (b, a)).unwrap();
    for piece in first.chunks(100_000) {
        parrot.say(&p_data(1, 0, piece)).await;
    }
    parrot.say(&p_data(1, LAST, last)).await;
    let (status, comment) = parrot.hear_response().await;
    (status, String::from_utf8(comment).unwrap())
}

async fn associated(server: &Server) -> Parrot {
    Parrot::associated(server.dicom, &[(1, CT_IMAGE, EXPLICIT_LITTLE)]).await
}

#[tokio::test]
async fn with_less_than_the_reserve_left_nothing_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, format!("[blobs]\nreserve_bytes = {}\n", i64::MAX)).unwrap();
    let server = Server::start_with(&["-c", config.to_str().unwrap()]);
    let mut parrot = associated(&server).await;
    for instance in 1..=2 {
        let (status, comment) = store(&mut parrot, &large(instance)).await;
        assert_eq!(status, OUT_OF_RESOURCES);
        assert!(comment.contains("no room"), "{comment}");
    }
    assert!(server.metric("lastra_blob_written_bytes_total").await < 1.0);
    assert_eq!(server.blob_files().len(), 0);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_and_keeps_all_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lastra.toml");
    std::fs::write(&config, "[blobs]\nreserve_bytes = 0\n").unwrap();
    let arguments = ["-c", config.to_str().unwrap()];
    let Some(server) = Server::start_on_a_disk_of(24, &arguments) else {
        eprintln!("not tested: no disk can be mounted here");
        return;
    };
    let mut parrot = associated(&server).await;
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for instance in 1..=16 {
        let object = large(instance);
        match store(&mut parrot, &object).await {
            (0, _) => acknowledged.push(object),
            (OUT_OF_RESOURCES, _) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(refused >= 4 && acknowledged.len() >= 4, "{refused} refused");
    for object in &acknowledged {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), acknowledged.len());
    until("what was refused is gone", || async { server.blob_files().len() == acknowledged.len() })
        .await;
}
