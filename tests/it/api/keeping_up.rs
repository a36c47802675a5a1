//! Whether linking keeps up with ingest, through the doors; run by hand on a quiet machine:
//! `LASTRA_STUDIES=5000 cargo test --release --test it api::keeping_up -- --ignored --nocapture`.
//! One association stores studies while others bring their reports, each before or after its images.

use std::fmt::Write;
use std::time::Duration;
use std::time::Instant;

use futures::StreamExt;
use futures::stream;

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;

/// Who numbers the patients of the report.
const ISSUER: &str = "2.25.66361744767925586852279852659743010890";
const AT_ONCE: usize = 4;

fn object(number: u32) -> Object {
    Object::ct(&format!("L{number:07}"), number + 1, 1, 1)
}

/// The report of a study, by its patient's number and its UID.
fn report(number: u32) -> String {
    let code = REPORT.find(ANNA).map(|at| REPORT[..at].rfind("<id ").unwrap()).unwrap();
    let end = code + REPORT[code..].find("/>").unwrap() + 2;
    let report = format!("{}{}", &REPORT[..code], &REPORT[end..]);
    let report = report.replace("P0001042", &format!("L{number:07}"));
    let report = report.replace(CHEST, &object(number).study);
    report.replace("RX2600417", &format!("RX{number:07}"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by hand"]
async fn linking_keeps_up_with_ingest() {
    let studies = std::env::var("LASTRA_STUDIES").ok().and_then(|n| n.parse().ok());
    let studies: u32 = studies.unwrap_or(2000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lastra.toml");
    let mut settings = String::new();
    writeln!(settings, "[fascicolo]\ndefault_issuer = \"{ISSUER}\"").unwrap();
    writeln!(settings, "[archive]\nquiet_s = 1").unwrap();
    std::fs::write(&file, settings).unwrap();
    let server = Server::start_with(&["-c", file.to_str().unwrap()]);
    let documents = format!("http://{}/documents", server.http);
    let begun = Instant::now();
    let objects: Vec<Object> = (0..studies).map(object).collect();
    let storing = async {
        assert!(server.store(&objects).await.iter().all(|status| *status == 0));
        begun.elapsed()
    };
    let client = client();
    let bringing = async {
        // Backwards: half of them come before their images.
        let reports = stream::iter((0..studies).rev()).map(|number| {
            let sent = client.post(&documents).body(report(number)).send();
            async { assert_eq!(sent.await.unwrap().status(), 201) }
        });
        reports.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        begun.elapsed()
    };
    let (stored, brought) = tokio::join!(storing, bringing);
    let ingested = stored.max(brought);
    let count = format!("http://{}/fhir/Provenance?_summary=count&_total=accurate", server.http);
    let linked = loop {
        let answer = client.get(&count).send().await.unwrap().text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        if answer["total"] == studies {
            break begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(3600), "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let each = |time: Duration| f64::from(studies) / time.as_secs_f64();
    println!(
        "{studies} studies stored in {stored:.1?}, their reports brought in {brought:.1?}: {:.0} of each \
         a second; all linked {:.1?} after the last of both: {:.0} a second",
        each(ingested),
        linked.saturating_sub(ingested),
        each(linked),
    );
}
