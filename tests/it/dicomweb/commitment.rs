//! Storage Commitment over HTTP: what the archive answers for, and what not.

use serde_json::{Value, json};

use crate::support::objects::Object;
use crate::support::server::Server;
use crate::support::server::{client, until};
use crate::support::stores::Stores;

crate::on_both_stores!(a_long_request_is_worked_on_across_a_restart);

const JSON: &str = "application/dicom+json";

fn uid(uid: &str) -> Value {
    json!({ "vr": "UI", "Value": [uid] })
}

fn item(class: &str, instance: &str) -> Value {
    json!({ "00081150": uid(class), "00081155": uid(instance) })
}

fn asked(items: &[Value]) -> String {
    json!({ "00081199": { "vr": "SQ", "Value": items } }).to_string()
}

fn of(objects: &[Object]) -> String {
    let items: Vec<Value> = objects.iter().map(|o| item(&o.sop_class, &o.sop_instance)).collect();
    asked(&items)
}

async fn post(server: &Server, transaction: &str, body: String) -> reqwest::Response {
    post_as(server, transaction, JSON, JSON, body).await
}

async fn post_as(
    server: &Server,
    transaction: &str,
    kind: &str,
    accept: &str,
    body: String,
) -> reqwest::Response {
    let url = format!("{}/commitment-requests/{transaction}", server.dicomweb());
    let request = client().post(url).header("content-type", kind).header("accept", accept);
    request.body(body).send().await.unwrap()
}

/// Instances of a sequence with their Failure Reason.
fn listed(module: &Value, sequence: &str) -> Vec<(String, Option<u64>)> {
    let items = module[sequence]["Value"].as_array().into_iter().flatten();
    items
        .map(|item| {
            let instance = item["00081155"]["Value"][0].as_str().unwrap().to_owned();
            (instance, item["00081197"]["Value"][0].as_u64())
        })
        .collect()
}

#[tokio::test]
async fn what_is_whole_is_committed_to_and_the_rest_has_its_reason() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    let [well, damaged, other] = &objects[..] else { panic!() };
    // One byte of one object changes on the disk, behind the archive's back.
    for path in server.instance_blobs() {
        let mut bytes = std::fs::read(&path).unwrap();
        let name = damaged.sop_instance.as_bytes();
        let mut found = bytes.windows(name.len() + 1).filter(|w| &w[..name.len()] == name);
        if found.any(|w| !w[name.len()].is_ascii_digit()) {
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let body = asked(&[
        item(&well.sop_class, &well.sop_instance),
        item(&damaged.sop_class, &damaged.sop_instance),
        item("1.2.840.10008.5.1.4.1.1.4", &other.sop_instance),
        item(&well.sop_class, "1.2.3.4"),
    ]);
    let answer = post(&server, "2.25.1", body.clone()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], JSON);
    let module: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(listed(&module, "00081199"), [(well.sop_instance.clone(), None)]);
    let failed = [
        (damaged.sop_instance.clone(), Some(0x0110)),
        (other.sop_instance.clone(), Some(0x0119)),
        ("1.2.3.4".to_owned(), Some(0x0112)),
    ];
    assert_eq!(listed(&module, "00081198"), failed);

    // The result is there after a power cut, and the transaction's name is used up.
    let server = server.kill_and_restart();
    assert_eq!(server.json("/commitment-requests/2.25.1").await, module);
    assert_eq!(post(&server, "2.25.1", body).await.status(), 409);
    assert_eq!(server.get("/commitment-requests/2.25.2").await.status(), 404);
    assert_eq!(server.get_as("/commitment-requests/2.25.1", "image/png").await.status(), 406);
    let xml = server.get_as("/commitment-requests/2.25.1", "application/dicom+xml").await;
    assert_eq!(xml.headers()["content-type"], "application/dicom+xml");
    assert!(xml.text().await.unwrap().contains(r#"keyword="FailedSOPSequence""#));
    let parts = r#"multipart/related; type="application/dicom+json""#;
    let parts = server.get_as("/commitment-requests/2.25.1", parts).await;
    let kind = parts.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("multipart/related"), "{kind}");
}

#[tokio::test]
async fn studies_are_answered_as_studies_and_nonsense_is_refused() {
    let server = Server::start();
    let object = Object::ct("P1", 1, 1, 1);
    server.store(std::slice::from_ref(&object)).await;
    let instance = |instance: &str| json!({ "00081155": uid(instance) });
    let sq = |items: Vec<Value>| json!({ "vr": "SQ", "Value": items });
    let study = |series: &str| {
        let instances = sq(vec![instance(&object.sop_instance)]);
        let class = json!({ "00081150": uid(&object.sop_class), "0008114A": instances });
        let series = json!({ "0020000E": uid(series), "00081112": sq(vec![class]) });
        json!({ "0020000D": uid(&object.study), "00081115": sq(vec![series]) })
    };
    let request = json!({ "00081110": sq(vec![study(&object.series), study("1.2.3")]) });
    let answer = post(&server, "2.25.1", request.to_string()).await;
    assert_eq!(answer.status(), 200);
    let module: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let place = |sequence: &str| {
        let series = &module[sequence]["Value"][0]["00081115"]["Value"][0];
        let instance = &series["00081112"]["Value"][0]["0008114A"]["Value"][0];
        (series["0020000E"]["Value"][0].clone(), instance["00081197"]["Value"][0].clone())
    };
    assert_eq!(place("00081110"), (json!(object.series), Value::Null));
    assert_eq!(place("0008119B"), (json!("1.2.3"), json!(0x0112)));

    for (transaction, kind, accept, body, status) in [
        ("nonsense", JSON, JSON, of(std::slice::from_ref(&object)), 400),
        ("2.25.3", JSON, JSON, "{}".to_owned(), 400),
        ("2.25.3", JSON, JSON, "{".repeat(100_000), 400),
        ("2.25.3", "text/plain", JSON, "{}".to_owned(), 415),
        ("2.25.3", JSON, "image/png", of(std::slice::from_ref(&object)), 406),
        ("2.25.3", JSON, JSON, " ".repeat(17 << 20), 413),
        ("2.25.3", JSON, JSON, of(std::slice::from_ref(&object)), 200),
    ] {
        let answer = post_as(&server, transaction, kind, accept, body).await;
        assert_eq!(answer.status(), status, "{transaction} {kind} {accept}");
    }
}

async fn a_long_request_is_worked_on_across_a_restart(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=40).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    let answer = post(&server, "2.25.1", of(&objects)).await;
    assert_eq!(answer.status(), 202);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(answer.bytes().await.unwrap().is_empty());
    // Accepted is durable.
    let server = server.kill_and_restart();
    until("the result is there", || async {
        server.get_as("/commitment-requests/2.25.1", JSON).await.status() == 200
    })
    .await;
    let module = server.json("/commitment-requests/2.25.1").await;
    assert_eq!(listed(&module, "00081199").len(), 40);
    assert_eq!(module["00081198"], Value::Null);
}
