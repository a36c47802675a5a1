//! WADO-URI at `/wado`: each parameter and each thing it refuses (PS3.18 §9).

use reqwest::Response;

use super::looking::{gradient, gradient_levels, stow, study_file};
use crate::support::objects::{Object, data_set_of};
use crate::support::server::{Server, client};

fn query_of(object: &Object) -> String {
    let (study, series, instance) = (&object.study, &object.series, &object.sop_instance);
    format!("requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}")
}

async fn get(server: &Server, query: &str) -> Response {
    client().get(format!("http://{}/wado?{query}", server.http)).send().await.unwrap()
}

async fn png(server: &Server, query: &str) -> (u32, u32, Vec<u8>) {
    let response = get(server, &format!("{query}&contentType=image/png")).await;
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{query}: {}", String::from_utf8_lossy(&bytes));
    let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap();
    (picture.width(), picture.height(), picture.into_bytes())
}

async fn with_gradient() -> (Server, String) {
    let server = Server::start();
    let object = gradient();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    (server, query_of(&object))
}

#[tokio::test]
async fn a_jpeg_is_what_nothing_else_said_means() {
    let (server, query) = with_gradient().await;
    let response = get(&server, &query).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    let picture = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (8, 4));
}

#[tokio::test]
async fn regions_and_sizes_are_cut_and_scaled() {
    let (server, query) = with_gradient().await;
    assert_eq!(png(&server, &query).await, (8, 4, gradient_levels()));
    let levels = gradient_levels();
    let (width, height, cut) = png(&server, &format!("{query}&region=0.25,0.5,0.75,1")).await;
    assert_eq!((width, height), (4, 2));
    assert_eq!(cut, [&levels[18..22], &levels[26..30]].concat());
    for (more, size) in [
        ("rows=2&columns=100", (4, 2)),
        ("columns=16", (16, 8)),
        ("rows=16", (32, 16)),
        ("rows=4&columns=4&region=0,0,0.5,1", (4, 4)),
    ] {
        let (width, height, _) = png(&server, &format!("{query}&{more}")).await;
        assert_eq!((width, height), size, "{more}");
    }
    let (.., windowed) = png(&server, &format!("{query}&windowCenter=100&windowWidth=1")).await;
    assert!(windowed.iter().zip(&levels).all(|(level, value)| (*level == 255) == (*value >= 100)));
}

