//! What happens in the fascicolo stands in the one feed, in order, and says of nobody who they are.

use lastra::index::outbox::EntriesOf;
use lastra::index::port::SharedIndex;
use lastra::model::event::EventKind;
use lastra::model::ids;
use lastra::model::link::ItemKind;
use lastra::model::link::Method;
use lastra::model::link::NewLink;
use lastra::model::link::Waiting;
use lastra::model::outbox::Operation;
use lastra::model::outbox::Progress;
use lastra::model::outbox::Stage;
use lastra::model::path::Scope;
use lastra::model::person::Origin;
use lastra::model::person::Sighted;
use lastra::model::person::Sighting;

use super::fascicolo::CODE;
use super::fascicolo::document;
use super::fascicolo::entered;
use super::fascicolo::person;
use super::fascicolo::sighting;
use super::fascicolo::study;
use super::objects::Kept;
use super::objects::NOW;
use super::objects::uid;
use super::on_every_index;

on_every_index!(
    a_person_is_told_of_when_they_are_made_or_change_and_not_else,
    what_comes_into_a_fascicolo_and_leaves_it_is_told,
    a_link_and_its_undoing_are_told_with_both_ends,
    arrivals_and_newer_versions_are_told_whatever_came_first,
    merges_and_their_undoing_are_told,
    a_conflict_is_told_once_while_it_waits,
    what_the_gateway_did_is_told,
    what_is_deleted_is_told_to_the_fascicolo_it_was_in,
);

/// What happened since, but for what is of instances.
async fn since(index: &SharedIndex, sequence: &mut i64) -> Vec<(EventKind, Vec<String>)> {
    let events = index.events(*sequence, 1000).await.unwrap();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event.sequence, *sequence + 1 + i64::try_from(number).unwrap());
        assert_eq!(event.object.is_some(), event.concerns.is_empty());
        assert!(event.concerns.iter().all(|id| !id.contains(CODE)));
    }
    *sequence = events.last().map_or(*sequence, |last| last.sequence);
    let of_fascicoli = events.into_iter().filter(|event| event.object.is_none());
    of_fascicoli.map(|event| (event.kind, event.concerns)).collect()
}

fn patient(row: i64) -> String {
    format!("Patient/{}", ids::of_person(row))
}

fn report(number: u8) -> String {
    format!("DiagnosticReport/{}", ids::of_document(&[number; 32]))
}

fn reference(number: u8) -> String {
    format!("DocumentReference/{}", ids::of_document(&[number; 32]))
}

async fn a_person_is_told_of_when_they_are_made_or_change_and_not_else(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let said = |ids: &[(&str, &str)], origin, [name, birth, sex]: [&str; 3]| Sighting {
        origin,
        name: name.to_owned(),
        birth_date: birth.to_owned(),
        sex: sex.to_owned(),
        ..sighting(Sighted::Person, ids)
    };
    let (own, rossi) = ([(CODE, "")], ["Rossi^Mario", "19790211", "M"]);
    let mario = person(index, &own).await;
    assert_eq!(since(index, &mut seen).await.len(), 1);
    for (what, sighted, told) in [
        ("the same again", said(&own, Origin::Dicom, rossi), false),
        ("the same, of a registry", said(&own, Origin::Registry, rossi), false),
        ("another name, of an object", said(&own, Origin::Dicom, ["Rosi^Mario", "", ""]), false),
        ("another name", said(&own, Origin::Registry, ["Rosi^Mario", "", ""]), true),
        ("it again", said(&own, Origin::Registry, ["Rosi^Mario", "", ""]), false),
        ("another birth date", said(&own, Origin::Registry, ["Rosi^Mario", "19790212", ""]), true),
        ("another sex", said(&own, Origin::Registry, ["Rosi^Mario", "", "F"]), true),
        ("nothing", said(&own, Origin::Registry, [""; 3]), false),
        ("a number more", said(&[(CODE, ""), ("77", "B")], Origin::Dicom, [""; 3]), true),
        ("by that number", said(&[("77", "B")], Origin::Dicom, [""; 3]), false),
        ("who is nobody", said(&[("77", "")], Origin::Registry, rossi), false),
    ] {
        index.attach(&sighted, NOW).await.unwrap();
        let expected = vec![(EventKind::PersonChanged, vec![patient(mario)]); usize::from(told)];
        assert_eq!(since(index, &mut seen).await, expected, "{what}");
    }
    // Of two who are one, the one who stands for both is told of, and only of what is told of them.
    let other = person(index, &[("78", "B")]).await;
    index.merge(mario, other, "the same", "rossi", NOW).await.unwrap().unwrap();
    since(index, &mut seen).await;
    for (ids, name, told) in [
        (&[("78", "B")][..], "Bianchi^Mario", false),
        (&[("78", "B"), ("79", "B")], "Bianchi^Mario", true),
        (&[(CODE, "")], "Bianchi^Mario", true),
    ] {
        let sighted = said(ids, Origin::Registry, [name, "19790212", "F"]);
        index.attach(&sighted, NOW).await.unwrap();
        let expected = vec![(EventKind::PersonChanged, vec![patient(mario)]); usize::from(told)];
        assert_eq!(since(index, &mut seen).await, expected, "{ids:?}");
    }
}

