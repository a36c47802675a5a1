//! Words of documents, figures of organisations and blobs to be checked, on both databases.

use lastra::index::fascicolo::Entered;
use lastra::index::kept::KeptKind;
use lastra::index::port::SharedIndex;
use lastra::index::texts::Word;
use lastra::model::document::DocumentKind;
use lastra::model::document::DocumentSubject;
use lastra::model::document::NewDocument;
use lastra::model::link::Waiting;
use lastra::model::organisation::Figures;
use lastra::model::organisation::Marked;
use lastra::model::organisation::ReportGroup;

use crate::index::Database;
use crate::index::on_both;

on_both!(
    documents_are_found_by_all_their_words_whatever_the_words_hold,
    figures_count_what_bears_a_mark_and_what_bears_none,
    documents_are_listed_with_the_hash_they_must_have,
);

const DAY_US: i64 = 86_400_000_000;

async fn document(index: &SharedIndex, number: u8, service_date: &str, day: i64) -> i64 {
    let new = NewDocument {
        kind: DocumentKind::Text,
        media_type: String::new(),
        sha256: [number; 32],
        blob_key: format!("key{number}"),
        blob_bytes: u64::from(number),
        source: String::new(),
        document_id: String::new(),
        set_id: String::new(),
        version: 0,
        replaces: Vec::new(),
        type_code: String::new(),
        title: format!("title {number}"),
        effective: String::new(),
        service_date: service_date.to_owned(),
        confidentiality: String::new(),
        findings: String::new(),
        text: String::new(),
        patient: DocumentSubject::default(),
        references: Vec::new(),
        instance: None,
    };
    match index.put_document(&new, day * DAY_US + 7).await.unwrap() {
        Entered::New(id) | Entered::Known(id) => id,
    }
}

fn words(text: &str) -> Vec<Word> {
    let word = |text: &str| match text.strip_suffix('*') {
        Some(text) => Word { text: text.to_owned(), begins: true },
        None => Word { text: text.to_owned(), begins: false },
    };
    text.split(' ').map(word).collect()
}

async fn documents_are_found_by_all_their_words_whatever_the_words_hold(database: Database) {
    let index = database.open().await;
    let (old, new) =
        (document(&index, 1, "20260101", 1).await, document(&index, 2, "20260301", 1).await);
    index.put_words(old, "torace nei limiti l opacita 12 or and not near").await.unwrap();
    index.put_words(new, "torace opacizzato").await.unwrap();
    index.put_words(new, "again and again").await.unwrap();
    for (asked, found) in [
        ("torace", vec![new, old]),
        ("torace limiti", vec![old]),
        ("opac*", vec![new, old]),
        ("opac", vec![]),
        ("or and", vec![old]),
        ("not near", vec![old]),
        ("again", vec![]),
        ("12", vec![old]),
        ("torace addome", vec![]),
    ] {
        let documents = index.documents_with(&words(asked), None, 10).await.unwrap();
        let ids: Vec<i64> = documents.iter().map(|document| document.id).collect();
        assert_eq!(ids, found, "{asked}");
    }
    assert_eq!(index.documents_with(&words("torace"), None, 1).await.unwrap().len(), 1);
    assert!(index.documents_with(&[], None, 1).await.unwrap().is_empty());
}

async fn figures_count_what_bears_a_mark_and_what_bears_none(database: Database) {
    let index = database.open().await;
    let ours = document(&index, 1, "20260301", 20_514).await;
    let theirs = document(&index, 2, "", 20_515).await;
    document(&index, 3, "20260302", 20_515).await;
    let mark = |text: &str| vec![text.to_owned(), "ae:X".to_owned()];
    index.add_marks(Waiting::Document(ours), &mark("ae:A")).await.unwrap();
    index.add_marks(Waiting::Document(ours), &mark("ae:A")).await.unwrap();
    index.add_marks(Waiting::Document(theirs), &["oid:2.25.1".to_owned()]).await.unwrap();
    let marks = index.marks(&[Waiting::Document(ours)]).await.unwrap();
    assert_eq!(marks, ["ae:A", "ae:X"].map(|mark| (ours, mark.to_owned())));
    assert!(index.marks(&[Waiting::Study(ours)]).await.unwrap().is_empty());
    assert!(index.marks(&[]).await.unwrap().is_empty());
    for (study, text) in [(901, "ae:1"), (902, "ae:2"), (901, "ae:3")] {
        index.add_marks(Waiting::Study(study), &[text.to_owned()]).await.unwrap();
    }
    let found = index.marks(&[902, 901, 903].map(Waiting::Study)).await.unwrap();
    let found: Vec<(i64, &str)> = found.iter().map(|(id, mark)| (*id, mark.as_str())).collect();
    assert_eq!(found, [(901, "ae:1"), (901, "ae:3"), (902, "ae:2")]);
    let group = |service_date: &str, received_day| ReportGroup {
        service_date: service_date.to_owned(),
        received_day,
        published_day: None,
        with_images: false,
        count: 1,
    };
    let of = |reports| Figures { reports, ..Figures::default() };
    let figures = async |whose: Marked| index.figures(&whose, "", "").await.unwrap();
    assert_eq!(figures(Marked::With(mark("ae:A"))).await, of(vec![group("20260301", 20_514)]));
    let neither = vec!["ae:A".to_owned(), "oid:2.25.1".to_owned()];
    assert_eq!(figures(Marked::Without(neither)).await, of(vec![group("20260302", 20_515)]));
    assert_eq!(figures(Marked::Without(Vec::new())).await.reports.len(), 3);
    assert_eq!(figures(Marked::With(Vec::new())).await, of(Vec::new()));
    let bounded =
        index.figures(&Marked::Without(Vec::new()), "20260302", "20260302").await.unwrap();
    assert_eq!(bounded, of(vec![group("20260302", 20_515)]));
}

async fn documents_are_listed_with_the_hash_they_must_have(database: Database) {
    let index = database.open().await;
    let ids = [document(&index, 1, "", 1).await, document(&index, 2, "", 1).await];
    let page = index.kept(KeptKind::Document, 0, 1).await.unwrap();
    assert_eq!((page[0].id, page[0].sha256, page[0].blob_bytes), (ids[0], [1; 32], 1));
    let rest = index.kept(KeptKind::Document, page[0].id, 9).await.unwrap();
    assert_eq!(rest.iter().map(|blob| blob.id).collect::<Vec<_>>(), [ids[1]]);
    for kind in [KeptKind::Sent, KeptKind::Binned] {
        assert!(index.kept(kind, 0, 9).await.unwrap().is_empty());
    }
}
