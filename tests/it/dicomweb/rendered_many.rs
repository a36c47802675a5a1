//! Many pictures: frames, series and studies in parts, frames that move (PS3.18 §10.4.1.1.3).

use super::looking::{refused, stow, study_file};
use crate::support::server::Server;

/// Content-Location and bytes of each part.
async fn parts(server: &Server, path: &str, media: &str) -> Vec<(String, Vec<u8>)> {
    let accept = format!("multipart/related; type=\"{media}\"");
    let response = server.get_as(path, &accept).await;
    assert_eq!(response.status(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let boundary = kind.split("boundary=").nth(1).unwrap().trim_matches('"').to_owned();
    let body = response.bytes().await.unwrap();
    let mut rest: &[u8] = &body;
    let mut parts = Vec::new();
    let line = format!("--{boundary}\r\n").into_bytes();
    let find = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).position(|at| at == needle);
    while let Some(at) = find(rest, &line) {
        rest = &rest[at + line.len()..];
        let end = find(rest, b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        assert_eq!(field("Content-Type:"), media);
        let length: usize = field("Content-Length:").parse().unwrap();
        parts.push((field("Content-Location:"), rest[end + 4..end + 4 + length].to_vec()));
        rest = &rest[end + 4 + length..];
    }
    assert!(rest.ends_with(format!("--{boundary}--\r\n").as_bytes()));
    parts
}

#[tokio::test]
async fn every_frame_comes_as_a_part_in_order() {
    let server = Server::start();
    let path = stow(&server, &study_file("us-loop/us-1.dcm")).await;
    let all = parts(&server, &format!("{path}/rendered?viewport=60,60"), "image/jpeg").await;
    assert!(all.len() > 10, "{} frames", all.len());
    for (number, (location, bytes)) in (1..).zip(&all) {
        assert_eq!(*location, format!("{}{path}/frames/{number}/rendered", server.dicomweb()));
        let single = server.get(&format!("{path}/frames/{number}/rendered?viewport=60,60")).await;
        assert_eq!(single.bytes().await.unwrap(), *bytes, "frame {number}");
    }
    let listed =
        parts(&server, &format!("{path}/frames/3,1/rendered?viewport=60,60"), "image/jpeg").await;
    assert_eq!(listed, [all[2].clone(), all[0].clone()]);
    let several = format!("{path}/frames/1,2/rendered");
    assert_eq!(refused(&server, &several, "image/jpeg").await.0, 406);
}

#[tokio::test]
async fn a_series_and_a_study_come_whole_in_parts_and_by_their_middle_alone() {
    let server = Server::start();
    let mut paths = Vec::new();
    for name in ["mr-head/t1-01.dcm", "mr-head/t1-02.dcm", "mr-head/t1-03.dcm", "mr-head/t2-01.dcm"]
    {
        paths.push(stow(&server, &study_file(name)).await);
    }
    stow(&server, &study_file("sr-report/report.dcm")).await;
    let series = paths[0].split("/instances").next().unwrap();
    let study = series.split("/series").next().unwrap();
    let of_series = parts(&server, &format!("{series}/rendered?viewport=50,50"), "image/png").await;
    let locations: Vec<String> = of_series.iter().map(|(location, _)| location.clone()).collect();
    let expected =
        paths[..3].iter().map(|path| format!("{}{path}/frames/1/rendered", server.dicomweb()));
    assert_eq!(locations, expected.collect::<Vec<_>>());
    assert_eq!(parts(&server, &format!("{study}/rendered"), "image/jpeg").await.len(), 4);
    let middle = server.get_as(&format!("{series}/rendered?viewport=50,50"), "image/png").await;
    assert_eq!(middle.bytes().await.unwrap(), of_series[1].1);
    assert_eq!(server.get(&format!("{study}/thumbnail")).await.status(), 200);
}

#[tokio::test]
async fn frames_move_as_the_object_says() {
    let server = Server::start();
    let path = stow(&server, &study_file("us-loop/us-1.dcm")).await;
    let response = server.get_as(&format!("{path}/rendered?viewport=120,120"), "image/gif").await;
    assert_eq!(response.headers()["content-type"], "image/gif");
    let bytes = response.bytes().await.unwrap();
    let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
    let mut delays = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        delays.push(frame.delay);
    }
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let metadata = server.json(&format!("{path}/metadata")).await;
    let number = |tag: &str| metadata[0][tag]["Value"][0].as_f64().unwrap();
    assert_eq!(delays.len() as f64, number("00280008"));
    let shown_ms = f64::from(delays.iter().copied().map(u32::from).sum::<u32>()) * 10.0;
    let expected = number("00181063").round() * number("00280008");
    assert!((shown_ms - expected).abs() <= 20.0, "{shown_ms} ms of {expected}");
    let one = server.get_as(&format!("{path}/frames/2/rendered"), "image/gif").await;
    let bytes = one.bytes().await.unwrap();
    let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
    assert!(decoder.read_next_frame().unwrap().is_some());
    assert!(decoder.read_next_frame().unwrap().is_none(), "one frame does not move");
}
