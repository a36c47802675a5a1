//! Rejection notes: what they name is served no more, whichever came first, and comes back when asked.

use std::sync::Arc;

use lastra::index::port::SharedIndex;
use lastra::index::query::{Level, Query};
use lastra::model::event::EventKind;
use lastra::model::path::{InstancePath, Scope};
use lastra::model::rejection::{Note, Reason};
use lastra::model::study::{NewInstance, Outcome};

use crate::index::Database;
use crate::index::on_both;
use crate::index::population::new;

on_both!(
    a_note_takes_what_it_names_out_of_what_is_served,
    the_order_in_which_they_come_does_not_matter,
    what_harms_is_refused_when_it_comes_again,
    what_has_no_quality_stays_rejected_when_it_comes_again,
    what_expired_may_come_again,
    restoring_is_asked_for_by_name_and_lasts,
    a_later_note_takes_the_place_of_a_milder_one_and_of_no_other,
    only_what_expired_is_purged_unasked,
    a_note_and_what_it_names_may_come_at_once,
    a_note_kept_beside_other_bytes_of_its_name_counts_too,
    what_expires_in_the_bin_is_purged_no_sooner_than_it_expired,
);

/// Images 1 and 2 of the study's first series.
fn images() -> [NewInstance; 2] {
    [new("P", 1, 1, 1, 0), new("P", 1, 1, 2, 0)]
}

/// Note number `number`, in a series of its own, naming `named`.
fn note(number: u32, reason: Reason, named: &[NewInstance]) -> NewInstance {
    let path = |new: &NewInstance| InstancePath {
        study: new.study.uid.clone(),
        series: new.series.uid.clone(),
        instance: new.instance.uid.clone(),
    };
    let instances = named.iter().map(path).collect();
    NewInstance { rejects: Some(Note { reason, instances }), ..new("P", 1, 9, number, 0) }
}

async fn store(index: &SharedIndex, instances: &[NewInstance]) -> Vec<Outcome> {
    index.store(instances, &[], 1).await.unwrap()
}

fn study() -> Scope {
    Scope::study(new("P", 1, 1, 1, 0).study.uid)
}

/// Row by row what is listed, and what is found.
async fn served(index: &SharedIndex) -> Vec<String> {
    let listed = index.list(&study(), None, 100).await.unwrap();
    let listed: Vec<String> =
        listed.iter().map(|at| at.path.instance.as_str().to_owned()).collect();
    let query = Query {
        level: Level::Instance,
        study: None,
        series: None,
        patient: None,
        matches: Vec::new(),
        order: Vec::new(),
        limit: 100,
        offset: 0,
    };
    let found = index.find(&query).await.unwrap();
    let found = found.iter().map(|found| found.instance.as_ref().unwrap().uid.as_str().to_owned());
    let mut found: Vec<String> = found.collect();
    let mut sorted = listed.clone();
    found.sort();
    sorted.sort();
    assert_eq!(found, sorted, "what is found is what is listed");
    listed
}

async fn in_bin(index: &SharedIndex) -> Vec<(Option<Reason>, u64)> {
    let bin = index.bin(10).await.unwrap();
    bin.iter().map(|binned| (binned.reason, binned.copies)).collect()
}

async fn a_note_takes_what_it_names_out_of_what_is_served(database: Database) {
    let index = database.open().await;
    let images = images();
    let other = new("P", 1, 1, 3, 0);
    store(&index, &images).await;
    store(&index, std::slice::from_ref(&other)).await;
    let note = note(1, Reason::PatientSafety, &images);
    assert_eq!(store(&index, std::slice::from_ref(&note)).await, [Outcome::Stored]);
    assert_eq!(served(&index).await, ["1.1.1.3", "1.1.9.1"], "what it does not name, and itself");
    assert_eq!(in_bin(&index).await, [(Some(Reason::PatientSafety), 2)]);
    let totals = index.totals().await.unwrap();
    assert_eq!((totals.studies, totals.series, totals.instances), (1, 2, 2));
    let events = index.events(3, 10).await.unwrap();
    let events: Vec<_> =
        events.iter().map(|e| (e.kind, e.object.as_ref().unwrap().instance.as_str())).collect();
    let rejected = EventKind::InstanceRejected;
    let expected =
        [(EventKind::InstanceStored, "1.1.9.1"), (rejected, "1.1.1.1"), (rejected, "1.1.1.2")];
    assert_eq!(events, expected);
    let keys: Vec<String> = images.iter().map(|new| new.copy.blob_key.clone()).collect();
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [true; 2], "its bytes are not swept");
    assert!(!index.was_deleted(&study()).await.unwrap(), "nobody deleted it");
    assert_eq!(index.rejected_for(&study()).await.unwrap(), Some(Reason::PatientSafety));
    // The note once more is the note that is here.
    assert_eq!(store(&index, &[note]).await, [Outcome::AlreadyHere]);
}