async fn what_comes_into_a_fascicolo_and_leaves_it_is_told(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let row = study(index, "1.1").await;
    let said = sighting(Sighted::Study(row), &[(CODE, "")]);
    for _ in 0..2 {
        index.attach(&said, NOW).await.unwrap();
    }
    let mario = person(index, &[(CODE, "")]).await;
    let told = since(index, &mut seen).await;
    let [made, (EventKind::FascicoloChanged, concerns)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(*made, (EventKind::PersonChanged, vec![patient(mario)]));
    assert_eq!(concerns[0], patient(mario));
    assert_eq!(ids::study(concerns[1].strip_prefix("ImagingStudy/").unwrap()).unwrap(), "1.1");

    let other = person(index, &[("77", "B")]).await;
    index.assign(Waiting::Study(row), Some(other), NOW).await.unwrap();
    index.assign(Waiting::Study(row), Some(other), NOW).await.unwrap();
    index.study_changed(row, NOW).await.unwrap();
    index.assign(Waiting::Study(row), None, NOW).await.unwrap();
    index.study_changed(row, NOW).await.unwrap();
    let told = since(index, &mut seen).await;
    let whose: Vec<_> = told.iter().map(|(kind, concerns)| (*kind, concerns[0].clone())).collect();
    let expected = [
        (EventKind::PersonChanged, patient(other)),
        (EventKind::FascicoloChanged, patient(mario)),
        (EventKind::FascicoloChanged, patient(other)),
        (EventKind::StudyChanged, patient(other)),
        (EventKind::FascicoloChanged, patient(other)),
    ];
    assert_eq!(whose, expected);
}

async fn a_link_and_its_undoing_are_told_with_both_ends(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let row = study(index, "1.1").await;
    index.attach(&sighting(Sighted::Study(row), &[(CODE, "")]), NOW).await.unwrap();
    let written = entered(index, &document(1)).await;
    since(index, &mut seen).await;
    let link = NewLink {
        document: written,
        study: row,
        method: Method::Manual,
        evidence: "{}".to_owned(),
        actor: "rossi".to_owned(),
    };
    index.link(&link, false, NOW).await.unwrap();
    index.link(&link, false, NOW).await.unwrap();
    assert!(index.unlink(1, "rossi", NOW).await.unwrap());
    assert!(!index.unlink(1, "rossi", NOW).await.unwrap());
    let told = since(index, &mut seen).await;
    let kinds: Vec<EventKind> = told.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [EventKind::StudyLinked, EventKind::StudyUnlinked]);
    for (_, concerns) in told {
        assert!(concerns[0].starts_with("Patient/") && concerns[1].starts_with("ImagingStudy/u"));
        assert_eq!(concerns[2..], [report(1), reference(1)]);
    }
}

