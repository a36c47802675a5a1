//! Who is who, documents, links and the queue, on both databases.

use std::sync::Arc;

use lastra::dicom::uid::Uid;
use lastra::index::fascicolo::DocumentsOf;
use lastra::index::fascicolo::Entered;
use lastra::index::fascicolo::Likeness;
use lastra::index::fascicolo::Linked;
use lastra::index::fascicolo::LinksOf;
use lastra::index::fascicolo::StudiesOf;
use lastra::index::port::SharedIndex;
use lastra::model::document::DocumentKind;
use lastra::model::document::DocumentSubject;
use lastra::model::document::NewDocument;
use lastra::model::document::Reference;
use lastra::model::document::ReferenceKind;
use lastra::model::link::ItemKind;
use lastra::model::link::Method;
use lastra::model::link::NewLink;
use lastra::model::link::Waiting;
use lastra::model::order::ImagingOrder;
use lastra::model::path::Scope;
use lastra::model::person::Attached;
use lastra::model::person::Origin;
use lastra::model::person::Sighted;
use lastra::model::person::Sighting;
use lastra::people::identifier::Identifier;

use crate::index::objects::Kept;
use crate::index::objects::NOW;
use crate::index::objects::object;
use crate::index::on_every_index;

on_every_index!(
    requirement_1_one_verified_identifier_is_one_person,
    requirement_3_an_omocodic_code_is_another_person,
    requirement_4_what_identifies_nobody_is_nobodys,
    requirement_6_one_number_of_two_issuers_is_two_people,
    identifiers_that_contradict_each_other_give_nothing_to_anybody,
    what_somebody_assigned_stays_assigned,
    requirement_7_a_merge_is_undone_exactly,
    a_merge_within_a_merge_goes_with_its_own,
    first_sight_of_a_person_from_many_makes_one,
    registries_are_believed_over_objects_and_everything_said_is_kept,
    people_alike_are_found_by_sound_and_birth,
    requirement_37_versions_are_in_order_whatever_came_first,
    a_document_is_kept_once_and_its_blob_is_known,
    a_link_is_made_undone_and_made_again_by_somebody_only,
    what_was_decided_of_a_study_waits_for_it_in_the_bin,
    studies_and_documents_meet_by_their_numbers,
    an_order_is_found_again_by_any_of_its_numbers,
    what_was_decided_stays_decided_and_what_solved_itself_may_come_again,
);

pub(super) const CODE: &str = "RSSMRA79B11C566R";
const OMOCODIC: &str = "RSSMRA79B11C56SO";

pub(super) fn sighting(subject: Sighted, ids: &[(&str, &str)]) -> Sighting {
    Sighting {
        subject,
        identifiers: ids.iter().filter_map(|(id, of)| Identifier::read(id, of)).collect(),
        name: "Rossi^Mario".to_owned(),
        birth_date: "19790211".to_owned(),
        sex: "M".to_owned(),
        origin: Origin::Dicom,
    }
}

async fn seen(index: &SharedIndex, ids: &[(&str, &str)]) -> Attached {
    index.attach(&sighting(Sighted::Person, ids), NOW).await.unwrap()
}

pub(super) async fn person(index: &SharedIndex, ids: &[(&str, &str)]) -> i64 {
    match seen(index, ids).await {
        Attached::Person(person) => person,
        other => panic!("{other:?}"),
    }
}

/// A study of its own; gives its row.
pub(super) async fn study(index: &SharedIndex, uid: &str) -> i64 {
    let series = format!("{uid}.1");
    let new = object(uid, &series, &format!("{series}.1"));
    index.store(&[new], &[], NOW).await.unwrap();
    index.studies(&StudiesOf::Uid(uid.to_owned()), 1).await.unwrap()[0].id
}

pub(super) fn document(number: u8) -> NewDocument {
    NewDocument {
        kind: DocumentKind::Cda,
        media_type: "text/xml".to_owned(),
        sha256: [number; 32],
        blob_key: format!("document-{number}"),
        blob_bytes: 10,
        source: "file".to_owned(),
        document_id: format!("1.2^D{number}"),
        set_id: "1.2^SET".to_owned(),
        version: u32::from(number),
        replaces: Vec::new(),
        type_code: "68604-8".to_owned(),
        title: "Referto".to_owned(),
        effective: "20260302".to_owned(),
        service_date: "20260302".to_owned(),
        confidentiality: "N".to_owned(),
        findings: String::new(),
        text: "Nulla.".to_owned(),
        patient: DocumentSubject::default(),
        references: vec![reference(ReferenceKind::Accession, "RIS", "A1")],
        instance: None,
    }
}

