//! `/rendered` and `/thumbnail`: each parameter by what it does to known pixels (PS3.18 §8.3.5).

use image::ImageDecoder;

use super::looking::{apart, dcmtk, gradient, gradient_levels, png, refused, stow, study_file};
use crate::support::objects::Object;
use crate::support::samples::samples;
use crate::support::server::Server;
use crate::support::tools::run_python;

async fn with_gradient() -> (Server, String) {
    let server = Server::start();
    let object = gradient();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    (server, object.path())
}

/// Columns `x..x + width` of rows `y..y + height` of the gradient.
fn part(x: usize, y: usize, width: usize, height: usize) -> Vec<u8> {
    let levels = gradient_levels();
    (y..y + height).flat_map(|row| levels[row * 8 + x..row * 8 + x + width].to_vec()).collect()
}

#[tokio::test]
async fn the_viewport_crops_scales_and_flips() {
    let (server, path) = with_gradient().await;
    for (viewport, size, expected) in [
        ("", (8, 4), Some(gradient_levels())),
        ("?viewport=8,4", (8, 4), Some(gradient_levels())),
        // Region alone: sx, sy, sw, sh.
        ("?viewport=4,2,2,1,4,2", (4, 2), Some(part(2, 1, 4, 2))),
        ("?viewport=6,4,2", (6, 4), Some(part(2, 0, 6, 4))),
        ("?viewport=8,3,,1", (8, 3), Some(part(0, 1, 8, 3))),
        // Over the edge it is cut there.
        ("?viewport=2,2,6,2,100,100", (2, 2), Some(part(6, 2, 2, 2))),
        // Flips: each row, each column from behind.
        ("?viewport=8,4,,,-8,4", (8, 4), Some(flipped(true, false))),
        ("?viewport=8,4,,,8,-4", (8, 4), Some(flipped(false, true))),
        ("?viewport=8,4,,,-8,-4", (8, 4), Some(flipped(true, true))),
        // As large as fits, larger or smaller, shape kept.
        ("?viewport=100,16", (32, 16), None),
        ("?viewport=4,4", (4, 2), None),
        ("?viewport=40,40,0,0,2,2", (40, 40), None),
    ] {
        let drawn = png(&server, &format!("{path}/rendered{viewport}")).await;
        assert_eq!((drawn.width(), drawn.height()), size, "{viewport}");
        if let Some(expected) = expected {
            assert_eq!(drawn.as_bytes(), expected, "{viewport}");
        }
    }
    // Half the size: each pixel the average of four.
    let half = png(&server, &format!("{path}/rendered?viewport=4,2")).await;
    let (averages, levels) = (half.into_bytes(), gradient_levels());
    for (at, average) in averages.iter().enumerate() {
        let (x, y) = (at % 4 * 2, at / 4 * 2);
        let sum: u32 = [0, 1, 8, 9].iter().map(|next| u32::from(levels[y * 8 + x + next])).sum();
        assert!(u32::from(*average).abs_diff(sum / 4) <= 1, "{averages:?}");
    }
}

fn flipped(across: bool, down: bool) -> Vec<u8> {
    let levels = gradient_levels();
    let mut rows: Vec<Vec<u8>> = levels.chunks(8).map(<[u8]>::to_vec).collect();
    if across {
        for row in &mut rows {
            row.reverse();
        }
    }
    if down {
        rows.reverse();
    }
    rows.concat()
}

#[tokio::test]
async fn windows_are_those_of_dcmtk() {
    let server = Server::start();
    for name in ["CT_small.dcm", "MR_small.dcm"] {
        let sample = samples("test_files").into_iter().find(|sample| sample.name == name).unwrap();
        let path = stow(&server, &sample.path).await;
        let file = sample.path.to_str().unwrap();
        for (center, width) in [("40", "400"), ("-500", "1500"), ("600.5", "1"), ("100", "2.5")] {
            let drawn =
                png(&server, &format!("{path}/rendered?window={center},{width},linear")).await;
            let (w, h, levels) = dcmtk("dcmj2pnm", &["-O", "+Wfl", "+Ww", center, width, file]);
            assert_eq!((drawn.width(), drawn.height()), (w, h));
            let apart = apart(drawn.as_bytes(), &levels);
            assert!(apart <= 1, "{name} {center} {width}: {apart} levels apart");
        }
        let drawn = png(&server, &format!("{path}/rendered?window=40,400,sigmoid")).await;
        let (.., levels) = dcmtk("dcmj2pnm", &["-O", "+Wfs", "+Ww", "40", "400", file]);
        assert!(apart(drawn.as_bytes(), &levels) <= 2, "{name} sigmoid");
    }
}

