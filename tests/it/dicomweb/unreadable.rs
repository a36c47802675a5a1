//! Pixels that cannot be drawn: the reason is told, the log keeps the codec's words, the thumbnail
//! says so, and the study stays whole.

use lastra::dicom::part10::{MetaFields, write_prefix};
use lastra::dicom::uid::Uid;
use lastra::imaging::thumbnail::{EDGE_PX, Placeholder, placeholder};

use crate::support::corpus::pydicom_data;
use crate::support::objects::{Object, data_set_of, item};
use crate::support::server::{Server, client, until};

pub(super) const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
pub(super) const H264: &str = "1.2.840.10008.1.2.4.102";

/// A file whose pixel data are these fragments.
pub(super) fn encapsulated(
    mut object: Object,
    syntax: &str,
    fragments: &[&[u8]],
) -> (Object, Vec<u8>) {
    let uid = |text: &str| Uid::parse(text).unwrap();
    object.without(0x7FE0_0010);
    let mut file = write_prefix(&MetaFields {
        sop_class: &uid(&object.sop_class),
        sop_instance: &uid(&object.sop_instance),
        transfer_syntax: &uid(syntax),
        source_ae: None,
    });
    file.extend(object.data_set());
    file.extend([0xE0, 0x7F, 0x10, 0, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    file.extend(item(&[]));
    for fragment in fragments {
        file.extend(item(fragment));
    }
    file.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    (object, file)
}

/// A real JPEG 2000 code stream of 64 by 64 pixels.
pub(super) fn a_stream() -> Vec<u8> {
    let file = std::fs::read(pydicom_data().join("test_files/MR_small_jp2klossless.dcm")).unwrap();
    let start = file.windows(4).position(|four| four == [0xFF, 0x4F, 0xFF, 0x51]).unwrap();
    let end = file.windows(2).rposition(|two| two == [0xFF, 0xD9]).unwrap() + 2;
    let mut stream = file[start..end].to_vec();
    stream.resize(stream.len().next_multiple_of(2), 0);
    stream
}

/// The first half of it.
pub(super) fn half_a_stream() -> Vec<u8> {
    let stream = a_stream();
    stream[..(stream.len() / 2) & !1].to_vec()
}

pub(super) async fn store(server: &Server, file: &[u8]) {
    let url = format!("{}/studies", server.dicomweb());
    let request = client().post(url).header("content-type", "application/dicom");
    let response = request.body(file.to_vec()).send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

/// Status and problem text of an answer.
async fn refusal(server: &Server, path: &str) -> (u16, String) {
    let response = server.get(path).await;
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn thumbnail(server: &Server, path: &str) -> Vec<u8> {
    let response = server.get(&format!("{path}/thumbnail")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    response.bytes().await.unwrap().to_vec()
}

async fn is_whole(server: &Server, object: &Object, file: &[u8]) {
    assert_eq!(data_set_of(&server.file(&object.path()).await), data_set_of(file));
}

#[tokio::test]
async fn a_damaged_frame_is_told_drawn_as_unreadable_and_given_as_it_came() {
    let server = Server::start_logged(&[]);
    let good = Object::ct("ROSSI-1", 7, 1, 1);
    store(&server, &good.file()).await;
    let mut damaged = Object::ct("ROSSI-1", 7, 2, 1);
    damaged.number(0x0028_0010, 64).number(0x0028_0011, 64);
    let (damaged, file) = encapsulated(damaged, JPEG_2000, &[&half_a_stream()]);
    store(&server, &file).await;

    for path in ["/rendered", "/frames/1/rendered"] {
        let (status, text) = refusal(&server, &format!("{}{path}", damaged.path())).await;
        assert_eq!(status, 422, "{text}");
        assert!(text.contains("does not decode"), "{text}");
    }
    let unreadable = placeholder(Placeholder::Unreadable, (EDGE_PX, EDGE_PX)).unwrap();
    assert_eq!(thumbnail(&server, &damaged.path()).await, unreadable);
    let series = format!("/studies/{}/series/{}", damaged.study, damaged.series);
    assert_eq!(thumbnail(&server, &series).await, unreadable);
    assert_ne!(thumbnail(&server, &good.path()).await, unreadable);

    // The study is complete, and what does not decode comes as it was sent.
    let listed = server.json(&format!("/studies/{}/metadata", good.study)).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    is_whole(&server, &damaged, &file).await;
    is_whole(&server, &good, &good.file()).await;

    let log = server.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("cannot be drawn")).collect();
    assert!(!told.is_empty(), "{log}");
    // OpenJPEG's own words, and whose frame it is by our number only.
    assert!(
        log.contains("Tile part") || log.contains("truncated") || log.contains("Codec"),
        "{log}"
    );
    assert!(told.iter().all(|line| line.contains("instance")), "{told:?}");
    assert!(!log.contains(&damaged.sop_instance), "no UIDs in the log");
}

#[tokio::test]
async fn a_video_is_given_as_it_came_and_of_its_pictures_is_told_why_there_are_none() {
    let server = Server::start_logged(&[]);
    let mut video = Object::ct("ROSSI-1", 8, 1, 1);
    video.text(0x0028_0008, b"IS", "250");
    let stream: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let (video, file) = encapsulated(video, H264, &[&stream]);
    store(&server, &file).await;

    let instance = video.path();
    for path in ["/rendered", "/frames/1/rendered", "/frames/200/rendered", "/thumbnail"] {
        let (status, text) = refusal(&server, &format!("{instance}{path}")).await;
        assert_eq!(status, 406, "{path}: {text}");
        assert!(text.contains("H.264 video"), "{path}: {text}");
    }
    is_whole(&server, &video, &file).await;
    // The series' thumbnail is due a second after the last instance: it is not tried again and again.
    until("the jobs are done", || async { server.metric("lastra_jobs_run_total").await >= 2.0 })
        .await;
    assert!(!server.log().contains("job failed"), "{}", server.log());
}

#[tokio::test]
async fn more_frames_than_there_are_make_no_job_fail() {
    let server = Server::start_logged(&[]);
    // Fifty, says the header: there are three.
    let mut few = Object::ct("ROSSI-1", 9, 1, 1);
    let frames: Vec<u8> = (0..3 * 512_u32).map(|n| (n % 251) as u8).collect();
    few.text(0x0028_0008, b"IS", "50").bytes(0x7FE0_0010, b"OW", frames);
    store(&server, &few.file()).await;
    // Seven, says the header, and nothing says which of the five fragments begin one.
    let mut lost = Object::ct("ROSSI-1", 9, 2, 1);
    lost.text(0x0028_0008, b"IS", "7");
    let fragments: [&[u8]; 5] = [b"aa", b"bb", b"cc", b"dd", b"ee"];
    let (lost, file) = encapsulated(lost, JPEG_2000, &fragments);
    store(&server, &file).await;

    let unreadable = placeholder(Placeholder::Unreadable, (EDGE_PX, EDGE_PX)).unwrap();
    for (object, readable) in [(&few, true), (&lost, false)] {
        let series = format!("/studies/{}/series/{}", object.study, object.series);
        for path in [object.path(), series] {
            let drawn = thumbnail(&server, &path).await;
            assert_eq!(drawn != unreadable, readable, "{path}");
        }
    }
    assert_eq!(refusal(&server, &format!("{}/rendered", few.path())).await.0, 200);
    assert_eq!(refusal(&server, &format!("{}/frames/4/rendered", few.path())).await.0, 404);
    for path in ["/rendered", "/frames/1", "/frames/1/rendered"] {
        let (status, text) = refusal(&server, &format!("{}{path}", lost.path())).await;
        assert_eq!(status, 406, "{path}: {text}");
        assert!(text.contains("where its frames begin cannot be told"), "{path}: {text}");
    }
    is_whole(&server, &lost, &file).await;
    until("the jobs are done", || async { server.metric("lastra_jobs_run_total").await >= 4.0 })
        .await;
    assert!(!server.log().contains("job failed"), "{}", server.log());
}

#[tokio::test]
async fn a_study_is_shown_by_what_can_be_drawn_of_it() {
    let server = Server::start();
    let (video, file) = encapsulated(Object::ct("ROSSI-1", 10, 1, 1), H264, &[&[7; 5000]]);
    store(&server, &file).await;
    let study = format!("/studies/{}", video.study);
    let (status, text) = refusal(&server, &format!("{study}/thumbnail")).await;
    assert_eq!(status, 406, "{text}");
    assert!(text.contains("H.264 video"), "{text}");
    let image = Object::ct("ROSSI-1", 10, 2, 1);
    store(&server, &image.file()).await;
    assert_eq!(thumbnail(&server, &study).await, thumbnail(&server, &image.path()).await);
}