fn reference(kind: ReferenceKind, assigner: &str, value: &str) -> Reference {
    Reference { kind, assigner: assigner.to_owned(), value: value.to_owned() }
}

pub(super) async fn entered(index: &SharedIndex, new: &NewDocument) -> i64 {
    match index.put_document(new, NOW).await.unwrap() {
        Entered::New(id) => id,
        Entered::Known(id) => panic!("document {id} is here already"),
    }
}

async fn requirement_1_one_verified_identifier_is_one_person(kept: &Kept) {
    let index = &kept.index;
    let (one, two) = (study(index, "1.1").await, study(index, "1.2").await);
    for (row, local) in [(one, ("123", "A")), (two, ("987", "B"))] {
        let said = sighting(Sighted::Study(row), &[local, (CODE, "")]);
        let first = index.attach(&said, NOW).await.unwrap();
        // Done again it changes nothing.
        assert_eq!(index.attach(&said, NOW).await.unwrap(), first);
    }
    let id = person(index, &[(CODE, "")]).await;
    let found = index.person(id).await.unwrap().unwrap();
    assert_eq!((found.rows.len(), found.identifiers.len()), (1, 3));
    assert_eq!((found.name.as_str(), found.birth_date.as_str()), ("Rossi^Mario", "19790211"));
    let studies = index.studies(&StudiesOf::Person(id, None), 10).await.unwrap();
    assert_eq!(studies.len(), 2);
    assert!(studies.iter().all(|study| study.person == Some(id) && study.instances == 1));
    let last = studies[0].clone();
    let rest = StudiesOf::Person(id, Some((last.date, last.id)));
    assert_eq!(index.studies(&rest, 10).await.unwrap(), studies[1..]);
    assert_eq!(index.demographics(id).await.unwrap().len(), 1);
}

async fn requirement_3_an_omocodic_code_is_another_person(kept: &Kept) {
    let index = &kept.index;
    let base = person(index, &[(CODE, "")]).await;
    let other = person(index, &[(OMOCODIC, "")]).await;
    assert_ne!(base, other);
    // Nor does a local number bring a second code to a person.
    person(index, &[("1", "A"), (CODE, "")]).await;
    assert_eq!(
        seen(index, &[("1", "A"), ("GTWGWY82B42G920M", "")]).await,
        Attached::Conflict(vec![base])
    );
}

async fn requirement_4_what_identifies_nobody_is_nobodys(kept: &Kept) {
    let index = &kept.index;
    let row = study(index, "1.1").await;
    for ids in [&[("PROVAX00X00X000Y", "")][..], &[("UNKNOWN", "A")], &[("12345", "")], &[]] {
        let said = sighting(Sighted::Study(row), ids);
        assert_eq!(index.attach(&said, NOW).await.unwrap(), Attached::Nobody, "{ids:?}");
    }
    assert_eq!(index.studies(&StudiesOf::Row(row), 1).await.unwrap()[0].person, None);
}

async fn requirement_6_one_number_of_two_issuers_is_two_people(kept: &Kept) {
    let index = &kept.index;
    let (one, two) = (person(index, &[("123", "A")]).await, person(index, &[("123", "B")]).await);
    assert_ne!(one, two);
    assert_eq!(person(index, &[("123", "a")]).await, one);
    let known = Identifier::read("123", "B").unwrap();
    assert_eq!(index.person_of(&known).await.unwrap(), Some(two));
    let stranger = Identifier::read("123", "C").unwrap();
    assert_eq!(index.person_of(&stranger).await.unwrap(), None);
}

async fn identifiers_that_contradict_each_other_give_nothing_to_anybody(kept: &Kept) {
    let index = &kept.index;
    let (one, two) = (person(index, &[("1", "A")]).await, person(index, &[(CODE, "")]).await);
    let row = study(index, "1.1").await;
    let both = sighting(Sighted::Study(row), &[("1", "A"), (CODE, ""), ("new", "C")]);
    assert_eq!(index.attach(&both, NOW).await.unwrap(), Attached::Conflict(vec![one, two]));
    assert_eq!(index.studies(&StudiesOf::Row(row), 1).await.unwrap()[0].person, None);
    // Nothing of it was kept either.
    let new = Identifier::read("new", "C").unwrap();
    assert_eq!(index.person_of(&new).await.unwrap(), None);
    let two_codes = seen(index, &[(CODE, ""), (OMOCODIC, "")]).await;
    assert_eq!(two_codes, Attached::Conflict(vec![two]));
    // A study once given is not given to another.
    let mine = sighting(Sighted::Study(row), &[("1", "A")]);
    assert_eq!(index.attach(&mine, NOW).await.unwrap(), Attached::Person(one));
    let theirs = sighting(Sighted::Study(row), &[(CODE, "")]);
    assert_eq!(index.attach(&theirs, NOW).await.unwrap(), Attached::Conflict(vec![one, two]));
}

