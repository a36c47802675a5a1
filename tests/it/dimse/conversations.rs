//! Peers that behave: echo, store, resend, refusals that leave the association open.

use lastra::dimse::client::ScuError;

use super::door::Door;
use super::door::store;
use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::parrot::pdu;
use crate::support::parrot::pdv;

const VERIFICATION: &str = "1.2.840.10008.1.1";
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const C_STORE: u16 = 0x0001;

#[tokio::test]
async fn an_echo_is_answered() {
    let door = Door::open().await;
    let mut scu = door.associate(&[(VERIFICATION, IMPLICIT_LITTLE)]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(scu.echo().await.unwrap().code, 0);
    }
    scu.release().await.unwrap();
}

#[tokio::test]
async fn what_is_answered_with_success_is_in_the_archive_once() {
    let door = Door::open().await;
    let mut scu = door.scu().await;
    for instance in 1..=3 {
        assert_eq!(store(&mut scu, &Object::ct("P1", 1, 1, instance)).await.0, 0);
    }
    assert_eq!(store(&mut scu, &Object::ct("P1", 1, 1, 3)).await.0, 0);
    assert_eq!(door.instances().await, 3);
    scu.release().await.unwrap();
}

#[tokio::test]
async fn classes_and_transfer_syntaxes_nobody_has_heard_of_are_stored() {
    let door = Door::open().await;
    let (class, syntax) = ("1.3.12.2.1107.5.9.1", "1.2.826.0.1.3680043.10.999.77");
    let mut object = Object::ct("P1", 1, 1, 1);
    object.text(0x0008_0016, b"UI", class);
    let data_set = object.data_set();
    let mut scu = door.associate(&[(class, syntax)]).await.unwrap();
    let status = scu.store(class, &object.sop_instance, syntax, &mut &data_set[..]).await.unwrap();
    assert_eq!(status.code, 0, "{status:?}");
    assert_eq!(door.instances().await, 1);
}

#[tokio::test]
async fn a_refused_object_leaves_the_association_open() {
    let door = Door::open().await;
    let mut scu = door.scu().await;
    let good = Object::ct("P1", 1, 1, 1);

    // A data set that says to be another instance than its command.
    let mut other = Object::ct("P1", 1, 1, 2);
    other.sop_instance = "1.2.3.4".to_owned();
    let (code, comment) = store(&mut scu, &other).await;
    assert_eq!(code & 0xFF00, 0xA900, "{comment}");

    // One that ends inside its pixels, after many bytes that can be stored no more.
    let mut broken = Object::ct("P1", 1, 1, 3);
    broken.bytes(0x7FE0_0010, b"OW", vec![0; 3_000_000]);
    let data_set = broken.data_set();
    let (class, instance) = (&broken.sop_class, &broken.sop_instance);
    let mut cut = &data_set[..data_set.len() - 2];
    let status = scu.store(class, instance, EXPLICIT_LITTLE, &mut cut).await.unwrap();
    assert_eq!(status.code, 0xC000);
    assert!(status.comment.as_deref().unwrap().starts_with("byte "), "{status:?}");

    // One that is broken from the start, with much to be read and dropped.
    let garbage = vec![0xA5; 5_000_000];
    let status = scu.store(class, instance, EXPLICIT_LITTLE, &mut &garbage[..]).await.unwrap();
    assert_eq!(status.code, 0xC000, "{status:?}");

    assert_eq!(store(&mut scu, &good).await.0, 0);
    assert_eq!(door.instances().await, 1);
}

#[tokio::test]
async fn a_refused_context_names_its_class_and_why() {
    let door = Door::open().await;
    let find = "1.2.840.10008.5.1.4.1.2.2.1";
    let mut scu = door.associate(&[(find, IMPLICIT_LITTLE)]).await.unwrap();
    let error = scu.store(find, "1.2", IMPLICIT_LITTLE, &mut &b""[..]).await.unwrap_err();
    assert!(matches!(error, ScuError::Refused { .. }));
    let words = error.to_string();
    assert!(words.contains(find) && words.contains("abstract syntax not supported"), "{words}");
}