async fn arrivals_and_newer_versions_are_told_whatever_came_first(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    for number in [1, 3, 2] {
        entered(index, &document(number)).await;
        index.put_document(&document(number), NOW).await.unwrap();
    }
    let (arrived, replaced) = (EventKind::DocumentArrived, EventKind::DocumentReplaced);
    let expected = [
        (arrived, vec![report(1), reference(1)]),
        (arrived, vec![report(1), reference(3)]),
        (replaced, vec![report(1), reference(1), reference(3)]),
        (arrived, vec![report(1), reference(2)]),
        (replaced, vec![report(1), reference(1), reference(2)]),
        (replaced, vec![report(1), reference(2), reference(3)]),
    ];
    assert_eq!(since(index, &mut seen).await, expected);
}

async fn merges_and_their_undoing_are_told(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let one = person(index, &[(CODE, "")]).await;
    let other = person(index, &[("77", "B")]).await;
    let merge = index.merge(one, other, "the same", "rossi", NOW).await.unwrap().unwrap();
    assert!(index.unmerge(merge, "rossi", NOW).await.unwrap());
    assert!(!index.unmerge(merge, "rossi", NOW).await.unwrap());
    let both = vec![patient(one), patient(other)];
    let expected = [
        (EventKind::PersonChanged, vec![patient(one)]),
        (EventKind::PersonChanged, vec![patient(other)]),
        (EventKind::PersonMerged, both.clone()),
        (EventKind::PersonUnmerged, both),
    ];
    assert_eq!(since(index, &mut seen).await, expected);
}

async fn a_conflict_is_told_once_while_it_waits(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let written = entered(index, &document(1)).await;
    since(index, &mut seen).await;
    let (kind, waiting) = (ItemKind::PersonConflict, Waiting::Document(written));
    for facts in ["{}", r#"{"person": 1}"#] {
        index.open_item(kind, waiting, facts, NOW).await.unwrap();
    }
    index.open_item(ItemKind::Unlinked, waiting, "{}", NOW).await.unwrap();
    let raised = [(EventKind::ConflictRaised, vec![report(1), reference(1)])];
    assert_eq!(since(index, &mut seen).await, raised);
    // What solved itself may come again; what somebody decided does not.
    index.close_item(kind, waiting, "linked", "", NOW).await.unwrap();
    index.open_item(kind, waiting, "{}", NOW).await.unwrap();
    assert_eq!(since(index, &mut seen).await, raised);
    index.close_item(kind, waiting, "linked", "rossi", NOW).await.unwrap();
    index.open_item(kind, waiting, "{}", NOW).await.unwrap();
    assert_eq!(since(index, &mut seen).await, []);
}

async fn what_the_gateway_did_is_told(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let written = entered(index, &document(1)).await;
    since(index, &mut seen).await;
    for (operation, kind) in [
        (Operation::Publish, EventKind::DocumentPublished),
        (Operation::Delete, EventKind::DocumentWithdrawn),
    ] {
        let (id, _) = index.put_entry(written, operation, "rossi", NOW).await.unwrap();
        for stage in [Stage::Sending, Stage::Done] {
            assert_eq!(since(index, &mut seen).await, []);
            let entry = index.entries(EntriesOf::Id(id), 1).await.unwrap().remove(0);
            let progress = Progress { stage, ..entry.progress.clone() };
            assert!(index.advance_entry(&entry, &progress, None, NOW).await.unwrap());
            // Whoever saw an older revision changes nothing, and nothing is told.
            assert!(!index.advance_entry(&entry, &progress, None, NOW).await.unwrap());
        }
        assert_eq!(since(index, &mut seen).await, [(kind, vec![report(1), reference(1)])]);
    }
}

async fn what_is_deleted_is_told_to_the_fascicolo_it_was_in(kept: &Kept) {
    let (index, mut seen) = (&kept.index, 0);
    let row = study(index, "1.1").await;
    study(index, "1.2").await;
    index.attach(&sighting(Sighted::Study(row), &[(CODE, "")]), NOW).await.unwrap();
    let mario = person(index, &[(CODE, "")]).await;
    since(index, &mut seen).await;
    for study in ["1.1", "1.2"] {
        assert_eq!(index.delete(&Scope::study(uid(study)), NOW).await.unwrap(), 1);
    }
    let told = since(index, &mut seen).await;
    let [(EventKind::FascicoloChanged, concerns)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(concerns[0], patient(mario));
}
