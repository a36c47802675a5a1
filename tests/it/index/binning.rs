//! Deleting into the bin, restoring, purging; what was deleted is remembered.

use lastra::dicom::extended::Owner;
use lastra::index::port::{Derived, DerivedKind, SharedIndex};
use lastra::index::query::{ExtendedKey, Key, Level, Match, Query, Rule};
use lastra::model::event::EventKind;
use lastra::model::job::JobKind;
use lastra::model::path::Scope;
use lastra::model::study::{ExtendedFact, NewInstance, Outcome};

use crate::index::Database;
use crate::index::on_both;
use crate::index::population::new;

on_both!(
    what_is_deleted_is_found_no_more_and_comes_back_whole,
    what_the_administrator_declared_comes_back_too,
    a_part_of_a_study_can_be_deleted,
    what_is_purged_is_remembered_and_nothing_else,
    a_resend_of_something_deleted_is_stored,
    only_the_patient_named_loses_the_study,
);

fn study(new: &NewInstance) -> Scope {
    Scope::study(new.study.uid.clone())
}

async fn found(index: &SharedIndex, level: Level) -> Vec<String> {
    matching(index, level, Vec::new()).await
}

async fn matching(index: &SharedIndex, level: Level, matches: Vec<Match>) -> Vec<String> {
    let query = Query {
        level,
        study: None,
        series: None,
        patient: None,
        matches,
        order: Vec::new(),
        limit: 100,
        offset: 0,
    };
    let found = index.find(&query).await.unwrap();
    let mut all: Vec<String> = found.iter().map(|found| format!("{found:?}")).collect();
    all.sort();
    all
}

async fn totals(index: &SharedIndex) -> [u64; 5] {
    let totals = index.totals().await.unwrap();
    [totals.patients, totals.studies, totals.series, totals.instances, totals.bytes]
}

async fn what_the_administrator_declared_comes_back_too(database: Database) {
    let index = database.open().await;
    let mut first = new("P", 1, 1, 1, 0);
    let facts = [("WARD", Owner::Study, "A"), ("COIL", Owner::Instance, "HEAD")];
    first.extended.extend(facts.map(|(name, owner, value)| ExtendedFact {
        name: name.to_owned(),
        owner,
        value: value.to_owned(),
    }));
    first.instance.attributes = r#"{"00080201":{"vr":"SH","Value":["+0200"]}}"#.to_owned();
    first.instance.timezone = "+0200".to_owned();
    let scope = study(&first);
    index.store(&[first, new("P", 1, 1, 2, 0)], &[], 1).await.unwrap();
    let declared = async || {
        let mut all = Vec::new();
        for (name, owner, value) in facts {
            let key = Key::Extended(ExtendedKey { name, owner, is_name: false });
            let wanted = Match { key, rule: Rule::Equal(value.to_owned()) };
            all.push(matching(&index, Level::Instance, vec![wanted]).await);
        }
        all
    };
    let before = declared().await;
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    index.delete(&scope, 7).await.unwrap();
    assert_eq!(declared().await, [Vec::<String>::new(), Vec::new()]);
    index.restore(&scope, false, &[], 9).await.unwrap();
    assert_eq!(declared().await, before);
}

