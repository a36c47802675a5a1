//! What clinicians decide, each in one call, with who did it; and undoing it.

use serde_json::Value;
use serde_json::json;

use super::world::World;
use super::world::by_rossi;
use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::renamed;
use crate::fascicolo::world::without_catalogue;
use crate::support::server::until;

const MARIO: &str = "RSSMRA79B11C566R";

/// A report that names no study.
fn unlinked(name: &str) -> String {
    let other = renamed(REPORT, name).replace("120A40000000417", "120A49999999999");
    without_catalogue(&other).replace("RX2600417", "RX9999999")
}

#[tokio::test]
async fn a_link_is_undone_and_made_again_and_tells_who_and_why() {
    let world = World::with(&["dx-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    let (_, taken) = world.send("/documents", REPORT).await;
    let (document, link) = (&taken["document"], &taken["links"][0]["link"]);
    let undo = format!("/links/{link}/undo");
    let (status, undone) = world.post(&undo, by_rossi(json!({}))).await;
    assert_eq!((status, &undone["undone"]["by"]), (200, &json!("dott. Rossi")), "{undone}");
    assert_eq!(world.post(&undo, json!({})).await.0, 404, "it is undone already");

    let again = by_rossi(json!({ "document": document, "study": CHEST }));
    let (status, linked) = world.post("/links", again).await;
    assert_eq!(status, 201, "{linked}");
    assert_eq!((&linked["method"], &linked["by"]), (&json!("manual"), &json!("dott. Rossi")));
    assert_eq!(linked["evidence"]["study"], CHEST);
    for of in [format!("document={document}"), format!("study={CHEST}"), format!("person={anna}")] {
        let told = world.there(&format!("/links?{of}")).await;
        let links = told["links"].as_array().unwrap();
        let active: Vec<&Value> = links.iter().filter(|link| link["undone"].is_null()).collect();
        assert_eq!(active, [&linked], "{of}");
    }
    assert_eq!(world.get(&format!("/links?document={document}&person={anna}")).await.0, 400);
}

#[tokio::test]
async fn what_waits_is_decided_in_one_call_and_only_once() {
    let world = World::with(&["dx-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    for name in ["LINKED", "DISMISSED"] {
        world.send("/documents", unlinked(name)).await;
    }
    let nobodys = unlinked("NOBODYS").replace(ANNA, "PROVAX00X00X000Y").replace("P0001042", "");
    world.send("/documents", nobodys).await;
    let waiting = world.waiting().await;
    let kinds: Vec<&str> = waiting.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unlinked", "unlinked", "unverified", "unlinked"]);
    let best = &waiting[0]["studies"][0];
    assert_eq!((&best["study"]["uid"], &best["score"]), (&json!(CHEST), &json!(100)));
    assert_eq!(best["reasons"], json!(["same-person", "same-date"]));
    assert_eq!(waiting[2]["people"][0]["person"], json!(anna), "{}", waiting[2]);

    let decisions = [
        json!({ "decision": "link", "study": CHEST }),
        json!({ "decision": "dismiss" }),
        json!({ "decision": "assign", "person": anna }),
        json!({ "decision": "link", "study": CHEST }),
    ];
    for (item, decision) in waiting.iter().zip(decisions) {
        let path = format!("/queue/{}", item["item"]);
        let (status, done) = world.post(&path, by_rossi(decision.clone())).await;
        assert_eq!(status, 200, "{decision}: {done}");
        assert_eq!(world.post(&path, by_rossi(decision)).await.0, 404, "decided already");
    }
    assert!(world.waiting().await.is_empty());
    let told = world.there(&format!("/people/{anna}/fascicolo")).await;
    let chest = told["episodes"].as_array().unwrap().iter().find(|one| !one["study"].is_null());
    assert_eq!(chest.unwrap()["documents"].as_array().unwrap().len(), 2, "{told}");
}

#[tokio::test]
async fn people_alike_are_made_one_and_parted_again_exactly() {
    let world = World::with(&["dx-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    let other = unlinked("OTHER").replace(ANNA, MARIO).replace("P0001042", "P0009999");
    world.send("/documents", other).await;
    let mario = world.person(MARIO).await;
    let alike = world.there(&format!("/people/{anna}/alike")).await;
    assert_eq!(alike["people"][0]["person"], json!(mario), "{alike}");
    let reasons = alike["people"][0]["reasons"].to_string();
    assert!(reasons.contains("same-birth-date") && reasons.contains("other-codice-fiscale"));

    let before = [world.everything_of(anna).await, world.everything_of(mario).await];
    let merges = format!("/people/{anna}/merges");
    let one = by_rossi(json!({ "absorbed": mario, "reason": "one person, two codes" }));
    let (status, merge) = world.post(&merges, one.clone()).await;
    assert_eq!(status, 201, "{merge}");
    assert_eq!(world.post(&merges, one).await.0, 409, "they are one already");
    let merged = world.there(&format!("/people/{mario}")).await;
    assert_eq!(merged["person"], json!(anna), "whichever of both is asked for");
    let told = &merged["merges"][0];
    assert_eq!((&told["by"], &told["absorbed"]), (&json!("dott. Rossi"), &json!(mario)));
    let told = world.there(&format!("/people/{mario}/fascicolo")).await;
    assert_eq!(told["episodes"].as_array().unwrap().len(), 2);

    let undo = format!("/merges/{}/undo", merge["merge"]);
    assert_eq!(world.post(&undo, by_rossi(json!({}))).await.0, 200);
    assert_eq!(world.post(&undo, json!({})).await.0, 404, "it is undone already");
    let after = [world.everything_of(anna).await, world.everything_of(mario).await];
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let world = World::with(&["dx-chest"]);
    let anna = world.person(ANNA).await;
    world.images_of(anna).await;
    let other = renamed(REPORT, "OTHER").replace(ANNA, MARIO).replace("P0001042", "P0009999");
    let (_, taken) = world.send("/documents", other).await;
    until("the conflict waits", async || !world.waiting().await.is_empty()).await;
    let item = format!("/queue/{}", world.waiting().await[0]["item"]);
    assert_eq!(world.waiting().await[0]["kind"], "person-conflict", "{:?}", world.waiting().await);
    let document = &taken["document"];
    for (path, body, status, says) in [
        (item.as_str(), json!({ "decision": "link", "study": CHEST }), 409, "two people"),
        (item.as_str(), json!({ "decision": "link" }), 400, "link takes study"),
        (item.as_str(), json!({ "decision": "forget" }), 400, "forget"),
        (item.as_str(), json!({ "decision": "dismiss", "person": 1 }), 400, "neither"),
        (item.as_str(), json!({ "decision": "assign", "person": 999_999 }), 404, "this person"),
        (item.as_str(), json!({ "decision": "dismiss", "b": "x" }), 400, "unknown field `b`"),
        (item.as_str(), json!({ "decision": "dismiss", "by": "a\nb" }), 400, "by"),
        ("/queue/x", json!({ "decision": "dismiss" }), 404, ""),
        ("/links", json!({ "document": document, "study": "1.2.3" }), 404, "this study"),
        ("/links", json!({ "document": 999_999, "study": CHEST }), 404, "this document"),
        ("/links", json!({ "study": CHEST }), 400, "missing field `document`"),
        ("/links/999999/undo", json!({}), 404, "this link"),
        ("/people/1/merges", json!({ "absorbed": 999_999, "reason": "x" }), 409, "not here"),
        ("/people/1/merges", json!({ "absorbed": 2, "reason": " " }), 400, "reason"),
        ("/merges/999999/undo", json!({}), 404, "this merge"),
    ] {
        let (answered, problem) = world.post(path, body.clone()).await;
        assert_eq!(answered, status, "{path} {body}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{path} {body}: {detail}");
    }
    assert_eq!(world.waiting().await.len(), 1, "nothing was decided");
    for (path, status) in [
        ("/people", 400),
        ("/people?identifier=%231", 400),
        ("/people?identifier=NOBODY0001", 404),
        ("/people/999999", 404),
        ("/people/999999/fascicolo", 404),
        ("/people/999999/alike", 404),
        ("/documents/999999", 404),
        ("/documents/999999/content", 404),
        ("/documents/x/rendered", 404),
        ("/links", 400),
        ("/queue?after=x", 400),
    ] {
        assert_eq!(world.get(path).await.0, status, "{path}");
    }
}

impl World {
    /// All that is told of a person, but for what tells of merges.
    async fn everything_of(&self, person: i64) -> [Value; 2] {
        let mut who = self.there(&format!("/people/{person}")).await;
        who["merges"] = Value::Null;
        [who, self.there(&format!("/people/{person}/fascicolo")).await]
    }
}