#[tokio::test]
async fn overlays_are_drawn_where_dcmtk_draws_them_and_only_on_request() {
    let server = Server::start();
    let sample = samples("test_files").into_iter().find(|s| s.name == "examples_overlay.dcm");
    let sample = sample.unwrap();
    let path = stow(&server, &sample.path).await;
    let file = sample.path.to_str().unwrap();
    let window = "window=300,600,linear";
    let (.., with) = dcmtk("dcmj2pnm", &["+O", "0", "+Omr", "+Ww", "300", "600", file]);
    let (.., without) = dcmtk("dcmj2pnm", &["-O", "+Ww", "300", "600", file]);
    assert_ne!(with, without);
    let drawn = png(&server, &format!("{path}/rendered?{window}&overlays=yes")).await;
    assert!(apart(drawn.as_bytes(), &with) <= 1);
    let drawn = png(&server, &format!("{path}/rendered?{window}")).await;
    assert!(apart(drawn.as_bytes(), &without) <= 1);
    // A part of it is the part of the whole, overlays and all.
    let (width, crop) = (drawn.width() as usize, 100);
    let query = format!("{window}&overlays=yes&viewport=100,100,50,60,100,100");
    let cut = png(&server, &format!("{path}/rendered?{query}")).await;
    let rows = (60..60 + crop).map(|row| &with[row * width + 50..row * width + 50 + crop]);
    assert!(apart(cut.as_bytes(), &rows.collect::<Vec<_>>().concat()) <= 1);
}

#[tokio::test]
async fn overlay_bits_inside_the_pixel_words_are_drawn() {
    let server = Server::start();
    let mut object = Object::ct("P1", 1, 1, 1);
    let words: Vec<u16> = (0..256).map(|n| if n % 16 == 3 { 0x8000 | n } else { n }).collect();
    object
        .number(0x0028_0101, 12)
        .number(0x0028_0102, 11)
        .number(0x6000_0010, 16)
        .number(0x6000_0011, 16)
        .text(0x6000_0040, b"CS", "G")
        .bytes(0x6000_0050, b"SS", vec![1, 0, 1, 0])
        .number(0x6000_0100, 16)
        .number(0x6000_0102, 15)
        .bytes(0x7FE0_0010, b"OW", words.iter().flat_map(|word| word.to_le_bytes()).collect());
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let query = "window=500,1000,linear&overlays=yes";
    let drawn = png(&server, &format!("{}/rendered?{query}", object.path())).await;
    let levels = drawn.as_bytes();
    for (at, level) in levels.iter().enumerate() {
        assert_eq!(*level == 255, at % 16 == 3, "pixel {at} is {level}");
    }
}

#[tokio::test]
async fn annotations_are_in_the_picture_on_request_and_never_in_thumbnails() {
    let server = Server::start();
    let path = stow(&server, &study_file("mr-head/t1-04.dcm")).await;
    let drawn = |query: &str| {
        let path = format!("{path}/rendered?viewport=512,512{query}");
        let server = &server;
        async move { png(server, &path).await.to_luma8() }
    };
    let plain = drawn("").await;
    let patient = drawn("&annotation=patient").await;
    let technique = drawn("&annotation=technique").await;
    let changed = |image: &image::GrayImage, rows: std::ops::Range<u32>| {
        rows.flat_map(|y| (0..512).map(move |x| (x, y)))
            .filter(|(x, y)| image.get_pixel(*x, *y) != plain.get_pixel(*x, *y))
            .count()
    };
    assert!(changed(&patient, 0..128) > 500, "the patient is written at the top");
    assert_eq!(changed(&patient, 256..512), 0);
    assert!(changed(&technique, 384..512) > 500, "the technique is written at the bottom");
    assert_eq!(changed(&technique, 0..256), 0);
    let bytes = |query: &'static str| {
        let path = format!("{path}/thumbnail?{query}");
        let server = &server;
        async move { server.get(&path).await.bytes().await.unwrap() }
    };
    let thumbnail = server.get(&format!("{path}/thumbnail")).await.bytes().await.unwrap();
    for query in ["annotation=patient", "annotation=patient,technique&overlays=yes"] {
        let asked = server.get(&format!("{path}/thumbnail?{query}")).await;
        let warning = asked.headers()["warning"].to_str().unwrap().to_owned();
        assert!(warning.contains("annotation"), "{warning}");
        assert_eq!(asked.bytes().await.unwrap(), thumbnail, "{query}");
    }
    assert_eq!(bytes("viewport=300,300").await, bytes("viewport=300,300&annotation=patient").await);
}