#[tokio::test]
async fn the_instance_itself_comes_in_the_transfer_syntax_asked_for() {
    let server = Server::start();
    let object = gradient();
    assert_eq!(server.store(std::slice::from_ref(&object)).await, [0]);
    let query = query_of(&object);
    for more in ["", "&transferSyntax=1.2.840.10008.1.2.1"] {
        let response = get(&server, &format!("{query}&contentType=application/dicom{more}")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/dicom");
        assert_eq!(data_set_of(&response.bytes().await.unwrap()), object.data_set());
    }
    // RLE Lossless (PS3.5 §A.4.2): re-encoded.
    let rle = "1.2.840.10008.1.2.5";
    let asked = format!("{query}&contentType=application/dicom&transferSyntax={rle}");
    let response = get(&server, &asked).await;
    assert_eq!(response.status(), 200);
    let file = response.bytes().await.unwrap();
    let said = [b"\x02\0\x10\0UI\x14\0", rle.as_bytes(), b"\0"].concat();
    assert!(memchr::memmem::find(&file, &said).is_some(), "(0002,0010) says so");
    let by_header = client()
        .get(format!("http://{}/wado?{query}", server.http))
        .header("accept", "application/dicom");
    assert_eq!(
        data_set_of(&by_header.send().await.unwrap().bytes().await.unwrap()),
        object.data_set()
    );
    let unknown = format!("{query}&contentType=application/dicom&transferSyntax=1.2.3.4.5");
    assert_eq!(get(&server, &unknown).await.status(), 406);
}

#[tokio::test]
async fn what_is_missing_or_malformed_is_named() {
    let (server, query) = with_gradient().await;
    for name in ["requestType", "studyUID", "seriesUID", "objectUID"] {
        let response = get(&server, &query.replace(name, "x")).await;
        assert_eq!(response.status(), 400, "{name}");
        assert!(response.text().await.unwrap().contains(name));
    }
    for (more, name) in [
        ("requestType=WADO", "requestType"),
        ("frameNumber=0", "frameNumber"),
        ("frameNumber=2", "frameNumber"),
        ("imageQuality=101", "imageQuality"),
        ("annotation=x", "annotation"),
        ("imageAnnotation=", "imageAnnotation"),
        ("rows=0", "rows"),
        ("columns=1.5", "columns"),
        ("region=0,0,1", "region"),
        ("region=0.5,0,0.1,1", "region"),
        ("windowCenter=5", "windowWidth"),
        ("windowWidth=5", "windowCenter"),
        ("windowCenter=5&windowWidth=x", "windowWidth"),
        ("presentationUID=1.2", "presentationSeriesUID"),
        ("presentationSeriesUID=1.2", "presentationUID"),
        ("presentationSeriesUID=1.2&presentationUID=1.3", "presentationUID"),
        ("contentType=application/dicom&windowCenter=1&windowWidth=2", "windowCenter"),
        ("contentType=application/dicom&anonymize=no", "anonymize"),
        ("contentType=application/dicom&transferSyntax=x", "transferSyntax"),
        ("contentType=application/dicom,image/png", "contentType"),
        ("contentType=application/dicom;transfer-syntax=1.2.840.10008.1.2.1", "contentType"),
        ("transferSyntax=1.2.840.10008.1.2.1", "transferSyntax"),
    ] {
        let response = get(&server, &format!("{query}&{more}")).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 400, "{more}: {text}");
        assert!(text.contains(name), "{more}: {text}");
    }
    assert_eq!(get(&server, &format!("{query}1")).await.status(), 404, "no such instance");
    let nothing = get(&server, &format!("{query}&contentType=video/mpeg")).await;
    assert_eq!(nothing.status(), 200, "what is not there gives way to the Accept header");
}

#[tokio::test]
async fn frames_are_named_by_number_and_move_as_gif() {
    let server = Server::start();
    let path = stow(&server, &study_file("us-loop/us-1.dcm")).await;
    let uids: Vec<&str> = path.split('/').collect();
    let query = format!(
        "requestType=WADO&studyUID={}&seriesUID={}&objectUID={}&columns=80",
        uids[2], uids[4], uids[6]
    );
    let by_rs =
        server.get_as(&format!("{path}/frames/5/rendered?viewport=80,80"), "image/png").await;
    let by_uri =
        get(&server, &format!("{query}&frameNumber=5&rows=80&contentType=image/png")).await;
    assert_eq!(by_uri.bytes().await.unwrap(), by_rs.bytes().await.unwrap());
    let first =
        get(&server, &format!("{query}&contentType=image/png")).await.bytes().await.unwrap();
    let named = get(&server, &format!("{query}&contentType=image/png&frameNumber=1")).await;
    assert_eq!(named.bytes().await.unwrap(), first, "the first frame is shown when none is named");
    let moving = get(&server, &format!("{query}&contentType=image/gif")).await;
    assert_eq!(moving.headers()["content-type"], "image/gif");
}

#[tokio::test]
async fn documents_are_read_and_unknown_parameters_told() {
    let server = Server::start();
    for (file, kind) in [
        ("sr-report/report.dcm", "text/html; charset=utf-8"),
        ("pdf-report/referto-pdf.dcm", "application/pdf"),
        ("cda-report/referto-cda.dcm", "text/html; charset=utf-8"),
    ] {
        let path = stow(&server, &study_file(file)).await;
        let uids: Vec<&str> = path.split('/').collect();
        let query = format!(
            "requestType=WADO&studyUID={}&seriesUID={}&objectUID={}&frame=1",
            uids[2], uids[4], uids[6]
        );
        let response = get(&server, &query).await;
        assert_eq!(response.status(), 200, "{file}");
        assert_eq!(response.headers()["content-type"], kind);
        let warning = response.headers()["warning"].to_str().unwrap().to_owned();
        assert!(warning.ends_with("frame"), "{warning}");
    }
}
