//! Association requests byte for byte, and the bytes of the answers (PS3.7 §D.3.3, PS3.8 §9.3).

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
use crate::support::parrot::item;
use crate::support::parrot::p_data;

const CONTEXT: [(u8, &str, &str); 1] = [(1, CT_IMAGE, EXPLICIT_LITTLE)];
const ACCEPTED: u8 = 0;
const REFUSED_BY_USER: u8 = 1;
const INVALID_PARAMETER: (u8, u8) = (2, 6);

/// What the door answers to user information: the sub-items beside maximum length and
/// implementation.
async fn answered(door: &Door, user_items: &[u8]) -> (Vec<(u8, u8)>, Vec<(u8, Vec<u8>)>) {
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&associate_rq("PARROT", "LASTRA", &CONTEXT, user_items)).await;
    let (contexts, mut items) = parrot.hear_accepted().await;
    items.retain(|item| !matches!(item.0, 0x51 | 0x52 | 0x55));
    // It is an association like any other.
    parrot.say(&p_data(1, COMMAND | LAST, &command(0x0030, CT_IMAGE, "", false))).await;
    assert_eq!(parrot.hear_status().await, 0);
    (contexts, items)
}

/// SCP/SCU Role Selection (PS3.7 §D.3.3.4.1).
fn roles(scu: u8, scp: u8) -> Vec<u8> {
    let length = u8::try_from(CT_IMAGE.len()).unwrap();
    item(0x54, &[&[0, length], CT_IMAGE.as_bytes(), &[scu, scp]].concat())
}

/// User Identity (PS3.7 §D.3.3.7.1) of one byte.
fn identity(kind: u8, response_requested: u8) -> Vec<u8> {
    item(0x58, &[kind, response_requested, 0, 1, b'u', 0, 0])
}

#[tokio::test]
async fn roles_are_answered_and_only_the_senders_is_granted() {
    let door = Door::open().await;
    let answer = |scu| {
        let item = roles(scu, 0);
        vec![(0x54, item[4..].to_vec())]
    };
    assert_eq!(answered(&door, &roles(1, 0)).await.1, answer(1));
    assert_eq!(answered(&door, &roles(1, 1)).await.1, answer(1));
    // Asked for nothing, nothing is answered: the defaults hold (PS3.7 §D.3.3.4).
    assert_eq!(answered(&door, &[]).await.1, []);
    // Who would only receive is refused the context: we do not begin.
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&associate_rq("PARROT", "LASTRA", &CONTEXT, &roles(0, 1))).await;
    assert_eq!(parrot.hear_accepted().await.0, [(1, REFUSED_BY_USER)]);
}

#[tokio::test]
async fn one_operation_at_a_time_is_all_that_is_agreed() {
    let door = Door::open().await;
    for window in [[0, 8, 0, 8], [0, 0, 0, 0], [0, 1, 0, 1]] {
        let items = answered(&door, &item(0x53, &window)).await.1;
        assert_eq!(items, [(0x53, vec![0, 1, 0, 1])], "{window:?}");
    }
    assert_eq!(answered(&door, &[]).await.1, []);
}

#[tokio::test]
async fn an_identity_is_answered_when_an_answer_is_asked_for_and_only_then() {
    let door = Door::open().await;
    assert_eq!(answered(&door, &identity(1, 1)).await.1, [(0x59, vec![0, 0])]);
    assert_eq!(answered(&door, &identity(2, 1)).await.1, [(0x59, vec![0, 0])]);
    assert_eq!(answered(&door, &identity(1, 0)).await.1, []);
    // Once, however often it is asked; and no answer to what we cannot know: a ticket, a type
    // nobody has heard of.
    let twice = [identity(1, 1), identity(1, 1)].concat();
    assert_eq!(answered(&door, &twice).await.1, [(0x59, vec![0, 0])]);
    assert_eq!(answered(&door, &identity(3, 1)).await.1, []);
    assert_eq!(answered(&door, &identity(99, 1)).await.1, []);
}

