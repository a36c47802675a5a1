//! Rows by name: lists and their pages, series, derived objects, copies, totals.

use lastra::index::port::Derived;
use lastra::index::port::DerivedKind;
use lastra::index::port::Index;
use lastra::model::path::InstancePath;
use lastra::model::path::Scope;
use lastra::model::study::NewInstance;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::altered;
use super::objects::object;
use super::objects::patient;
use super::objects::store;
use super::objects::uid;
use super::objects::with;

crate::index::on_every_index! {
    an_instance_is_located_with_all_that_was_said_of_its_copy,
    pages_of_a_list_follow_numbers_and_miss_nothing,
    series_come_in_number_order_with_their_state,
    a_derived_object_replaces_the_older_of_its_kind,
    copies_are_paged_by_row,
    blobs_are_known_by_copies_and_derived_rows,
    a_closed_index_does_not_answer,
}

async fn an_instance_is_located_with_all_that_was_said_of_its_copy(kept: &Kept) {
    let index = &*kept.index;
    let new = with(object("1.1", "1.1.1", "1.1.1.1"), |o| {
        o.instance.frames = 42;
        o.instance.number = "7".to_owned();
        o.copy.layout = vec![0, 255, 0, 7];
    });
    store(index, &[new.clone(), object("1.1", "1.1.2", "1.1.2.1")]).await;
    let path = InstancePath { study: uid("1.1"), series: uid("1.1.1"), instance: uid("1.1.1.1") };
    let located = index.locate(&Scope::instance(path.clone())).await.unwrap().unwrap();
    assert_eq!(located.path, path);
    assert_eq!(located.sop_class, new.instance.sop_class.as_str());
    assert_eq!((located.number.as_str(), located.frames), ("7", 42));
    assert_eq!(located.blob_key, new.copy.blob_key);
    assert_eq!(located.blob_bytes, 1000);
    assert_eq!(located.data_set_sha256, new.copy.data_set_sha256);
    assert_eq!(located.transfer_syntax, new.copy.transfer_syntax);
    assert_eq!(located.layout, [0, 255, 0, 7]);
    assert_eq!(located.received_us, NOW);
    for (study, series, instance, who) in [
        ("1.2", "1.1.1", "1.1.1.1", "P1"),
        ("1.1", "1.1.2", "1.1.1.1", "P1"),
        ("1.1", "1.1.1", "1.1.1", "P1"),
        ("1.1", "1.1.1", "1.1.1.1", "P2"),
    ] {
        let path = InstancePath { study: uid(study), series: uid(series), instance: uid(instance) };
        let scope = Scope { patient: Some(patient("", who)), ..Scope::instance(path) };
        assert_eq!(index.locate(&scope).await.unwrap(), None, "{scope:?}");
    }
}

async fn pages_of_a_list_follow_numbers_and_miss_nothing(kept: &Kept) {
    let index = &*kept.index;
    let numbered = |series: &str, series_number: &str, instance: &str, number: &str| {
        with(object("1.1", series, instance), |o| {
            o.series.number = series_number.to_owned();
            o.instance.number = number.to_owned();
        })
    };
    // In the order expected; entered from the end.
    let ordered: Vec<NewInstance> = vec![
        numbered("1.1.9", "-1", "9.1", "1"),
        numbered("1.1.1", "2", "1.5", "-3"),
        numbered("1.1.1", "2", "1.1", "2"),
        numbered("1.1.1", "2", "1.2", "10"),
        numbered("1.1.1", "2", "1.3", ""),
        numbered("1.1.2", "10", "2.2", "1"),
        numbered("1.1.3", "", "3.1", "1"),
        numbered("1.1.4", "A", "4.1", "1"),
        numbered("1.1.5", "B", "5.1", "1"),
    ];
    for new in ordered.iter().rev() {
        store(index, std::slice::from_ref(new)).await;
    }
    let expected: Vec<&str> = ordered.iter().map(|new| new.instance.uid.as_str()).collect();
    let scope = Scope::study(uid("1.1"));
    for page in [1, 2, 3, 100] {
        assert_eq!(all_pages(index, &scope, page).await, expected, "pages of {page}");
    }
    let series = Scope::series(uid("1.1"), uid("1.1.1"));
    assert_eq!(all_pages(index, &series, 2).await, expected[1..5]);
    assert!(index.list(&Scope::study(uid("1.2")), None, 10).await.unwrap().is_empty());
    assert!(index.list(&scope, Some(i64::MAX), 10).await.unwrap().is_empty());
}

async fn all_pages(index: &dyn Index, scope: &Scope, page: u32) -> Vec<String> {
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let rows = index.list(scope, after, page).await.unwrap();
        let Some(last) = rows.last() else { return all };
        assert!(rows.len() <= page as usize);
        after = Some(last.id);
        all.extend(rows.iter().map(|row| row.path.instance.as_str().to_owned()));
    }
}