#[tokio::test]
async fn operations_we_do_not_serve_are_declined_and_the_association_goes_on() {
    let door = Door::open().await;
    let mut parrot = Parrot::associated(door.address, &[(1, CT_IMAGE, EXPLICIT_LITTLE)]).await;
    let find = command(0x0020, CT_IMAGE, "1.2.3", true);
    parrot.say(&p_data(1, COMMAND | LAST, &find)).await;
    parrot.say(&p_data(1, LAST, &[0; 100])).await;
    assert_eq!(parrot.hear_status().await, 0x0211);
    // A cancel is not answered, the echo after it is.
    parrot.say(&p_data(1, COMMAND | LAST, &command(0x0FFF, CT_IMAGE, "", false))).await;
    parrot.say(&p_data(1, COMMAND | LAST, &command(0x0030, CT_IMAGE, "", false))).await;
    assert_eq!(parrot.hear_status().await, 0);
}

#[tokio::test]
async fn a_class_other_than_the_contexts_and_a_missing_data_set_are_refused() {
    let door = Door::open().await;
    let mut parrot = Parrot::associated(door.address, &[(1, CT_IMAGE, EXPLICIT_LITTLE)]).await;
    let other = command(C_STORE, "1.2.840.10008.5.1.4.1.1.4", "1.2.3", true);
    parrot.say(&p_data(1, COMMAND | LAST, &other)).await;
    parrot.say(&p_data(1, LAST, &Object::ct("P1", 1, 1, 1).data_set())).await;
    assert_eq!(parrot.hear_status().await, 0x0122);
    parrot.say(&p_data(1, COMMAND | LAST, &command(C_STORE, CT_IMAGE, "1.2.3", false))).await;
    assert_eq!(parrot.hear_status().await, 0xC000);
    assert_eq!(door.instances().await, 0);
}

#[tokio::test]
async fn values_of_one_byte_make_the_same_object() {
    let door = Door::open().await;
    let object = Object::ct("P1", 1, 1, 1);
    let mut parrot = Parrot::associated(door.address, &[(1, CT_IMAGE, EXPLICIT_LITTLE)]).await;
    let request = command(C_STORE, CT_IMAGE, &object.sop_instance, true);
    let mut values = Vec::new();
    for (bytes, kind) in [(request, COMMAND), (object.data_set(), 0)] {
        for (at, byte) in bytes.iter().enumerate() {
            let last = if at + 1 == bytes.len() { LAST } else { 0 };
            values.extend(pdv(1, kind | last, &[*byte]));
        }
    }
    // All PDVs in one PDU, then all once more, each in its own.
    parrot.say(&pdu(0x04, &values)).await;
    assert_eq!(parrot.hear_status().await, 0);
    let each: Vec<u8> = values.chunks(7).flat_map(|value| pdu(0x04, value)).collect();
    parrot.say(&each).await;
    assert_eq!(parrot.hear_status().await, 0);
    assert_eq!(door.instances().await, 1);
}

#[tokio::test]
async fn a_slow_peer_is_served_beside_fast_ones() {
    let door = Door::open().await;
    let object = Object::ct("SLOW", 9, 1, 1);
    let mut slow = Parrot::associated(door.address, &[(1, CT_IMAGE, EXPLICIT_LITTLE)]).await;
    let request = command(C_STORE, CT_IMAGE, &object.sop_instance, true);
    let bytes = [p_data(1, COMMAND | LAST, &request), p_data(1, LAST, &object.data_set())].concat();
    let mut scu = door.scu().await;
    for (at, byte) in bytes.iter().enumerate() {
        slow.say(&[*byte]).await;
        if at % 50 == 0 {
            let instance = u32::try_from(at).unwrap();
            assert_eq!(store(&mut scu, &Object::ct("FAST", 1, 1, instance)).await.0, 0);
        }
    }
    assert_eq!(slow.hear_status().await, 0);
    assert_eq!(door.instances().await, bytes.len().div_ceil(50) as u64 + 1);
}

#[tokio::test]
async fn a_hundred_and_twenty_eight_contexts_can_be_used_and_more_are_not_proposed() {
    let door = Door::open().await;
    let syntaxes: Vec<String> = (0..129).map(|n| format!("1.2.3.{n}")).collect();
    let contexts: Vec<_> = syntaxes.iter().map(|ts| (CT_IMAGE, ts.as_str())).collect();
    let mut scu = door.associate(&contexts[..128]).await.unwrap();
    let object = Object::ct("P1", 1, 1, 1);
    let data_set = object.data_set();
    for syntax in ["1.2.3.0", "1.2.3.127"] {
        let (class, instance) = (CT_IMAGE, &object.sop_instance);
        let status = scu.store(class, instance, syntax, &mut &data_set[..]).await.unwrap();
        assert_eq!(status.code, 0);
    }
    let error = door.associate(&contexts).await.unwrap_err();
    assert_eq!(error, ScuError::TooManyContexts(129));
}
