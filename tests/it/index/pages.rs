//! The fascicolo page by page, on both databases: every condition, every order, what changed when.

use lastra::index::fascicolo::Entered;
use lastra::index::fascicolo::Linked;
use lastra::index::fascicolo::StudiesOf;
use lastra::index::pages::Counted;
use lastra::index::pages::Days;
use lastra::index::pages::DocumentRule;
use lastra::index::pages::LinkRule;
use lastra::index::pages::Micros;
use lastra::index::pages::NameAsked;
use lastra::index::pages::NamePart;
use lastra::index::pages::Number;
use lastra::index::pages::Page;
use lastra::index::pages::PersonRule;
use lastra::index::pages::SortBy;
use lastra::index::pages::StudyRule;
use lastra::index::port::SharedIndex;
use lastra::index::query::Moment;
use lastra::index::texts::Word;
use lastra::model::document::DocumentKind;
use lastra::model::document::DocumentSubject;
use lastra::model::document::NEXT_VERSION;
use lastra::model::document::NewDocument;
use lastra::model::document::Reference;
use lastra::model::document::ReferenceKind;
use lastra::model::link::Method;
use lastra::model::link::NewLink;
use lastra::model::link::Waiting;
use lastra::model::path::Scope;
use lastra::model::person::Attached;
use lastra::model::person::Origin;
use lastra::model::person::Sighted;
use lastra::model::person::Sighting;
use lastra::people::identifier::Identifier;

use crate::index::objects::Kept;
use crate::index::objects::NOW;
use crate::index::objects::object;
use crate::index::objects::uid;
use crate::index::on_every_index;

on_every_index!(
    studies_meet_every_condition,
    documents_meet_every_condition,
    people_and_links_meet_every_condition,
    pages_in_every_order_hold_everything_once_while_rows_arrive,
    what_changed_says_when,
    the_next_version_of_a_set_is_numbered_whoever_comes_first,
);

const ALL: Page = Page { sort: SortBy::Row, descending: false, after: None, limit: 1000 };

fn sighting(subject: Sighted, code: &str, born: &str) -> Sighting {
    Sighting {
        subject,
        identifiers: Identifier::read(code, "").into_iter().collect(),
        name: "Rossi^Mario".to_owned(),
        birth_date: born.to_owned(),
        sex: "M".to_owned(),
        origin: Origin::Dicom,
    }
}

const MARIO: &str = "RSSMRA79B11C566R";
const OTHER: &str = "MRABCH99B65H501O";

async fn give(index: &SharedIndex, subject: Sighted, code: &str, now: i64) -> i64 {
    match index.attach(&sighting(subject, code, "19790211"), now).await.unwrap() {
        Attached::Person(person) => person,
        other => panic!("{other:?}"),
    }
}

fn named(part: Option<NamePart>, text: &str, exact: bool) -> PersonRule {
    PersonRule::Named(vec![NameAsked { part, text: text.to_owned(), exact }])
}

fn words(all: &[&str]) -> DocumentRule {
    let word = |text: &&str| Word { text: (*text).to_owned(), begins: false };
    DocumentRule::Words(vec![all.iter().map(word).collect()])
}

/// A study of somebody; gives its row.
async fn study(index: &SharedIndex, study: &str, date: &str, code: &str, now: i64) -> i64 {
    let series = format!("{study}.1");
    let mut new = object(study, &series, &format!("{series}.1"));
    new.study.date = date.to_owned();
    new.series.body_part = "Chest".to_owned();
    if date > "20260200" {
        new.series.modality = "MR".to_owned();
    }
    index.store(&[new], &[], now).await.unwrap();
    let row = index.studies(&StudiesOf::Uid(study.to_owned()), 1).await.unwrap()[0].id;
    let number = number(ReferenceKind::Accession, "RIS", study);
    index.add_study_references(row, &[number]).await.unwrap();
    give(index, Sighted::Study(row), code, now).await;
    row
}

fn number(kind: ReferenceKind, assigner: &str, value: &str) -> Reference {
    Reference { kind, assigner: assigner.to_owned(), value: value.to_owned() }
}

fn asked(kind: ReferenceKind, assigner: Option<&str>, value: &str) -> Vec<Number> {
    let assigner = assigner.map(str::to_owned);
    vec![Number { kinds: vec![kind], assigner, value: value.to_owned() }]
}

