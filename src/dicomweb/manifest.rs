//! A study's manifest: `GET /studies/{study}/manifest`. IHE MADO says what it holds and leaves to each
//! archive where it lies: here it is a resource of its study, as its metadata are.
//!
//! `application/dicom` gives the Key Object Selection, `application/fhir+json` the FHIR document; with
//! `profile=xds-i` the DICOM object is the plain manifest of IHE XDS-I.b.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::IF_NONE_MATCH;
use axum::http::header::VARY;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::dicom::uid::Uid;
use crate::dicomweb::address::Urls;
use crate::dicomweb::door::Door;
use crate::dicomweb::media::DICOM;
use crate::dicomweb::media::JSON;
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::Offer;
use crate::dicomweb::offer::choose;
use crate::dicomweb::wado::Retrieval;
use crate::documents::manifest::Manifest;
use crate::documents::manifest_fhir::bundle;
use crate::documents::manifest_kos::Profile;
use crate::documents::manifest_kos::file;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::manifest::Addresses;
use crate::http::caching::ETag;
use crate::http::problem::Problem;

/// FHIR resources as JSON (FHIR R4 §2.1.0.6).
const FHIR_JSON: &str = "application/fhir+json";

const OFFERS: [Offer<'static>; 3] = [
    Offer { media: DICOM, multipart: false, syntax: None },
    Offer { media: FHIR_JSON, multipart: false, syntax: None },
    Offer { media: JSON, multipart: false, syntax: None },
];

impl Addresses for Urls {
    fn root(&self) -> String {
        Self::root(self).to_owned()
    }

    fn series(&self, study: &Uid, series: &Uid) -> String {
        Self::series(self, study, series)
    }
}

/// Retrieve a study's manifest.
pub async fn retrieve_manifest(
    State(door): State<Door>,
    asked: Retrieval,
) -> Result<Response, Problem> {
    let profile = profile(&asked)?;
    let chosen = choose(&asked.accept, &OFFERS).and_then(|chosen| OFFERS.get(chosen));
    let media = chosen.ok_or_else(not_acceptable)?.media;
    let begun = door.fascicolo.manifest_outline(&asked.permit, &asked.scope, &asked.urls).await;
    let mut outline = begun.map_err(problem)?;
    let etag = |uid: &str| ETag::strong(&format!("{uid}-{media}-{profile:?}"));
    if asked.headers.contains_key(IF_NONE_MATCH) {
        door.fascicolo.name_manifest(&mut outline).await.map_err(problem)?;
        if let Some(response) = etag(&outline.manifest.uid).not_modified(&asked.headers) {
            return Ok(vary(response));
        }
    }
    let manifest = door.fascicolo.whole_manifest(outline).await.map_err(problem)?;
    let etag = etag(&manifest.uid);
    let mut response = written(&asked, manifest, media, profile).await?;
    etag.write(response.headers_mut());
    Ok(vary(response))
}

async fn written(
    asked: &Retrieval,
    manifest: Manifest,
    media: &'static str,
    profile: Profile,
) -> Result<Response, Problem> {
    let written = move || match media {
        DICOM => file(&manifest, profile),
        _ => Some(bundle(&manifest).to_string().into_bytes()),
    };
    let written = asked.archive.compute(WEIGHT_BYTES, written).await?;
    let mut response = written.ok_or_else(Problem::internal)?.into_response();
    put(&mut response, CONTENT_TYPE, media);
    Ok(response)
}

/// What writing a manifest of some thousand instances takes.
const WEIGHT_BYTES: u64 = 8 * 1024 * 1024;

fn profile(asked: &Retrieval) -> Result<Profile, Problem> {
    match asked.query.one("profile")? {
        None => Ok(Profile::Mado),
        Some(text) if text.eq_ignore_ascii_case("mado") => Ok(Profile::Mado),
        Some(text) if text.eq_ignore_ascii_case("xds-i") => Ok(Profile::XdsI),
        Some(_) => Err(Problem::bad_parameter("profile", "use mado or xds-i")),
    }
}

fn not_acceptable() -> Problem {
    Problem::not_acceptable("a manifest is given as application/dicom or application/fhir+json")
}

/// What the fascicolo could not do, as the client reads it.
pub fn problem(error: FascicoloError) -> Problem {
    match error {
        FascicoloError::Archive(error) => error.into(),
        FascicoloError::Index(error) => crate::archive::error::ArchiveError::from(error).into(),
        FascicoloError::Blobs(error) => crate::archive::error::ArchiveError::from(error).into(),
        FascicoloError::Unknown(_) | FascicoloError::Denied => Problem::not_found(),
        FascicoloError::Refused(_) | FascicoloError::TooLong(_) => Problem::internal(),
    }
}

fn vary(mut response: Response) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}
