//! Rejection notes (IHE Imaging Object Change Management) at the real doors: sent by C-STORE and by
//! STOW-RS, what they name is hidden, refused, listed and restored.

use serde_json::{Value, json};

use crate::on_both_stores;
use crate::support::objects::{Object, data_set_of, element, item, text_element};
use crate::support::server::{Server, client};
use crate::support::stores::Stores;

on_both_stores! {
    a_note_hides_what_it_names_at_every_door_and_is_served_itself,
    what_harms_is_refused_by_c_store_and_by_stow,
    the_bin_says_why_and_gives_back_when_asked_by_name,
}

const KEY_OBJECT: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// A note numbered `number` that rejects objects of one series for the reason `code`.
pub(crate) fn note(number: u32, code: &str, named: &[Object]) -> Object {
    let mut note = Object::ct("P1", 1, 9, number);
    note.sop_class = KEY_OBJECT.to_owned();
    note.text(0x0008_0016, b"UI", KEY_OBJECT).text(0x0008_0060, b"CS", "KO");
    for tag in [0x0028_0002, 0x0028_0004, 0x0028_0010, 0x0028_0011, 0x7FE0_0010] {
        note.without(tag);
    }
    let title = [
        text_element(0x0008_0100, b"SH", code),
        text_element(0x0008_0102, b"SH", "DCM"),
        text_element(0x0008_0104, b"LO", "Rejected"),
    ];
    let title = item(&title.concat());
    note.text(0x0040_A040, b"CS", "CONTAINER").bytes(0x0040_A043, b"SQ", title);
    let sops: Vec<Vec<u8>> = named
        .iter()
        .map(|object| {
            let class = text_element(0x0008_1150, b"UI", &object.sop_class);
            item(&[class, text_element(0x0008_1155, b"UI", &object.sop_instance)].concat())
        })
        .collect();
    let sops = element(0x0008_1199, b"SQ", &sops.concat());
    let series = item(&[sops, text_element(0x0020_000E, b"UI", &named[0].series)].concat());
    let series = element(0x0008_1115, b"SQ", &series);
    let study = [series, text_element(0x0020_000D, b"UI", &named[0].study)].concat();
    note.bytes(0x0040_A375, b"SQ", item(&study));
    note
}

async fn status(server: &Server, path: &str) -> u16 {
    server.get(path).await.status().as_u16()
}

/// Stores one file by STOW-RS; the status, and the Failure Reason of what failed.
async fn stow(server: &Server, object: &Object) -> (u16, Option<u64>) {
    let request = client()
        .post(format!("{}/studies", server.dicomweb()))
        .header("content-type", "application/dicom")
        .header("accept", "application/dicom+json")
        .body(object.file());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let said: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (status, said["00081198"]["Value"][0]["00081197"]["Value"][0].as_u64())
}

/// What `lastra bin --json` says, a line each.
fn bin(server: &Server, arguments: &[&str]) -> (bool, Vec<Value>) {
    let run = server.command("bin").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let lines = said.lines().filter_map(|line| serde_json::from_str(line).ok());
    (run.status.success(), lines.collect())
}

async fn a_note_hides_what_it_names_at_every_door_and_is_served_itself(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1, n)).collect();
    assert_eq!(server.store(&objects).await, [0; 3]);
    let file = server.file(&objects[0].path()).await;
    let note = note(1, "113001", &objects[..2]);
    assert_eq!(server.store(std::slice::from_ref(&note)).await, [0]);

    for hidden in &objects[..2] {
        for path in ["", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/7FE00010"]
        {
            let path = format!("{}{path}", hidden.path());
            assert_eq!(status(&server, &path).await, 404, "{path}: rejected, not deleted");
        }
    }
    for seen in [&objects[2], &note] {
        assert!(data_set_of(&server.file(&seen.path()).await) == seen.data_set());
    }
    let series = format!("/studies/{}/series", objects[0].study);
    let counts: Vec<u64> = server
        .json(&series)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["00201209"]["Value"][0].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [1, 1]);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 2);
    let metadata = server.json(&format!("/studies/{}/metadata", objects[0].study)).await;
    assert_eq!(metadata.as_array().unwrap().len(), 2);

    let feed = client().get(format!("http://{}/changes?since=0", server.http)).send().await;
    let feed = feed.unwrap().text().await.unwrap();
    assert_eq!(feed.matches("instance-rejected").count(), 2, "{feed}");
    assert_eq!(server.instance_blobs().len(), 4, "nothing is lost");
    let checked = server.check(&["--hashes"]);
    assert_eq!((&checked["damaged"], &checked["orphans"]), (&0.into(), &0.into()));

    let (done, said) = bin(&server, &["restore", "--rejected", &objects[0].study]);
    assert!(done, "{said:?}");
    assert!(server.file(&objects[0].path()).await == file, "byte for byte");
}