fn document(hash: u8, set: &str, type_code: &str) -> NewDocument {
    NewDocument {
        kind: DocumentKind::Pdf,
        media_type: "application/pdf".to_owned(),
        sha256: [hash; 32],
        blob_key: format!("document-{hash}"),
        blob_bytes: 10,
        source: "fhir".to_owned(),
        document_id: String::new(),
        set_id: set.to_owned(),
        version: if set.is_empty() { 0 } else { NEXT_VERSION },
        replaces: Vec::new(),
        type_code: type_code.to_owned(),
        title: "Referto".to_owned(),
        effective: "20260302".to_owned(),
        service_date: format!("202603{hash:02}"),
        confidentiality: "N".to_owned(),
        findings: String::new(),
        text: String::new(),
        patient: DocumentSubject::default(),
        references: vec![number(ReferenceKind::Study, "", "1.1")],
        instance: None,
    }
}

async fn entered(index: &SharedIndex, new: &NewDocument, code: &str, now: i64) -> i64 {
    let Entered::New(row) = index.put_document(new, now).await.unwrap() else { panic!("known") };
    give(index, Sighted::Document(row), code, now).await;
    row
}

async fn linked(index: &SharedIndex, document: i64, study: i64, now: i64) -> i64 {
    let new = NewLink {
        document,
        study,
        method: Method::Manual,
        evidence: "{}".to_owned(),
        actor: "rossi".to_owned(),
    };
    match index.link(&new, false, now).await.unwrap() {
        Linked::Made(row) => row,
        other => panic!("{other:?}"),
    }
}

fn from(date: &str, time: &str) -> Vec<Days> {
    let from = Moment { date: date.to_owned(), time: time.to_owned() };
    vec![Days { from: Some(from), before: None }]
}

fn before(date: &str, time: &str) -> Vec<Days> {
    let before = Moment { date: date.to_owned(), time: time.to_owned() };
    vec![Days { from: None, before: Some(before) }]
}

fn since(us: i64) -> Vec<Micros> {
    vec![Micros { from: Some(us), before: None }]
}

