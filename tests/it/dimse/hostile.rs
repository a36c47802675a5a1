//! Peers that do not behave: each is aborted in the standard's words, and leaves no trace.

use super::door::Door;
use super::door::store;
use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::associate_rq;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::parrot::pdu;
use crate::support::server::until;

const C_STORE: u16 = 0x0001;
const CONTEXTS: [(u8, &str, &str); 2] =
    [(1, CT_IMAGE, EXPLICIT_LITTLE), (3, "1.2.3", EXPLICIT_LITTLE)];
/// A-ABORT by the provider (PS3.8 §9.3.8).
const UNRECOGNISED_PDU: (u8, u8) = (2, 1);
const UNEXPECTED_PDU: (u8, u8) = (2, 2);
const INVALID_PARAMETER: (u8, u8) = (2, 6);

/// What a peer says instead of an association request, and how it is aborted.
#[tokio::test]
async fn what_is_no_request_is_aborted() {
    let door = Door::open().await;
    let cases = [
        (vec![1, 0, 0xFF, 0xFF, 0xFF, 0xF0], INVALID_PARAMETER),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), UNRECOGNISED_PDU),
        (vec![5, 0, 0, 0, 0, 4, 0, 0, 0, 0], UNEXPECTED_PDU),
        (p_data(1, LAST, b"x"), UNEXPECTED_PDU),
        (pdu(0x01, &[0; 20]), INVALID_PARAMETER),
        (associate_rq("A", "B", &[(2, CT_IMAGE, EXPLICIT_LITTLE)], &[]), INVALID_PARAMETER),
    ];
    for (bytes, abort) in cases {
        let mut parrot = Parrot::connect(door.address).await;
        parrot.say(&bytes).await;
        assert_eq!(parrot.hear_abort().await, abort, "{bytes:?}");
    }
}

/// What an associated peer says that it may not.
#[tokio::test]
async fn what_breaks_an_association_is_aborted() {
    let door = Door::open().await;
    let store = p_data(1, COMMAND | LAST, &command(C_STORE, CT_IMAGE, "1.2.3", true));
    let begun = |after: &[u8]| [&store[..], after].concat();
    let cases = [
        // A PDU longer than we announced; a PDV longer than its PDU.
        (vec![4, 0, 0xFF, 0xFF, 0xFF, 0xF0], INVALID_PARAMETER),
        (vec![4, 0, 0, 0, 0, 8, 0, 0, 0, 9, 1, 2, 0, 0], INVALID_PARAMETER),
        // A data set nobody announced, on another context, or broken by a command.
        (p_data(1, LAST, b"x"), UNEXPECTED_PDU),
        (begun(&p_data(3, LAST, b"x")), UNEXPECTED_PDU),
        (begun(&store), UNEXPECTED_PDU),
        // A command on a context that was not accepted, one that cannot be read, a response.
        (p_data(7, COMMAND | LAST, &command(0x0030, "1.2", "", false)), INVALID_PARAMETER),
        (p_data(1, COMMAND | LAST, &[0xFF; 40]), UNEXPECTED_PDU),
        (p_data(1, COMMAND | LAST, &command(0x8001, CT_IMAGE, "1.2", false)), UNEXPECTED_PDU),
        // A second request, a release inside a data set.
        (associate_rq("A", "B", &CONTEXTS, &[]), UNEXPECTED_PDU),
        (begun(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]), UNEXPECTED_PDU),
    ];
    for (bytes, abort) in cases {
        let mut parrot = Parrot::associated(door.address, &CONTEXTS).await;
        parrot.say(&bytes).await;
        assert_eq!(parrot.hear_abort().await, abort, "{bytes:?}");
    }
    assert_eq!(door.instances().await, 0);
}

#[tokio::test]
async fn a_peer_that_never_ends_its_nonsense_is_cut_off() {
    let door = Door::open().await;
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&[1, 0, 0xFF, 0xFF, 0xFF, 0xF0]).await;
    let zeros = vec![0; 1 << 20];
    assert!(parrot.say_until_cut(&zeros, 256).await < 256, "the door read on");
}

#[tokio::test]
async fn a_command_that_never_ends_is_aborted() {
    let door = Door::open().await;
    let mut parrot = Parrot::associated(door.address, &CONTEXTS).await;
    let piece = p_data(1, COMMAND, &[0; 1000]);
    parrot.say_until_cut(&piece, 80).await;
    assert_eq!(parrot.hear_abort().await, UNEXPECTED_PDU);
}

/// How a peer may leave in the midst of a data set.
#[tokio::test]
async fn an_object_broken_off_leaves_no_trace() {
    let door = Door::open().await;
    let mut object = Object::ct("P1", 1, 1, 1);
    object.bytes(0x7FE0_0010, b"OW", vec![7; 4_000_000]);
    let request = command(C_STORE, CT_IMAGE, &object.sop_instance, true);
    let data_set = object.data_set();
    for abort in [true, false] {
        let mut parrot = Parrot::associated(door.address, &CONTEXTS).await;
        parrot.say(&p_data(1, COMMAND | LAST, &request)).await;
        for piece in data_set[..3_000_000].chunks(100_000) {
            parrot.say(&p_data(1, 0, piece)).await;
        }
        until("the object has begun to be written", || async { !door.blob_files().is_empty() })
            .await;
        if abort {
            parrot.say(&[7, 0, 0, 0, 0, 4, 0, 0, 0, 0]).await;
            assert_eq!(parrot.hear().await, None, "an abort is not answered");
        }
        drop(parrot);
        until("the broken object is gone", || async { door.blob_files().is_empty() }).await;
    }
    assert_eq!(door.instances().await, 0);

    // The same object, whole, is stored as if nothing had been.
    let mut scu = door.scu().await;
    assert_eq!(store(&mut scu, &object).await.0, 0);
    assert_eq!(door.instances().await, 1);
}

/// Nothing is wrong with a P-DATA-TF that holds no PDV, nor with a PDV that holds no byte, but a
/// reader that takes one more step down its stack for each of them dies of many.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_pdus_and_values_is_passed_over() {
    let door = Door::open().await;
    let echo = p_data(1, COMMAND | LAST, &command(0x0030, CT_IMAGE, "", false));
    let mut parrot = Parrot::associated(door.address, &CONTEXTS).await;
    parrot.say(&pdu(0x04, &[]).repeat(200_000)).await;
    parrot.say(&p_data(1, COMMAND, &[]).repeat(50_000)).await;
    parrot.say(&echo).await;
    assert_eq!(parrot.hear_status().await, 0);

    // Before an association too.
    let mut early = Parrot::connect(door.address).await;
    early.say(&pdu(0x04, &[]).repeat(200_000)).await;
    early.say(&echo).await;
    assert_eq!(early.hear_abort().await, UNEXPECTED_PDU);
    let mut scu = door.scu().await;
    assert_eq!(store(&mut scu, &Object::ct("P1", 1, 1, 1)).await.0, 0);
}
