//! How fast rows are entered and found; run by hand, on the disk to be measured:
//! `cargo test --release --test it index::speed -- --ignored --nocapture --test-threads 1`.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use lastra::clock::MockClock;
use lastra::index::commit::Committer;
use lastra::index::query::Key;
use lastra::index::query::Level;
use lastra::index::query::Match;
use lastra::index::query::Query;
use lastra::index::query::Rule;
use lastra::model::job::JobKind;
use lastra::model::path::Scope;
use lastra::model::study::NewInstance;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::object;
use super::objects::patient;
use super::objects::uid;
use super::objects::with;
use super::outcomes::everything;

const JOBS: [(JobKind, i64); 2] = [(JobKind::SeriesThumbnail, 0), (JobKind::SeriesMetadata, 9)];

/// The nth object of a CT series of 500, with as much text as a real one says.
fn slice(study: u32, number: u32) -> NewInstance {
    let (study_uid, series) = (format!("1.2.826.0.1.{study}"), number / 500);
    let series_uid = format!("{study_uid}.{series}");
    with(object(&study_uid, &series_uid, &format!("{series_uid}.{number}")), |o| {
        o.patient.id = patient("HOSPITAL", &format!("P{study}"));
        o.instance.number = number.to_string();
        o.instance.attributes = format!("{{\"{number}\":\"{}\"}}", "x".repeat(600));
        o.copy.blob_key = format!("{number:08x}/{}", o.copy.blob_key);
        o.copy.layout = vec![7; 60];
    })
}

/// One study of many: 3,000 names, four years of dates, five modalities, one of them rare.
fn study(number: u32) -> NewInstance {
    let study = format!("1.2.826.0.2.{number}");
    with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
        o.patient.id = patient("HOSPITAL", &format!("P{}", number / 2));
        o.patient.name = format!("NAME{:04}^FIRST{number}", number.wrapping_mul(7919) % 3000);
        o.patient.attributes = format!("{{\"x\":\"{}\"}}", "x".repeat(200));
        let (year, month, day) = (2022 + number % 4, number / 4 % 12 + 1, number / 48 % 28 + 1);
        o.study.date = format!("{year}{month:02}{day:02}");
        o.study.accession_number = format!("A{number}");
        o.study.attributes = format!("{{\"x\":\"{}\"}}", "x".repeat(400));
        let modality = ["CT", "MR", "DX", "US"][number as usize % 4];
        o.series.modality = if number.is_multiple_of(2000) { "NM" } else { modality }.to_owned();
    })
}

