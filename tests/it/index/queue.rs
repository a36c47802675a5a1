//! The durable queue.

use lastra::model::job::JobKind;
use lastra::model::job::NewJob;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::again;
use super::objects::altered;
use super::objects::object;
use super::objects::uid;
use super::objects::with;

crate::index::on_every_index! {
    storing_queues_jobs_for_each_series_touched,
    two_workers_never_have_one_job,
    a_lease_that_ran_out_frees_the_job,
    a_job_queued_again_while_under_way_runs_again,
    a_failed_job_waits_and_one_set_aside_stays_aside,
    only_its_worker_ends_a_job,
}

const LEASE: i64 = 1000;

fn job(subject: &str, run_us: i64) -> NewJob {
    NewJob { kind: JobKind::SeriesThumbnail, subject: subject.to_owned(), run_us }
}

async fn storing_queues_jobs_for_each_series_touched(kept: &Kept) {
    let index = &*kept.index;
    let jobs = [(JobKind::SeriesThumbnail, 0), (JobKind::SeriesMetadata, 500)];
    let first = object("1.1", "1.1.1", "1.1.1.1");
    index.store(&[first.clone(), object("1.1", "1.1.2", "1.1.2.1")], &jobs, NOW).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (4, 0));
    let mut due = index.claim_jobs("w", NOW, LEASE, 10).await.unwrap();
    due.sort_by(|one, other| one.subject.cmp(&other.subject));
    let series =
        index.list(&lastra::model::path::Scope::study(uid("1.1")), None, 10).await.unwrap();
    let subjects: Vec<String> =
        series.iter().map(|located| located.series_id.to_string()).collect();
    assert_eq!(due.iter().map(|job| job.subject.clone()).collect::<Vec<_>>(), subjects);
    assert!(due.iter().all(|job| job.kind == JobKind::SeriesThumbnail && job.attempts == 1));
    for job in &due {
        index.finish_job("w", job).await.unwrap();
    }
    // What adds nothing to be served asks for nothing.
    index.store(&[again(&first), altered(&first)], &jobs, NOW).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (2, 0));
    // The next instance pushes its series' job back, and queues what is done already anew.
    let next = with(altered(&first), |o| o.instance.uid = uid("1.1.1.2"));
    index.store(&[next], &jobs, NOW + 100).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (3, 0));
    assert_eq!(index.claim_jobs("w", NOW + 500, LEASE, 10).await.unwrap().len(), 2);
    assert_eq!(index.claim_jobs("w", NOW + 600, LEASE, 10).await.unwrap().len(), 1);
}

async fn two_workers_never_have_one_job(kept: &Kept) {
    let jobs: Vec<NewJob> = (0..200).map(|number| job(&number.to_string(), NOW)).collect();
    kept.index.enqueue(&jobs).await.unwrap();
    let mut workers = Vec::new();
    for worker in 0..4 {
        let index = kept.another_node().await;
        workers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let name = format!("w{worker}");
                let claimed = index.claim_jobs(&name, NOW, LEASE, 7).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                assert!(claimed.len() <= 7);
                mine.extend(claimed.into_iter().map(|job| job.id));
            }
        }));
    }
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    let claimed = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), claimed, "a job was claimed twice");
    // Whoever found nothing may have come while another's claim was not yet committed.
    let rest = kept.index.claim_jobs("late", NOW, LEASE, 200).await.unwrap().len();
    assert_eq!(claimed + rest, 200);
}

async fn a_lease_that_ran_out_frees_the_job(kept: &Kept) {
    let index = &*kept.index;
    index.enqueue(&[job("1", NOW + 10)]).await.unwrap();
    assert!(index.claim_jobs("a", NOW + 9, LEASE, 1).await.unwrap().is_empty());
    let first = index.claim_jobs("a", NOW + 10, LEASE, 1).await.unwrap().remove(0);
    assert!(index.claim_jobs("b", NOW + LEASE, LEASE, 1).await.unwrap().is_empty());
    let second = index.claim_jobs("b", NOW + 10 + LEASE, LEASE, 1).await.unwrap().remove(0);
    assert_eq!((second.id, second.attempts), (first.id, 2));
    // The first worker comes back too late: the job is the second's.
    index.finish_job("a", &first).await.unwrap();
    index.fail_job("a", &first, None, "late").await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (1, 0));
    index.finish_job("b", &second).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (0, 0));
}

async fn a_job_queued_again_while_under_way_runs_again(kept: &Kept) {
    let index = &*kept.index;
    index.enqueue(&[job("1", NOW)]).await.unwrap();
    let first = index.claim_jobs("a", NOW, LEASE, 1).await.unwrap().remove(0);
    index.enqueue(&[job("1", NOW + 20), job("1", NOW + 30)]).await.unwrap();
    // Under way still: nobody else gets it meanwhile.
    assert!(index.claim_jobs("b", NOW + 30, LEASE, 1).await.unwrap().is_empty());
    index.finish_job("a", &first).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (1, 0));
    assert!(index.claim_jobs("b", NOW + 29, LEASE, 1).await.unwrap().is_empty());
    let second = index.claim_jobs("b", NOW + 30, LEASE, 1).await.unwrap().remove(0);
    assert!(second.generation > first.generation);
    assert_eq!(second.attempts, 1);
}

async fn a_failed_job_waits_and_one_set_aside_stays_aside(kept: &Kept) {
    let index = &*kept.index;
    index.enqueue(&[job("1", NOW)]).await.unwrap();
    let first = index.claim_jobs("a", NOW, LEASE, 1).await.unwrap().remove(0);
    index.fail_job("a", &first, Some(NOW + 50), "no room\0").await.unwrap();
    assert!(index.claim_jobs("a", NOW + 49, LEASE, 1).await.unwrap().is_empty());
    let second = index.claim_jobs("a", NOW + 50, LEASE, 1).await.unwrap().remove(0);
    assert_eq!(second.attempts, 2);
    index.fail_job("a", &second, None, "broken").await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (0, 1));
    assert!(index.claim_jobs("a", NOW + 10 * LEASE, LEASE, 1).await.unwrap().is_empty());
    // Queued again, it is worth another try.
    index.enqueue(&[job("1", NOW + 60)]).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (1, 0));
    let third = index.claim_jobs("a", NOW + 60, LEASE, 1).await.unwrap().remove(0);
    assert_eq!(third.attempts, 1);
    // A failure of an older queueing does not decide about a newer one.
    index.enqueue(&[job("1", NOW + 70)]).await.unwrap();
    index.fail_job("a", &third, None, "broken").await.unwrap();
    assert_eq!(index.claim_jobs("a", NOW + 70, LEASE, 1).await.unwrap().len(), 1);
}

async fn only_its_worker_ends_a_job(kept: &Kept) {
    let index = &*kept.index;
    index.enqueue(&[job("1", NOW)]).await.unwrap();
    let claimed = index.claim_jobs("a", NOW, LEASE, 1).await.unwrap().remove(0);
    index.finish_job("b", &claimed).await.unwrap();
    assert_eq!(index.job_counts().await.unwrap(), (1, 0));
    assert!(index.claim_jobs("b", NOW + 1, LEASE, 1).await.unwrap().is_empty());
}
