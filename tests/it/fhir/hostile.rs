//! What nobody means well with: refused with its reason, at once, and nothing of it in the log.

use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use crate::fhir::world::ANNA;
use crate::fhir::world::CF;
use crate::fhir::world::CHEST;
use crate::fhir::world::World;
use crate::fhir::world::bundle;
use crate::fhir::world::pdf;
use crate::support::server::Server;
use crate::support::server::client;

#[tokio::test]
async fn bundles_that_are_bombs_or_nonsense_are_refused_by_name() {
    let world = World { server: Server::start() };
    let sent = bundle("R1", &pdf("x"));
    let text = sent.to_string();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let many = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}{{}}]}}"#,
        "{},".repeat(2_000_000)
    );
    for (what, body, status, about) in [
        ("nothing", String::new(), 400, ""),
        ("no JSON", "<Bundle/>".to_owned(), 400, ""),
        ("half", text[..text.len() / 2].to_owned(), 400, ""),
        ("two million entries", many, 400, ""),
        ("depth", format!(r#"{{"resourceType":"Bundle","entry":{deep}}}"#), 400, ""),
        (
            "depth within",
            changed(r#""status":"final""#, &format!(r#""status":"final","x":{deep}"#)),
            200,
            "",
        ),
        ("a batch", changed("\"transaction\"", "\"batch\""), 422, "Bundle.type"),
        (
            "a list for a text",
            changed(r#""status":"final""#, r#""status":[]"#),
            422,
            "Bundle.entry[1].resource",
        ),
        (
            "base64 garbage",
            changed("JVBERi", "J*BERi"),
            422,
            "Bundle.entry[1].resource.presentedForm[0].data",
        ),
        (
            "no PDF",
            changed("JVBERi", "SVBERi"),
            422,
            "Bundle.entry[1].resource.presentedForm[0].data",
        ),
        (
            "nobody",
            changed("urn:uuid:8f0e3b5e-0001\"}", "urn:uuid:0\"}"),
            422,
            "Bundle.entry[1].resource.subject",
        ),
        (
            "a stranger",
            changed(
                r#""reference":"urn:uuid:8f0e3b5e-0001""#,
                r#""reference":"Patient/0000000000000001""#,
            ),
            422,
            "Bundle.entry[1].resource.subject",
        ),
        ("a deletion", changed("\"POST\"", "\"DELETE\""), 422, "Bundle.entry[0].request.method"),
        ("another type", changed("\"Patient\",", "\"Observation\","), 422, ""),
    ] {
        let begun = Instant::now();
        let answer = world.post("", "application/fhir+json", body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.json);
        if status != 200 {
            assert!(answer.says().len() < 300, "{what}");
            let place = answer.json["issue"][0]["expression"][0].as_str().unwrap_or_default();
            assert!(place == about || about.is_empty(), "{what}: {place}");
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{what} took {:?}", begun.elapsed());
    }
    let xml = world.post("", "application/fhir+xml", "<Bundle/>").await;
    assert_eq!((xml.status, xml.json["issue"][0]["code"].as_str()), (415, Some("not-supported")));
}

#[tokio::test]
async fn bodies_too_long_are_refused_announced_or_not() {
    let world = World { server: Server::start() };
    let before = world.server.peak_kib();
    let url = world.base();
    for announced in [true, false] {
        let body = if announced {
            reqwest::Body::from(vec![b' '; 100 * 1024 * 1024])
        } else {
            let piece = || Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 1024 * 1024]));
            reqwest::Body::wrap(http_body_util::StreamBody::new(futures::stream::iter(
                (0..100).map(move |_| piece().map(http_body::Frame::data)),
            )))
        };
        let request =
            client().post(&url).header("content-type", "application/fhir+json").body(body);
        // A server that answers before it has read all may close under the sender's hands.
        if let Ok(answer) = request.send().await {
            assert_eq!(answer.status(), 413, "announced {announced}");
            let said = answer.text().await.unwrap();
            assert!(said.contains("OperationOutcome") && said.contains("too-long"), "{said}");
        }
    }
    let grown = world.server.peak_kib() - before;
    assert!(grown < 160 * 1024, "{grown} KiB for bodies that were refused");
    let form = "application/x-www-form-urlencoded";
    let long =
        world.post("/Patient/_search", form, format!("identifier={}", "x".repeat(70_000))).await;
    assert_eq!(long.status, 413);
    assert_eq!(world.get("metadata").await.status, 200);
}

#[tokio::test]
async fn searches_nobody_means_well_with_are_answered_at_once() {
    let world = World::with(&["dx-chest"], 1, 0).await;
    let many = vec!["1.2.3.4"; 3000].join(",");
    for (query, status) in [
        (format!("ImagingStudy?identifier={many}"), 414),
        (format!("ImagingStudy?identifier={}", "1,".repeat(3000)), 400),
        (format!("ImagingStudy?_id={}", "u".repeat(8000)), 200),
        (format!("Patient?identifier={CF}|{}", "A".repeat(8000)), 200),
        ("ImagingStudy?identifier=%27%20OR%201=1--".to_owned(), 200),
        ("ImagingStudy?identifier=%00".to_owned(), 200),
        ("ImagingStudy?_cursor=WzAsWzEsMSwiIiwiIl1d".to_owned(), 200),
        ("ImagingStudy?_cursor=AAAA".to_owned(), 400),
        ("ImagingStudy?_count=99999999999999999999".to_owned(), 400),
        ("ImagingStudy?started=ge99999-01-01".to_owned(), 400),
        (format!("ImagingStudy?{}", "modality=CT&".repeat(32)), 200),
        (format!("ImagingStudy?{}", "modality=CT&".repeat(33)), 400),
    ] {
        let begun = Instant::now();
        let answer = world.get(&query).await;
        let shown: String = query.chars().take(60).collect();
        assert_eq!(answer.status, status, "{shown} {}", answer.json);
        assert!(begun.elapsed() < Duration::from_secs(2), "{shown}");
    }
}

#[tokio::test]
async fn nothing_of_anybody_is_in_the_log() {
    let world = World { server: Server::start_logged(&[]) };
    world.import(&["dx-chest", "cda-report"]);
    world.wait_for("DiagnosticReport", 1).await;
    world.bring(&bundle("R1", &pdf("uno"))).await;
    let mut spoilt = bundle("R2", &pdf("due"));
    spoilt["entry"][1]["resource"]["subject"] =
        json!({ "reference": format!("Patient?identifier={CF}|{ANNA}x") });
    world.bring(&spoilt).await;
    for path in [
        format!("Patient?identifier={CF}|{ANNA}"),
        format!("ImagingStudy?identifier={CHEST}&started={ANNA}"),
        format!("Patient/{ANNA}"),
    ] {
        world.get(&path).await;
    }
    let log = world.server.log();
    for secret in [ANNA, "Esempi", "SMPNLC", CHEST, "RX2600417", "19680621", "1968-06-21"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