async fn what_somebody_assigned_stays_assigned(kept: &Kept) {
    let index = &kept.index;
    let (one, two) = (person(index, &[("1", "A")]).await, person(index, &[("2", "A")]).await);
    let (row, id) = (study(index, "1.1").await, entered(index, &document(1)).await);
    for waiting in [Waiting::Study(row), Waiting::Document(id)] {
        index.assign(waiting, Some(two), NOW).await.unwrap();
    }
    for subject in [Sighted::Study(row), Sighted::Document(id)] {
        let said = sighting(subject, &[("1", "A")]);
        assert_eq!(index.attach(&said, NOW).await.unwrap(), Attached::Person(two));
    }
    let found = index.documents(DocumentsOf::Person(two), 10).await.unwrap();
    assert_eq!(found.len(), 1);
    for waiting in [Waiting::Study(row), Waiting::Document(id)] {
        index.assign(waiting, None, NOW).await.unwrap();
    }
    assert_eq!(index.studies(&StudiesOf::Row(row), 1).await.unwrap()[0].person, None);
    let said = sighting(Sighted::Study(row), &[("1", "A")]);
    assert_eq!(index.attach(&said, NOW).await.unwrap(), Attached::Person(one));
}

async fn requirement_7_a_merge_is_undone_exactly(kept: &Kept) {
    let index = &kept.index;
    let (one, two) = (person(index, &[("1", "A")]).await, person(index, &[("2", "A")]).await);
    for (uid, local) in [("1.1", "1"), ("1.2", "2")] {
        let said = sighting(Sighted::Study(study(index, uid).await), &[(local, "A")]);
        index.attach(&said, NOW).await.unwrap();
    }
    let report = entered(index, &document(1)).await;
    index.attach(&sighting(Sighted::Document(report), &[("2", "A")]), NOW).await.unwrap();
    let look = async || {
        let mut all = Vec::new();
        for id in [one, two] {
            all.push((
                index.person(id).await.unwrap(),
                index.studies(&StudiesOf::Person(id, None), 10).await.unwrap(),
                index.documents(DocumentsOf::Person(id), 10).await.unwrap(),
                index.demographics(id).await.unwrap(),
            ));
        }
        all
    };
    let before = look().await;

    let merge = index.merge(one, two, "same passport", "rossi", NOW).await.unwrap().unwrap();
    assert_eq!(index.merge(one, two, "", "", NOW).await.unwrap(), None);
    let merged = look().await;
    assert_eq!(merged[0], merged[1]);
    let (found, studies, documents, said) = &merged[0];
    assert_eq!(found.as_ref().unwrap().rows, [one, two]);
    assert_eq!((studies.len(), documents.len(), said.len()), (2, 1, 2));
    assert_eq!(person(index, &[("2", "A")]).await, two);

    assert!(index.unmerge(merge, "verdi", NOW + 1).await.unwrap());
    assert!(!index.unmerge(merge, "verdi", NOW + 1).await.unwrap());
    assert_eq!(look().await, before);
    let merges = index.merges(two).await.unwrap();
    assert_eq!(
        (merges.len(), merges[0].actor.as_str(), merges[0].undone_us),
        (1, "rossi", Some(NOW + 1))
    );
}

async fn a_merge_within_a_merge_goes_with_its_own(kept: &Kept) {
    let index = &kept.index;
    let mut people = Vec::new();
    for local in ["1", "2", "3", "4"] {
        people.push(person(index, &[(local, "A")]).await);
    }
    // 4 into 3, 3 into 2, 2 into 1; then 3 is taken out of 2 again, with 4.
    index.merge(people[2], people[3], "", "", NOW).await.unwrap().unwrap();
    let middle = index.merge(people[1], people[2], "", "", NOW).await.unwrap().unwrap();
    index.merge(people[0], people[1], "", "", NOW).await.unwrap().unwrap();
    assert_eq!(index.person(people[3]).await.unwrap().unwrap().rows, people);
    assert!(index.unmerge(middle, "", NOW).await.unwrap());
    assert_eq!(index.person(people[0]).await.unwrap().unwrap().rows, people[..2]);
    assert_eq!(index.person(people[3]).await.unwrap().unwrap().rows, people[2..]);
    assert_eq!(index.person(people[3]).await.unwrap().unwrap().id, people[2]);
}

