//! Deleting over HTTP and on the command line: gone, restored, purged, remembered.

use serde_json::{Value, json};

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::client;

async fn delete(server: &Server, path: &str) -> u16 {
    let request = client().delete(format!("{}{path}", server.dicomweb()));
    request.send().await.unwrap().status().as_u16()
}

async fn status(server: &Server, path: &str) -> u16 {
    server.get(path).await.status().as_u16()
}

/// What `lastra bin --json` says.
fn bin(server: &Server, arguments: &[&str]) -> Value {
    let run = server.command("bin").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_str(&said).unwrap_or(Value::Null)
}

#[tokio::test]
async fn what_is_deleted_is_gone_until_it_is_restored() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1 + n / 3, n)).collect();
    server.store(&objects).await;
    let (first, study) = (&objects[0], format!("/studies/{}", objects[0].study));
    let file = server.file(&first.path()).await;

    assert_eq!(delete(&server, &first.path()).await, 204);
    for path in ["", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"] {
        assert_eq!(status(&server, &format!("{}{path}", first.path())).await, 410, "{path}");
    }
    assert_eq!(delete(&server, &first.path()).await, 410);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 2);
    assert_eq!(status(&server, &objects[1].path()).await, 200);
    assert_eq!(delete(&server, &format!("{study}/series/{}", objects[2].series)).await, 204);
    assert_eq!(delete(&server, &study).await, 204);
    assert_eq!(status(&server, "/studies").await, 204);
    assert_eq!(status(&server, &format!("{study}/metadata")).await, 410);
    assert_eq!(status(&server, "/studies/1.2.3/metadata").await, 404);
    assert_eq!(delete(&server, "/studies/1.2.3").await, 404);
    assert_eq!(server.instance_blobs().len(), 3, "nothing is lost yet");

    let listed = bin(&server, &["list"]);
    assert_eq!((&listed["study"], &listed["copies"]), (&json!(first.study), &json!(3)));
    assert_eq!(bin(&server, &["restore", &first.study]), json!({"restored": 3}));
    assert!(server.file(&first.path()).await == file, "byte for byte");
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_purged_is_remembered_and_its_bytes_are_gone() {
    let server = Server::start();
    let objects = [Object::ct("P1", 1, 1, 1), Object::ct("P1", 2, 1, 1)];
    server.store(&objects).await;
    assert_eq!(bin(&server, &["put", &objects[0].study]), json!({"deleted": 1}));
    assert_eq!(bin(&server, &["purge"]), json!({"purged": 0}));
    assert_eq!(bin(&server, &["purge", "--older", "0s"]), json!({"purged": 1}));
    assert_eq!(server.instance_blobs().len(), 1);
    assert_eq!(status(&server, &objects[0].path()).await, 410);
    let server = server.stop_and_restart();
    assert_eq!(status(&server, &objects[0].path()).await, 410);
    assert_eq!(status(&server, &objects[1].path()).await, 200);
    let checked = server.check(&["--hashes"]);
    assert_eq!((&checked["damaged"], &checked["orphans"]), (&0.into(), &0.into()));
    // It may come again.
    server.store(&objects[..1]).await;
    assert_eq!(status(&server, &objects[0].path()).await, 200);
}

#[tokio::test]
async fn the_bin_is_listed_and_emptied_back_over_http() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    let url = |path: &str| format!("http://{}/bin{path}", server.http);
    let list = || async {
        let answer = client().get(url("")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let restore = async |path: &str| {
        let answer = client().post(url(&format!("{path}/restore"))).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(list().await, json!({ "studies": [] }));
    let study = format!("/studies/{}", objects[0].study);
    assert_eq!(delete(&server, &study).await, 204);
    let listed = list().await;
    let binned = &listed["studies"][0];
    assert_eq!((&binned["study"], &binned["copies"]), (&json!(objects[0].study), &json!(3)));
    assert!(binned["deleted_us"].as_i64().unwrap() > 0);

    assert_eq!(restore(&objects[0].path()).await, (200, r#"{"restored":1}"#.to_owned()));
    assert_eq!(status(&server, &objects[0].path()).await, 200);
    assert_eq!(status(&server, &objects[1].path()).await, 410);
    let other = client().post(url(&format!("{study}/restore?PatientID=P2"))).send().await.unwrap();
    assert_eq!(other.status(), 404);
    assert_eq!(restore(&study).await, (200, r#"{"restored":2}"#.to_owned()));
    assert_eq!(restore(&study).await.0, 404);
    assert_eq!(list().await, json!({ "studies": [] }));
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 3);
    let bad = client().get(url("?limit=0")).send().await.unwrap();
    assert_eq!(bad.status(), 400);
}
