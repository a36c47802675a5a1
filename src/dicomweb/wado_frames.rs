//! WADO-RS: frames as they are stored (PS3.18 §10.4.1.1.6).
//!
//! Deviation for now: compressed frames are not decompressed when no transfer syntax is asked for
//! (PS3.18 §8.7.3.4 wants Explicit VR Little Endian); they go out as stored, their syntax stated.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use crate::archive::frame::FramePlan;
use crate::dicomweb::frame_list;
use crate::dicomweb::media::{OCTETS, of_frame, stated_syntax};
use crate::dicomweb::multipart::{Part, related, related_one};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::{Retrieval, hex, vary};
use crate::dicomweb::wado_bulk::{partial, unsatisfiable};
use crate::http::caching::{ETag, PRIVATE};
use crate::http::problem::Problem;
use crate::http::range::Asked;

/// Frames read ahead of the one being sent.
const FRAMES_AHEAD: usize = 4;

/// Retrieve Frames: `GET …/instances/{instance}/frames/{frames}`. Several frames go out as parts in
/// the order asked, one also by itself; 406 when the client takes no stored form.
pub async fn retrieve_frames(asked: Retrieval) -> Result<Response, Problem> {
    let frames = frame_list::parse(asked.place.frames.as_deref().unwrap_or_default())?;
    let path = asked.instance()?;
    let plan = asked.archive.frames(&asked.permit, &path, &frames).await?;
    let offers = offers(&plan);
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| offers.get(chosen));
    let chosen = *chosen.ok_or_else(|| not_acceptable(&plan))?;
    let etag = etag(&plan, &chosen);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let mut response = match (chosen.multipart, plan.frames.as_slice()) {
        (false, [frame]) => one_frame(&asked, &plan, *frame, chosen.media, &etag).await?,
        (_, [frame]) => related_one(chosen.media, part(&asked, &plan, *frame, chosen.media).await?),
        _ => {
            let media = chosen.media.to_owned();
            many_frames(asked, Arc::new(plan), media).await?
        }
    };
    etag.write(response.headers_mut());
    Ok(vary(response))
}

/// The forms frames can go out in, the preferred first; a single part only for a single frame.
fn offers(plan: &FramePlan) -> Vec<Offer<'_>> {
    let syntax = Some(stated_syntax(&plan.located.transfer_syntax));
    let own = of_frame(&plan.located.transfer_syntax);
    let mut offers = Vec::with_capacity(4);
    for media in [own, OCTETS] {
        if plan.frames.len() == 1 {
            offers.push(Offer { media, multipart: false, syntax });
        }
        offers.push(Offer { media, multipart: true, syntax });
    }
    offers
}

fn not_acceptable(plan: &FramePlan) -> Problem {
    let syntax = stated_syntax(&plan.located.transfer_syntax);
    let media = of_frame(syntax);
    let mut reason = format!(
        "these frames are stored as {media}; transfer-syntax={syntax}, and given so or as \
         {OCTETS}; transfer-syntax=* takes any"
    );
    if plan.frames.len() != 1 {
        reason.push_str("; several frames need multipart/related");
    }
    Problem::not_acceptable(reason)
}

fn etag(plan: &FramePlan, chosen: &Offer<'_>) -> ETag {
    let hash = hex(&plan.located.data_set_sha256);
    let media = chosen.media.rsplit('/').next().unwrap_or_default();
    let frames: String = if let [frame] = plan.frames.as_slice() {
        frame.to_string()
    } else {
        let bytes: Vec<u8> = plan.frames.iter().flat_map(|frame| frame.to_le_bytes()).collect();
        hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
    };
    let opaque = format!("{hash}-{frames}-{media}");
    if chosen.multipart { ETag::weak(&opaque) } else { ETag::strong(&opaque) }
}

async fn part(
    asked: &Retrieval,
    plan: &FramePlan,
    frame: u32,
    media: &str,
) -> Result<Part, Problem> {
    let bytes = asked.archive.frame_bytes(plan, frame).await?;
    Ok(frame_part(&asked.urls.of(&plan.located.path), plan, frame, media, bytes))
}

fn frame_part(instance: &str, plan: &FramePlan, frame: u32, media: &str, bytes: Bytes) -> Part {
    let syntax = stated_syntax(&plan.located.transfer_syntax);
    Part::of_bytes(
        format!("{media}; transfer-syntax={syntax}"),
        format!("{instance}/frames/{frame}"),
        bytes,
    )
}

async fn one_frame(
    asked: &Retrieval,
    plan: &FramePlan,
    frame: u32,
    media: &str,
    etag: &ETag,
) -> Result<Response, Problem> {
    let bytes = asked.archive.frame_bytes(plan, frame).await?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let wanted = Asked::of(&asked.headers, length, etag);
    let slice = |from: u64, to: u64| {
        let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
        (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
    };
    let bytes = match wanted {
        Asked::Part { from, to } => slice(from, to).ok_or_else(Problem::internal)?,
        Asked::Whole => bytes.clone(),
        Asked::Unsatisfiable => return Ok(unsatisfiable(length)),
    };
    let part = frame_part(&asked.urls.of(&plan.located.path), plan, frame, media, bytes);
    Ok(partial(part, wanted, length))
}

async fn many_frames(
    asked: Retrieval,
    plan: Arc<FramePlan>,
    media: String,
) -> Result<Response, Problem> {
    let instance = asked.urls.of(&plan.located.path);
    let archive = asked.archive;
    let kind = media.clone();
    let frames = plan.frames.clone();
    let parts = stream::iter(frames)
        .map(move |frame| {
            let (archive, plan) = (archive.clone(), Arc::clone(&plan));
            let (instance, media) = (instance.clone(), media.clone());
            async move {
                let bytes = archive.frame_bytes(&plan, frame).await?;
                Ok(frame_part(&instance, &plan, frame, &media, bytes))
            }
        })
        .buffered(FRAMES_AHEAD);
    let mut response = related(&kind, parts).await?;
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, PRIVATE);
    Ok(response)
}