async fn a_note_kept_beside_other_bytes_of_its_name_counts_too(database: Database) {
    let index = database.open().await;
    let [one, two] = images();
    store(&index, &[one.clone(), two.clone()]).await;
    let first = note(1, Reason::Quality, std::slice::from_ref(&one));
    assert_eq!(store(&index, &[first]).await, [Outcome::Stored]);
    let mut corrected = note(1, Reason::Quality, &[one, two]);
    corrected.copy.data_set_sha256 = [77; 32];
    corrected.copy.blob_key = "corrected".to_owned();
    assert_eq!(store(&index, &[corrected]).await, [Outcome::KeptBeside]);
    assert_eq!(served(&index).await, ["1.1.9.1"]);
    assert_eq!(in_bin(&index).await, [(Some(Reason::Quality), 2)]);
}

async fn what_expires_in_the_bin_is_purged_no_sooner_than_it_expired(database: Database) {
    let index = database.open().await;
    let [one, _] = images();
    store(&index, std::slice::from_ref(&one)).await;
    store(&index, &[note(1, Reason::Quality, std::slice::from_ref(&one))]).await;
    let expired = note(2, Reason::RetentionExpired, std::slice::from_ref(&one));
    assert_eq!(index.store(&[expired], &[], 1000).await.unwrap(), [Outcome::Stored]);
    assert_eq!(in_bin(&index).await, [(Some(Reason::RetentionExpired), 1)]);
    assert!(index.purge(1000, false, 10).await.unwrap().is_empty(), "its time begins anew");
    assert_eq!(index.purge(1001, false, 10).await.unwrap(), [one.copy.blob_key]);
}

async fn the_order_in_which_they_come_does_not_matter(database: Database) {
    let index = database.open().await;
    let [one, two] = images();
    let named = images();
    // Each in a transaction of its own, and all in one.
    for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1]] {
        for alone in [true, false] {
            let again = |new: &NewInstance| {
                let mut new = new.clone();
                new.copy.blob_key = uuid::Uuid::new_v4().to_string();
                new
            };
            let note = note(1, Reason::Quality, &named);
            let all = [again(&one), again(&two), again(&note)];
            let all: Vec<NewInstance> = order.iter().map(|at| all[*at].clone()).collect();
            if alone {
                for new in &all {
                    store(&index, std::slice::from_ref(new)).await;
                }
            } else {
                let outcomes = store(&index, &all).await;
                let images = order.iter().zip(outcomes).filter(|(at, _)| **at < 2);
                let all_rejected = images.map(|(_, outcome)| outcome);
                assert!(all_rejected.into_iter().all(|o| o == Outcome::Rejected), "{order:?}");
            }
            assert_eq!(served(&index).await, ["1.1.9.1"], "{order:?} alone: {alone}");
            assert_eq!(in_bin(&index).await, [(Some(Reason::Quality), 2)], "{order:?}");
            index.restore(&study(), true, &[], 2).await.unwrap();
            index.delete(&study(), 3).await.unwrap();
            index.purge(4, true, 100).await.unwrap();
        }
    }
}

async fn what_harms_is_refused_when_it_comes_again(database: Database) {
    let index = database.open().await;
    for (number, reason) in [(1, Reason::PatientSafety), (2, Reason::WorklistEntry)] {
        let image = new("P", 1, 1, number, 0);
        store(&index, &[note(number, reason, std::slice::from_ref(&image))]).await;
        assert_eq!(store(&index, std::slice::from_ref(&image)).await, [Outcome::Rejected]);
        let unnamed = new("P", 1, 1, 10 + number, 0);
        let batch = [new("P", 1, 1, number, 0), unnamed, new("P", 1, 1, number, 7)];
        let refused = Outcome::Refused(reason);
        assert_eq!(store(&index, &batch).await, [refused, Outcome::Stored, refused]);
        let keys = [batch[0].copy.blob_key.clone(), image.copy.blob_key.clone()];
        assert_eq!(index.knows_blobs(&keys).await.unwrap(), [false, true]);
        // Nor when its bytes are gone for good.
        index.purge(2, true, 100).await.unwrap();
        let again = new("P", 1, 1, number, 0);
        assert_eq!(store(&index, &[again]).await, [refused]);
    }
    assert_eq!(served(&index).await, ["1.1.1.11", "1.1.1.12", "1.1.9.1", "1.1.9.2"]);
}

async fn what_has_no_quality_stays_rejected_when_it_comes_again(database: Database) {
    let index = database.open().await;
    let [image, _] = images();
    store(&index, std::slice::from_ref(&image)).await;
    store(&index, &[note(1, Reason::Quality, std::slice::from_ref(&image))]).await;
    let same = new("P", 1, 1, 1, 0);
    assert_eq!(store(&index, &[same]).await, [Outcome::AlreadyHere]);
    assert_eq!(store(&index, &[new("P", 1, 1, 1, 7)]).await, [Outcome::Rejected]);
    assert_eq!(served(&index).await, ["1.1.9.1"]);
    assert_eq!(in_bin(&index).await, [(Some(Reason::Quality), 2)], "other bytes are kept too");
}

