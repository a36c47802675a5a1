//! A report brought over HTTP: kept, linked, shown with its images, given back and read as a page.

use lastra::model::ids;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use super::world::World;
use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::renamed;
use crate::support::server::client;

#[tokio::test]
async fn a_report_brought_over_http_is_one_episode_with_its_images() {
    let world = World::with(&["dx-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    let (status, taken) = world.send("/documents", REPORT).await;
    assert_eq!(status, 201, "{taken}");
    assert_eq!((taken["kind"].as_str(), taken["findings"].as_str()), (Some("cda"), Some("")));
    assert_eq!((&taken["person"], &taken["links"][0]["study"]), (&json!(anna), &json!(CHEST)));
    assert_eq!(taken["links"][0]["method"], "study-uid");
    let (status, again) = world.send("/documents", REPORT).await;
    assert_eq!((status, &again["document"]), (200, &taken["document"]), "the same bytes");

    let told = world.there(&format!("/people/{anna}/fascicolo")).await;
    let [episode] = told["episodes"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!((&episode["study"]["uid"], &episode["images"]), (&json!(CHEST), &json!("ready")));
    assert_eq!(episode["documents"][0]["document"], taken["document"]);
    assert_eq!(told["next"], json!(null));

    let who = world.there(&format!("/people/{anna}")).await;
    let values = who["identifiers"].as_array().unwrap().iter().map(|own| &own["value"]);
    assert!(values.clone().any(|value| value == ANNA), "{who}");
    assert!(!who["history"].as_array().unwrap().is_empty(), "{who}");
}

#[tokio::test]
async fn a_document_comes_back_byte_for_byte_and_as_a_page_without_script() {
    let world = World::with(&[]);
    let hostile = REPORT.replace("</title>", " &lt;script&gt;alert(1)&lt;/script&gt;</title>");
    let (_, taken) = world.send("/documents", hostile.clone()).await;
    let own = format!("/documents/{}", taken["document"]);
    let content = client().get(world.url(&format!("{own}/content"))).send().await.unwrap();
    assert_eq!(content.headers()["content-type"], "text/xml");
    assert!(content.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    let bytes = content.bytes().await.unwrap();
    assert_eq!(bytes, hostile.as_bytes());
    assert_eq!(taken["sha256"], json!(ids::of_document(&Sha256::digest(&bytes).into())));

    for (accept, begins) in [("text/html", "<!DOCTYPE html>"), ("text/plain", "Referto di rad")] {
        let page = client().get(world.url(&format!("{own}/rendered"))).header("accept", accept);
        let page = page.send().await.unwrap();
        let headers = page.headers().clone();
        assert!(headers["content-type"].to_str().unwrap().starts_with(accept));
        assert!(
            headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'")
        );
        let text = page.text().await.unwrap();
        assert!(text.to_lowercase().starts_with(&begins.to_lowercase()), "{accept}: {text}");
        assert!(!text.contains("<script") || accept == "text/plain", "{text}");
        let etag = headers["etag"].to_str().unwrap();
        let again = client().get(world.url(&format!("{own}/rendered"))).header("accept", accept);
        let again = again.header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), 304);
    }
    let (status, problem) = world.send("/documents", Vec::new()).await;
    assert_eq!(status, 400, "{problem}");
}

#[tokio::test]
async fn pages_of_a_timeline_join_to_all_of_it() {
    let world = World::with(&["dx-chest", "ct-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    world.send("/documents", REPORT).await;
    world.send("/documents", renamed(REPORT, "SECOND")).await;
    let whole = world.there(&format!("/people/{anna}/fascicolo?limit=100")).await;
    let mut joined = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.there(&format!("/people/{anna}/fascicolo?limit=1{after}")).await;
        joined.extend(page["episodes"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(&joined, whole["episodes"].as_array().unwrap());
    for wrong in ["after=x", "limit=x", "after=20260302"] {
        let (status, problem) = world.get(&format!("/people/{anna}/fascicolo?{wrong}")).await;
        let name = wrong.split('=').next().unwrap();
        assert_eq!(status, 400);
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
    }
}
