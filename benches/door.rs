//! What DICOMweb answers with, without network and client: searches over 20 000 studies, pictures
//! of the sample studies, and how pictures scale with the cores.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/it/index/population.rs"]
mod population;

use std::sync::Arc;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::HOST;
use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use http_body_util::BodyExt;
use lastra::clock::SharedClock;
use lastra::clock::SystemClock;
use lastra::config::Settings;
use lastra::dicomweb::routes::router;
use lastra::index::open::open;
use lastra::server::app::Rooms;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const STUDIES: u32 = 20_000;

fn main() {
    divan::main();
}

/// An archive in a temporary folder, and the door to it.
struct Door {
    runtime: Runtime,
    router: Router,
    _rooms: Rooms,
    _folder: tempfile::TempDir,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { data: folder.path().to_owned(), ..Settings::default() };
    let rooms = runtime.block_on(async {
        let index = open(&settings.index, &settings.data).await.unwrap();
        for hundred in 0..STUDIES / 100 {
            let studies: Vec<_> = (hundred * 100..hundred * 100 + 100)
                .map(|study| population::new(&format!("P{study}"), study, study % 5, 1, 0))
                .collect();
            index.store(&studies, &[], 1).await.unwrap();
        }
        let long: Vec<_> = (1..=500).map(|n| population::new("P7", 7, 9, n, 0)).collect();
        index.store(&long, &[], 1).await.unwrap();
        index.close().await;
        let clock: SharedClock = Arc::new(SystemClock);
        Rooms::open(&settings, &clock).await.unwrap()
    });
    let public = settings.http.public().unwrap();
    let (archive, fascicolo) = (rooms.archive.clone(), rooms.fascicolo.clone());
    let router = router(archive, fascicolo, public, settings.dicomweb);
    Door { runtime, router, _rooms: rooms, _folder: folder }
});

impl Door {
    fn ask(&self, request: Request<Body>) -> Bytes {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
            body
        })
    }

    fn get(&self, path: &str) -> Bytes {
        self.ask(
            Request::get(format!("/dicom-web{path}"))
                .header(HOST, "localhost")
                .body(Body::empty())
                .unwrap(),
        )
    }

    /// Stores the first file of a sample study; its address.
    fn store(&self, study: &str) -> String {
        let folder = format!("{}/sample-studies/{study}", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<_> = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "dcm"))
            .collect();
        files.sort();
        let file = std::fs::read(files.first().unwrap()).unwrap();
        let request = Request::post("/dicom-web/studies")
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/dicom");
        let answer = self.ask(request.body(file.into()).unwrap());
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let url = &answer["00081199"]["Value"][0]["00081190"]["Value"][0];
        url.as_str().unwrap().split_once("/dicom-web").unwrap().1.to_owned()
    }
}

/// QIDO-RS over 20 000 studies on SQLite, answer read to its end.
#[divan::bench(args = [
    "/studies?StudyInstanceUID=1.4711",
    "/studies?limit=25",
    "/studies?limit=25&PatientName=rossi17*",
    "/studies?limit=25&PatientName=rossi17%5EAnna",
    "/studies?limit=25&PatientName=anna+rossi17&fuzzymatching=true",
    "/studies?limit=25&orderby=PatientName",
    "/studies?limit=25&StudyDate=20260301-20260302",
    "/studies?limit=25&StudyDate=20260301-20260302&StudyTime=10-12",
    "/studies?limit=25&ModalitiesInStudy=CT",
    "/studies/1.7/series/1.7.9/instances",
])]
fn search(bencher: Bencher<'_, '_>, path: &str) {
    let door = &*DOOR;
    bencher.counter(ItemsCount::new(1_u32)).bench(|| door.get(path));
}

/// A rendered JPEG from a stored object, decoded and encoded anew each time by one asker and by as many as there are
/// cores.
#[divan::bench(
    args = ["ct-chest", "mr-head", "dx-chest", "us-loop", "mammo"],
    threads = [1, 0]
)]
fn rendered(bencher: Bencher<'_, '_>, study: &str) {
    let door = &*DOOR;
    let path = format!("{}/rendered", door.store(study));
    bencher.counter(ItemsCount::new(1_u32)).bench(|| door.get(&path));
}

/// The same within 128 by 128 pixels, as a list shows it.
#[divan::bench(args = ["ct-chest", "dx-chest", "us-loop"], threads = [1, 0])]
fn small(bencher: Bencher<'_, '_>, study: &str) {
    let door = &*DOOR;
    let path = format!("{}/rendered?viewport=128,128", door.store(study));
    bencher.counter(ItemsCount::new(1_u32)).bench(|| door.get(&path));
}