async fn entering(name: &str, kept: &Kept) {
    for size in [100_u32, 10, 1] {
        let index = &*kept.index;
        let batches: Vec<Vec<NewInstance>> = (0..if size == 1 { 2000 } else { 20_000 / size })
            .map(|batch| (0..size).map(|n| slice(size, batch * size + n)).collect())
            .collect();
        let (begin, mut times) = (Instant::now(), Vec::new());
        for batch in &batches {
            let begin = Instant::now();
            index.store(batch, &JOBS, NOW).await.unwrap();
            times.push(begin.elapsed());
        }
        let count = f64::from(size) * batches.len() as f64;
        let rate = count / begin.elapsed().as_secs_f64();
        times.sort();
        println!(
            "{name}: batches of {size}: {rate:.0} instances/s, a batch {:?} p50, {:?} p99",
            times[times.len() / 2],
            times[times.len() * 99 / 100]
        );
    }
    let committer =
        Committer::spawn(Arc::clone(&kept.index), JOBS.to_vec(), Arc::new(MockClock::at(NOW)));
    for callers in [1_u32, 4, 16, 64] {
        let begin = Instant::now();
        let tasks = (0..callers).map(|caller| {
            let committer = committer.clone();
            let objects: Vec<_> =
                (0..4000 / callers).map(|n| slice(1000 + callers * 100 + caller, n)).collect();
            tokio::spawn(async move {
                for object in objects {
                    committer.store(object).await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        println!(
            "{name}: {callers} callers: {:.0} instances/s",
            4000.0 / begin.elapsed().as_secs_f64()
        );
    }
}

async fn time<F: Future>(name: &str, mut ask: impl FnMut(u32) -> F) {
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..300 {
        let begin = Instant::now();
        ask(round).await;
        times.push(begin.elapsed());
    }
    times.sort();
    println!("{name}: {:?} p50, {:?} p95", times[150], times[285]);
}

async fn finding(name: &str, kept: &Kept) {
    let index = &*kept.index;
    for batch in 0..200 {
        let studies: Vec<_> = (batch * 100..batch * 100 + 100).map(study).collect();
        index.store(&studies, &[], NOW).await.unwrap();
    }
    let slices: Vec<_> = (0..500).map(|number| slice(7, number)).collect();
    for batch in slices.chunks(100) {
        index.store(batch, &[], NOW).await.unwrap();
    }
    let page = |matches: Vec<(Key, Rule)>| {
        let matches = matches.into_iter().map(|(key, rule)| Match { key, rule }).collect();
        Query { matches, limit: 26, ..everything(Level::Study) }
    };
    let equal = |text: String| Rule::Equal(text);
    let ask = |query: Query| async move { index.find(&query).await.unwrap() };
    let name = |what: &str| format!("{name}: {what}");
    time(&name("newest page"), |_| ask(page(vec![]))).await;
    time(&name("patient id"), |n| ask(page(vec![(Key::PatientId, equal(format!("P{n}")))]))).await;
    time(&name("name prefix"), |n| {
        ask(page(vec![(Key::PatientName, Rule::Wildcard(format!("name{n:04}*")))]))
    })
    .await;
    time(&name("name prefix of a third"), |_| {
        ask(page(vec![(Key::PatientName, Rule::Wildcard("name0*".to_owned()))]))
    })
    .await;
    time(&name("month"), |n| {
        let month = format!("{}{:02}", 2022 + n % 4, n % 12 + 1);
        ask(page(vec![(
            Key::StudyDate,
            Rule::Range { from: Some(month.clone()), to: Some(month) },
        )]))
    })
    .await;
    time(&name("modality"), |n| {
        let modality = ["CT", "MR"][n as usize % 2].to_owned();
        ask(page(vec![(Key::ModalitiesInStudy, equal(modality))]))
    })
    .await;
    time(&name("rare modality"), |_| {
        ask(page(vec![(Key::ModalitiesInStudy, equal("NM".to_owned()))]))
    })
    .await;
    time(&name("accession"), |n| ask(page(vec![(Key::AccessionNumber, equal(format!("A{n}")))])))
        .await;
    time(&name("page 400 of newest"), |_| ask(Query { offset: 10_000, ..page(vec![]) })).await;
    time(&name("*name*"), |n| {
        ask(page(vec![(Key::PatientName, Rule::Wildcard(format!("*first{n}*")))]))
    })
    .await;
    time(&name("instances of a series of 500"), |_| {
        let study = Some(uid("1.2.826.0.1.7"));
        ask(Query { study, ..everything(Level::Instance) })
    })
    .await;
    time(&name("list of a series of 500"), |_| async {
        index.list(&Scope::study(uid("1.2.826.0.1.7")), None, 500).await.unwrap()
    })
    .await;
    time(&name("locate"), |n| async move {
        let path = slice(7, n);
        let scope = Scope::instance(lastra::model::path::InstancePath {
            study: path.study.uid,
            series: path.series.uid,
            instance: path.instance.uid,
        });
        assert!(index.locate(&scope).await.unwrap().is_some());
    })
    .await;
    time(&name("totals"), |_| async { index.totals().await.unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn entering_rows() {
    entering("sqlite", &Kept::in_sqlite().await).await;
    entering("postgres", &Kept::in_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn finding_rows() {
    finding("sqlite", &Kept::in_sqlite().await).await;
    finding("postgres", &Kept::in_postgres().await).await;
}
