//! The record of accesses, on both databases: found by every condition, true after merges, many at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use lastra::access::record::Recorder;
use lastra::clock::Clock;
use lastra::index::accesses::AccessRule;
use lastra::index::pages::Counted;
use lastra::index::pages::Micros;
use lastra::index::pages::Page;
use lastra::index::pages::Place;
use lastra::index::pages::SortBy;
use lastra::index::port::SharedIndex;
use lastra::model::access::Access;
use lastra::model::access::Interaction;
use lastra::model::access::NewAccess;
use lastra::model::access::Who;

use super::fascicolo::CODE;
use super::fascicolo::person;
use super::objects::Kept;
use super::objects::NOW;
use super::on_every_index;

on_every_index!(
    accesses_meet_every_condition,
    requirement_7_a_merge_moves_accesses_and_its_undoing_hides_none,
    pages_hold_everything_once_while_accesses_arrive,
    many_at_once_share_commits,
);

fn told(interaction: Interaction, kind: &str, item: &str, people: &[i64]) -> NewAccess {
    NewAccess {
        who: Who {
            kind: "anonymous".to_owned(),
            name: String::new(),
            address: "192.0.2.7".to_owned(),
        },
        user_agent: "tests".to_owned(),
        interaction,
        kind: kind.to_owned(),
        item: item.to_owned(),
        version: String::new(),
        query: "GET /fhir\0".to_owned(),
        request: "r1".to_owned(),
        status: 200,
        people: people.iter().copied().collect(),
    }
}

async fn found(index: &SharedIndex, rules: &[AccessRule]) -> Vec<Access> {
    let page = Page { sort: SortBy::Date, descending: true, limit: 1000, ..Page::default() };
    let found = index.accesses_page(rules, &page).await.unwrap();
    let counted = index.count_page(Counted::Accesses(rules), 1000).await.unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), found.len(), "{rules:?}");
    found
}

async fn accesses_meet_every_condition(kept: &Kept) {
    let index = &kept.index;
    let (mario, anna) = (person(index, &[(CODE, "")]).await, person(index, &[("77", "A")]).await);
    let read = told(Interaction::Read, "Patient", "a", &[mario]);
    let searched = told(Interaction::SearchType, "Patient", "", &[mario, anna, 999_999]);
    // Many that nobody is, as a question may name them, leave room for who is somebody.
    let mut named = told(Interaction::Operation, "Patient", "a", &[anna]);
    named.people.extend(1_000_000..1_000_200);
    index.put_accesses(&[named], NOW - 10).await.unwrap();
    let mut refused = told(Interaction::Read, "ImagingStudy", "b", &[999_999]);
    (refused.status, refused.who.address) = (404, "2001:db8::1".to_owned());
    index.put_accesses(&[read.clone(), searched], NOW).await.unwrap();
    index.put_accesses(&[refused], NOW + 10).await.unwrap();

    // Newest first; one row a person, and one for nobody.
    let all = found(index, &[]).await;
    let people: Vec<Option<i64>> = all.iter().map(|one| one.told.people.first().copied()).collect();
    assert_eq!(people, [None, Some(anna), Some(mario), Some(mario), Some(anna)]);
    let times: Vec<i64> = all.iter().map(|one| one.at_us - NOW).collect();
    assert_eq!(times, [10, 0, 0, 0, -10]);
    let stored = NewAccess { query: "GET /fhir".to_owned(), ..read };
    assert_eq!(all[3].told, stored);

    let span = |from, before| AccessRule::At(vec![Micros { from, before }]);
    let item = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    let address = |text: &str| AccessRule::Address(vec![text.to_owned()]);
    for (rules, expected) in [
        (vec![AccessRule::Row(vec![all[1].row])], 1),
        (vec![AccessRule::Row(vec![])], 0),
        (vec![AccessRule::Person(vec![mario])], 2),
        (vec![AccessRule::Person(vec![mario, anna])], 4),
        (vec![AccessRule::Person(vec![])], 0),
        (vec![AccessRule::Person(vec![999_999])], 0),
        (vec![span(Some(NOW + 1), None)], 1),
        (vec![span(None, Some(NOW + 10))], 4),
        (vec![AccessRule::Person(vec![mario]), span(Some(NOW), Some(NOW + 1))], 2),
        (vec![AccessRule::Interaction(vec![Interaction::Read])], 2),
        (vec![AccessRule::Interaction(vec![])], 0),
        (vec![AccessRule::Status(vec![0..=399])], 4),
        (vec![AccessRule::Status(vec![400..=499, 500..=999])], 1),
        (vec![AccessRule::Item(vec![item("ImagingStudy", "b"), item("Patient", "a")])], 3),
        (vec![AccessRule::Item(vec![item("Patient", "b")])], 0),
        (vec![address("192.0.2.")], 4),
        (vec![address("2001:db8:"), address("192.0.3.")], 0),
        (vec![AccessRule::Address(vec!["2001:db8:".to_owned(), "192.".to_owned()])], 5),
    ] {
        assert_eq!(found(index, &rules).await.len(), expected, "{rules:?}");
    }
}

