//! What becomes of objects: stored, here already, kept beside; whose they are.

use lastra::index::query::Level;
use lastra::index::query::Query;
use lastra::model::event::EventKind;
use lastra::model::path::Scope;
use lastra::model::study::Outcome;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::again;
use super::objects::altered;
use super::objects::object;
use super::objects::patient;
use super::objects::store;
use super::objects::uid;
use super::objects::with;

crate::index::on_every_index! {
    a_resend_writes_nothing,
    other_bytes_under_a_known_uid_are_kept_beside_the_first,
    duplicates_within_a_batch_count_in_their_order,
    first_facts_stay,
    people_without_an_id_are_never_merged,
    equal_ids_of_two_issuers_are_two_people,
    a_study_under_two_patients_stays_with_both,
    a_study_under_two_patients_in_one_batch_is_one_conflict,
    a_batch_over_many_patients_and_series_is_counted_right,
    text_that_a_database_may_not_like_is_kept,
    an_empty_batch_is_nothing,
}

async fn a_resend_writes_nothing(kept: &Kept) {
    let index = &*kept.index;
    let sent = object("1.1", "1.1.1", "1.1.1.1");
    assert_eq!(store(index, std::slice::from_ref(&sent)).await, [Outcome::Stored]);
    let (before, events) = (index.totals().await.unwrap(), index.events(0, 10).await.unwrap());
    for _ in 0..3 {
        assert_eq!(store(index, &[again(&sent)]).await, [Outcome::AlreadyHere]);
    }
    assert_eq!(index.totals().await.unwrap(), before);
    assert_eq!(index.events(0, 10).await.unwrap(), events);
    let series = index.series_of(&Scope::study(uid("1.1"))).await.unwrap();
    assert_eq!((series[0].revision, series[0].instances), (1, 1));
}

async fn other_bytes_under_a_known_uid_are_kept_beside_the_first(kept: &Kept) {
    let index = &*kept.index;
    let first = object("1.1", "1.1.1", "1.1.1.1");
    let second = altered(&first);
    // The same bytes in another transfer syntax are other bytes to whoever fetches them.
    let third = with(again(&second), |o| o.copy.transfer_syntax = "1.2.840.10008.1.2".to_owned());
    store(index, std::slice::from_ref(&first)).await;
    for other in [&second, &third] {
        assert_eq!(store(index, std::slice::from_ref(other)).await, [Outcome::KeptBeside]);
        assert_eq!(store(index, &[again(other)]).await, [Outcome::AlreadyHere]);
    }
    assert_eq!(store(index, &[again(&first)]).await, [Outcome::AlreadyHere]);

    let served = index.locate(&Scope::study(uid("1.1"))).await.unwrap().unwrap();
    assert_eq!(served.blob_key, first.copy.blob_key);
    let copies = index.copies(0, 10).await.unwrap();
    let copies: Vec<_> = copies.iter().map(|c| (c.blob_key.as_str(), c.served)).collect();
    let expected = [
        (first.copy.blob_key.as_str(), true),
        (second.copy.blob_key.as_str(), false),
        (third.copy.blob_key.as_str(), false),
    ];
    assert_eq!(copies, expected);
    let kinds: Vec<_> = index.events(0, 10).await.unwrap().iter().map(|e| e.kind).collect();
    let conflict = EventKind::InstanceConflict;
    assert_eq!(kinds, [EventKind::InstanceStored, conflict, conflict]);
    let totals = index.totals().await.unwrap();
    assert_eq!((totals.instances, totals.bytes), (1, 3000));
}

async fn duplicates_within_a_batch_count_in_their_order(kept: &Kept) {
    let index = &*kept.index;
    let one = object("1.1", "1.1.1", "1.1.1.1");
    let two = object("1.1", "1.1.1", "1.1.1.2");
    let other = altered(&one);
    let batch = [one.clone(), two, again(&one), other.clone(), again(&other), again(&one)];
    let expected = [
        Outcome::Stored,
        Outcome::Stored,
        Outcome::AlreadyHere,
        Outcome::KeptBeside,
        Outcome::AlreadyHere,
        Outcome::AlreadyHere,
    ];
    assert_eq!(store(index, &batch).await, expected);
    let located = index.list(&Scope::study(uid("1.1")), None, 10).await.unwrap();
    assert_eq!(located.len(), 2);
    assert_eq!(located[0].blob_key, one.copy.blob_key);
    let series = index.series(located[0].series_id).await.unwrap().unwrap();
    assert_eq!((series.revision, series.instances), (2, 2));
}