async fn what_is_deleted_is_found_no_more_and_comes_back_whole(database: Database) {
    let index = database.open().await;
    let batch = [
        new("P", 1, 1, 1, 0),
        new("P", 1, 1, 1, 9),
        new("P", 1, 1, 2, 0),
        new("P", 1, 2, 3, 0),
        new("P", 2, 1, 1, 0),
    ];
    index.store(&batch, &[], 1).await.unwrap();
    let before = (found(&index, Level::Study).await, totals(&index).await);
    let keys: Vec<String> = batch.iter().map(|new| new.copy.blob_key.clone()).collect();
    let listed = index.list(&study(&batch[0]), None, 10).await.unwrap();
    let series = index.series_of(&study(&batch[0])).await.unwrap();
    let derived = Derived {
        series_id: series[0].id,
        kind: DerivedKind::Thumbnail,
        revision: 1,
        blob_key: "d/1".into(),
        blob_bytes: 1,
        note: String::new(),
    };
    index.put_derived(&derived).await.unwrap();

    assert_eq!(index.delete(&study(&batch[0]), 7).await.unwrap(), 3);
    assert!(index.list(&study(&batch[0]), None, 10).await.unwrap().is_empty());
    assert!(index.patients_of_study("1.1").await.unwrap().is_empty());
    assert_eq!(found(&index, Level::Study).await.len(), 1);
    assert_eq!(totals(&index).await, [1, 1, 1, 1, 1000]);
    assert_eq!(
        index.knows_blobs(&keys).await.unwrap(),
        [true; 5],
        "blobs in the bin are not swept"
    );
    assert_eq!(index.knows_blobs(&["d/1".into()]).await.unwrap(), [false]);
    let bin = index.bin(10).await.unwrap();
    assert_eq!(
        (bin.len(), bin[0].study.as_str(), bin[0].copies, bin[0].deleted_us),
        (1, "1.1", 4, 7)
    );
    let events = index.events(5, 10).await.unwrap();
    let deleted: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.object.as_ref().unwrap().instance.as_str()))
        .collect();
    let kind = EventKind::InstanceDeleted;
    assert_eq!(deleted, [(kind, "1.1.1.1"), (kind, "1.1.1.2"), (kind, "1.1.2.3")]);
    assert_eq!(index.delete(&study(&batch[0]), 8).await.unwrap(), 0);

    let jobs = [(JobKind::SeriesMetadata, 5)];
    assert_eq!(index.restore(&study(&batch[0]), false, &jobs, 9).await.unwrap(), 4);
    assert_eq!((found(&index, Level::Study).await, totals(&index).await), before);
    let again = index.list(&study(&batch[0]), None, 10).await.unwrap();
    let places = |all: &[lastra::index::port::Located]| {
        let place = |one: &lastra::index::port::Located| {
            (one.blob_key.clone(), one.layout.clone(), one.data_set_sha256, one.received_us)
        };
        all.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(places(&again), places(&listed), "the same copies are served");
    assert_eq!(index.store(&batch, &[], 10).await.unwrap(), [Outcome::AlreadyHere; 5]);
    assert!(index.bin(10).await.unwrap().is_empty());
    assert!(!index.was_deleted(&study(&batch[0])).await.unwrap());
    assert_eq!(index.job_counts().await.unwrap(), (2, 0));
    assert_eq!(index.restore(&study(&batch[0]), false, &[], 11).await.unwrap(), 0);
}

async fn a_part_of_a_study_can_be_deleted(database: Database) {
    let index = database.open().await;
    let batch = [new("P", 1, 1, 1, 0), new("P", 1, 1, 2, 0), new("P", 1, 2, 3, 0)];
    index.store(&batch, &[], 1).await.unwrap();
    let one = Scope {
        series: Some(batch[0].series.uid.clone()),
        instance: Some(batch[0].instance.uid.clone()),
        ..study(&batch[0])
    };
    assert_eq!(index.delete(&one, 2).await.unwrap(), 1);
    let series = index.series_of(&study(&batch[0])).await.unwrap();
    let figures: Vec<_> = series.iter().map(|series| (series.instances, series.revision)).collect();
    assert_eq!(figures, [(1, 3), (1, 1)], "derived objects of the series are stale");
    assert_eq!(totals(&index).await, [1, 1, 2, 2, 2000]);
    assert!(index.was_deleted(&one).await.unwrap());
    let other = Scope { instance: Some(batch[1].instance.uid.clone()), ..one.clone() };
    assert!(!index.was_deleted(&other).await.unwrap());

    let mr = Scope::series(batch[2].study.uid.clone(), batch[2].series.uid.clone());
    assert_eq!(index.delete(&mr, 3).await.unwrap(), 1);
    assert_eq!(totals(&index).await, [1, 1, 1, 1, 1000]);
    let study_found = found(&index, Level::Study).await;
    assert!(study_found[0].contains("CT") && !study_found[0].contains("MR"), "{study_found:?}");
    assert_eq!(index.restore(&one, false, &[], 4).await.unwrap(), 1);
    assert_eq!(index.restore(&study(&batch[0]), false, &[], 5).await.unwrap(), 1);
    assert_eq!(totals(&index).await, [1, 1, 2, 3, 3000]);
}

