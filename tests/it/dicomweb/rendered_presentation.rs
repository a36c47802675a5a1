//! Presentation states applied: against DCMTK's `dcmp2pgm`, through both doors (PS3.18 §8.3.5.1.6).

use std::path::PathBuf;

use super::looking::{apart, dcmtk, png, refused, stow};
use crate::support::samples::samples;
use crate::support::server::{Server, client};
use crate::support::tools::run_python;

const MAKE: &str = include_str!("presentation_state.py");

/// An image and a state of it, as files.
struct Made {
    folder: tempfile::TempDir,
    image: PathBuf,
    /// Series and SOP Instance UID of the state.
    uids: (String, String),
}

fn make(kind: &str) -> Made {
    let image = samples("test_files").into_iter().find(|s| s.name == "CT_small.dcm").unwrap().path;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.dcm");
    let printed = run_python(MAKE, &[image.to_str().unwrap(), state.to_str().unwrap(), kind]);
    let mut uids = printed.split_whitespace().map(str::to_owned);
    let uids = (uids.next().unwrap(), uids.next().unwrap());
    Made { folder, image, uids }
}

impl Made {
    fn state(&self) -> PathBuf {
        self.folder.path().join("state.dcm")
    }

    /// The WADO-URI query of the image with the state over it.
    fn query(&self, path: &str) -> String {
        let uids: Vec<&str> = path.split('/').collect();
        format!(
            "requestType=WADO&studyUID={}&seriesUID={}&objectUID={}&contentType=image/png\
             &presentationSeriesUID={}&presentationUID={}",
            uids[2], uids[4], uids[6], self.uids.0, self.uids.1
        )
    }
}

#[tokio::test]
async fn states_are_drawn_as_dcmtk_draws_them() {
    let server = Server::start();
    for kind in ["plain", "window", "inverse", "turned"] {
        let made = make(kind);
        stow(&server, &made.image).await;
        let path = stow(&server, &made.state()).await;
        let (state, image) = (made.state(), made.image.to_str().unwrap().to_owned());
        let (.., levels) = dcmtk("dcmp2pgm", &["-p", state.to_str().unwrap(), &image]);
        let drawn = png(&server, &format!("{path}/rendered")).await;
        let apart = apart(drawn.as_bytes(), &levels);
        assert!(apart <= 1, "{kind}: {apart} levels apart");
    }
}

#[tokio::test]
async fn shutters_hide_and_graphics_show() {
    let server = Server::start();
    let image = make("window");
    stow(&server, &image.image).await;
    let path = stow(&server, &image.state()).await;
    let plain = png(&server, &format!("{path}/rendered")).await.into_luma8();
    let shut = make("shutter");
    let path = stow(&server, &shut.state()).await;
    let drawn = png(&server, &format!("{path}/rendered")).await.into_luma8();
    for (x, y, pixel) in drawn.enumerate_pixels() {
        // Edges 10 and 108, 30 and 88 are the first that are not shown, counted from 1.
        let shown = (10..107).contains(&x) && (30..87).contains(&y);
        let expected = if shown { plain.get_pixel(x, y).0[0] } else { 0 };
        assert_eq!(pixel.0[0], expected, "pixel {x},{y}");
    }
    let notes = make("drawn");
    let path = stow(&server, &notes.state()).await;
    let drawn = png(&server, &format!("{path}/rendered?viewport=512,512")).await.into_luma8();
    assert_eq!(drawn.dimensions(), (512, 512));
    // The circle around 76.8,64 with radius 12.8, turned a quarter and flipped: around y 76.8.
    // In the picture four times as large: around row 307, 51 pixels up and down.
    for y in [256, 358] {
        assert!(drawn.get_pixel(256, y).0[0] > 200, "the circle is there in row {y}");
    }
}

#[tokio::test]
async fn the_uri_service_applies_the_state_named() {
    let server = Server::start();
    let made = make("inverse");
    let image = stow(&server, &made.image).await;
    let state = stow(&server, &made.state()).await;
    let url = format!("http://{}/wado?{}", server.http, made.query(&image));
    let response = client().get(&url).send().await.unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    let by_uri = image::load_from_memory(&bytes).unwrap();
    let by_rs = png(&server, &format!("{state}/rendered")).await;
    assert_eq!(by_uri.as_bytes(), by_rs.as_bytes());
    // The region is cut out of what the state has made.
    let region = client().get(format!("{url}&region=0.25,0.5,0.5,1")).send().await.unwrap();
    let region = image::load_from_memory(&region.bytes().await.unwrap()).unwrap();
    let expected = by_rs.crop_imm(32, 64, 32, 64);
    assert_eq!(region.as_bytes(), expected.as_bytes());
    for (more, name) in
        [("&windowCenter=1&windowWidth=2", "windowCenter"), ("&frameNumber=1", "frameNumber")]
    {
        let response = client().get(format!("{url}{more}")).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert!(response.text().await.unwrap().contains(name), "{more}");
    }
    let elsewhere = url.replace(&made.uids.1, "1.2.3");
    let response = client().get(elsewhere).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("presentationUID"));
}

#[tokio::test]
async fn a_state_as_target_takes_neither_window_nor_region() {
    let server = Server::start();
    let made = make("window");
    let path = stow(&server, &made.state()).await;
    let (status, detail) = refused(&server, &format!("{path}/rendered"), "image/png").await;
    assert_eq!(status, 406, "{detail}: its image is not here");
    stow(&server, &made.image).await;
    for (query, name) in [("window=1,2,linear", "window"), ("viewport=5,5,1,1,2,2", "viewport")] {
        let (status, detail) = refused(&server, &format!("{path}/rendered?{query}"), "*/*").await;
        assert_eq!(status, 400, "{query}");
        assert!(detail.contains(name), "{detail}");
    }
}