async fn what_harms_is_refused_by_c_store_and_by_stow(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=2).map(|n| Object::ct("P1", 1, 1, n)).collect();
    let note = note(1, "113037", &objects);
    assert_eq!(stow(&server, &note).await, (200, None));
    // The note came first: what it names is taken, and hidden at once.
    assert_eq!(server.store(&objects[..1]).await, [0]);
    assert_eq!(stow(&server, &objects[1]).await, (200, None));
    for object in &objects {
        assert_eq!(status(&server, &object.path()).await, 404);
    }
    let blobs = server.instance_blobs().len();
    // Once it was here it may not come again.
    let mut scu = server.scu(&objects[..1]).await;
    let data_set = objects[0].data_set();
    let (class, instance) = (&objects[0].sop_class, &objects[0].sop_instance);
    let syntax = crate::support::objects::EXPLICIT_LITTLE;
    let refused = scu.store(class, instance, syntax, &mut &data_set[..]).await.unwrap();
    assert_eq!(refused.code, 0xC002, "{refused:?}");
    assert!(refused.comment.unwrap().contains("113037"), "the sender hears why");
    scu.release().await.unwrap();
    assert_eq!(stow(&server, &objects[1]).await, (409, Some(0xC002)));
    assert_eq!(server.instance_blobs().len(), blobs, "and nothing is kept of it");
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}

async fn the_bin_says_why_and_gives_back_when_asked_by_name(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=3).map(|n| Object::ct("P1", 1, 1, n)).collect();
    server.store(&objects).await;
    server.store(&[note(1, "113038", &objects[..1])]).await;
    server.store(&[note(2, "113039", &objects[1..2])]).await;
    let study = &objects[0].study;
    let (_, listed) = bin(&server, &["list"]);
    let mut why: Vec<(&str, &str, u64)> = listed
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            (text("reason"), text("why"), line["copies"].as_u64().unwrap())
        })
        .collect();
    why.sort_unstable();
    let expected = [
        ("113038", "Incorrect Modality Worklist Entry", 1),
        ("113039", "Data Retention Policy Expired", 1),
    ];
    assert_eq!(why, expected);

    let restore = async |query: &str| {
        let url = format!("http://{}/bin/studies/{study}/restore{query}", server.http);
        let answer = client().post(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, said) = restore("").await;
    assert!(status == 409 && said.contains("rejected=true"), "{status} {said}");
    assert!(!bin(&server, &["restore", study]).0);
    assert_eq!(restore("?rejected=perhaps").await.0, 400);
    // Only what expired is given up unasked.
    assert_eq!(bin(&server, &["purge", "--older", "0s"]).1, [json!({"purged": 1})]);
    assert_eq!(restore("?rejected=true").await, (200, r#"{"restored":1}"#.to_owned()));
    assert_eq!(server.get(&objects[0].path()).await.status(), 200);
}

#[tokio::test]
async fn a_note_without_force_hides_nothing() {
    let server = Server::start_in(&[], &[("LASTRA_ARCHIVE__APPLY_REJECTION_NOTES", "false")]);
    let objects = [Object::ct("P1", 1, 1, 1)];
    server.store(&objects).await;
    assert_eq!(server.store(&[note(1, "113037", &objects)]).await, [0]);
    assert_eq!(status(&server, &objects[0].path()).await, 200);
    let server = Server::start_in(&[], &[("LASTRA_ARCHIVE__SHOW_REJECTED_FOR_QUALITY", "true")]);
    server.store(&objects).await;
    assert_eq!(server.store(&[note(1, "113001", &objects)]).await, [0]);
    assert_eq!(status(&server, &objects[0].path()).await, 200);
    assert_eq!(server.store(&[note(2, "113037", &objects)]).await, [0]);
    assert_eq!(status(&server, &objects[0].path()).await, 404);
}

#[tokio::test]
async fn a_note_that_cannot_be_followed_is_refused() {
    let server = Server::start();
    let objects = [Object::ct("P1", 1, 1, 1)];
    server.store(&objects).await;
    let mut note = note(1, "113037", &objects);
    // A reference that does not say its study.
    let sops = item(&text_element(0x0008_1155, b"UI", &objects[0].sop_instance));
    let series = item(&element(0x0008_1199, b"SQ", &sops));
    note.bytes(0x0040_A375, b"SQ", item(&element(0x0008_1115, b"SQ", &series)));
    assert_eq!(server.store(&[note]).await, [0xA900]);
    assert_eq!(status(&server, &objects[0].path()).await, 200);
}
