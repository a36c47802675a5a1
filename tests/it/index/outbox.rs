//! The national gateway's outbox: one entry a document and operation, one who goes on with it.

use lastra::index::fascicolo::Entered;
use lastra::index::outbox::EntriesOf;
use lastra::index::port::SharedIndex;
use lastra::model::document::DocumentKind;
use lastra::model::document::DocumentSubject;
use lastra::model::document::NewDocument;
use lastra::model::job::JobKind;
use lastra::model::outbox::Operation;
use lastra::model::outbox::Progress;
use lastra::model::outbox::SentFile;
use lastra::model::outbox::Stage;

use crate::index::Database;
use crate::index::on_both;

on_both!(
    a_document_is_entered_once_an_operation_with_its_job,
    of_two_who_go_on_with_an_entry_one_stops,
    versions_before_and_behind_are_found,
    what_is_sent_is_a_blob_somebody_knows,
    an_update_says_from_the_first_what_was_asked,
);

async fn document(index: &SharedIndex, number: u8, set: &str) -> i64 {
    let new = NewDocument {
        kind: DocumentKind::Cda,
        media_type: String::new(),
        sha256: [number; 32],
        blob_key: format!("key{number}"),
        blob_bytes: 1,
        source: String::new(),
        document_id: format!("id{number}"),
        set_id: set.to_owned(),
        version: u32::from(number),
        replaces: Vec::new(),
        type_code: String::new(),
        title: String::new(),
        effective: String::new(),
        service_date: String::new(),
        confidentiality: String::new(),
        findings: String::new(),
        text: String::new(),
        patient: DocumentSubject::default(),
        references: Vec::new(),
        instance: None,
    };
    match index.put_document(&new, 1).await.unwrap() {
        Entered::New(id) | Entered::Known(id) => id,
    }
}

fn sent(blob_key: &str) -> Progress {
    Progress {
        stage: Stage::Sending,
        unique_id: "id1".to_owned(),
        in_place_of: "id0".to_owned(),
        workflow: "w".to_owned(),
        trace: "t".to_owned(),
        file: Some(SentFile { blob_key: blob_key.to_owned(), blob_bytes: 7, sha256: [9; 32] }),
        failures: 2,
        reason: "why".to_owned(),
        warning: "mind".to_owned(),
    }
}

async fn a_document_is_entered_once_an_operation_with_its_job(database: Database) {
    let (index, other) = (database.open().await, database.open().await);
    let document = document(&index, 1, "").await;
    let put = async |index: &SharedIndex, operation| {
        index.put_entry(document, operation, "a", 5).await.unwrap()
    };
    let (one, two) = tokio::join!(put(&index, Operation::Publish), put(&other, Operation::Publish));
    assert_eq!((one.0, one.1 != two.1), (two.0, true));
    let (third, new) = put(&index, Operation::Delete).await;
    assert!(new && third != one.0);
    let jobs = index.claim_jobs("w", 5, 10, 10).await.unwrap();
    let mut subjects: Vec<(JobKind, String)> =
        jobs.into_iter().map(|job| (job.kind, job.subject)).collect();
    subjects.sort_by(|a, b| a.1.cmp(&b.1));
    let mut expected = [one.0, third].map(|id| (JobKind::Gateway, id.to_string()));
    expected.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(subjects, expected);
    assert_eq!(index.entry_counts().await.unwrap(), [(Stage::Waiting, 2)]);
}

async fn an_update_says_from_the_first_what_was_asked(database: Database) {
    let index = database.open().await;
    let document = document(&index, 1, "").await;
    let id = index.put_update(document, true, "a", 5).await.unwrap().unwrap();
    let entry = index.entries(EntriesOf::Id(id), 1).await.unwrap().remove(0);
    assert_eq!((entry.obscured, entry.revision, entry.progress.stage), (true, 1, Stage::Waiting));
    // Somebody went on with it meanwhile: nobody hears that it is shown again.
    let on = Progress { stage: Stage::Waiting, failures: 1, ..entry.progress.clone() };
    assert!(index.advance_entry(&entry, &on, Some(9), 6).await.unwrap());
    assert_eq!(index.put_update(document, false, "a", 7).await.unwrap(), None);
    let entry = index.entries(EntriesOf::Id(id), 1).await.unwrap().remove(0);
    assert!(entry.obscured);
    let done = Progress { stage: Stage::Done, ..entry.progress.clone() };
    assert!(index.advance_entry(&entry, &done, None, 8).await.unwrap());
    assert_eq!(index.put_update(document, false, "a", 9).await.unwrap(), Some(id));
    assert!(!index.entries(EntriesOf::Id(id), 1).await.unwrap()[0].obscured);
}

async fn of_two_who_go_on_with_an_entry_one_stops(database: Database) {
    let (index, other) = (database.open().await, database.open().await);
    let document = document(&index, 1, "").await;
    let (id, _) = index.put_entry(document, Operation::Publish, "a", 5).await.unwrap();
    let entry = index.entries(EntriesOf::Id(id), 1).await.unwrap().remove(0);
    let progress = sent("f/x");
    let (one, two) = tokio::join!(
        index.advance_entry(&entry, &progress, Some(9), 6),
        other.advance_entry(&entry, &progress, Some(9), 6)
    );
    assert!(one.unwrap() != two.unwrap());
    let entry = index.entries(EntriesOf::Document(document), 2).await.unwrap().remove(0);
    assert_eq!((entry.progress, entry.revision, entry.changed_us), (progress, 2, 6));
    for (stage, found) in [(Some(Stage::Sending), 1), (Some(Stage::Done), 0), (None, 1)] {
        let entries = index.entries(EntriesOf::After(stage, 0), 10).await.unwrap();
        assert_eq!(entries.len(), found);
        assert!(index.entries(EntriesOf::After(stage, id), 10).await.unwrap().is_empty());
    }
}

async fn versions_before_and_behind_are_found(database: Database) {
    let index = database.open().await;
    let (first, second) = (document(&index, 1, "set").await, document(&index, 2, "set").await);
    let (entry, _) = index.put_entry(first, Operation::Publish, "a", 5).await.unwrap();
    let before = index.entries(EntriesOf::Before(second), 9).await.unwrap();
    assert_eq!(before.iter().map(|entry| entry.id).collect::<Vec<_>>(), [entry]);
    assert!(index.entries(EntriesOf::Before(first), 9).await.unwrap().is_empty());
    let (entry, _) = index.put_entry(second, Operation::Publish, "a", 5).await.unwrap();
    let behind = index.entries(EntriesOf::Behind(first), 9).await.unwrap();
    assert_eq!(behind.iter().map(|entry| entry.id).collect::<Vec<_>>(), [entry]);
}

async fn what_is_sent_is_a_blob_somebody_knows(database: Database) {
    let index = database.open().await;
    let document = document(&index, 1, "").await;
    let (id, _) = index.put_entry(document, Operation::Publish, "a", 5).await.unwrap();
    let entry = index.entries(EntriesOf::Id(id), 1).await.unwrap().remove(0);
    let keys = ["f/sent".to_owned(), "f/other".to_owned()];
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [false, false]);
    assert!(index.advance_entry(&entry, &sent("f/sent"), None, 6).await.unwrap());
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [true, false]);
}
