//! Entering instances: outcomes, conflicts, events, what comes first from many at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use lastra::dicom::uid::Uid;
use lastra::index::commit::Committer;
use lastra::index::port::Derived;
use lastra::index::port::DerivedKind;
use lastra::model::event::EventKind;
use lastra::model::path::Scope;
use lastra::model::study::Outcome;

use crate::index::Database;
use crate::index::on_both;
use crate::index::population::new;

on_both!(
    outcomes_come_in_order,
    one_study_under_two_patients_is_two_studies,
    whoever_is_not_identified_is_somebody_of_one_study,
    the_same_id_of_two_issuers_is_two_patients,
    first_sight_from_many_never_collides,
    events_are_never_missed,
    pages_follow_series_and_instance_numbers,
    derived_objects_replace_older_ones_only,
    copies_and_blobs_are_known,
    commits_are_grouped_and_all_are_answered,
);

async fn outcomes_come_in_order(database: Database) {
    let index = database.open().await;
    let batch =
        [new("P", 1, 1, 1, 0), new("P", 1, 1, 1, 0), new("P", 1, 1, 1, 9), new("P", 1, 1, 2, 0)];
    let outcomes = index.store(&batch, &[], 10).await.unwrap();
    let (stored, here, beside) = (Outcome::Stored, Outcome::AlreadyHere, Outcome::KeptBeside);
    assert_eq!(outcomes, [stored, here, beside, stored]);
    let again = [new("P", 1, 1, 1, 9), new("P", 1, 1, 2, 0)];
    assert_eq!(index.store(&again, &[], 11).await.unwrap(), [here, here]);

    let scope = Scope::series(batch[0].study.uid.clone(), batch[0].series.uid.clone());
    let served = index.list(&scope, None, 10).await.unwrap();
    assert_eq!(served.len(), 2);
    assert_eq!(served[0].blob_key, batch[0].copy.blob_key);
    let series = index.series_of(&scope).await.unwrap();
    assert_eq!((series[0].instances, series[0].revision), (2, 2));
    let kinds: Vec<EventKind> =
        index.events(0, 10).await.unwrap().into_iter().map(|event| event.kind).collect();
    let stored = EventKind::InstanceStored;
    assert_eq!(kinds, [stored, EventKind::InstanceConflict, stored]);
    let totals = index.totals().await.unwrap();
    assert_eq!((totals.patients, totals.studies, totals.series, totals.instances), (1, 1, 1, 2));
}

async fn one_study_under_two_patients_is_two_studies(database: Database) {
    let index = database.open().await;
    let both = [new("ANNA", 1, 1, 1, 0), new("BRUNO", 1, 1, 1, 0)];
    assert_eq!(index.store(&both, &[], 1).await.unwrap(), [Outcome::Stored, Outcome::Stored]);
    let patients = index.patients_of_study("1.1").await.unwrap();
    let values: Vec<_> = patients.iter().map(|patient| patient.value.as_str()).collect();
    assert_eq!(values, ["ANNA", "BRUNO"]);
    let events = index.events(0, 10).await.unwrap();
    assert!(events.iter().any(|event| event.kind == EventKind::StudyConflict));
    for (patient, new) in patients.into_iter().zip(&both) {
        let scope = Scope { patient: Some(patient), ..Scope::study(new.study.uid.clone()) };
        let found = index.list(&scope, None, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].blob_key, new.copy.blob_key);
    }
}

async fn whoever_is_not_identified_is_somebody_of_one_study(database: Database) {
    let index = database.open().await;
    index
        .store(&[new("", 1, 1, 1, 0), new("", 2, 1, 1, 0), new("", 1, 1, 2, 0)], &[], 1)
        .await
        .unwrap();
    let totals = index.totals().await.unwrap();
    assert_eq!((totals.patients, totals.studies, totals.instances), (2, 2, 3));
}

async fn the_same_id_of_two_issuers_is_two_patients(database: Database) {
    let index = database.open().await;
    let mut other = new("MRN1", 2, 1, 1, 0);
    other.patient.id.issuer = "B".to_owned();
    index.store(&[new("MRN1", 1, 1, 1, 0), other], &[], 1).await.unwrap();
    assert_eq!(index.totals().await.unwrap().patients, 2);
}

