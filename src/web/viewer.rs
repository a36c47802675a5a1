//! Serving OHIF below `/ohif`: files as they were prepared, its one page for all its addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::web::ohif::{CONFIG, PAGE, ROOT, config};
use crate::web::prepare::FOLDER;

/// What can be set about pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// An OHIF package (`.tgz` of npm) or unpacked `dist` folder, put in place at every start;
    /// empty: what `lastra viewer add` put there, if anything.
    pub ohif_dir: String,
}

/// The prepared viewer.
#[derive(Debug, Clone)]
struct Viewer {
    folder: Arc<Path>,
    dicomweb: &'static str,
}

/// The viewer's routes over the data folder; what it shows it fetches at `dicomweb`.
pub fn router(data: &Path, dicomweb: &'static str) -> Router {
    let viewer = Viewer { folder: data.join(FOLDER).into(), dicomweb };
    Router::new()
        .route(ROOT, get(page))
        .route(&format!("{ROOT}/"), get(|| async { Redirect::permanent(ROOT) }))
        .route(&format!("{ROOT}/{{*path}}"), get(file))
        .with_state(viewer)
}

async fn page(State(viewer): State<Viewer>, headers: HeaderMap) -> Result<Response, Problem> {
    viewer.send(PAGE, &headers).await?.ok_or_else(not_added)
}

async fn file(
    State(viewer): State<Viewer>,
    UrlPath(path): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if path == CONFIG {
        return Ok(([(CONTENT_TYPE, JAVASCRIPT)], config(viewer.dicomweb)).into_response());
    }
    if let Some(response) = viewer.send(&path, &headers).await? {
        return Ok(response);
    }
    // What looks like a file is missing; what does not is an address of the page's own.
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.contains('.') { Err(Problem::not_found()) } else { page(State(viewer), headers).await }
}

impl Viewer {
    /// A file of the viewer's; `None` when there is none of that name.
    async fn send(&self, path: &str, asked: &HeaderMap) -> Result<Option<Response>, Problem> {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
        if !path.split('/').all(plain) || path.contains('\0') || path.len() > MOST_PATH_BYTES {
            return Ok(None);
        }
        let place = self.folder.join(path);
        let packed = accepts_gzip(asked);
        let found = match open(&place, packed).await {
            Some(found) => Some((found, packed)),
            None => open(&place, false).await.map(|found| (found, false)),
        };
        let Some((Found { file, bytes, tag }, packed)) = found else { return Ok(None) };
        let etag = ETag::strong(&tag);
        if let Some(known) = etag.not_modified(asked) {
            return Ok(Some(known));
        }
        let mut response =
            Body::from_stream(ReaderStream::with_capacity(file, PIECE)).into_response();
        let headers = response.headers_mut();
        etag.write(headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
        headers.insert(CONTENT_LENGTH, bytes.into());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        // No patient data in here: anyone may keep it.
        let keep = if is_named_by_content(path) { FOR_EVER } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        if packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Some(response))
    }
}

struct Found {
    file: File,
    bytes: u64,
    tag: String,
}

/// Opens a file, or its compressed sibling.
async fn open(place: &Path, packed: bool) -> Option<Found> {
    let mut name = PathBuf::from(place).into_os_string();
    if packed {
        name.push(".gz");
    }
    let file = File::open(name).await.ok()?;
    let facts = file.metadata().await.ok().filter(std::fs::Metadata::is_file)?;
    let changed = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_micros();
    Some(Found { file, bytes: facts.len(), tag: format!("{changed:x}-{:x}", facts.len()) })
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.split('=').nth(1).and_then(|q| q.trim().parse().ok()) == Some(0.0);
        ["gzip", "*"].contains(&name.trim()) && !refused
    })
}

/// Names that hold a hash of the content, as `app.bundle.0f6159c501addfe9.js`.
fn is_named_by_content(path: &str) -> bool {
    path.split(['.', '/'])
        .any(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => JAVASCRIPT,
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn not_added() -> Problem {
    Problem {
        detail: "no viewer was added: `npm pack @ohif/app`, then `lastra viewer add FILE.tgz`"
            .to_owned(),
        ..Problem::not_found()
    }
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const MOST_PATH_BYTES: usize = 512;
/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::{accepts_gzip, is_named_by_content};

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (field, taken) in [
            ("gzip, br", true),
            ("*", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.5", true),
        ] {
            let headers = [("accept-encoding".parse().unwrap(), field.parse().unwrap())];
            assert_eq!(accepts_gzip(&headers.into_iter().collect()), taken, "{field}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(is_named_by_content("app.bundle.0f6159c501addfe9.js"));
        assert!(is_named_by_content("0ddf166f7a343eda.wasm"));
        assert!(!is_named_by_content("index.html"));
    }
}