async fn first_sight_of_a_person_from_many_makes_one(kept: &Kept) {
    let other = kept.another_node().await;
    let mut tasks = Vec::new();
    for number in 1..=20 {
        let index = Arc::clone(if number % 2 == 0 { &kept.index } else { &other });
        tasks.push(tokio::spawn(async move {
            let local = format!("{number}");
            person(&index, &[(CODE, ""), (&local, "A")]).await
        }));
    }
    let mut people = Vec::new();
    for task in tasks {
        people.push(task.await.unwrap());
    }
    people.dedup();
    assert_eq!(people.len(), 1);
    let found = kept.index.person(people[0]).await.unwrap().unwrap();
    assert_eq!(found.identifiers.len(), 21);
}

async fn registries_are_believed_over_objects_and_everything_said_is_kept(kept: &Kept) {
    let index = &kept.index;
    let mut said = sighting(Sighted::Person, &[("1", "A")]);
    let mut say = async |name: &str, origin: Origin| {
        said.name = name.to_owned();
        said.origin = origin;
        let Attached::Person(id) = index.attach(&said, NOW).await.unwrap() else { panic!() };
        (id, index.person(id).await.unwrap().unwrap().name)
    };
    assert_eq!(say("", Origin::Dicom).await.1, "");
    assert_eq!(say("Rosi^Mario", Origin::Dicom).await.1, "Rosi^Mario");
    assert_eq!(say("Rossi^M", Origin::Document).await.1, "Rosi^Mario");
    assert_eq!(say("Rossi^Mario", Origin::Registry).await.1, "Rossi^Mario");
    let (id, name) = say("Rosi^Mario", Origin::Dicom).await;
    assert_eq!(name, "Rossi^Mario");
    let names: Vec<String> =
        index.demographics(id).await.unwrap().into_iter().map(|said| said.name).collect();
    assert_eq!(names, ["", "Rosi^Mario", "Rossi^M", "Rossi^Mario"]);
}

fn likeness(sound: &str, birth_date: &str) -> Likeness {
    Likeness { sound: sound.to_owned(), birth_date: birth_date.to_owned() }
}

async fn people_alike_are_found_by_sound_and_birth(kept: &Kept) {
    let index = &kept.index;
    let one = person(index, &[("1", "A")]).await;
    let sound = lastra::people::phonetic::key("ROSI^MARIO");
    for (sound, birth_date, expected) in [
        (sound.as_str(), "", vec![one]),
        ("", "19790211", vec![one]),
        (sound.as_str(), "19790211", vec![one]),
        ("", "", vec![]),
        ("OTHER", "19000101", vec![]),
    ] {
        let nobody = Likeness::default();
        let found = index.people_alike(&[nobody, likeness(sound, birth_date)], 10).await.unwrap();
        let ids: Vec<i64> = found.iter().map(|found| found.person).collect();
        assert_eq!(ids, expected, "{sound} {birth_date}");
        assert!(
            found.iter().all(|found| (found.number, found.name.as_str()) == (1, "Rossi^Mario"))
        );
    }
    // However many are alike in one of both, whoever is in both is among the few that are shown.
    for (number, birth_date) in [("2", "19800101"), ("3", "19790211")] {
        let alike = Sighting {
            birth_date: birth_date.to_owned(),
            ..sighting(Sighted::Person, &[(number, "A")])
        };
        index.attach(&alike, NOW).await.unwrap();
    }
    let wanted = [likeness(&sound, "19800101"), likeness(&sound, "19790211")];
    let found = index.people_alike(&wanted, 1).await.unwrap();
    let born: Vec<_> =
        found.iter().map(|found| (found.number, found.birth_date.as_str())).collect();
    assert_eq!(born, [(0, "19800101"), (1, "19790211")]);
}