async fn what_expired_may_come_again(database: Database) {
    let index = database.open().await;
    let [image, _] = images();
    store(&index, std::slice::from_ref(&image)).await;
    store(&index, &[note(1, Reason::RetentionExpired, std::slice::from_ref(&image))]).await;
    assert_eq!(served(&index).await, ["1.1.9.1"]);
    assert_eq!(store(&index, &[new("P", 1, 1, 1, 0)]).await, [Outcome::Stored]);
    assert_eq!(served(&index).await, ["1.1.1.1", "1.1.9.1"]);
}

async fn restoring_is_asked_for_by_name_and_lasts(database: Database) {
    let index = database.open().await;
    let images = images();
    let note = note(1, Reason::PatientSafety, &images[..1]);
    store(&index, &images).await;
    store(&index, std::slice::from_ref(&note)).await;
    // Somebody deletes the rest by mistake and takes it back: what may harm does not come along.
    assert_eq!(index.delete(&study(), 2).await.unwrap(), 2);
    assert_eq!(index.restore(&study(), false, &[], 3).await.unwrap(), 2);
    assert_eq!(served(&index).await, ["1.1.1.2", "1.1.9.1"]);
    assert_eq!(index.restore(&study(), false, &[], 4).await.unwrap(), 0);
    assert_eq!(index.restore(&study(), true, &[], 5).await.unwrap(), 1);
    assert_eq!(served(&index).await, ["1.1.1.1", "1.1.1.2", "1.1.9.1"]);
    // Neither the note sent again nor the image undoes that.
    assert_eq!(store(&index, &[note]).await, [Outcome::AlreadyHere]);
    assert_eq!(store(&index, &[new("P", 1, 1, 1, 0)]).await, [Outcome::AlreadyHere]);
    assert_eq!(served(&index).await.len(), 3);
}

async fn a_later_note_takes_the_place_of_a_milder_one_and_of_no_other(database: Database) {
    let index = database.open().await;
    let [image, _] = images();
    store(&index, std::slice::from_ref(&image)).await;
    let named = std::slice::from_ref(&image);
    for (number, (sent, standing)) in [
        (Reason::Quality, Reason::Quality),
        (Reason::WorklistEntry, Reason::WorklistEntry),
        (Reason::Quality, Reason::WorklistEntry),
        (Reason::PatientSafety, Reason::PatientSafety),
        // To be purged, and refused as before.
        (Reason::RetentionExpired, Reason::RetentionExpired),
    ]
    .into_iter()
    .enumerate()
    {
        store(&index, &[note(u32::try_from(number).unwrap() + 1, sent, named)]).await;
        assert_eq!(in_bin(&index).await, [(Some(standing), 1)], "note {number}");
    }
    let refused = Outcome::Refused(Reason::PatientSafety);
    assert_eq!(store(&index, &[new("P", 1, 1, 1, 0)]).await, [refused]);
}

async fn only_what_expired_is_purged_unasked(database: Database) {
    let index = database.open().await;
    let reasons = Reason::ALL.into_iter().zip(1_u32..);
    for (reason, number) in reasons {
        let image = new("P", 1, 1, number, 0);
        store(&index, std::slice::from_ref(&image)).await;
        store(&index, &[note(number, reason, &[image])]).await;
    }
    let keys = index.purge(100, false, 100).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(!in_bin(&index).await.iter().any(|(why, _)| *why == Some(Reason::RetentionExpired)));
    assert_eq!(index.purge(100, true, 100).await.unwrap().len(), 3);
}

async fn a_note_and_what_it_names_may_come_at_once(database: Database) {
    let (index, other) = (database.open().await, database.open().await);
    for round in 0..20 {
        let image = |number: u32| {
            let mut new = new("P", 1, 1, round * 10 + number, 0);
            new.copy.blob_key = uuid::Uuid::new_v4().to_string();
            new
        };
        let images: Vec<NewInstance> = (1..=4).map(image).collect();
        let note = note(round + 1, Reason::PatientSafety, &images);
        let (one, two) = (Arc::clone(&index), Arc::clone(&other));
        let storing = tokio::spawn(async move {
            for image in images {
                one.store(&[image], &[], 1).await.unwrap();
            }
        });
        let noting = tokio::spawn(async move { two.store(&[note], &[], 1).await.unwrap() });
        storing.await.unwrap();
        noting.await.unwrap();
        let listed = index.list(&study(), None, 100).await.unwrap();
        let left = listed.iter().filter(|at| at.path.series.as_str() == "1.1.1").count();
        assert_eq!(left, 0, "round {round}");
    }
    assert_eq!(in_bin(&index).await, [(Some(Reason::PatientSafety), 80)]);
}
