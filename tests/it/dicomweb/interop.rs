//! What the door writes, read by the stock `dicomweb-client`: multipart answers of real files,
//! frames, pages of search results. A small server stands in for the archive.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::{StreamExt, stream};
use lastra::archive::error::ArchiveError;
use lastra::dicom::uid::Uid;
use lastra::dicomweb::address::Urls;
use lastra::dicomweb::frame_list;
use lastra::dicomweb::media::{DICOM, DICOM_JSON, OCTETS};
use lastra::dicomweb::multipart::{Part, related, related_one};
use lastra::dicomweb::qido_answer::{Answers, Shape};
use lastra::dicomweb::qido_params::parse;
use lastra::http::base::Base;
use lastra::http::layers::dress;
use lastra::http::limits::Limits;
use lastra::http::listener::{Listener, Settings};
use lastra::http::problem::Problem;
use lastra::http::query_string::QueryString;
use lastra::index::query::{Found, Level};
use lastra::people::patient_id::PatientId;
use tokio_util::sync::CancellationToken;

use crate::support::tools::{dev_dir, run_python};

const STUDIES: u32 = 7;
const PAGE: u32 = 3;

struct Files {
    files: Vec<Bytes>,
    urls: Urls,
}

fn sample_paths() -> Vec<PathBuf> {
    let venv = dev_dir().join("venv/lib");
    let python = std::fs::read_dir(venv).unwrap().next().unwrap().unwrap().path();
    let folder = python.join("site-packages/pydicom/data/test_files");
    ["CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm"].map(|name| folder.join(name)).to_vec()
}

/// A file as a part, in pieces of odd sizes, as stores give them.
fn part(files: &Files, index: usize) -> Result<Part, ArchiveError> {
    let Some(file) = files.files.get(index).cloned() else {
        return Err(ArchiveError::Unknown("file".into()));
    };
    let pieces: Vec<_> = file.chunks(1021).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Ok(Part {
        content_type: format!("{DICOM}; transfer-syntax=1.2.840.10008.1.2.1"),
        location: format!("{}/{index}", files.urls.root()),
        bytes: u64::try_from(file.len()).ok(),
        body: stream::iter(pieces).boxed(),
    })
}

async fn study(State(files): State<Arc<Files>>) -> Result<Response, Problem> {
    let parts: Vec<_> = (0..files.files.len()).map(|index| part(&files, index)).collect();
    related(DICOM, stream::iter(parts)).await
}

async fn instance(State(files): State<Arc<Files>>) -> Result<Response, Problem> {
    Ok(related_one(DICOM, part(&files, 0)?))
}

async fn frames(Path((.., list)): Path<(String, String, String, String)>) -> Response {
    let parts = frame_list::parse(&list).unwrap().into_iter().map(|frame| {
        let bytes = Bytes::from(format!("\r\n--frame {frame}\r\n"));
        Ok(Part::of_bytes(OCTETS.into(), format!("http://h/frames/{frame}"), bytes))
    });
    related(OCTETS, stream::iter(parts.collect::<Vec<_>>())).await.into_response()
}

async fn studies(State(files): State<Arc<Files>>, query: QueryString) -> Result<Response, Problem> {
    let search = parse(&query)?;
    let from = search.offset.min(STUDIES);
    let to = STUDIES.min(from + search.limit.unwrap_or(PAGE).min(PAGE));
    let found: Vec<_> = (from..to).map(found).collect();
    if found.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let shape = Shape {
        level: Level::Study,
        with_study: true,
        with_series: false,
        fields: search.fields,
        named_patient: false,
    };
    let mut answers = Answers::new(&shape, &files.urls, &found);
    for found in &found {
        answers.push(found).unwrap();
    }
    Ok(([("content-type", DICOM_JSON)], answers.finish()).into_response())
}

fn found(number: u32) -> Found {
    Found {
        patient: r#"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Ève"}]}}"#.into(),
        study: format!(r#"{{"00200010":{{"vr":"SH","Value":["{number}"]}}}}"#),
        study_uid: Uid::parse(&format!("1.2.{number}")).unwrap(),
        patient_id: PatientId::default(),
        modalities: vec!["CT".into()],
        study_series: 1,
        study_instances: 1,
        series: None,
        instance: None,
    }
}

const SCRIPT: &str = r#"
import io, sys
import pydicom
from dicomweb_client import DICOMwebClient
client = DICOMwebClient(url=sys.argv[1])
originals = [pydicom.dcmread(path) for path in sys.argv[2:]]
def same(got, original):
    assert got == original, original.SOPInstanceUID
    assert got.file_meta == original.file_meta
got = client.retrieve_study("1.2")
assert len(got) == len(originals), len(got)
for one, original in zip(got, originals):
    same(one, original)
for one, original in zip(client.iter_study("1.2"), originals):
    same(one, original)
same(client.retrieve_instance("1.2", "1.3", "1.4"), originals[0])
frames = client.retrieve_instance_frames("1.2", "1.3", "1.4", [3, 1, 3])
assert frames == [b"\r\n--frame %d\r\n" % n for n in (3, 1, 3)], frames
studies = client.search_for_studies(get_remaining=True, fields=["StudyDescription"], fuzzymatching=True)
assert [s["00200010"]["Value"][0] for s in studies] == [str(n) for n in range(7)]
dataset = pydicom.Dataset.from_json(studies[0])
assert str(dataset.PatientName) == "M\u00fcller^\u00c8ve", dataset.PatientName
assert dataset.RetrieveURL == sys.argv[1] + "/studies/1.2.0", dataset.RetrieveURL
assert client.search_for_studies(limit=0) == []
print("all read")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_stock_client_reads_what_the_door_writes() {
    let settings = Settings { address: "127.0.0.1:0".parse().unwrap(), ..Settings::default() };
    let (listener, address) = Listener::bind(settings).await.unwrap();
    let paths = sample_paths();
    let read = |path: &PathBuf| Bytes::from(std::fs::read(path).unwrap());
    let urls = Urls::new(&Base(format!("http://{address}")));
    let state = Arc::new(Files { files: paths.iter().map(read).collect(), urls });
    let instance_route = "/dicom-web/studies/{study}/series/{series}/instances/{instance}";
    let router = Router::new()
        .route("/dicom-web/studies", get(studies))
        .route("/dicom-web/studies/{study}", get(study))
        .route(instance_route, get(instance))
        .route(&format!("{instance_route}/frames/{{frames}}"), get(frames))
        .with_state(state);
    let stop = CancellationToken::new();
    let running = tokio::spawn(listener.run(dress(router, Limits::default()), stop.clone()));

    let url = format!("http://{address}/dicom-web");
    let said = tokio::task::block_in_place(|| {
        let mut arguments = vec![url.as_str()];
        arguments.extend(paths.iter().filter_map(|path| path.to_str()));
        run_python(SCRIPT, &arguments)
    });
    assert_eq!(said.trim(), "all read");
    stop.cancel();
    running.await.unwrap();
}