async fn first_sight_from_many_never_collides(database: Database) {
    let nodes = [database.open().await, database.open().await];
    let tasks = (0..16_u32).map(|task| {
        let index = Arc::clone(&nodes[task as usize % 2]);
        tokio::spawn(async move {
            for n in 0..5 {
                let batch: Vec<_> = (0..4)
                    .map(|i| new("P", 1 + i % 2, 1 + n % 2, 1 + task * 100 + n * 10 + i, 0))
                    .collect();
                let outcomes = index.store(&batch, &[], 1).await.unwrap();
                assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Stored));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let totals = nodes[0].totals().await.unwrap();
    assert_eq!((totals.patients, totals.studies, totals.series, totals.instances), (1, 2, 4, 320));
    let scope = Scope::study(Uid::parse("1.1").unwrap());
    let counted: u32 = nodes[1].series_of(&scope).await.unwrap().iter().map(|s| s.instances).sum();
    assert_eq!(counted, 160);
}

async fn events_are_never_missed(database: Database) {
    let (writer, reader) = (database.open().await, database.open().await);
    let done = Arc::new(AtomicBool::new(false));
    let seen = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            let (mut last, mut seen) = (0, 0);
            loop {
                let finished = done.load(Ordering::SeqCst);
                let events = reader.events(last, 50).await.unwrap();
                for event in &events {
                    assert_eq!(event.sequence, last + 1, "an event was passed over");
                    last = event.sequence;
                    seen += 1;
                }
                if finished && events.is_empty() {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let writers = (0..8_u32).map(|task| {
        let writer = Arc::clone(&writer);
        tokio::spawn(async move {
            for n in 0..20 {
                writer.store(&[new("P", task + 1, 1, n + 1, 0)], &[], 1).await.unwrap();
            }
        })
    });
    for task in writers.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    assert_eq!(seen.await.unwrap(), 160);
}

async fn pages_follow_series_and_instance_numbers(database: Database) {
    let index = database.open().await;
    let mut batch: Vec<_> =
        [(2, 10), (2, 9), (10, 1), (1, 2)].map(|(s, i)| new("P", 1, s, i, 0)).into();
    let mut unnumbered = new("P", 1, 1, 77, 0);
    unnumbered.instance.number = "a".to_owned();
    batch.push(unnumbered);
    index.store(&batch, &[], 1).await.unwrap();
    let scope = Scope::study(batch[0].study.uid.clone());
    let (mut after, mut uids) = (None, Vec::new());
    loop {
        let page = index.list(&scope, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        uids.extend(page.iter().map(|located| located.path.instance.to_string()));
    }
    assert_eq!(uids, ["1.1.1.2", "1.1.1.77", "1.1.2.9", "1.1.2.10", "1.1.10.1"]);
}

async fn derived_objects_replace_older_ones_only(database: Database) {
    let index = database.open().await;
    index.store(&[new("P", 1, 1, 1, 0)], &[], 1).await.unwrap();
    let scope = Scope::study(Uid::parse("1.1").unwrap());
    let series_id = index.series_of(&scope).await.unwrap()[0].id;
    let made = |revision: i64, key: &str| Derived {
        series_id,
        kind: DerivedKind::Thumbnail,
        revision,
        blob_key: key.to_owned(),
        blob_bytes: 5,
        note: String::new(),
    };
    assert_eq!(index.put_derived(&made(2, "d/2")).await.unwrap(), None);
    assert_eq!(index.put_derived(&made(1, "d/1")).await.unwrap(), Some("d/1".to_owned()));
    assert_eq!(index.put_derived(&made(3, "d/3")).await.unwrap(), Some("d/2".to_owned()));
    let kept = index.derived(series_id, DerivedKind::Thumbnail).await.unwrap();
    assert_eq!(kept, Some(made(3, "d/3")));
    assert_eq!(index.derived(series_id, DerivedKind::Metadata).await.unwrap(), None);
}

async fn copies_and_blobs_are_known(database: Database) {
    let index = database.open().await;
    let batch = [new("P", 1, 1, 1, 0), new("P", 1, 1, 1, 5), new("P", 1, 1, 2, 0)];
    index.store(&batch, &[], 1).await.unwrap();
    let first = index.copies(0, 2).await.unwrap();
    let rest = index.copies(first[1].id, 2).await.unwrap();
    let mut served: Vec<bool> = first.iter().chain(&rest).map(|copy| copy.served).collect();
    served.sort_unstable();
    assert_eq!(served, [false, true, true]);
    let keys = [batch[1].copy.blob_key.clone(), "i/unknown".to_owned()];
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [true, false]);
    assert!(index.knows_blobs(&[]).await.unwrap().is_empty());
}

async fn commits_are_grouped_and_all_are_answered(database: Database) {
    let index = database.open().await;
    let clock = Arc::new(lastra::clock::SystemClock);
    let committer = Committer::spawn(Arc::clone(&index), Vec::new(), clock);
    let stores = (1..=64).map(|n| {
        let committer = committer.clone();
        async move { committer.store(new("P", 1, 1, n, 0)).await }
    });
    let outcomes = futures::future::join_all(stores).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Stored))));
    // Closing waits for nobody's handle; what comes later is told so.
    committer.clone().close().await;
    assert!(committer.store(new("P", 1, 1, 65, 0)).await.is_err());
    assert_eq!(index.totals().await.unwrap().instances, 64);
}
