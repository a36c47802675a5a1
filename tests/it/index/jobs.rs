//! The durable queue: coalescing, leases, generations.

use lastra::index::port::SharedIndex;
use lastra::model::job::JobKind;
use lastra::model::job::NewJob;

use crate::index::Database;
use crate::index::on_both;
use crate::index::population::new;

on_both!(
    a_job_queued_twice_runs_once_and_later,
    two_workers_never_share_a_job_until_its_lease_ends,
    a_job_queued_again_while_it_runs_runs_again,
    a_failed_job_comes_back_or_is_set_aside,
    storing_queues_jobs_for_each_series_touched,
);

fn job(subject: &str, run_us: i64) -> NewJob {
    NewJob { kind: JobKind::SeriesThumbnail, subject: subject.to_owned(), run_us }
}

async fn claimed(index: &SharedIndex, worker: &str, now_us: i64) -> Vec<lastra::model::job::Job> {
    index.claim_jobs(worker, now_us, 100, 10).await.unwrap()
}

async fn a_job_queued_twice_runs_once_and_later(database: Database) {
    let index = database.open().await;
    index.enqueue(&[job("1", 10), job("1", 20)]).await.unwrap();
    assert!(claimed(&index, "a", 15).await.is_empty());
    assert_eq!(claimed(&index, "a", 20).await.len(), 1);
    assert_eq!(index.job_counts().await.unwrap(), (1, 0));
}

async fn two_workers_never_share_a_job_until_its_lease_ends(database: Database) {
    let index = database.open().await;
    let jobs: Vec<NewJob> = (0..8).map(|n| job(&n.to_string(), 0)).collect();
    index.enqueue(&jobs).await.unwrap();
    let (a, b) = tokio::join!(claimed(&index, "a", 1), claimed(&index, "b", 1));
    assert_eq!(a.len() + b.len(), 8);
    assert!(a.iter().all(|mine| b.iter().all(|theirs| theirs.id != mine.id)));
    assert!(claimed(&index, "c", 50).await.is_empty());
    let late = claimed(&index, "c", 200).await;
    assert_eq!(late.len(), 8);
    // The first worker's end no longer counts: another has the job now.
    if let Some(first) = a.first() {
        index.finish_job("a", first).await.unwrap();
    }
    assert_eq!(index.job_counts().await.unwrap(), (8, 0));
    index.finish_job("c", &late[0]).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (7, 0));
}

async fn a_job_queued_again_while_it_runs_runs_again(database: Database) {
    let index = database.open().await;
    index.enqueue(&[job("1", 0)]).await.unwrap();
    let first = claimed(&index, "a", 1).await.remove(0);
    index.enqueue(&[job("1", 5)]).await.unwrap();
    index.finish_job("a", &first).await.unwrap();
    let second = claimed(&index, "a", 6).await.remove(0);
    assert!(second.generation > first.generation);
    index.finish_job("a", &second).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (0, 0));
}

async fn a_failed_job_comes_back_or_is_set_aside(database: Database) {
    let index = database.open().await;
    index.enqueue(&[job("1", 0)]).await.unwrap();
    let first = claimed(&index, "a", 1).await.remove(0);
    index.fail_job("a", &first, Some(50), "busy").await.unwrap();
    assert!(claimed(&index, "a", 49).await.is_empty());
    let second = claimed(&index, "a", 50).await.remove(0);
    assert_eq!(second.attempts, 2);
    index.fail_job("a", &second, None, "hopeless").await.unwrap();
    assert!(claimed(&index, "a", 1000).await.is_empty());
    assert_eq!(index.job_counts().await.unwrap(), (0, 1));
    index.enqueue(&[job("1", 60)]).await.unwrap();
    assert_eq!(claimed(&index, "a", 60).await.len(), 1);
}

async fn storing_queues_jobs_for_each_series_touched(database: Database) {
    let index = database.open().await;
    let batch = [new("P", 1, 1, 1, 0), new("P", 1, 1, 2, 0), new("P", 1, 2, 1, 0)];
    let jobs = [(JobKind::SeriesThumbnail, 10), (JobKind::SeriesMetadata, 20)];
    index.store(&batch, &jobs, 100).await.unwrap();
    assert_eq!(claimed(&index, "a", 109).await.len(), 0);
    assert_eq!(claimed(&index, "a", 110).await.len(), 2);
    assert_eq!(claimed(&index, "a", 120).await.len(), 2);
    // The same bytes again change nothing and queue nothing.
    for job in claimed(&index, "b", 1000).await {
        index.finish_job("b", &job).await.unwrap();
    }
    index.store(&[new("P", 1, 1, 1, 0)], &jobs, 2000).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (0, 0));
}