#[tokio::test]
async fn colour_profiles_are_put_in_or_left_out_as_asked() {
    let server = Server::start();
    let path = stow(&server, &study_file("us-loop/us-1.dcm")).await;
    let got = |query: &'static str, accept: &'static str| {
        let path = format!("{path}/rendered?{query}");
        let server = &server;
        async move { server.get_as(&path, accept).await.bytes().await.unwrap().to_vec() }
    };
    let png_profile = |bytes: Vec<u8>| {
        let cursor = std::io::Cursor::new(bytes);
        image::codecs::png::PngDecoder::new(cursor).unwrap().icc_profile().unwrap()
    };
    let jpeg_profile = |bytes: Vec<u8>| {
        let cursor = std::io::Cursor::new(bytes);
        image::codecs::jpeg::JpegDecoder::new(cursor).unwrap().icc_profile().unwrap()
    };
    assert_eq!(png_profile(got("iccprofile=no", "image/png").await), None);
    for keyword in
        ["iccprofile=yes", "iccprofile=srgb", "iccprofile=adobergb", "iccprofile=rommrgb"]
    {
        let png = png_profile(got(keyword, "image/png").await).unwrap();
        assert_eq!(&png[36..40], b"acsp", "{keyword}: an ICC profile's signature");
        assert_eq!(jpeg_profile(got(keyword, "image/jpeg").await), Some(png), "{keyword}");
    }
    assert_ne!(
        got("iccprofile=adobergb", "image/png").await,
        got("iccprofile=srgb", "image/png").await
    );
    let query = format!("{path}/rendered?iccprofile=yes");
    let (status, detail) = refused(&server, &query, "image/gif").await;
    assert_eq!(status, 400);
    assert!(detail.contains("iccprofile"), "{detail}");
}

#[tokio::test]
async fn the_objects_own_profile_is_carried() {
    let server = Server::start();
    let mut object = gradient();
    // Longer than what is kept of a header, so that it is read by its own range.
    let profile: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    object
        .number(0x0028_0002, 3)
        .text(0x0028_0004, b"CS", "RGB")
        .number(0x0028_0006, 0)
        .bytes(0x0028_2000, b"OB", profile.clone())
        .bytes(
            0x7FE0_0010,
            b"OW",
            gradient_levels().iter().flat_map(|level| [*level; 3]).collect(),
        );
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    for query in ["", "?iccprofile=yes"] {
        let response =
            server.get_as(&format!("{}/rendered{query}", object.path()), "image/png").await;
        let cursor = std::io::Cursor::new(response.bytes().await.unwrap());
        let mut decoder = image::codecs::png::PngDecoder::new(cursor).unwrap();
        assert_eq!(decoder.icc_profile().unwrap().as_deref(), Some(profile.as_slice()), "{query}");
    }
}

#[tokio::test]
async fn quality_makes_jpegs_smaller_or_truer() {
    let server = Server::start();
    let path = stow(&server, &study_file("mr-head/t1-04.dcm")).await;
    let mut sizes = Vec::new();
    for quality in [5, 50, 100] {
        let response =
            server.get_as(&format!("{path}/rendered?quality={quality}"), "image/jpeg").await;
        assert_eq!(response.headers()["content-type"], "image/jpeg");
        sizes.push(response.bytes().await.unwrap().len());
    }
    assert!(sizes[0] * 2 < sizes[1] && sizes[1] * 2 < sizes[2], "{sizes:?}");
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let (server, path) = with_gradient().await;
    for (query, name) in [
        ("quality=0", "quality"),
        ("quality=", "quality"),
        ("viewport=5", "viewport"),
        ("viewport=0,5", "viewport"),
        ("viewport=5,5,1,1,0,1", "viewport"),
        ("viewport=5,5,8,0", "viewport"),
        ("viewport=5,5,1,", "viewport"),
        ("window=1,2", "window"),
        ("window=1,0,linear", "window"),
        ("window=1,2,cubic", "window"),
        ("annotation=", "annotation"),
        ("annotation=me", "annotation"),
        ("iccprofile=cmyk", "iccprofile"),
        ("overlays=maybe", "overlays"),
    ] {
        let (status, detail) = refused(&server, &format!("{path}/rendered?{query}"), "*/*").await;
        assert_eq!(status, 400, "{query}: {detail}");
        assert!(detail.contains(name), "{query}: {detail}");
    }
    let (status, _) =
        refused(&server, &format!("{path}/thumbnail?viewport=5,5,1,1,2,2"), "*/*").await;
    assert_eq!(status, 400);
    assert_eq!(refused(&server, &format!("{path}/rendered"), "video/mp4").await.0, 406);
    assert_eq!(refused(&server, &format!("{path}/frames/2/rendered"), "*/*").await.0, 404);
}

