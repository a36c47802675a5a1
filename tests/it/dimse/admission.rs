//! Who is let in, and for how long: titles, number of associations, time.

use std::time::Duration;
use std::time::Instant;

use lastra::dimse::client::Scu;
use lastra::dimse::client::ScuError;
use lastra::dimse::refusal::Rejection;

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
use crate::support::server::until;

const CONTEXT: [(u8, &str, &str); 1] = [(1, CT_IMAGE, EXPLICIT_LITTLE)];

async fn associate_as(door: &Door, calling: &str, called: &str) -> Result<Scu, ScuError> {
    let contexts = [(CT_IMAGE.to_owned(), EXPLICIT_LITTLE.to_owned())];
    Scu::connect(&door.address.to_string(), calling, called, &contexts).await
}

#[tokio::test]
async fn titles_are_open_by_default_and_strict_by_list() {
    let open = Door::open().await;
    associate_as(&open, "ANYONE", "OTHER").await.unwrap().release().await.unwrap();

    let strict = Door::open_with(|settings| {
        settings.accept_called = vec!["LASTRA".to_owned()];
        settings.accept_calling = vec!["CT1".to_owned(), "MR 1".to_owned()];
    })
    .await;
    associate_as(&strict, "MR 1", "LASTRA").await.unwrap().release().await.unwrap();
    for (calling, called, expected) in [
        ("CT1", "PACS", Rejection::CALLED_AE_TITLE),
        ("CT2", "LASTRA", Rejection::CALLING_AE_TITLE),
    ] {
        let error = associate_as(&strict, calling, called).await.unwrap_err();
        assert_eq!(error, ScuError::Rejected { called: called.to_owned(), rejection: expected });
        assert!(error.to_string().contains("AE title not recognised"), "{error}");
    }
}

#[tokio::test]
async fn one_association_too_many_is_told_to_come_back() {
    let door = Door::open_with(|settings| settings.max_associations = 2).await;
    // Connections that ask for nothing take no association away.
    let _silent = (Parrot::connect(door.address).await, Parrot::connect(door.address).await);
    let (first, mut second) = (door.scu().await, door.scu().await);
    let error = door.associate(&[(CT_IMAGE, EXPLICIT_LITTLE)]).await.unwrap_err();
    let ScuError::Rejected { rejection, .. } = error else { panic!("{error:?}") };
    assert_eq!(rejection, Rejection::LIMIT_EXCEEDED);
    assert!(rejection.is_transient());

    first.release().await.unwrap();
    until("there is room again", || async {
        door.associate(&[(CT_IMAGE, EXPLICIT_LITTLE)]).await.is_ok()
    })
    .await;
    assert_eq!(store(&mut second, &Object::ct("P1", 1, 1, 1)).await.0, 0);
}

#[tokio::test]
async fn whoever_says_nothing_is_closed_after_artim() {
    let door = Door::open_with(|settings| settings.artim_s = 1).await;
    let begun = Instant::now();
    let mut silent = Parrot::connect(door.address).await;
    assert_eq!(silent.hear().await, None);
    let mut half = Parrot::connect(door.address).await;
    half.say(&[1, 0, 0, 0]).await;
    assert_eq!(half.hear().await, None);
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn silence_between_and_inside_messages_is_aborted() {
    const UNSPECIFIED: (u8, u8) = (2, 0);
    let door = Door::open_with(|settings| {
        settings.idle_s = 1;
        settings.read_timeout_s = 2;
    })
    .await;
    let begun = Instant::now();
    let mut idle = Parrot::associated(door.address, &CONTEXT).await;
    assert_eq!(idle.hear_abort().await, UNSPECIFIED);
    assert!(begun.elapsed() < Duration::from_secs(2), "the shorter timer holds between messages");

    let begun = Instant::now();
    let mut stalled = Parrot::associated(door.address, &CONTEXT).await;
    let request = command(0x0001, CT_IMAGE, "1.2.3", true);
    stalled.say(&p_data(1, COMMAND | LAST, &request)).await;
    stalled.say(&p_data(1, 0, b"\x08\x00\x05\x00")).await;
    assert_eq!(stalled.hear_abort().await, UNSPECIFIED);
    assert!(begun.elapsed() >= Duration::from_secs(2), "the longer timer holds inside a message");
    until("nothing is left", || async { door.blob_files().is_empty() }).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_at_the_start() {
    type Settings = lastra::dimse::listener::Settings;
    let changes: [fn(&mut Settings); 4] = [
        |s| s.ae_title = "A TITLE OF TOO MANY CHARACTERS".to_owned(),
        |s| s.ae_title = "CITTÀ".to_owned(),
        |s| s.max_pdu_bytes = 100,
        |s| s.max_associations = 0,
    ];
    for change in changes {
        let mut settings = Settings { address: "127.0.0.1:0".to_owned(), ..Settings::default() };
        change(&mut settings);
        assert!(lastra::dimse::listener::Listener::bind(&settings).await.is_err(), "{settings:?}");
    }
}
