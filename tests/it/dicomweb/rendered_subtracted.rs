//! Angiograms less their masks, held against numpy (PS3.3 §C.7.6.10, §C.11.13; PS3.4 §N.2.1.1).

use std::path::{Path, PathBuf};

use super::looking::{apart, png, refused, stow};
use crate::support::server::{Server, client};
use crate::support::tools::run_python;

const SIZE: (u32, u32) = (160, 128);

/// A folder of what `subtracted.py` writes.
struct Made(tempfile::TempDir);

fn make() -> Made {
    let folder = tempfile::tempdir().unwrap();
    run_python(include_str!("subtracted.py"), &[folder.path().to_str().unwrap()]);
    Made(folder)
}

impl Made {
    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.dcm"))
    }

    fn levels(&self, name: &str, frame: u32) -> Vec<u8> {
        std::fs::read(self.0.path().join(format!("{name}-{frame}.raw"))).unwrap()
    }
}

async fn levels(server: &Server, path: &str) -> Vec<u8> {
    let drawn = png(server, path).await;
    keep(path, &drawn);
    assert_eq!((drawn.width(), drawn.height()), SIZE, "{path}");
    drawn.into_luma8().into_raw()
}

/// Keeps a picture where the environment names a folder, to be looked at.
fn keep(path: &str, drawn: &image::DynamicImage) {
    if let Some(folder) = std::env::var_os("LASTRA_LOOK_DIR") {
        let name: String = path.chars().rev().take(40).collect();
        let name: String = name.chars().rev().filter(char::is_ascii_alphanumeric).collect();
        drawn.save(Path::new(&folder).join(format!("{name}.png"))).unwrap();
    }
}

#[tokio::test]
async fn an_angiogram_is_shown_as_its_recommended_viewing_mode_says() {
    let (server, made) = (Server::start(), make());
    for (name, mode) in [("sub", ""), ("lin", ""), ("tid", ""), ("nat", "subtraction=yes")] {
        let path = stow(&server, &made.file(name)).await;
        for frame in 1..=6 {
            let drawn = levels(&server, &format!("{path}/frames/{frame}/rendered?{mode}")).await;
            let off = apart(&drawn, &made.levels(name, frame));
            assert!(off <= 1, "{name}, frame {frame}: {off} levels apart");
            let query = if mode.is_empty() { "subtraction=no" } else { "" };
            let stored = levels(&server, &format!("{path}/frames/{frame}/rendered?{query}")).await;
            let off = apart(&stored, &made.levels("plain", frame));
            assert!(off <= 1, "{name} as stored, frame {frame}: {off} levels apart");
        }
    }
    assert!(apart(&made.levels("sub", 5), &made.levels("plain", 5)) > 60, "it makes a difference");
    // Intensities and their logarithms are not subtracted alike.
    assert!(apart(&made.levels("lin", 5), &made.levels("nat", 5)) > 5);
}

#[tokio::test]
async fn a_states_mask_counts_and_the_images_own_does_not() {
    let (server, made) = (Server::start(), make());
    stow(&server, &made.file("nat")).await;
    let state = stow(&server, &made.file("state")).await;
    // A state as target gives the frames it is of.
    let response =
        server.get_as(&format!("{state}/rendered"), "multipart/related; type=\"image/png\"").await;
    assert_eq!(response.status(), 200);
    let body = response.bytes().await.unwrap();
    let starts: Vec<usize> = memchr::memmem::find_iter(&body, b"\x89PNG").collect();
    assert_eq!(starts.len(), 2, "frames 5 and 6");
    for (start, frame) in starts.iter().zip([5, 6]) {
        let drawn = image::load_from_memory(&body[*start..]).unwrap();
        keep(&format!("state{frame}"), &drawn);
        let off = apart(drawn.to_luma8().as_raw(), &made.levels("state", frame));
        assert!(off <= 1, "frame {frame}: {off} levels apart");
    }
}

#[tokio::test]
async fn only_the_frames_of_a_picture_are_read_and_a_mask_once() {
    let (server, made) = (Server::start(), make());
    let path = stow(&server, &made.file("nat")).await;
    let bytes = "lastra_blob_read_bytes_total";
    let frame_bytes = f64::from(SIZE.0 * SIZE.1 * 2);
    let before = server.metric(bytes).await;
    levels(&server, &format!("{path}/frames/4/rendered?subtraction=yes")).await;
    let first = server.metric(bytes).await - before;
    levels(&server, &format!("{path}/frames/5/rendered?subtraction=yes")).await;
    let second = server.metric(bytes).await - before - first;
    // Two frames of the mask and the frame itself; then the frame alone, header known.
    assert!(first < 3.5 * frame_bytes, "{first} bytes of {frame_bytes} a frame");
    assert!(second < 1.5 * frame_bytes, "{second} bytes of {frame_bytes} a frame");
    assert!(server.metric("lastra_mask_cache_bytes").await > 0.0);
}

#[tokio::test]
async fn a_run_moves_subtracted_and_a_word_that_means_nothing_is_refused() {
    let (server, made) = (Server::start(), make());
    let path = stow(&server, &made.file("sub")).await;
    let response = server.get_as(&format!("{path}/rendered"), "image/gif").await;
    assert_eq!(response.headers()["content-type"], "image/gif");
    let moving = response.bytes().await.unwrap();
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(&moving[..]).unwrap();
    for frame in 1..=6 {
        let drawn = decoder.read_next_frame().unwrap().unwrap().buffer.to_vec();
        assert!(apart(&drawn, &made.levels("sub", frame)) <= 1, "frame {frame}");
    }
    let (status, detail) = refused(&server, &format!("{path}/rendered?subtraction=1"), "*/*").await;
    assert_eq!(status, 400);
    assert!(detail.contains("subtraction"), "{detail}");
    let uids: Vec<&str> = path.split('/').collect();
    let url = format!(
        "http://{}/wado?requestType=WADO&studyUID={}&seriesUID={}&objectUID={}&contentType=image/png\
         &frameNumber=5",
        server.http, uids[2], uids[4], uids[6]
    );
    for (query, name) in [("", "sub"), ("&subtraction=no", "plain")] {
        let bytes = client().get(format!("{url}{query}")).send().await.unwrap().bytes().await;
        let drawn = image::load_from_memory(&bytes.unwrap()).unwrap();
        assert!(apart(drawn.to_luma8().as_raw(), &made.levels(name, 5)) <= 1, "{name}");
    }
}