#[tokio::test]
async fn parameters_that_are_not_supported_are_ignored_and_told() {
    let (server, path) = with_gradient().await;
    let response =
        server.get(&format!("{path}/rendered?renderingmethod=maximum_ip&quality=80")).await;
    assert_eq!(response.status(), 200);
    let warning = response.headers()["warning"].to_str().unwrap();
    assert!(warning.starts_with("299 ") && warning.ends_with("renderingmethod"), "{warning}");
}

#[tokio::test]
async fn a_picture_that_is_known_is_not_sent_again() {
    let (server, path) = with_gradient().await;
    let url = format!("{}{path}/rendered?viewport=100,100", server.dicomweb());
    let client = crate::support::server::client();
    let first = client.get(&url).send().await.unwrap();
    let etag = first.headers()["etag"].clone();
    let again = client.get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let other = client.get(format!("{url}&quality=5")).header("if-none-match", &etag);
    assert_eq!(other.send().await.unwrap().status(), 200);
    for cache in ["render", "header"] {
        assert!(server.metric(&format!("lastra_{cache}_cache_bytes")).await > 0.0, "{cache}");
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_told_and_has_a_placeholder() {
    let server = Server::start();
    let mut object = gradient();
    let bytes = vec![9; 96];
    object.text(0x0028_0004, b"CS", "HSV").number(0x0028_0002, 3).bytes(0x7FE0_0010, b"OW", bytes);
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let (status, detail) = refused(&server, &format!("{}/rendered", object.path()), "*/*").await;
    assert_eq!(status, 406, "{detail}");
    for query in ["", "?viewport=64,80"] {
        let response = server.get(&format!("{}/thumbnail{query}", object.path())).await;
        assert_eq!(response.status(), 200);
        let picture = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(picture.width(), if query.is_empty() { 192 } else { 64 });
    }
}

#[tokio::test]
async fn a_picture_comes_as_jpeg_2000_file_without_loss() {
    let server = Server::start();
    let color = samples("test_files").into_iter().find(|s| s.name == "SC_rgb_rle.dcm").unwrap();
    let mut paths = vec![stow(&server, &color.path).await];
    let object = gradient();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    paths.push(object.path());
    for path in paths {
        for query in ["", "?iccprofile=srgb", "?viewport=40,40"] {
            let expected = png(&server, &format!("{path}/rendered{query}")).await;
            let response = server.get_as(&format!("{path}/rendered{query}"), "image/jp2").await;
            assert_eq!(response.status(), 200, "{path}{query}");
            assert_eq!(response.headers()["content-type"], "image/jp2");
            let folder = tempfile::tempdir().unwrap();
            let (file, raw) = (folder.path().join("picture.jp2"), folder.path().join("raw"));
            std::fs::write(&file, response.bytes().await.unwrap()).unwrap();
            let script = "import sys; from PIL import Image; picture = Image.open(sys.argv[1]); \
                          open(sys.argv[2], 'wb').write(picture.tobytes()); print(picture.size, picture.mode)";
            let printed = run_python(script, &[file.to_str().unwrap(), raw.to_str().unwrap()]);
            let mode = if expected.color().channel_count() == 1 { "L" } else { "RGB" };
            let size = format!("({}, {}) {mode}", expected.width(), expected.height());
            assert_eq!(printed.trim(), size, "{path}{query}");
            assert_eq!(std::fs::read(raw).unwrap(), expected.as_bytes(), "{path}{query}");
        }
    }
}