async fn requirement_37_versions_are_in_order_whatever_came_first(kept: &Kept) {
    let index = &kept.index;
    let orders: [[u8; 3]; 6] = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    for (round, order) in orders.into_iter().enumerate() {
        let round = u8::try_from(round).unwrap();
        // By set and version; and without a set, by what each says it replaces.
        for (number, by_set) in [(0, true), (100, false)] {
            let mut ids = [0_i64; 3];
            for version in order {
                let mut new = document(number + round * 10 + version);
                let own = |version: u8| format!("{number}.{round}^V{version}");
                new.document_id = own(version);
                new.version = if by_set { version.into() } else { 0 };
                new.set_id = if by_set { format!("{round}^SET") } else { String::new() };
                new.replaces = if by_set || version == 1 { vec![] } else { vec![own(version - 1)] };
                ids[usize::from(version) - 1] = entered(index, &new).await;
            }
            let mut by = Vec::new();
            for id in ids {
                let found = index.documents(DocumentsOf::Id(id), 1).await.unwrap();
                by.push(found[0].superseded_by);
            }
            assert_eq!(by, [Some(ids[1]), Some(ids[2]), None], "{order:?} by set: {by_set}");
        }
    }
}

async fn a_document_is_kept_once_and_its_blob_is_known(kept: &Kept) {
    let index = &kept.index;
    let id = entered(index, &document(1)).await;
    let again = NewDocument { blob_key: "other".to_owned(), ..document(1) };
    assert_eq!(index.put_document(&again, NOW).await.unwrap(), Entered::Known(id));
    let keys = ["document-1".to_owned(), "other".to_owned()];
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [true, false]);
    let found = index.documents(DocumentsOf::Id(id), 1).await.unwrap();
    assert_eq!(
        (found[0].sha256, found[0].title.as_str(), found[0].person),
        ([1; 32], "Referto", None)
    );
}

async fn a_link_is_made_undone_and_made_again_by_somebody_only(kept: &Kept) {
    let index = &kept.index;
    let (row, id) = (study(index, "1.1").await, entered(index, &document(1)).await);
    let new = NewLink {
        document: id,
        study: row,
        method: Method::Reference(ReferenceKind::Accession),
        evidence: r#"{"value":"A1"}"#.to_owned(),
        actor: "lastra".to_owned(),
    };
    let Linked::Made(first) = index.link(&new, false, NOW).await.unwrap() else { panic!() };
    assert_eq!(index.link(&new, false, NOW).await.unwrap(), Linked::Known(first));
    assert!(index.unlink(first, "rossi", NOW + 1).await.unwrap());
    assert!(!index.unlink(first, "rossi", NOW + 1).await.unwrap());
    assert_eq!(index.link(&new, false, NOW).await.unwrap(), Linked::Undone(first));
    let Linked::Made(second) = index.link(&new, true, NOW + 2).await.unwrap() else { panic!() };
    let links = index.links(LinksOf::Document(id)).await.unwrap();
    assert_eq!(links, index.links(LinksOf::Study(row)).await.unwrap());
    assert_eq!(links.len(), 2);
    assert_eq!(links[0].undone, Some((NOW + 1, "rossi".to_owned())));
    assert_eq!((links[1].id, links[1].undone.clone()), (second, None));
    assert_eq!((links[1].study_uid.as_str(), links[1].method), ("1.1", new.method));
    assert_eq!(index.links(LinksOf::Id(second)).await.unwrap()[0].evidence, new.evidence);
}

async fn what_was_decided_of_a_study_waits_for_it_in_the_bin(kept: &Kept) {
    let index = &kept.index;
    let (row, id) = (study(index, "1.1").await, entered(index, &document(1)).await);
    let sighted = sighting(Sighted::Study(row), &[(CODE, "2.16.840.1.113883.2.9.4.3.2")]);
    index.attach(&sighted, NOW).await.unwrap();
    let new = NewLink {
        document: id,
        study: row,
        method: Method::Reference(ReferenceKind::Accession),
        evidence: "{}".to_owned(),
        actor: "lastra".to_owned(),
    };
    let Linked::Made(link) = index.link(&new, false, NOW).await.unwrap() else { panic!() };
    assert!(index.unlink(link, "rossi", NOW + 1).await.unwrap());

    let scope = Scope::study(Uid::parse("1.1").unwrap());
    assert_eq!(index.delete(&scope, NOW + 2).await.unwrap(), 1);
    assert!(index.links(LinksOf::Document(id)).await.unwrap().is_empty());
    let other = study(index, "1.2").await;
    assert!(index.links(LinksOf::Study(other)).await.unwrap().is_empty(), "a row used again");

    assert_eq!(index.restore(&scope, false, &[], NOW + 3).await.unwrap(), 1);
    let back = study(index, "1.1").await;
    let links = index.links(LinksOf::Document(id)).await.unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].undone, Some((NOW + 1, "rossi".to_owned())));
    let again = NewLink { study: back, ..new };
    let known = index.link(&again, false, NOW + 4).await.unwrap();
    assert_eq!(known, Linked::Undone(links[0].id), "what somebody undid stays undone");
}