async fn requirement_7_a_merge_moves_accesses_and_its_undoing_hides_none(kept: &Kept) {
    let index = &kept.index;
    let (mario, anna) = (person(index, &[(CODE, "")]).await, person(index, &[("77", "A")]).await);
    let of = async |row: i64| {
        let found = found(index, &[AccessRule::Person(vec![row])]).await;
        found.iter().map(|one| one.told.people.first().copied().unwrap()).collect::<Vec<_>>()
    };
    index.put_accesses(&[told(Interaction::Read, "Patient", "m", &[mario])], NOW).await.unwrap();
    index.put_accesses(&[told(Interaction::Read, "Patient", "a", &[anna])], NOW).await.unwrap();
    let merge = index.merge(mario, anna, "the same", "rossi", NOW).await.unwrap().unwrap();
    assert_eq!((of(mario).await, of(anna).await), (vec![mario; 2], vec![mario; 2]));
    // Seen while they were one: the data of both was given, and it stands there once.
    index.put_accesses(&[told(Interaction::Read, "Patient", "m", &[mario])], NOW).await.unwrap();
    assert_eq!(of(anna).await.len(), 3);
    assert_eq!(found(index, &[]).await.len(), 3);
    assert!(index.unmerge(merge, "rossi", NOW).await.unwrap());
    assert_eq!((of(mario).await, of(anna).await), (vec![mario; 2], vec![anna; 2]));
    assert_eq!(found(index, &[]).await.len(), 4);
}

async fn pages_hold_everything_once_while_accesses_arrive(kept: &Kept) {
    let index = &kept.index;
    let mario = person(index, &[(CODE, "")]).await;
    // Many in one instant, and some later.
    for number in 0..12_i64 {
        let one = told(Interaction::Read, "Patient", "m", &[mario]);
        index.put_accesses(&[one], NOW + number / 5).await.unwrap();
    }
    for rules in [vec![], vec![AccessRule::Person(vec![mario])]] {
        let before: Vec<i64> = found(index, &rules).await.iter().map(|one| one.row).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = Page { sort: SortBy::Date, descending: true, after, limit: 5 };
            let some = index.accesses_page(&rules, &page).await.unwrap();
            seen.extend(some.iter().map(|one| one.row));
            let Some(last) = some.last() else { break };
            let place = Place { row: last.row, changed_us: last.at_us, ..Place::default() };
            after = Some(place);
            let newer = told(Interaction::Read, "Patient", "m", &[mario]);
            index.put_accesses(&[newer], NOW + 1000).await.unwrap();
        }
        assert_eq!(seen, before);
    }
}

/// Shows another instant to each who asks.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

async fn many_at_once_share_commits(kept: &Kept) {
    let index = &kept.index;
    let mario = person(index, &[(CODE, "")]).await;
    let recorder = Recorder::spawn(Arc::clone(index), Arc::new(Ticking(AtomicI64::new(NOW))));
    let all = (0..100).map(|number: i64| {
        let told = told(Interaction::Read, "Patient", &number.to_string(), &[mario]);
        recorder.record(told)
    });
    for recorded in futures::future::join_all(all).await {
        recorded.unwrap();
    }
    let found = found(index, &[]).await;
    let items: BTreeSet<&str> = found.iter().map(|one| one.told.item.as_str()).collect();
    let commits: BTreeSet<i64> = found.iter().map(|one| one.at_us).collect();
    assert_eq!((found.len(), items.len()), (100, 100));
    assert!(commits.len() <= 10, "{} commits", commits.len());
}