async fn first_facts_stay(kept: &Kept) {
    let index = &*kept.index;
    let first = object("1.1", "1.1.1", "1.1.1.1");
    let later = with(object("1.1", "1.1.1", "1.1.1.2"), |o| {
        o.patient.attributes = "{}".to_owned();
        o.study.attributes = "{}".to_owned();
        o.study.date = "20300101".to_owned();
        o.series.attributes = "{}".to_owned();
        o.series.modality = "MR".to_owned();
    });
    store(index, &[first.clone(), later.clone()]).await;
    store(index, &[with(again(&later), |o| o.instance.uid = uid("1.1.1.3"))]).await;
    let found = index.find(&everything(Level::Series)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].patient, first.patient.attributes);
    assert_eq!(found[0].study, first.study.attributes);
    assert_eq!(found[0].series.as_ref().unwrap().attributes, first.series.attributes);
    assert_eq!(found[0].modalities, ["CT"]);
    assert_eq!(found[0].study_instances, 3);
}

async fn people_without_an_id_are_never_merged(kept: &Kept) {
    let index = &*kept.index;
    let nobody = |study: &str| {
        with(object(study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
            o.patient.id = patient("HOSPITAL", "");
        })
    };
    store(index, &[nobody("1.1"), nobody("1.2")]).await;
    store(index, &[nobody("1.3")]).await;
    assert_eq!(index.totals().await.unwrap().patients, 3);
    // The same study's next object is of the same unknown person.
    let next = with(nobody("1.3"), |o| o.instance.uid = uid("1.3.1.2"));
    store(index, &[next]).await;
    assert_eq!(index.totals().await.unwrap().patients, 3);
    let scope = Scope { patient: Some(patient("HOSPITAL", "")), ..Scope::study(uid("1.3")) };
    assert_eq!(index.list(&scope, None, 10).await.unwrap().len(), 2);
}

async fn equal_ids_of_two_issuers_are_two_people(kept: &Kept) {
    let index = &*kept.index;
    let of = |issuer: &str, study: &str| {
        with(object(study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
            o.patient.id = patient(issuer, "1");
        })
    };
    store(index, &[of("NORTH", "1.1"), of("SOUTH", "1.2"), of("NORTH", "1.3")]).await;
    assert_eq!(index.totals().await.unwrap().patients, 2);
    let query = Query { patient: Some(patient("NORTH", "1")), ..everything(Level::Study) };
    assert_eq!(index.count(&query, 10).await.unwrap(), 2);
}

async fn a_study_under_two_patients_stays_with_both(kept: &Kept) {
    let index = &*kept.index;
    let mine = object("1.1", "1.1.1", "1.1.1.1");
    let theirs = with(altered(&mine), |o| o.patient.id = patient("", "P2"));
    assert_eq!(store(index, std::slice::from_ref(&mine)).await, [Outcome::Stored]);
    // Of another patient: not beside the first, but on its own.
    assert_eq!(store(index, std::slice::from_ref(&theirs)).await, [Outcome::Stored]);
    let more = with(altered(&theirs), |o| o.instance.uid = uid("1.1.1.2"));
    assert_eq!(store(index, &[more]).await, [Outcome::Stored]);

    let patients = index.patients_of_study("1.1").await.unwrap();
    assert_eq!(patients, [patient("", "P1"), patient("", "P2")]);
    assert!(index.patients_of_study("1.2").await.unwrap().is_empty());
    for (id, key) in [("P1", &mine.copy.blob_key), ("P2", &theirs.copy.blob_key)] {
        let scope = Scope {
            patient: Some(patient("", id)),
            instance: Some(uid("1.1.1.1")),
            ..Scope::series(uid("1.1"), uid("1.1.1"))
        };
        assert_eq!(&index.locate(&scope).await.unwrap().unwrap().blob_key, key);
    }
    let events = index.events(0, 10).await.unwrap();
    let conflicts = events.iter().filter(|event| event.kind == EventKind::StudyConflict);
    assert_eq!(conflicts.count(), 1);
}