async fn studies_and_documents_meet_by_their_numbers(kept: &Kept) {
    let index = &kept.index;
    let (row, id) = (study(index, "1.1").await, entered(index, &document(1)).await);
    let own = [
        reference(ReferenceKind::Study, "", "1.1"),
        reference(ReferenceKind::Accession, "RIS", "A1"),
    ];
    index.add_study_references(row, &own).await.unwrap();
    index.add_study_references(row, &own).await.unwrap();
    assert_eq!(index.references(Waiting::Study(row)).await.unwrap().len(), 2);
    // Whoever assigned it: which issuers agree is decided above.
    let asked = [reference(ReferenceKind::Accession, "OTHER", "A1")];
    let studies = index.studies_sharing(&asked).await.unwrap();
    assert_eq!((studies.len(), studies[0].id, &studies[0].reference), (1, row, &own[1]));
    let documents = index.documents_sharing(&own).await.unwrap();
    assert_eq!((documents.len(), documents[0].id), (1, id));
    let order = [reference(ReferenceKind::Order, "RIS", "A1")];
    assert!(index.studies_sharing(&order).await.unwrap().is_empty());
}

async fn an_order_is_found_again_by_any_of_its_numbers(kept: &Kept) {
    let index = &kept.index;
    let pair = |value: &str, of: &str| (value.to_owned(), of.to_owned());
    let first = ImagingOrder {
        placer: pair("P1", "CUP"),
        nre: "120A4".to_owned(),
        control: "NW".to_owned(),
        procedure_text: "RX torace".to_owned(),
        body_part: "KNEE".to_owned(),
        side: "L".to_owned(),
        ..ImagingOrder::default()
    };
    let id = index.put_order(&first, NOW).await.unwrap();
    let later = ImagingOrder {
        placer: pair("P1", "CUP"),
        accession: pair("A1", "RIS"),
        study_uid: "1.1".to_owned(),
        control: "SC".to_owned(),
        ..ImagingOrder::default()
    };
    assert_eq!(index.put_order(&later, NOW).await.unwrap(), id);
    let other = ImagingOrder { placer: pair("P1", "OTHER"), ..ImagingOrder::default() };
    assert_ne!(index.put_order(&other, NOW).await.unwrap(), id);
    for asked in [
        reference(ReferenceKind::Study, "", "1.1"),
        reference(ReferenceKind::Accession, "", "A1"),
        reference(ReferenceKind::Order, "", "120A4"),
    ] {
        let found = index.orders_sharing(std::slice::from_ref(&asked)).await.unwrap();
        assert_eq!(found.len(), 1, "{asked:?}");
        let seen = [&found[0].control, &found[0].procedure_text, &found[0].nre];
        assert_eq!(seen, ["SC", "RX torace", "120A4"]);
        assert_eq!([&found[0].body_part, &found[0].side], ["KNEE", "L"]);
    }
}

async fn what_was_decided_stays_decided_and_what_solved_itself_may_come_again(kept: &Kept) {
    let index = &kept.index;
    let (kind, waiting) = (ItemKind::Unlinked, Waiting::Document(7));
    index.open_item(kind, waiting, "{}", NOW).await.unwrap();
    index.open_item(kind, waiting, r#"{"a":1}"#, NOW + 1).await.unwrap();
    let items = index.items(0, 10).await.unwrap();
    assert_eq!((items.len(), items[0].facts.as_str(), items[0].opened_us), (1, r#"{"a":1}"#, NOW));
    assert_eq!((items[0].kind, items[0].waiting), (kind, waiting));
    assert!(index.items(items[0].id, 10).await.unwrap().is_empty());
    index.close_item(kind, waiting, "linked", "", NOW + 2).await.unwrap();
    assert!(index.items(0, 10).await.unwrap().is_empty());
    index.open_item(kind, waiting, "{}", NOW + 3).await.unwrap();
    assert_eq!(index.items(0, 10).await.unwrap().len(), 1);
    index.close_item(kind, waiting, "dismissed", "rossi", NOW + 4).await.unwrap();
    index.open_item(kind, waiting, "{}", NOW + 5).await.unwrap();
    assert!(index.items(0, 10).await.unwrap().is_empty());
}