#[tokio::test]
async fn extended_negotiation_unknown_and_broken_user_information_do_no_harm() {
    let door = Door::open().await;
    let length = u8::try_from(CT_IMAGE.len()).unwrap();
    let class = [&[0, length], CT_IMAGE.as_bytes()].concat();
    for user_items in [
        item(0x56, &[&class[..], &[2, 0, 3, 0, 1, 0]].concat()),
        item(0x57, &[&class[..], &class, &[0, 0]].concat()),
        item(0x5F, b"from a later edition"),
        item(0x58, &[2, 1, 0xFF, 0xFF, b'u']),
        item(0x54, &[0xFF, 0xFF]),
        item(0x53, &[1]),
    ] {
        let (contexts, items) = answered(&door, &user_items).await;
        assert_eq!(contexts, [(1, ACCEPTED)], "{user_items:?}");
        assert!(items.iter().all(|item| item.0 == 0x53), "{user_items:?}: {items:?}");
    }
}

#[tokio::test]
async fn items_nobody_knows_are_passed_over_wherever_they_stand() {
    let door = Door::open().await;
    let context = [
        &[1, 0, 0, 0][..],
        &item(0x30, CT_IMAGE.as_bytes()),
        &item(0x3F, b"?"),
        &item(0x40, EXPLICIT_LITTLE.as_bytes()),
    ]
    .concat();
    let mut request = associate_rq("PARROT", "LASTRA", &[], &[]);
    request.extend(item(0x7A, b"?"));
    request.extend(item(0x20, &context));
    let length = u32::try_from(request.len() - 6).unwrap();
    request[2..6].copy_from_slice(&length.to_be_bytes());
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&request).await;
    assert_eq!(parrot.hear_accepted().await.0, [(1, ACCEPTED)]);
}

#[tokio::test]
async fn every_odd_context_id_can_be_used_and_even_or_repeated_ones_break_the_association() {
    let door = Door::open().await;
    let all: Vec<_> = (1..=255).step_by(2).map(|id| (id, CT_IMAGE, EXPLICIT_LITTLE)).collect();
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&associate_rq("PARROT", "LASTRA", &all, &[])).await;
    let expected: Vec<_> = all.iter().map(|context| (context.0, ACCEPTED)).collect();
    assert_eq!(expected.len(), 128);
    assert_eq!(parrot.hear_accepted().await.0, expected);
    parrot.say(&p_data(255, COMMAND | LAST, &command(0x0030, CT_IMAGE, "", false))).await;
    assert_eq!(parrot.hear_status().await, 0);

    for extra in [2, 0, 255] {
        let contexts = [&all[..], &[(extra, CT_IMAGE, EXPLICIT_LITTLE)]].concat();
        let mut parrot = Parrot::connect(door.address).await;
        parrot.say(&associate_rq("PARROT", "LASTRA", &contexts, &[])).await;
        assert_eq!(parrot.hear_abort().await, INVALID_PARAMETER, "{extra}");
    }
}

/// Titles are of the default repertoire (PS3.8 §9.3.2); some sites write their own language all
/// the same, and would lose images over it.
#[tokio::test]
async fn titles_outside_the_default_repertoire_are_let_in_and_returned() {
    let door = Door::open().await;
    let mut request = associate_rq("RADIOLOGIE", "LASTRA", &CONTEXT, &[]);
    request[26] = 0xC9;
    let mut parrot = Parrot::connect(door.address).await;
    parrot.say(&request).await;
    let (kind, body) = parrot.hear().await.unwrap();
    assert_eq!(kind, 0x02);
    assert_eq!(body[4..36], request[10..42], "titles are returned as they came");
    let mut scu = door.scu().await;
    assert_eq!(store(&mut scu, &Object::ct("P1", 1, 1, 1)).await.0, 0);
}
