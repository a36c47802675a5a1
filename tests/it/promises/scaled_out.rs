//! PostgreSQL and S3 keep the same promises as the embedded stores, with two nodes over one archive.

use std::sync::Arc;

use futures::future::join_all;

use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::server::until;
use crate::support::stores::Scaled;
use crate::support::stores::Stores;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_stores_the_other_serves_and_a_killed_node_loses_nothing() {
    let stores = Arc::new(Scaled::new());
    let (one, two) = (Server::start_scaled(&stores), Server::start_scaled(&stores));
    let batches: Vec<Vec<Object>> = (0..4)
        .map(|n| (1..=10).map(|i| Object::ct("P1", 1, n % 2 + 1, n * 10 + i)).collect())
        .collect();
    let sent = batches.iter().enumerate().map(|(n, batch)| {
        let node = if n % 2 == 0 { &one } else { &two };
        node.store(batch)
    });
    assert!(join_all(sent).await.iter().flatten().all(|status| *status == 0));

    let one = one.kill_and_restart();
    for object in batches.iter().flatten() {
        for node in [&one, &two] {
            assert_eq!(data_set_of(&node.file(&object.path()).await), object.data_set());
        }
    }
    let studies = two.json("/studies").await;
    assert_eq!(studies.as_array().unwrap().len(), 1);
    assert_eq!(studies[0]["00201208"]["Value"][0], 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_metadata_and_thumbnails_come_from_s3_by_ranges() {
    let server = Stores::Scaled.server();
    let object = Object::ct("P1", 1, 1, 1);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);

    let before = server.metric("lastra_blob_read_bytes_total").await;
    let frame =
        server.get_as(&format!("{}/frames/1", object.path()), "application/octet-stream").await;
    assert_eq!(frame.bytes().await.unwrap().len(), 512);
    assert_eq!(server.metric("lastra_blob_read_bytes_total").await - before, 512.0);

    let metadata = server.json(&format!("/studies/{}/metadata", object.study)).await;
    assert_eq!(metadata[0]["00100010"]["Value"][0]["Alphabetic"], "Prova^Nicolò");
    let thumbnail = format!("/studies/{}/series/{}/thumbnail", object.study, object.series);
    until("the thumbnail is there", || async {
        server.get_as(&thumbnail, "image/jpeg").await.status() == 200
    })
    .await;
}
