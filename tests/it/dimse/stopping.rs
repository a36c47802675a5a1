//! The end: messages under way finish, idle associations are aborted, nobody new comes in.

use std::time::Duration;
use std::time::Instant;

use tokio::net::TcpStream;

use super::door::Door;
use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::server::until;

const CONTEXT: [(u8, &str, &str); 1] = [(1, CT_IMAGE, EXPLICIT_LITTLE)];
const BY_USER: (u8, u8) = (0, 0);

/// A peer half way through an object; the second half.
async fn half_way(door: &Door) -> (Parrot, Vec<u8>) {
    let object = Object::ct("P1", 1, 1, 1);
    let mut parrot = Parrot::associated(door.address, &CONTEXT).await;
    let request = command(0x0001, CT_IMAGE, &object.sop_instance, true);
    let data_set = object.data_set();
    let (first, second) = data_set.split_at(data_set.len() / 2);
    // An object before it shows that the door has begun to serve this association.
    parrot.say(&p_data(1, COMMAND | LAST, &command(0x0030, CT_IMAGE, "", false))).await;
    assert_eq!(parrot.hear_status().await, 0);
    parrot.say(&[p_data(1, COMMAND | LAST, &request), p_data(1, 0, first)].concat()).await;
    (parrot, p_data(1, LAST, second))
}

#[tokio::test]
async fn an_object_under_way_is_stored_and_its_association_ended() {
    let door = Door::open().await;
    let (mut busy, rest) = half_way(&door).await;
    let mut idle = Parrot::associated(door.address, &CONTEXT).await;
    door.stop.cancel();
    assert_eq!(idle.hear_abort().await, BY_USER);
    until("nobody new is let in", || async { TcpStream::connect(door.address).await.is_err() })
        .await;
    busy.say(&rest).await;
    assert_eq!(busy.hear_status().await, 0);
    assert_eq!(busy.hear_abort().await, BY_USER);
    assert_eq!(door.instances().await, 1);
    door.running.await.unwrap();
}

#[tokio::test]
async fn an_object_that_takes_too_long_is_cut_off_and_leaves_no_trace() {
    let door = Door::open_with(|settings| settings.stop_s = 1).await;
    let (mut busy, _) = half_way(&door).await;
    let begun = Instant::now();
    door.stop.cancel();
    assert_eq!(busy.hear_abort().await, BY_USER);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(door.instances().await, 0);
    let files = door.blob_files();
    door.running.await.unwrap();
    assert!(files.is_empty(), "{files:?}");
}
