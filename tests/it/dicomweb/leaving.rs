//! Clients who go away: the work done for them stops, whichever way it was asked for.

use crate::support::objects::Object;
use crate::support::server::{Server, client, until};

/// Frames of an object that takes this machine some seconds to draw or to re-encode.
const FRAMES: u32 = 600;
const SIDE: u16 = 128;

/// Frames of noise, 16 bits.
fn long_loop() -> Object {
    let mut object = Object::ct("P1", 7, 1, 1);
    object.sop_class = "1.2.840.10008.5.1.4.1.1.7.3".to_owned();
    let class = object.sop_class.clone();
    let samples = 0..FRAMES * u32::from(SIDE) * u32::from(SIDE);
    let pixels = samples.flat_map(|place| {
        let noise = place.wrapping_mul(2_654_435_761) >> 20;
        u16::try_from(noise).unwrap().to_le_bytes()
    });
    object
        .text(0x0008_0016, b"UI", &class)
        .text(0x0028_0008, b"IS", &FRAMES.to_string())
        .number(0x0028_0010, SIDE)
        .number(0x0028_0011, SIDE)
        .bytes(0x7FE0_0010, b"OW", pixels.collect());
    object
}

/// A server whose only pixel work is what is asked for: no thumbnail is made meanwhile.
fn alone() -> Server {
    Server::start_in(&[], &[("LASTRA_ARCHIVE__QUIET_S", "3600")])
}

/// Pixel work done, waiting, and under way.
async fn work(server: &Server) -> (f64, f64, f64) {
    (
        server.metric("lastra_imaging_work_total").await,
        server.metric("lastra_imaging_queue").await,
        server.metric("lastra_imaging_bytes").await,
    )
}

/// Asks in a task of its own and reads the answer whole; its length.
fn ask(server: &Server, path: &str, accept: &str) -> tokio::task::JoinHandle<usize> {
    let request = client().get(format!("{}{path}", server.dicomweb())).header("accept", accept);
    tokio::spawn(async move {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap().len()
    })
}

/// Asks, goes away when some of the work is done, and sees that it ends with most of it undone.
/// `read`: waits for the answer's first bytes and holds it, instead of leaving before it comes.
async fn ask_and_leave(server: &Server, path: &str, accept: &str, read: bool) {
    let (before, ..) = work(server).await;
    let url = format!("{}{path}", server.dicomweb());
    let request = client().get(url).header("accept", accept);
    let asking = tokio::spawn(async move {
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.chunk().await.unwrap().is_some());
        if read {
            // Held, unread, until the asker is gone.
            std::future::pending::<()>().await;
        }
    });
    until("some of the work is done", || async { work(server).await.0 - before >= 10.0 }).await;
    assert!(!asking.is_finished(), "{path} was answered whole before its asker could leave");
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());

    until("no work is left", || async {
        let (_, waiting, bytes) = work(server).await;
        waiting <= 0.0 && bytes <= 0.0
    })
    .await;
    let (done, ..) = work(server).await;
    let made = done - before;
    assert!(made < f64::from(FRAMES) / 2.0, "{path} {accept}: {made} of {FRAMES} frames");
    // Nor does it begin again: what was inside a codec may have ended meanwhile, no more.
    for _ in 0..5 {
        let (later, waiting, _) = work(server).await;
        assert!(later <= done + 2.0 && waiting <= 0.0, "{path} {accept}: {done}, then {later}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_work() {
    let server = alone();
    let object = long_loop();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let path = object.path();
    let all = (1..=FRAMES).map(|frame| frame.to_string()).collect::<Vec<_>>().join(",");
    let (frames, study) = (format!("{path}/frames/{all}"), path.split("/series").next().unwrap());
    for (path, accept, read) in [
        // Made before the first byte goes out.
        (format!("{path}/rendered"), "image/gif", false),
        (path.clone(), "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80", false),
        (
            study.to_owned(),
            "multipart/related; type=\"application/dicom\"; \
          transfer-syntax=1.2.840.10008.1.2.4.201",
            false,
        ),
        // Made while they go out.
        (frames.clone(), "multipart/related; type=\"image/jls\"", true),
        (format!("{frames}/rendered"), "multipart/related; type=\"image/png\"", true),
    ] {
        ask_and_leave(&server, &path, accept, read).await;
    }
    // Whoever comes then is served.
    let one = server.get_as(&format!("{path}/frames/300/rendered"), "image/png").await;
    assert_eq!(one.status(), 200);
}

#[tokio::test]
async fn what_two_wait_for_is_made_for_the_one_who_stays() {
    let server = alone();
    let object = long_loop();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let some = (1..=60).map(|frame| frame.to_string()).collect::<Vec<_>>().join(",");
    let path = format!("{}/frames/{some}/rendered", object.path());
    let leaving = ask(&server, &path, "image/gif");
    until("the work is begun", || async { work(&server).await.0 >= 1.0 }).await;
    let staying = ask(&server, &path, "image/gif");
    until("some of it is done", || async { work(&server).await.0 >= 20.0 }).await;
    leaving.abort();
    assert!(staying.await.unwrap() > 60 * usize::from(SIDE));
    // A picture and its place in the loop are two works; each was done about once.
    let (done, ..) = work(&server).await;
    assert!(done < 3.0 * 60.0, "{done}");
}