async fn a_study_under_two_patients_in_one_batch_is_one_conflict(kept: &Kept) {
    let index = &*kept.index;
    // The later one has the smaller key.
    let first = with(object("1.1", "1.1.1", "1.1.1.1"), |o| o.patient.id = patient("", "Z"));
    let second = with(object("1.1", "1.1.1", "1.1.1.2"), |o| o.patient.id = patient("", "A"));
    assert_eq!(store(index, &[first, second]).await, [Outcome::Stored; 2]);
    let events = index.events(0, 10).await.unwrap();
    let events: Vec<_> =
        events.iter().map(|e| (e.kind, e.object.as_ref().unwrap().instance.as_str())).collect();
    let expected = [
        (EventKind::InstanceStored, "1.1.1.1"),
        (EventKind::StudyConflict, "1.1.1.2"),
        (EventKind::InstanceStored, "1.1.1.2"),
    ];
    assert_eq!(events, expected);
}

async fn a_batch_over_many_patients_and_series_is_counted_right(kept: &Kept) {
    let index = &*kept.index;
    // 5 patients of 2 studies of 4 series of 5 instances, shuffled by their order of loops.
    let mut batch = Vec::new();
    for instance in 0..5 {
        for series in 0..4 {
            for study in 0..10 {
                let study_uid = format!("1.{study}");
                let series_uid = format!("{study_uid}.{series}");
                let new = object(&study_uid, &series_uid, &format!("{series_uid}.{instance}"));
                batch.push(with(new, |o| {
                    o.patient.id = patient("", &format!("P{}", study % 5));
                    o.series.modality = ["CT", "MR"][series % 2].to_owned();
                }));
            }
        }
    }
    assert_eq!(store(index, &batch).await, [Outcome::Stored; 200]);
    let totals = index.totals().await.unwrap();
    assert_eq!((totals.patients, totals.studies, totals.series), (5, 10, 40));
    assert_eq!((totals.instances, totals.bytes), (200, 200_000));
    for found in index.find(&everything(Level::Study)).await.unwrap() {
        assert_eq!((found.study_series, found.study_instances), (4, 20));
        assert_eq!(found.modalities, ["CT", "MR"]);
    }
    let events = index.events(0, 1000).await.unwrap();
    let order: Vec<_> = batch.iter().map(|new| &new.instance.uid).collect();
    assert_eq!(
        events.iter().map(|event| &event.object.as_ref().unwrap().instance).collect::<Vec<_>>(),
        order
    );
}

async fn text_that_a_database_may_not_like_is_kept(kept: &Kept) {
    let index = &*kept.index;
    let odd = "O'Brien \"x\" \\ % _ [ * ? 山田 \u{1F600} \u{10FFFF}";
    let new = with(object("1.1", "1.1.1", "not a uid"), |o| {
        o.patient.id = patient(odd, &format!("{odd}\0"));
        o.study.description = odd.to_owned();
        o.instance.number = "99999999999999999999".to_owned();
    });
    assert_eq!(store(index, std::slice::from_ref(&new)).await, [Outcome::Stored]);
    assert_eq!(store(index, &[again(&new)]).await, [Outcome::AlreadyHere]);
    assert_eq!(index.patients_of_study("1.1").await.unwrap(), [patient(odd, odd)]);
}

async fn an_empty_batch_is_nothing(kept: &Kept) {
    assert!(store(&*kept.index, &[]).await.is_empty());
    assert!(kept.index.events(0, 1).await.unwrap().is_empty());
    let jobs = kept.index.claim_jobs("w", NOW, 1, 10).await.unwrap();
    assert!(jobs.is_empty());
}

pub(super) fn everything(level: Level) -> Query {
    Query {
        level,
        study: None,
        series: None,
        patient: None,
        matches: Vec::new(),
        order: Vec::new(),
        limit: 1000,
        offset: 0,
    }
}