async fn series_come_in_number_order_with_their_state(kept: &Kept) {
    let index = &*kept.index;
    let of = |series: &str, number: &str, instance: &str| {
        with(object("1.1", series, instance), |o| o.series.number = number.to_owned())
    };
    store(index, &[of("1.1.1", "10", "1"), of("1.1.2", "9", "2"), of("1.1.1", "10", "3")]).await;
    index.store(&[of("1.1.1", "10", "4")], &[], NOW + 5).await.unwrap();
    let states = index.series_of(&Scope::study(uid("1.1"))).await.unwrap();
    let seen: Vec<_> = states
        .iter()
        .map(|s| (s.scope.series.clone().unwrap(), s.revision, s.instances, s.changed_us))
        .collect();
    assert_eq!(seen, [(uid("1.1.2"), 1, 1, NOW), (uid("1.1.1"), 3, 3, NOW + 5)]);
    assert_eq!(states[0].scope.patient, Some(patient("", "P1")));
    assert_eq!(index.series(states[1].id).await.unwrap().as_ref(), Some(&states[1]));
    assert_eq!(index.series(states[1].id + 1000).await.unwrap(), None);
    let one = index.series_of(&Scope::series(uid("1.1"), uid("1.1.1"))).await.unwrap();
    assert_eq!(one, states[1..]);
}

async fn a_derived_object_replaces_the_older_of_its_kind(kept: &Kept) {
    let index = &*kept.index;
    store(index, &[object("1.1", "1.1.1", "1.1.1.1")]).await;
    let series = index.series_of(&Scope::study(uid("1.1"))).await.unwrap().remove(0).id;
    let made = |revision: i64, key: &str| Derived {
        series_id: series,
        kind: DerivedKind::Thumbnail,
        revision,
        blob_key: key.to_owned(),
        blob_bytes: 5,
        note: "n".to_owned(),
    };
    let kind = DerivedKind::Thumbnail;
    assert_eq!(index.derived(series, kind).await.unwrap(), None);
    for (revision, key, gives, kept_key) in [
        (1, "a", None, "a"),
        (1, "a", None, "a"),
        (2, "b", Some("a"), "b"),
        (1, "c", Some("c"), "b"),
        (2, "d", Some("b"), "d"),
    ] {
        let replaced = index.put_derived(&made(revision, key)).await.unwrap();
        assert_eq!(replaced.as_deref(), gives, "{key}");
        assert_eq!(index.derived(series, kind).await.unwrap().unwrap().blob_key, kept_key);
    }
    assert_eq!(index.derived(series, kind).await.unwrap(), Some(made(2, "d")));
    assert_eq!(index.derived(series, DerivedKind::Metadata).await.unwrap(), None);
}

async fn copies_are_paged_by_row(kept: &Kept) {
    let index = &*kept.index;
    let mut keys = Vec::new();
    for number in 0..5 {
        let new = object("1.1", "1.1.1", &format!("1.1.1.{number}"));
        let beside = altered(&new);
        keys.extend([new.copy.blob_key.clone(), beside.copy.blob_key.clone()]);
        store(index, &[new, beside]).await;
    }
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = index.copies(after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        assert!(
            page.iter().all(|copy| copy.path.series == uid("1.1.1") && copy.layout == [1, 2, 3])
        );
        seen.extend(page.into_iter().map(|copy| copy.blob_key));
    }
    assert_eq!(seen, keys);
}

async fn blobs_are_known_by_copies_and_derived_rows(kept: &Kept) {
    let index = &*kept.index;
    let new = object("1.1", "1.1.1", "1.1.1.1");
    let beside = altered(&new);
    store(index, &[new.clone(), beside.clone()]).await;
    let series = index.series_of(&Scope::study(uid("1.1"))).await.unwrap().remove(0).id;
    let derived = Derived {
        series_id: series,
        kind: DerivedKind::Metadata,
        revision: 1,
        blob_key: "derived".to_owned(),
        blob_bytes: 1,
        note: String::new(),
    };
    index.put_derived(&derived).await.unwrap();
    let mut keys = vec![
        "nothing".to_owned(),
        new.copy.blob_key,
        "derived".to_owned(),
        String::new(),
        beside.copy.blob_key,
    ];
    assert_eq!(index.knows_blobs(&keys).await.unwrap(), [false, true, true, false, true]);
    keys.extend((0..1000).map(|number| format!("unknown-{number}")));
    let known = index.knows_blobs(&keys).await.unwrap();
    assert_eq!((known.len(), known.iter().filter(|known| **known).count()), (1005, 3));
    assert!(index.knows_blobs(&[]).await.unwrap().is_empty());
}

async fn a_closed_index_does_not_answer(kept: &Kept) {
    let node = kept.another_node().await;
    node.ping().await.unwrap();
    node.close().await;
    assert!(node.ping().await.is_err());
    kept.index.ping().await.unwrap();
}