fn until(us: i64) -> Vec<Micros> {
    vec![Micros { from: None, before: Some(us) }]
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn studies_meet_every_condition(kept: &Kept) {
    let index = &kept.index;
    let one = study(index, "1.1", "20260102", MARIO, NOW).await;
    let two = study(index, "1.2", "20260302", MARIO, NOW + 5).await;
    let other = study(index, "1.3", "20260302", OTHER, NOW + 9).await;
    // What is nobody's is not found.
    index.store(&[object("1.4", "1.4.1", "1.4.1.1")], &[], NOW).await.unwrap();
    let mario = give(index, Sighted::Person, MARIO, NOW).await;
    let report = entered(index, &document(1, "", "68604-8"), MARIO, NOW).await;
    let link = linked(index, report, one, NOW).await;
    let all = vec![one, two, other];
    for (rules, expected) in [
        (vec![], all.clone()),
        (vec![StudyRule::Person(vec![mario])], vec![one, two]),
        (vec![StudyRule::Person(vec![])], vec![]),
        (vec![StudyRule::Row(vec![two, other])], vec![two, other]),
        (vec![StudyRule::Uid(texts(&["1.3", "1.4", "9"]))], vec![other]),
        (vec![StudyRule::Number(asked(ReferenceKind::Accession, None, "1.1"))], vec![one]),
        (vec![StudyRule::Number(asked(ReferenceKind::Accession, Some("RIS"), "1.1"))], vec![one]),
        (vec![StudyRule::Number(asked(ReferenceKind::Accession, Some("X"), "1.1"))], vec![]),
        (vec![StudyRule::Number(asked(ReferenceKind::Order, None, "1.1"))], vec![]),
        (vec![StudyRule::Modality(texts(&["CT"]))], vec![one]),
        (vec![StudyRule::Modality(texts(&["CT", "MR"]))], all.clone()),
        (vec![StudyRule::BodyPart(texts(&["CHEST"]))], all.clone()),
        (vec![StudyRule::BodyPart(texts(&["HEAD"]))], vec![]),
        (vec![StudyRule::Series(texts(&["1.2.1"]))], vec![two]),
        (vec![StudyRule::Instance(texts(&["1.3.1.1"]))], vec![other]),
        (vec![StudyRule::Document(vec![report])], vec![one]),
        (vec![StudyRule::Started(from("20260302", ""))], vec![two, other]),
        (vec![StudyRule::Started(before("20260302", ""))], vec![one]),
        (vec![StudyRule::Started(from("20260302", "101500"))], vec![two, other]),
        (vec![StudyRule::Started(from("20260302", "101501"))], vec![]),
        (vec![StudyRule::Started(before("20260302", "101500"))], vec![one]),
        (vec![StudyRule::Started(before("20260302", "101501"))], all.clone()),
        (vec![StudyRule::Changed(since(NOW + 5))], vec![two, other]),
        (vec![StudyRule::Changed(until(NOW + 5))], vec![one]),
        (vec![StudyRule::Person(vec![mario]), StudyRule::Modality(texts(&["MR"]))], vec![two]),
    ] {
        let found = index.studies_page(&rules, &ALL).await.unwrap();
        let rows: Vec<i64> = found.iter().map(|study| study.row).collect();
        assert_eq!(rows, expected, "{rules:?}");
        let count = index.count_page(Counted::Studies(&rules), 10).await.unwrap();
        assert_eq!(count as usize, expected.len(), "{rules:?}");
    }
    assert_eq!(index.count_page(Counted::Studies(&[]), 2).await.unwrap(), 2);
    index.unlink(link, "rossi", NOW + 1).await.unwrap();
    assert!(
        index.studies_page(&[StudyRule::Document(vec![report])], &ALL).await.unwrap().is_empty()
    );
    let series = index.series_of_studies(&[one, two]).await.unwrap();
    assert_eq!(series.iter().map(|series| series.study).collect::<Vec<_>>(), [one, two]);
    let instances = index.instances_of_study(two, 10).await.unwrap();
    assert_eq!((instances.len(), instances[0].uid.as_str()), (1, "1.2.1.1"));
    let waiting = [Waiting::Study(one), Waiting::Study(two)];
    assert_eq!(index.references_of(&waiting).await.unwrap().len(), 2);
}

async fn documents_meet_every_condition(kept: &Kept) {
    let index = &kept.index;
    let chest = study(index, "1.1", "20260102", MARIO, NOW).await;
    let one = entered(index, &document(1, "2.25^A", "68604-8"), MARIO, NOW).await;
    let two = entered(index, &document(2, "2.25^A", "68604-8"), MARIO, NOW + 5).await;
    let plain = entered(index, &document(3, "", ""), OTHER, NOW + 9).await;
    let letter = entered(index, &document(4, "", "34105-7"), MARIO, NOW + 9).await;
    // Whose nobody knows is in no fascicolo.
    index.put_document(&document(5, "", "68604-8"), NOW).await.unwrap();
    let mario = give(index, Sighted::Person, MARIO, NOW).await;
    linked(index, two, chest, NOW + 5).await;
    index.put_words(plain, "torace nulla di rilievo").await.unwrap();
    index.put_words(letter, "lettera torace").await.unwrap();
    let report = || DocumentRule::Report(texts(&["68604-8"]));
    let all = vec![one, two, plain, letter];
    for (rules, expected) in [
        (vec![], all.clone()),
        (vec![DocumentRule::Person(vec![mario])], vec![one, two, letter]),
        (vec![DocumentRule::Row(vec![plain])], vec![plain]),
        (vec![DocumentRule::Hash(vec![[2; 32], [5; 32]])], vec![two]),
        (vec![DocumentRule::Own(texts(&["2.25^A"]))], vec![one, two]),
        (vec![DocumentRule::Set(texts(&["2.25^A"]))], vec![one, two]),
        (vec![DocumentRule::Set(texts(&[]))], vec![]),
        (vec![DocumentRule::ReplacedBy(vec![two])], vec![one]),
        (vec![DocumentRule::Amended(true)], vec![two]),
        (vec![DocumentRule::Current(true)], vec![two, plain, letter]),
        (vec![DocumentRule::Current(false)], vec![one]),
        (vec![report()], vec![one, two]),
        (vec![report(), DocumentRule::Current(true)], vec![two]),
        (vec![DocumentRule::Type(texts(&["34105-7"]))], vec![letter]),
        (vec![DocumentRule::Media(texts(&["application/pdf"]))], all.clone()),
        (vec![DocumentRule::Media(texts(&["application"]))], vec![]),
        (vec![DocumentRule::Study(vec![chest])], vec![two]),
        // Those that name a study and those that are linked to it.
        (vec![DocumentRule::Number(asked(ReferenceKind::Study, None, "1.1"))], all.clone()),
        (vec![DocumentRule::Number(asked(ReferenceKind::Accession, None, "1.1"))], vec![two]),
        (vec![DocumentRule::Modality(texts(&["CT"]))], vec![two]),
        (vec![DocumentRule::BodyPart(texts(&["CHEST"]))], vec![two]),
        (vec![words(&["torace"])], vec![plain, letter]),
        (vec![words(&["torace", "nulla"])], vec![plain]),
        (vec![words(&["nulla"]), DocumentRule::Person(vec![mario])], vec![]),
        (vec![words(&["torace"]), DocumentRule::Person(vec![mario])], vec![letter]),
        (vec![DocumentRule::Date(from("20260303", ""))], vec![plain, letter]),
        (vec![DocumentRule::Date(before("20260302", ""))], vec![one]),
        (vec![DocumentRule::Received(since(NOW + 9))], vec![plain, letter]),
        (vec![DocumentRule::Changed(until(NOW + 5))], vec![]),
        (vec![DocumentRule::Changed(until(NOW + 6))], vec![one, two]),
    ] {
        let found = index.documents_page(&rules, &ALL).await.unwrap();
        let rows: Vec<i64> = found.iter().map(|found| found.document.id).collect();
        assert_eq!(rows, expected, "{rules:?}");
        let count = index.count_page(Counted::Documents(&rules), 10).await.unwrap();
        assert_eq!(count as usize, expected.len(), "{rules:?}");
    }
    let found = index.documents_page(&[], &ALL).await.unwrap();
    let firsts: Vec<u8> = found.iter().map(|found| found.first[0]).collect();
    assert_eq!(firsts, [1, 1, 3, 4], "the first of a set stands for it");
    linked(index, plain, chest, NOW + 9).await;
    assert_eq!(index.documents_page(&[report()], &ALL).await.unwrap().len(), 3);
}

async fn people_and_links_meet_every_condition(kept: &Kept) {
    let index = &kept.index;
    let chest = study(index, "1.1", "20260102", MARIO, NOW).await;
    let head = study(index, "1.2", "20260302", OTHER, NOW + 5).await;
    let (one, two) = (
        entered(index, &document(1, "", "68604-8"), MARIO, NOW).await,
        entered(index, &document(2, "", "68604-8"), OTHER, NOW).await,
    );
    let (first, second) =
        (linked(index, one, chest, NOW + 6).await, linked(index, two, head, NOW + 7).await);
    let mario = give(index, Sighted::Person, MARIO, NOW).await;
    let other = give(index, Sighted::Person, OTHER, NOW).await;
    for (rules, expected) in [
        (vec![], vec![first, second]),
        (vec![LinkRule::Row(vec![second])], vec![second]),
        (vec![LinkRule::Document(vec![one])], vec![first]),
        (vec![LinkRule::Study(vec![head])], vec![second]),
        (vec![LinkRule::Person(vec![mario])], vec![first]),
        (vec![LinkRule::Made(since(NOW + 7))], vec![second]),
    ] {
        let found = index.links_page(&rules, &ALL).await.unwrap();
        let rows: Vec<i64> = found.iter().map(|found| found.link.id).collect();
        assert_eq!(rows, expected, "{rules:?}");
        let count = index.count_page(Counted::Links(&rules), 10).await.unwrap();
        assert_eq!(count as usize, expected.len(), "{rules:?}");
    }
    let found = index.links_page(&[LinkRule::Row(vec![first])], &ALL).await.unwrap();
    assert_eq!((found[0].document, found[0].first), ([1; 32], [1; 32]));
    assert_eq!(found[0].patient.value, "P1");
    for (rules, expected) in [
        (vec![], vec![mario, other]),
        (vec![PersonRule::Row(vec![other])], vec![other]),
        (vec![PersonRule::Born(from("19790211", ""))], vec![mario, other]),
        (vec![PersonRule::Born(before("19790211", ""))], vec![]),
        (vec![PersonRule::Sex(texts(&["F"]))], vec![]),
        (vec![named(Some(NamePart::Family), "ross", false)], vec![mario, other]),
        (vec![named(None, "MÀRI", false)], vec![mario, other]),
        (vec![named(Some(NamePart::Given), "rossi", false)], vec![]),
        (vec![named(None, "ario", false)], vec![]),
        (vec![named(None, "Rossi", true)], vec![mario, other]),
        (vec![named(None, "rossi", true)], vec![]),
        (
            vec![
                named(None, "mario", false),
                PersonRule::Row(vec![other]),
                PersonRule::Born(from("19790211", "")),
            ],
            vec![other],
        ),
        (vec![PersonRule::Changed(since(NOW + 5))], vec![other]),
    ] {
        let found = index.people_page(&rules, &ALL).await.unwrap();
        let rows: Vec<i64> = found.iter().map(|found| found.person.id).collect();
        assert_eq!(rows, expected, "{rules:?}");
        let count = index.count_page(Counted::People(&rules), 10).await.unwrap();
        assert_eq!(count as usize, expected.len(), "{rules:?}");
    }
    index.merge(mario, other, "prova", "rossi", NOW + 20).await.unwrap();
    let one = index.people_page(&[PersonRule::Row(vec![other])], &ALL).await.unwrap();
    assert_eq!((one.len(), one[0].person.id, one[0].changed_us), (1, mario, NOW + 20));
    assert_eq!(index.links_page(&[LinkRule::Person(vec![other])], &ALL).await.unwrap().len(), 2);
    let of_both = [StudyRule::Person(vec![other])];
    assert_eq!(index.studies_page(&of_both, &ALL).await.unwrap().len(), 2);
}

async fn pages_in_every_order_hold_everything_once_while_rows_arrive(kept: &Kept) {
    let index = &kept.index;
    let mut rows = Vec::new();
    for number in 0..12 {
        // Some share their date.
        let date = format!("202601{:02}", number / 3 + 1);
        rows.push(study(index, &format!("1.{number}"), &date, MARIO, NOW + number).await);
    }
    let mut arriving = 100;
    for sort in [SortBy::Row, SortBy::Date, SortBy::Changed] {
        for descending in [false, true] {
            let whole = Page { sort, descending, after: None, limit: 1000 };
            let before = index.studies_page(&[], &whole).await.unwrap();
            let mut seen = Vec::new();
            let mut page = Page { limit: 5, ..whole };
            loop {
                let found = index.studies_page(&[], &page).await.unwrap();
                let Some(last) = found.last() else { break };
                page.after = Some(last.place());
                seen.extend(found);
                if seen.len() == 5 {
                    let uid = format!("1.{arriving}");
                    study(index, &uid, "20260102", MARIO, NOW + arriving).await;
                    arriving += 1;
                }
            }
            let known = |row: i64| before.iter().any(|study| study.row == row);
            let of_before: Vec<i64> =
                seen.iter().map(|study| study.row).filter(|row| known(*row)).collect();
            let expected: Vec<i64> = before.iter().map(|study| study.row).collect();
            assert_eq!(of_before, expected, "{sort:?} {descending}");
            assert!(seen.len() - of_before.len() <= 1, "{sort:?} {descending}");
        }
    }
    assert_eq!(rows.len(), 12);
}

async fn what_changed_says_when(kept: &Kept) {
    let index = &kept.index;
    let row = study(index, "1.1", "20260102", MARIO, NOW).await;
    let report = entered(index, &document(1, "2.25^A", "68604-8"), MARIO, NOW).await;
    let study_changed = async || index.studies_page(&[], &ALL).await.unwrap()[0].changed_us;
    let changed = async || {
        let one = [DocumentRule::Row(vec![report])];
        index.documents_page(&one, &ALL).await.unwrap()[0].changed_us
    };
    assert_eq!((study_changed().await, changed().await), (NOW, NOW));
    index.study_changed(row, NOW + 1).await.unwrap();
    assert_eq!(study_changed().await, NOW + 1);
    let link = linked(index, report, row, NOW + 2).await;
    assert_eq!(changed().await, NOW + 2);
    index.unlink(link, "rossi", NOW + 3).await.unwrap();
    assert_eq!(changed().await, NOW + 3);
    entered(index, &document(2, "2.25^A", "68604-8"), MARIO, NOW + 4).await;
    assert_eq!(changed().await, NOW + 4, "another version replaced it");
    // A version that changes nothing for this one does not touch it.
    entered(index, &document(3, "2.25^A", "68604-8"), MARIO, NOW + 5).await;
    assert_eq!(changed().await, NOW + 4);
    let more = object("1.1", "1.1.2", "1.1.2.1");
    index.store(&[more], &[], NOW + 6).await.unwrap();
    let scope = Scope { series: Some(uid("1.1.2")), ..Scope::study(uid("1.1")) };
    index.delete(&scope, NOW + 7).await.unwrap();
    assert_eq!(study_changed().await, NOW + 7, "part of it was deleted");
}

async fn the_next_version_of_a_set_is_numbered_whoever_comes_first(kept: &Kept) {
    let other = kept.another_node().await;
    let (one, two) = (document(1, "2.25^A", ""), document(2, "2.25^A", ""));
    let (first, second) =
        tokio::join!(kept.index.put_document(&one, NOW), other.put_document(&two, NOW));
    for entered in [first.unwrap(), second.unwrap()] {
        let Entered::New(row) = entered else { panic!("known") };
        give(&kept.index, Sighted::Document(row), MARIO, NOW).await;
    }
    let found = kept.index.documents_page(&[DocumentRule::Set(texts(&["2.25^A"]))], &ALL).await;
    let mut versions: Vec<(u32, bool)> = found
        .unwrap()
        .iter()
        .map(|found| (found.document.version, found.document.superseded_by.is_some()))
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [(1, true), (2, false)]);
}
