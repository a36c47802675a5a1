//! Grouped commits.

use std::sync::Arc;

use lastra::clock::MockClock;
use lastra::index::commit::Committer;
use lastra::model::job::JobKind;
use lastra::model::study::Outcome;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::again;
use super::objects::object;

crate::index::on_every_index! {
    every_caller_gets_its_own_outcome,
    one_bad_object_does_not_harm_its_neighbours,
    closing_finishes_what_is_queued,
}

fn committer(kept: &Kept) -> Committer {
    let jobs = vec![(JobKind::SeriesThumbnail, 7)];
    Committer::spawn(Arc::clone(&kept.index), jobs, Arc::new(MockClock::at(NOW)))
}

async fn every_caller_gets_its_own_outcome(kept: &Kept) {
    let committer = committer(kept);
    let objects: Vec<_> = (0..300).map(|n| object("1.1", "1.1.1", &format!("1.1.1.{n}"))).collect();
    let stored = objects.iter().map(|new| committer.store(new.clone()));
    for outcome in futures::future::join_all(stored).await {
        assert_eq!(outcome.unwrap(), Outcome::Stored);
    }
    let mixed = objects.iter().enumerate().map(|(number, new)| {
        let sent = if number % 2 == 0 {
            again(new)
        } else {
            object("1.1", "1.1.1", &format!("2.{number}"))
        };
        committer.store(sent)
    });
    for (number, outcome) in futures::future::join_all(mixed).await.into_iter().enumerate() {
        let expected = if number % 2 == 0 { Outcome::AlreadyHere } else { Outcome::Stored };
        assert_eq!(outcome.unwrap(), expected, "{number}");
    }
    // The jobs were queued, at the clock's time.
    assert!(kept.index.claim_jobs("w", NOW + 6, 1, 9).await.unwrap().is_empty());
    assert_eq!(kept.index.claim_jobs("w", NOW + 7, 1, 9).await.unwrap().len(), 1);
}

async fn one_bad_object_does_not_harm_its_neighbours(kept: &Kept) {
    let committer = committer(kept);
    let first = object("1.1", "1.1.1", "1.1.1.0");
    committer.store(first.clone()).await.unwrap();
    let mut objects: Vec<_> =
        (1..50).map(|n| object("1.1", "1.1.1", &format!("1.1.1.{n}"))).collect();
    objects[20].copy.blob_key = first.copy.blob_key;
    let stored = objects.iter().map(|new| committer.store(new.clone()));
    let outcomes = futures::future::join_all(stored).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), number != 20, "{number}: {outcome:?}");
    }
    assert_eq!(kept.index.totals().await.unwrap().instances, 49);
}

async fn closing_finishes_what_is_queued(kept: &Kept) {
    let committer = committer(kept);
    let stored: Vec<_> = (0..150)
        .map(|n| {
            let committer = committer.clone();
            tokio::spawn(async move {
                committer.store(object("1.1", "1.1.1", &format!("1.1.1.{n}"))).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    committer.close().await;
    let mut done = 0;
    for stored in stored {
        done += u64::from(stored.await.unwrap().is_ok());
    }
    assert_eq!(kept.index.totals().await.unwrap().instances, done);
}