async fn what_is_purged_is_remembered_and_nothing_else(database: Database) {
    let index = database.open().await;
    let batch: Vec<NewInstance> = (1..=5).map(|n| new("P", 1, 1, n, 0)).collect();
    index.store(&batch, &[], 1).await.unwrap();
    index.delete(&study(&batch[0]), 100).await.unwrap();
    assert!(index.purge(100, false, 10).await.unwrap().is_empty(), "not long enough");
    let mut keys = index.purge(101, false, 3).await.unwrap();
    assert_eq!(keys.len(), 3);
    keys.extend(index.purge(101, false, 3).await.unwrap());
    assert!(index.purge(101, false, 3).await.unwrap().is_empty());
    let mut expected: Vec<String> = batch.iter().map(|new| new.copy.blob_key.clone()).collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [false; 5]);
    assert!(index.was_deleted(&study(&batch[0])).await.unwrap());
    assert_eq!(index.restore(&study(&batch[0]), false, &[], 200).await.unwrap(), 0);
    assert!(index.bin(10).await.unwrap().is_empty());
}

async fn a_resend_of_something_deleted_is_stored(database: Database) {
    let index = database.open().await;
    let first = new("P", 1, 1, 1, 0);
    index.store(std::slice::from_ref(&first), &[], 1).await.unwrap();
    index.delete(&study(&first), 2).await.unwrap();
    // Under a key of its own, as every received copy.
    let resent = new("P", 1, 1, 1, 0);
    let stored = index.store(std::slice::from_ref(&resent), &[], 3).await.unwrap();
    assert_eq!(stored, [Outcome::Stored]);
    // The same bytes: what lay in the bin adds nothing, and the copy that is served stays.
    assert_eq!(index.restore(&study(&first), false, &[], 4).await.unwrap(), 1);
    let listed = index.list(&study(&first), None, 10).await.unwrap();
    assert_eq!((listed.len(), &listed[0].blob_key), (1, &resent.copy.blob_key));
}

async fn only_the_patient_named_loses_the_study(database: Database) {
    let index = database.open().await;
    let both = [new("ANNA", 1, 1, 1, 0), new("BRUNO", 1, 1, 1, 0), new("", 3, 1, 1, 0)];
    index.store(&both, &[], 1).await.unwrap();
    let patient = |new: &NewInstance| Scope { patient: Some(new.patient.id.clone()), ..study(new) };
    assert_eq!(index.delete(&patient(&both[0]), 2).await.unwrap(), 1);
    let left = index.patients_of_study("1.1").await.unwrap();
    assert_eq!(left.iter().map(|p| p.value.as_str()).collect::<Vec<_>>(), ["BRUNO"]);
    assert_eq!(index.restore(&patient(&both[1]), false, &[], 3).await.unwrap(), 0);
    assert_eq!(index.restore(&patient(&both[0]), false, &[], 3).await.unwrap(), 1);
    // Whoever is not identified stays somebody of one study.
    assert_eq!(index.delete(&study(&both[2]), 4).await.unwrap(), 1);
    assert_eq!(index.totals().await.unwrap().patients, 2);
    assert_eq!(index.restore(&study(&both[2]), false, &[], 5).await.unwrap(), 1);
    assert_eq!(index.totals().await.unwrap().patients, 3);
}
