//! `GET /reports`: what reports say, searched by words.

use serde_json::Value;

use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

async fn ask(server: &Server, query: &str) -> (u16, Value) {
    let url = format!("http://{}/reports?{query}", server.http);
    let response = client().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn reports_are_found_by_words_within_bounds_and_of_one_person_only() {
    let server = Server::start();
    server.import(&["cda-report", "pdf-report"]);
    // Whose they are is recognised behind them.
    for (query, count) in [("words=referto", 2), ("words=radiografia&person=SMPNLC68H61H501I", 1)] {
        until("both are here", async || {
            let (_, found) = ask(&server, query).await;
            found["reports"].as_array().is_some_and(|all| all.len() == count)
        })
        .await;
    }
    for (query, count) in [
        ("words=RADIOGRAFIA%20torace", 1),
        ("words=radiogr*", 1),
        ("words=radiogr", 0),
        ("words=radiografia&person=SMPNLC68H61H501I", 1),
        ("words=radiografia&person=RSSMRA79B11C566R", 0),
        ("words=referto&limit=1", 1),
        ("words=%22%20'%20OR%20referto%20--", 0),
    ] {
        let (status, found) = ask(&server, query).await;
        assert_eq!(status, 200, "{query} {found}");
        assert_eq!(found["reports"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(found["more"], query.ends_with("limit=1"), "{query}");
    }
    let (_, found) = ask(&server, "words=radiografia").await;
    let report = &found["reports"][0];
    assert_eq!(
        (report["type"].as_str(), report["date"].as_str()),
        (Some("68604-8"), Some("20260302"))
    );
    let read = client().get(report["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(read.status(), 200);
    let long = format!("words={}", "a".repeat(1001));
    for (query, field) in [
        ("", "words"),
        ("words=*", "words"),
        ("words=a", "words"),
        (long.as_str(), "words"),
        ("words=torace&limit=many", "limit"),
    ] {
        let (status, problem) = ask(&server, query).await;
        assert_eq!(status, 400, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
}
