//! Many at once, from one node and from two.

use std::sync::Arc;

use lastra::index::port::SharedIndex;
use lastra::index::query::Level;
use lastra::model::event::EventKind;
use lastra::model::job::JobKind;
use lastra::model::path::Scope;
use lastra::model::study::NewInstance;
use lastra::model::study::Outcome;
use tokio::sync::Barrier;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::again;
use super::objects::altered;
use super::objects::object;
use super::objects::patient;
use super::objects::uid;
use super::objects::with;
use super::outcomes::everything;

crate::index::on_every_index! {
    first_sight_from_many_makes_each_row_once,
    the_same_objects_from_many_are_stored_once,
    a_study_under_two_patients_at_once_is_noticed,
    batches_that_cross_each_other_all_arrive,
    a_reader_of_the_feed_never_misses_an_event,
}

const TASKS: usize = 16;

/// Stores one batch per task, all beginning together, on two nodes in turn.
async fn store_together(kept: &Kept, batches: Vec<Vec<NewInstance>>) -> Vec<Vec<Outcome>> {
    let nodes: [SharedIndex; 2] = [Arc::clone(&kept.index), kept.another_node().await];
    let barrier = Arc::new(Barrier::new(batches.len()));
    let mut tasks = Vec::new();
    for (number, batch) in batches.into_iter().enumerate() {
        let index = Arc::clone(&nodes[number % 2]);
        let barrier = Arc::clone(&barrier);
        tasks.push(tokio::spawn(async move {
            barrier.wait().await;
            let jobs = [(JobKind::SeriesThumbnail, 0), (JobKind::SeriesMetadata, 0)];
            index.store(&batch, &jobs, NOW).await.unwrap()
        }));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    nodes[1].close().await;
    outcomes
}

async fn first_sight_from_many_makes_each_row_once(kept: &Kept) {
    for round in 0..5 {
        let study = format!("1.{round}");
        let batches = (0..TASKS).map(|task| {
            vec![with(object(&study, &format!("{study}.1"), &format!("{study}.1.{task}")), |o| {
                o.patient.id = patient("H", &format!("P{round}"));
            })]
        });
        for outcomes in store_together(kept, batches.collect()).await {
            assert_eq!(outcomes, [Outcome::Stored]);
        }
        let totals = kept.index.totals().await.unwrap();
        assert_eq!(
            (totals.patients, totals.studies, totals.series),
            (round + 1, round + 1, round + 1)
        );
        let series = kept.index.series_of(&Scope::study(uid(&study))).await.unwrap().remove(0);
        assert_eq!((series.instances, series.revision), (16, 16));
    }
    let events = kept.index.events(0, 1000).await.unwrap();
    assert!(events.iter().all(|event| event.kind == EventKind::InstanceStored));
    assert_eq!(kept.index.job_counts().await.unwrap(), (10, 0));
}

async fn the_same_objects_from_many_are_stored_once(kept: &Kept) {
    let objects: Vec<NewInstance> =
        (0..10).map(|n| object("1.1", &format!("1.1.{}", n % 3), &format!("1.1.1.{n}"))).collect();
    let others: Vec<NewInstance> = objects.iter().map(altered).collect();
    let batches = (0..TASKS).map(|task| {
        let mut batch: Vec<NewInstance> =
            if task % 4 == 0 { &others } else { &objects }.iter().map(again).collect();
        batch.rotate_left(task % 10);
        batch
    });
    let outcomes = store_together(kept, batches.collect()).await;
    let count = |wanted| outcomes.iter().flatten().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(Outcome::Stored), count(Outcome::KeptBeside)), (10, 10));
    let copies = kept.index.copies(0, 1000).await.unwrap();
    assert_eq!((copies.len(), copies.iter().filter(|copy| copy.served).count()), (20, 10));
    let totals = kept.index.totals().await.unwrap();
    assert_eq!((totals.instances, totals.bytes), (10, 20_000));
}

async fn a_study_under_two_patients_at_once_is_noticed(kept: &Kept) {
    for round in 0..10 {
        let study = format!("1.{round}");
        let batches = (0..2).map(|who| {
            vec![with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
                o.patient.id = patient("", &format!("P{who}"));
            })]
        });
        store_together(kept, batches.collect()).await;
    }
    let events = kept.index.events(0, 1000).await.unwrap();
    let conflicts = events.iter().filter(|event| event.kind == EventKind::StudyConflict);
    assert_eq!(conflicts.count(), 10);
}

async fn batches_that_cross_each_other_all_arrive(kept: &Kept) {
    // Every task stores into the same series, each in another order of patients and series.
    let batches = (0..TASKS).map(|task| {
        let mut batch: Vec<NewInstance> = (0..12)
            .map(|n| {
                let study = format!("1.{}", n % 4);
                let series = format!("{study}.{}", n % 3);
                with(object(&study, &series, &format!("{series}.{n}.{task}")), |o| {
                    o.patient.id = patient("", &format!("P{}", n % 2));
                })
            })
            .collect();
        batch.rotate_left(task % 12);
        if task % 2 == 0 {
            batch.reverse();
        }
        batch
    });
    let outcomes = store_together(kept, batches.collect()).await;
    assert!(outcomes.iter().flatten().all(|outcome| *outcome == Outcome::Stored));
    let found = kept.index.find(&everything(Level::Study)).await.unwrap();
    assert_eq!(found.iter().map(|found| found.study_instances).sum::<u32>(), 12 * 16);
}

async fn a_reader_of_the_feed_never_misses_an_event(kept: &Kept) {
    const EACH: usize = 20;
    let nodes: [SharedIndex; 2] = [Arc::clone(&kept.index), kept.another_node().await];
    let writers: Vec<_> = (0..8)
        .map(|task| {
            let index = Arc::clone(&nodes[task % 2]);
            tokio::spawn(async move {
                for number in 0..EACH {
                    let new =
                        object("1.1", &format!("1.1.{task}"), &format!("1.1.{task}.{number}"));
                    index.store(&[new], &[], NOW).await.unwrap();
                }
            })
        })
        .collect();
    let reader = kept.another_node().await;
    let mut seen: Vec<i64> = Vec::new();
    while seen.len() < 8 * EACH {
        let after = seen.last().copied().unwrap_or(0);
        let events = reader.events(after, 7).await.unwrap();
        seen.extend(events.iter().map(|event| event.sequence));
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // Whatever was read while others wrote is what is there in the end: nothing came late.
    let all = kept.index.events(0, 1000).await.unwrap();
    assert_eq!(seen, all.iter().map(|event| event.sequence).collect::<Vec<_>>());
    assert_eq!(seen, (1..=160).collect::<Vec<i64>>());
}
