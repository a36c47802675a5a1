//! Subscriptions as rows: kept within their number, changed and removed, ended ones in nobody's way.

use lastra::index::port::SharedIndex;
use lastra::model::subscription::State;
use lastra::model::subscription::Subscription;

use crate::index::Database;
use crate::index::on_both;

on_both!(
    what_is_kept_of_a_subscription_comes_back_as_it_was,
    how_one_stands_is_recorded_and_changes_only_when_it_does,
    no_more_are_kept_than_may_be_and_ended_ones_do_not_count,
    of_many_made_at_once_no_more_are_kept_than_may_be,
);

const NOW: i64 = 1_772_445_600_000_000;

fn subscription(id: &str) -> Subscription {
    Subscription {
        id: id.to_owned(),
        state: State::Active,
        criteria: "Patient?family=Nicolò".to_owned(),
        endpoint: "https://ris.example/hook".to_owned(),
        headers: vec!["Authorization: Bearer abc".to_owned(), "X-Site: 1".to_owned()],
        reason: "a test".to_owned(),
        end_us: 0,
        error: String::new(),
        changed_us: NOW,
        made_by: "10.0.0.7".to_owned(),
    }
}

async fn ids(index: &SharedIndex) -> Vec<String> {
    index.subscriptions(None).await.unwrap().into_iter().map(|one| one.id).collect()
}

async fn what_is_kept_of_a_subscription_comes_back_as_it_was(database: Database) {
    let index = database.open().await;
    let bare = Subscription {
        headers: Vec::new(),
        reason: String::new(),
        end_us: NOW + 1,
        made_by: String::new(),
        ..subscription("b")
    };
    let both = [subscription("a"), bare];
    for one in both.iter().rev() {
        assert!(index.put_subscription(one, 10).await.unwrap());
    }
    let other = database.open().await;
    assert_eq!(other.subscriptions(None).await.unwrap(), both);
    assert_eq!(other.subscriptions(Some("b")).await.unwrap(), both[1..]);
    assert_eq!(other.subscriptions(Some("c")).await.unwrap(), []);
    // One id is one subscription, and the first stays.
    assert!(other.put_subscription(&subscription("b"), 10).await.is_err());
    assert_eq!(index.subscriptions(None).await.unwrap(), both);
}

async fn how_one_stands_is_recorded_and_changes_only_when_it_does(database: Database) {
    let index = database.open().await;
    for id in ["a", "b"] {
        assert!(index.put_subscription(&subscription(id), 10).await.unwrap());
    }
    for (state, error, at, expected) in [
        (State::Active, "", NOW + 1, NOW),
        (State::Error, "answered 503", NOW + 2, NOW + 2),
        (State::Error, "answered 503", NOW + 3, NOW + 2),
        (State::Error, "answered 500", NOW + 4, NOW + 4),
        (State::Off, "", NOW + 5, NOW + 5),
    ] {
        index.set_subscription("a", state, error, at).await.unwrap();
        let kept = index.subscriptions(Some("a")).await.unwrap().remove(0);
        assert_eq!((kept.state, kept.error.as_str(), kept.changed_us), (state, error, expected));
    }
    index.set_subscription("nobody's", State::Off, "", NOW + 6).await.unwrap();
    assert_eq!(index.subscriptions(Some("b")).await.unwrap(), [subscription("b")]);
    assert!(index.delete_subscription("a").await.unwrap());
    assert!(!index.delete_subscription("a").await.unwrap());
    assert_eq!(ids(&index).await, ["b"]);
}

async fn no_more_are_kept_than_may_be_and_ended_ones_do_not_count(database: Database) {
    let index = database.open().await;
    let ends = |id: &str, end_us| Subscription { end_us, ..subscription(id) };
    for (new, kept, all) in [
        (ends("a", NOW + 1), true, &["a"][..]),
        (ends("b", 0), true, &["a", "b"]),
        (ends("c", 0), false, &["a", "b"]),
        // A moment later the first has ended.
        (Subscription { changed_us: NOW + 1, ..ends("d", NOW + 2) }, true, &["b", "d"]),
        (Subscription { changed_us: NOW + 1, ..ends("e", 0) }, false, &["b", "d"]),
    ] {
        assert_eq!(index.put_subscription(&new, 2).await.unwrap(), kept, "{}", new.id);
        assert_eq!(ids(&index).await, all);
    }
}

async fn of_many_made_at_once_no_more_are_kept_than_may_be(database: Database) {
    let nodes = [database.open().await, database.open().await];
    let making = (0..12).map(|number| {
        let index = SharedIndex::clone(&nodes[number % 2]);
        let new = subscription(&format!("{number:02}"));
        tokio::spawn(async move { index.put_subscription(&new, 5).await.unwrap() })
    });
    let making: Vec<_> = making.collect();
    let mut kept = 0;
    for made in making {
        kept += usize::from(made.await.unwrap());
    }
    assert_eq!((kept, ids(&nodes[0]).await.len()), (5, 5));
}
