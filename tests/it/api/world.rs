//! A server with sample studies, asked as a clinician's program would.

use lastra::fascicolo::timeline::Images;
use serde_json::Value;
use serde_json::json;

use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;

pub(super) struct World {
    pub(super) server: Server,
}

impl World {
    pub(super) fn with(folders: &[&str]) -> Self {
        let world = Self { server: Server::start() };
        world.import(folders);
        world
    }

    pub(super) fn import(&self, folders: &[&str]) {
        if folders.is_empty() {
            return;
        }
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies");
        let folders = folders.iter().map(|folder| format!("{samples}/{folder}"));
        let done = self.server.command("import").args(folders).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.http)
    }

    /// Status and JSON.
    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        let response = client().get(self.url(path)).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// JSON of what is there.
    pub(super) async fn there(&self, path: &str) -> Value {
        let (status, json) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(path, body.to_string()).await
    }

    pub(super) async fn send(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let response = client().post(self.url(path)).body(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// The number of whoever has this identifier, once they are known.
    pub(super) async fn person(&self, identifier: &str) -> i64 {
        let path = format!("/people?identifier={identifier}");
        until("the person is known", async || self.get(&path).await.0 == 200).await;
        self.there(&path).await["person"].as_i64().unwrap()
    }

    /// Waits until a person's study is in their fascicolo.
    pub(super) async fn images_of(&self, person: i64) {
        let path = format!("/people/{person}/fascicolo");
        until("the images are there", async || {
            let told = self.there(&path).await;
            told["episodes"].as_array().unwrap().iter().any(|episode| {
                !episode["study"].is_null() && episode["images"] == Images::Ready.as_str()
            })
        })
        .await;
    }

    /// The items that wait.
    pub(super) async fn waiting(&self) -> Vec<Value> {
        self.there("/queue").await["items"].as_array().unwrap().clone()
    }
}

/// Who decides, in these tests.
pub(super) fn by_rossi(mut body: Value) -> Value {
    body["by"] = json!("dott. Rossi");
    body
}
