//! WADO-RS: frames, as they are stored or re-encoded (PS3.18 §10.4.1.1.6).

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use futures::{Stream, StreamExt};

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::frame::FramePlan;
use crate::dicomweb::frame_list;
use crate::dicomweb::given::{self, Form, Given};
use crate::dicomweb::media::{of_frame, stated_syntax};
use crate::dicomweb::multipart::{Part, related, related_one};
use crate::dicomweb::qido::warn;
use crate::dicomweb::wado::{ENCODERS, Retrieval, hex, vary};
use crate::dicomweb::wado_bulk::{partial, unsatisfiable};
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::http::range::Asked;
use crate::imaging::transcode::Target;

/// Frames read ahead of the one being sent.
const FRAMES_AHEAD: usize = 4;

/// Retrieve Frames: `GET …/instances/{instance}/frames/{frames}`. Several frames go out as parts in
/// the order asked, one also by itself; 406 when the client takes no form there is.
pub async fn retrieve_frames(asked: Retrieval) -> Result<Response, Problem> {
    let frames = frame_list::parse(asked.place.frames.as_deref().unwrap_or_default())?;
    let path = asked.instance()?;
    let plan = Arc::new(asked.archive.frames(&asked.permit, &path, &frames).await?);
    let syntax = plan.located.transfer_syntax.clone();
    let form = given::frames(&asked.accept, &syntax, frames.len() == 1);
    let form = form.ok_or_else(|| not_acceptable(&plan))?;
    let etag = etag(&plan, &form);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let colours = told_colours(&asked, &plan, frames.first().copied(), form.given).await?;
    let urls = asked.urls.clone();
    let mut response = match (form.multipart, plan.frames.as_slice()) {
        (false, [frame]) => one_frame(&asked, &plan, *frame, &form, &etag).await?,
        (_, [frame]) => {
            let bytes = bytes_of(&asked.archive, &plan, *frame, form.given).await?;
            related_one(form.media, frame_part(&asked, &plan, *frame, &form, bytes))
        }
        _ => related(form.media, parts(asked, plan, &form)).await?,
    };
    etag.write(response.headers_mut());
    if let Some(colours) = colours {
        warn(&mut response, &urls, &colours);
    }
    Ok(vary(response))
}

/// That decoded samples are of other colours than the metadata says, which clients read them by.
pub async fn told_colours(
    asked: &Retrieval,
    plan: &Arc<FramePlan>,
    frame: Option<u32>,
    given: Given,
) -> Result<Option<String>, Problem> {
    let (Some(frame), Given::As(Target::Native)) = (frame, given) else { return Ok(None) };
    let differing = asked.archive.decoded_as(plan, frame).await?;
    Ok(differing.map(|(said, is)| {
        let (said, is) = (said.as_str(), is.as_str());
        format!(
            "Photometric Interpretation (0028,0004) of these uncompressed samples is {is}, of the \
             stored ones, and so in the metadata, {said}"
        )
    }))
}

fn not_acceptable(plan: &FramePlan) -> Problem {
    let syntax = stated_syntax(&plan.located.transfer_syntax);
    let media = of_frame(syntax);
    let mut reason = format!(
        "these frames are stored as {media}; transfer-syntax={syntax}; they are given so, or \
         re-encoded to what the archive has encoders for; transfer-syntax=* takes any"
    );
    if plan.frames.len() != 1 {
        reason.push_str("; several frames need multipart/related");
    }
    Problem::not_acceptable(reason)
}

fn etag(plan: &FramePlan, form: &Form<'_>) -> ETag {
    let hash = hex(&plan.located.data_set_sha256);
    let media = form.media.rsplit('/').next().unwrap_or_default();
    let frames: String = if let [frame] = plan.frames.as_slice() {
        frame.to_string()
    } else {
        let bytes: Vec<u8> = plan.frames.iter().flat_map(|frame| frame.to_le_bytes()).collect();
        hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
    };
    let opaque = match form.given {
        Given::Stored => format!("{hash}-{frames}-{media}"),
        Given::As(target) => format!("{hash}-{frames}-{media}-{}-{ENCODERS}", target.uid()),
    };
    if form.multipart { ETag::weak(&opaque) } else { ETag::strong(&opaque) }
}

/// A frame's bytes in the form chosen.
pub async fn bytes_of(
    archive: &Archive,
    plan: &Arc<FramePlan>,
    frame: u32,
    given: Given,
) -> Result<Bytes, ArchiveError> {
    match given {
        Given::Stored => archive.frame_bytes(plan, frame).await,
        Given::As(target) => archive.frame_as(plan, frame, target).await,
    }
}

fn frame_part(
    asked: &Retrieval,
    plan: &FramePlan,
    frame: u32,
    form: &Form<'_>,
    bytes: Bytes,
) -> Part {
    let instance = asked.urls.of(&plan.located.path);
    let (content_type, location) = (content_type(form), format!("{instance}/frames/{frame}"));
    Part::of_bytes(content_type, location, bytes)
}

/// Media type and transfer syntax of a part.
pub fn content_type(form: &Form<'_>) -> String {
    match form.syntax {
        Some(syntax) => format!("{}; transfer-syntax={syntax}", form.media),
        None => form.media.to_owned(),
    }
}

/// One frame by itself. Of a stored one no more is read than the range asked for.
async fn one_frame(
    asked: &Retrieval,
    plan: &Arc<FramePlan>,
    frame: u32,
    form: &Form<'_>,
    etag: &ETag,
) -> Result<Response, Problem> {
    let archive = &asked.archive;
    let (bytes, wanted, length) = if form.given == Given::Stored {
        let length = archive.frame_length(plan, frame)?;
        let wanted = Asked::of(&asked.headers, length, etag);
        let bytes = match wanted {
            Asked::Part { from, to } => archive.frame_part(plan, frame, from..to).await?,
            Asked::Whole => archive.frame_bytes(plan, frame).await?,
            Asked::Unsatisfiable => return Ok(unsatisfiable(length)),
        };
        (bytes, wanted, length)
    } else {
        let bytes = bytes_of(archive, plan, frame, form.given).await?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let wanted = Asked::of(&asked.headers, length, etag);
        let bytes = match wanted {
            Asked::Part { from, to } => slice(&bytes, from, to).ok_or_else(Problem::internal)?,
            Asked::Whole => bytes,
            Asked::Unsatisfiable => return Ok(unsatisfiable(length)),
        };
        (bytes, wanted, length)
    };
    Ok(partial(frame_part(asked, plan, frame, form, bytes), wanted, length))
}

fn slice(bytes: &Bytes, from: u64, to: u64) -> Option<Bytes> {
    let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
    (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
}

/// Frames as parts, in the order asked, a few being made ahead.
fn parts(
    asked: Retrieval,
    plan: Arc<FramePlan>,
    form: &Form<'_>,
) -> impl Stream<Item = Result<Part, ArchiveError>> + Send + 'static {
    let instance = asked.urls.of(&plan.located.path);
    let (content_type, given) = (content_type(form), form.given);
    let archive = asked.archive;
    stream::iter(plan.frames.clone())
        .map(move |frame| {
            let (archive, plan) = (archive.clone(), Arc::clone(&plan));
            let location = format!("{instance}/frames/{frame}");
            let content_type = content_type.clone();
            async move {
                let bytes = bytes_of(&archive, &plan, frame, given).await?;
                Ok(Part::of_bytes(content_type, location, bytes))
            }
        })
        .buffered(FRAMES_AHEAD)
}
